"""``verify-archive``: every stored file is read and compared, and fetched from KSeF where it is damaged."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import click
from rich.progress import MofNCompleteColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from connector_app.commands.app import ATTENTION, App, pass_app
from connector_app.commands.bars import bars
from connector_app.commands.bilingual import Command, option
from connector_app.commands.find_seller import find_seller
from connector_app.keeping.repair import NotRepairable, access_of, repair
from connector_app.keeping.verify import Fault, Scope, Tally, count, verify
from connector_app.ksef_access import SellerAccess
from connector_app.pipeline.services import Services
from connector_app.plain_words import ksef_words
from core.calendar import warsaw_day
from core.findings import Text
from core.ksef.errors import KsefError

_SHOWN = 200
"""Faults that are printed; the rest is counted, and JSON has all."""


@click.command(
    "verify-archive",
    cls=Command,
    pl="""Sprawdza wszystkie zapisane pliki XML i UPO: skróty, treść i zgodność z bazą.

    Kończy się kodem 0, gdy wszystko jest całe, a 2, gdy coś jest uszkodzone. Uszkodzone pliki --repair
    pobiera z KSeF i przyjmuje tylko te, których skrót się zgadza. Zob. docs/keeping.pl.md.""",
)
@option("--seller", "nip", default=None, metavar="NIP", pl="Tylko ten sprzedawca.", en="This seller only.")
@option(
    "--schema",
    "with_schema",
    is_flag=True,
    pl="Sprawdź też zgodność ze schematem XSD (wolniej).",
    en="Check the XSD too (slower).",
)
@option(
    "--repair",
    "with_repair",
    is_flag=True,
    pl="Pobierz uszkodzone pliki z KSeF.",
    en="Fetch damaged files from KSeF.",
)
@option("--json", "as_json", is_flag=True, pl="Wynik jako JSON.", en="The result as JSON.")
@pass_app
def verify_archive(app: App, nip: str | None, with_schema: bool, with_repair: bool, as_json: bool) -> None:
    """Check all stored XML files and UPOs: hashes, content, and whether the database agrees.

    Exit code 0: everything is whole; 2: something is damaged. --repair fetches damaged files from KSeF and
    takes only those whose hash agrees. See docs/keeping.md.
    """
    services = app.open()
    today = warsaw_day(services.clock())
    scope = Scope(_seller(app, services, nip), with_schema, services.schema_dir, today)
    with _bar(app, count(services, scope.seller_id)) as shown:
        tally = verify(
            services, scope, lambda seen: shown.update(shown.task_ids[0], completed=seen.documents)
        )
    left = _repair_all(app, services, tally) if with_repair else tally.faults
    if as_json:
        app.json(_json(tally, left))
    else:
        _print(app, tally, left, with_repair=with_repair)
    sys.exit(ATTENTION if left else 0)


def _seller(app: App, services: Services, nip: str | None) -> int | None:
    if nip is None:
        return None
    with services.database() as session:
        return find_seller(app, session, nip).id


def _repair_all(app: App, services: Services, tally: Tally) -> list[Fault]:
    """Fetch what is damaged; what is left, each with why it could not be had."""
    left: list[Fault] = []
    accesses: dict[int, SellerAccess] = {}
    for fault in tally.faults:
        try:
            if fault.seller_id not in accesses:
                accesses[fault.seller_id] = access_of(services, fault.seller_id)
            repair(services, fault, accesses[fault.seller_id])
        except (NotRepairable, KsefError) as error:
            why = error.text if isinstance(error, NotRepairable) else ksef_words(error)
            said = Text(f"{fault.text.pl} {why.pl}", f"{fault.text.en} {why.en}")
            left.append(replace(fault, text=said))
        else:
            tally.repaired += 1
            name = f"{fault.number} {fault.part.value.upper()}"
            app.err.print(f"✓ {app.text('naprawiono', 'repaired')}: {name}", markup=False)
    return left


def _json(tally: Tally, left: list[Fault]) -> dict[str, object]:
    return {
        "documents": tally.documents,
        "upos": tally.upos,
        "session_upo_pages": tally.pages,
        "repaired": tally.repaired,
        "damaged": [
            {
                "document": one.document_id,
                "number": one.number,
                "seller": one.nip,
                "part": one.part.value,
                "message": {"pl": one.text.pl, "en": one.text.en},
            }
            for one in left
        ],
    }


def _print(app: App, tally: Tally, left: list[Fault], *, with_repair: bool) -> None:
    for one in left[:_SHOWN]:
        app.out.print(f"✗ {one.text.in_language(app.language)}", markup=False)
    if len(left) > _SHOWN:
        more = len(left) - _SHOWN
        app.say(Text(f"… i jeszcze {more}; wszystkie: --json", f"… and {more} more; all of them: --json"))
    app.say(
        Text(
            f"Dokumenty: {tally.documents}, UPO: {tally.upos}, strony zbiorczych UPO: {tally.pages}, "
            f"naprawione: {tally.repaired}, uszkodzone: {len(left)}.",
            f"Documents: {tally.documents}, UPOs: {tally.upos}, pages of collective UPOs: {tally.pages}, "
            f"repaired: {tally.repaired}, damaged: {len(left)}.",
        )
    )
    if left and not with_repair:
        app.say(
            Text(
                "→ ksef-connector verify-archive --repair pobierze z KSeF, co się da; resztę odda kopia "
                "zapasowa: ksef-connector restore.",
                "→ ksef-connector verify-archive --repair fetches from KSeF what can be had; a backup gives "
                "the rest back: ksef-connector restore.",
            )
        )


@contextmanager
def _bar(app: App, total: int) -> Iterator[Bars]:
    shown = bars(app, MofNCompleteColumn(), TimeRemainingColumn())
    shown.add_task(app.text("Dokumenty", "Documents"), total=total)
    with shown:
        yield shown
