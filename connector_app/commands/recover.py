"""``recover``: a lost database's documents come back from KSeF."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime

import click
from rich.progress import MofNCompleteColumn
from rich.table import Table

from connector_app.commands.app import ATTENTION, App, Failure, pass_app
from connector_app.commands.bars import bars, pauses
from connector_app.commands.bilingual import Command, option
from connector_app.commands.find_seller import find_seller, named_seller_option
from connector_app.recovery.proofs import find_sessions
from connector_app.recovery.report import Outcome, Report
from connector_app.recovery.run import Watch
from connector_app.recovery.run import recover as bring_back
from connector_app.running.alone import RunnerBusy, work_alone
from core.findings import Text
from core.ksef.errors import KsefError


@click.command(
    cls=Command,
    pl="""Odbudowuje dokumenty sprzedawcy z KSeF po utracie bazy danych.

    Wracają faktury i korekty wystawione przez ten program, z numerami i plikami XML, a numeracja idzie dalej
    od najwyższego numeru każdej serii. Przerwane polecenie uruchom jeszcze raz z tą samą datą; powtórzone
    niczego nie zmienia. Zob. docs/recover.pl.md.""",
)
@named_seller_option
@option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    required=True,
    metavar="DATE",
    pl="Od którego dnia; najlepiej sprzed pierwszej faktury tego roku.",
    en="From which day; best before the first invoice of this year.",
)
@option(
    "--upo/--no-upo",
    "with_upo",
    default=True,
    pl="Szukaj sesji, z których można pobrać UPO.",
    en="Look for the sessions that give UPOs.",
)
@option("--json", "as_json", is_flag=True, pl="Raport jako JSON.", en="The report as JSON.")
@pass_app
def recover(app: App, nip: str, since: datetime, with_upo: bool, as_json: bool) -> None:
    """Rebuild a seller's documents from KSeF after the database was lost.

    Invoices and corrections that this program made come back with numbers and XML files, and numbering goes
    on after the highest number of each series. If interrupted, run it again with the same date; repeating it
    changes nothing. See docs/recover.md.
    """
    services = app.open()
    with services.database() as session:
        seller_id = find_seller(app, session, nip).id
    try:
        with (
            work_alone(services, "recover", wait=app.settings.is_scaled, on_wait=app.tell),
            _bar(app) as watch,
        ):
            report = bring_back(services, seller_id, since.date(), watch)
            if with_upo:
                find_sessions(services, seller_id, report, watch)
    except RunnerBusy as busy:
        raise Failure(
            busy.text.in_language(app.language),
            app.text("Zatrzymaj serve i uruchom ponownie.", "Stop serve and run this again."),
        ) from None
    except KsefError as error:
        hint = error.hint.in_language(app.language)
        again = app.text("Uruchom ponownie z tą samą datą.", "Run it again with the same date.")
        raise Failure(f"KSeF: {error}", f"{hint} {again}".strip()) from None
    if as_json:
        app.json(report.as_json())
    else:
        _print(app, report, since.date())
    sys.exit(ATTENTION if report.counts[Outcome.UNREADABLE] else 0)


@contextmanager
def _bar(app: App) -> Iterator[Watch]:
    """A bar that counts invoices, or lines of text where there is no terminal."""
    shown = bars(app, MofNCompleteColumn())
    task = shown.add_task(app.text("Faktury z KSeF", "Invoices from KSeF"), total=None)

    def progress(report: Report, known: int) -> None:
        shown.update(task, completed=report.found, total=max(known, report.found))

    with shown:
        yield Watch(progress, pauses(app))


def _print(app: App, report: Report, since: date) -> None:
    rows = (
        ("Znalezione w KSeF", "Found in KSeF", report.found),
        ("Nowe w bazie", "New here", report.counts[Outcome.NEW]),
        ("Były już w bazie", "Already here", report.counts[Outcome.KNOWN]),
        ("Innych programów", "Of other programs", report.counts[Outcome.FOREIGN]),
        ("Nie do odczytania", "Unreadable", report.counts[Outcome.UNREADABLE]),
        ("Połączone z zamówieniami", "Linked with orders", report.linked),
        ("UPO do pobrania", "UPO to be fetched", report.with_session),
        ("Bez UPO", "Without UPO", report.without_session),
    )
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for pl, en, count in rows:
        table.add_row(app.text(pl, en), str(count))
    app.table(table)
    for outcome, names in report.listed.items():
        for ksef_number, number, pl, en in names:
            mark = "✗" if outcome is Outcome.UNREADABLE else "i"
            app.out.print(f"{mark} {number} {ksef_number} {app.text(pl, en)}".rstrip(), markup=False)
    if (since.month, since.day) != (1, 1):
        app.say(
            Text(
                f"→ Numery faktur sprzed {since} nie są znane; przy numeracji rocznej podaj datę od początku "
                "roku.",
                f"→ Numbers of invoices before {since} are not known; with yearly numbering give a date from "
                "the beginning of the year.",
            )
        )
    app.say(
        Text(
            "→ ksef-connector store sync łączy faktury z zamówieniami i pobiera UPO.",
            "→ ksef-connector store sync links invoices with orders and fetches UPOs.",
        )
    )
