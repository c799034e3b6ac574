"""``documents upload``: ready FA XML of another program, checked and handed to the pipeline."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table

from connector_app.commands.app import App, Failure, pass_app
from connector_app.commands.bilingual import Command, option
from connector_app.commands.files import FILE_OR_DASH
from connector_app.commands.find_seller import find_seller
from connector_app.commands.findings import print_findings
from connector_app.commands.tables import amount
from connector_app.uploads import BadArchive, Outcome, UploadResult, files_of, take
from core.findings import Text

_WORDS = {
    Outcome.GOOD: Text("w porządku", "good"),
    Outcome.STORED: Text("przyjęty, zostanie wysłany", "taken, to be sent"),
    Outcome.KNOWN: Text("już tu jest", "already here"),
    Outcome.REFUSED: Text("odrzucony", "refused"),
}


@click.command(
    cls=Command,
    pl="""Wgrywa gotowe faktury FA XML z innego programu: sprawdza je, wysyła do KSeF i śledzi.

    PLIK to XML albo ZIP z plikami XML. Plik z błędem nie jest wgrywany, a kod wyjścia to 2; pozostałe są.
    Ten sam plik wgrany drugi raz niczego nie zmienia.""",
)
@click.argument("files", type=FILE_OR_DASH, nargs=-1, required=True, metavar="FILE...")
@option("--seller", "nip", metavar="NIP", default=None, pl="NIP sprzedawcy.", en="NIP of the seller.")
@option("--dry-run", is_flag=True, pl="Tylko sprawdza.", en="Only check.")
@option("--json", "as_json", is_flag=True, pl="Wynik jako JSON.", en="The result as JSON.")
@pass_app
def upload(app: App, files: tuple[Path, ...], nip: str | None, dry_run: bool, as_json: bool) -> None:
    """Upload ready FA XML of another program: it is checked, sent to KSeF and tracked.

    FILE is an XML or a ZIP of XML files. A file with an error is not taken, and the exit code is 2; the
    others are. The same file uploaded again changes nothing.
    """
    services = app.open()
    with services.database() as session:
        seller_id = find_seller(app, session, nip).id
    results: list[UploadResult] = []
    for path in files:
        try:
            found = files_of(app.read(path), path.name)
        except BadArchive as error:
            raise Failure(f"{path}: {error.text.in_language(app.language)}") from None
        results += [take(services, seller_id, data, name, store=not dry_run) for name, data in found]
    if as_json:
        app.json([one.as_json() for one in results])
    else:
        _print(app, results)
    if not all(one.ok for one in results):
        click.get_current_context().exit(2)


def _print(app: App, results: list[UploadResult]) -> None:
    table = Table(box=None, pad_edge=False)
    for pl, en in (
        ("Plik", "File"),
        ("Numer", "Number"),
        ("Brutto", "Gross"),
        ("Wynik", "Result"),
        ("Dokument", "Document"),
    ):
        table.add_column(app.text(pl, en))
    for one in results:
        table.add_row(
            one.name,
            one.number,
            amount(one.total, one.currency),
            _WORDS[one.outcome].in_language(app.language),
            str(one.document_id or ""),
        )
    app.table(table)
    for one in results:
        if one.findings:
            app.out.print(f"\n{one.name}", markup=False)
            print_findings(app, one.findings)
    if any(one.outcome is Outcome.STORED for one in results):
        app.say(Text("→ ksef-connector store sync", "→ ksef-connector store sync"))
