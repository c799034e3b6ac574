"""``export``: files for the accountant, made from the documents of a month."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.progress import MofNCompleteColumn

from connector_app.accounting import exporting
from connector_app.accounting.exporting import Kind, Made, NotMade
from connector_app.accounting.register.markers import Marker
from connector_app.accounting.register.rows import Scope
from connector_app.checks.period import BadPeriod, Period
from connector_app.commands.app import ATTENTION, App, BadInput, pass_app
from connector_app.commands.bars import bars
from connector_app.commands.bilingual import Command, option
from connector_app.commands.files import FILE, reason_of
from connector_app.commands.find_seller import find_seller, seller_option

_SHOWN = 30
"""Documents that stand against a file, which the screen names."""


@click.command(
    cls=Command,
    name="export",
    pl="""Tworzy plik dla księgowości z dokumentów jednego miesiąca.

    RODZAJ: map (zestawienie zamówień, dokumentów, numerów KSeF i kwot, CSV). Gdy choć jednego dokumentu nie
    da się ująć, plik nie powstaje, a polecenie mówi dlaczego (kod 2). Zob. docs/accounting.pl.md.""",
)
@click.argument("kind", type=click.Choice([one.value for one in Kind]))
@seller_option
@option("--month", required=True, metavar="YYYY-MM", pl="Miesiąc.", en="The month.")
@option("-o", "--output", required=True, type=FILE, metavar="FILE", pl="Plik wynikowy.", en="The file.")
@option(
    "--scope",
    type=click.Choice([one.value for one in Scope]),
    default=Scope.EVERYTHING.value,
    show_default=True,
    pl="Wszystko albo tylko to, co nie ma numeru KSeF (gdy program księgowy pobiera resztę z KSeF sam).",
    en="Everything, or only what has no KSeF number (when the books' program fetches the rest by itself).",
)
@pass_app
def export(app: App, kind: str, nip: str | None, month: str, output: Path, scope: str) -> None:
    """Make a file for the accountant from the documents of a month.

    KIND: map (orders, documents, KSeF numbers and amounts, CSV). When a single document cannot be part of it,
    there is no file, and the command says why (exit code 2). See docs/accounting.md.
    """
    period = _month(app, month)
    if output.is_dir():
        raise BadInput(app.text(f"{output}: to jest folder.", f"{output} is a folder."))
    services = app.open()
    with services.database() as session:
        seller_id = find_seller(app, session, nip).id
    with bars(app, MofNCompleteColumn()) as shown:
        task = shown.add_task(app.text("dokumenty", "documents"), total=None)
        refused: Made | None = None
        try:
            made = exporting.export(
                services,
                Kind(kind),
                seller_id,
                period,
                output,
                scope=Scope(scope),
                progress=lambda done, total: shown.update(task, completed=done, total=total),
            )
        except NotMade as error:
            refused = error.made
        except OSError as error:
            raise BadInput(f"{output}: {reason_of(error).in_language(app.language)}.") from None
    if refused is not None:
        _say_why(app, refused)
        sys.exit(ATTENTION)
    _say(app, output, made)


def _month(app: App, month: str) -> Period:
    try:
        period = Period.between(month, month)
    except BadPeriod as error:
        raise BadInput(error.text.in_language(app.language)) from None
    if period.label != month or len(month) != len("2026-11"):
        raise BadInput(app.text("--month RRRR-MM, na przykład 2026-11.", "--month YYYY-MM, such as 2026-11."))
    return period


def _say(app: App, output: Path, made: Made) -> None:
    marks = ", ".join(f"{marker.value} {count}" for marker, count in made.by_marker.items()) or "–"
    app.out.print(
        app.text(
            f"✓ {output}: dokumentów {made.documents} ({marks})",
            f"✓ {output}: {made.documents} documents ({marks})",
        ),
        markup=False,
        highlight=False,
    )
    later = sum(count for marker, count in made.by_marker.items() if marker.asks_for_correction)
    if later:
        mark = Marker.DI.value
        app.out.print(
            app.text(
                f"! Oznaczonych {mark}: {later}. Gdy dostaną numery KSeF, skoryguj JPK_V7M za ten miesiąc.",
                f"! Marked {mark}: {later}. Once they have KSeF numbers, correct JPK_V7M of the month.",
            ),
            markup=False,
            highlight=False,
        )


def _say_why(app: App, made: Made) -> None:
    count = len(made.troubles)
    app.err.print(
        app.text(
            f"✗ Pliku nie ma: {count} dokumentów nie da się ująć.",
            f"✗ There is no file: {count} documents cannot be part of it.",
        ),
        markup=False,
        highlight=False,
    )
    for one in made.troubles[:_SHOWN]:
        app.err.print(f"  {one.message.in_language(app.language)}", markup=False, highlight=False)
        app.err.print(f"    → {one.hint.in_language(app.language)}", markup=False, highlight=False)
    if count > _SHOWN:
        app.err.print("  …", markup=False)
