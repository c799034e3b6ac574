"""``check numbers``: a seller's numbers are proved for an auditor, or what stands against it is said."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.progress import MofNCompleteColumn
from rich.table import Table

from connector_app.checks.labels import PARTS, RESULTS, SEVERITIES, count_text
from connector_app.checks.output import as_csv, as_html
from connector_app.checks.period import BadPeriod, Period
from connector_app.checks.report import Part, Report, Result
from connector_app.checks.run import Watch, check_numbers
from connector_app.checks.wording import KINDS
from connector_app.commands.app import ATTENTION, App, BadInput, pass_app
from connector_app.commands.bars import bars, pauses
from connector_app.commands.bilingual import Command, option
from connector_app.commands.files import FILE, reason_of, write_whole
from connector_app.commands.find_seller import find_seller, seller_option
from core.calendar import WARSAW
from core.findings import Severity

_MARKS = {Severity.ERROR: "✗", Severity.WARNING: "!", Severity.INFO: "i"}
_SHOWN = 20
"""Findings of one kind that the screen shows; the report has more."""
EXITS = {Result.PROVED: 0, Result.FINDINGS: ATTENTION, Result.INCOMPLETE: 1}


@click.command(
    cls=Command,
    name="numbers",
    pl="""Wykazuje, że numery sprzedawcy są bez luk i podwójnych, albo mówi, co temu przeczy.

    Porównuje numery, dokumenty, zamówienia, zwroty, pliki XML i UPO, a także to, co ma KSeF. Niczego nie
    zmienia. Kod 0: wykazano; 2: są ustalenia; 1: nie wszystko dało się sprawdzić. Zob.
    docs/numbers-check.pl.md.""",
)
@seller_option
@option("--month", default=None, metavar="YYYY-MM", pl="Miesiąc.", en="The month.")
@option(
    "--from",
    "begin",
    default=None,
    metavar="YYYY[-MM[-DD]]",
    pl="Początek: rok, miesiąc albo dzień.",
    en="The begin: a year, month or day.",
)
@option(
    "--to",
    "end",
    default=None,
    metavar="YYYY[-MM[-DD]]",
    pl="Koniec; bez niego to samo co --from.",
    en="The end; the same as --from without it.",
)
@option("--offline", is_flag=True, pl="Nie pytaj KSeF; wtedy nic nie jest wykazane.",
        en="Do not ask KSeF; nothing is proved then.")  # fmt: skip
@option(
    "--report",
    "reports",
    type=FILE,
    multiple=True,
    metavar="FILE.html|.csv|.json",
    pl="Zapisz raport do przechowania; można powtórzyć.",
    en="Write a report to keep; may be repeated.",
)
@option("--json", "as_json", is_flag=True, pl="Raport jako JSON.", en="The report as JSON.")
@pass_app
def numbers(
    app: App,
    nip: str | None,
    month: str | None,
    begin: str | None,
    end: str | None,
    offline: bool,
    reports: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Prove that a seller's numbers have no gap and no double, or say what stands against it.

    Numbers, documents, orders, refunds, XML and UPO files are compared, and what KSeF has. Nothing is
    changed. Exit code 0: proved; 2: there are findings; 1: not everything could be looked at. See
    docs/numbers-check.md.
    """
    period = _period(app, month, begin, end)
    for file in reports:
        if file.suffix not in _FORMS:
            raise BadInput(f"--report {file}: .html, .csv, .json")
    services = app.open()
    with services.database() as session:
        seller_id = find_seller(app, session, nip).id
    with _bar(app) as watch:
        report = check_numbers(services, seller_id, period, with_ksef=not offline, watch=watch)
    values = report.as_json()
    for file in reports:
        try:
            write_whole(file, _FORMS[file.suffix](values, app.language))
        except OSError as error:
            raise BadInput(f"{file}: {reason_of(error).in_language(app.language)}.") from None
    if as_json:
        app.json(values)
    else:
        _print(app, report)
    sys.exit(EXITS[report.result])


_FORMS: dict[str, Callable[[dict[str, Any], str], bytes]] = {
    ".html": lambda values, language: as_html(values, language).encode(),
    ".csv": as_csv,
    ".json": lambda values, _language: json.dumps(values, ensure_ascii=False, indent=2).encode(),
}


def _period(app: App, month: str | None, begin: str | None, end: str | None) -> Period:
    if (month is None) == (begin is None) or (end is not None and begin is None):
        raise BadInput(
            app.text(
                "Podaj okres: --month RRRR-MM albo --from … --to ….",
                "Name the period: --month YYYY-MM, or --from … --to ….",
            )
        )
    first = month or begin or ""
    try:
        return Period.between(first, end or first)
    except BadPeriod as error:
        raise BadInput(error.text.in_language(app.language)) from None


@contextmanager
def _bar(app: App) -> Iterator[Watch]:
    """A bar for each part while it is looked at."""
    shown = bars(app, MofNCompleteColumn())
    task = shown.add_task("", total=None)

    def progress(part: Part, done: int, total: int | None) -> None:
        shown.update(task, description=PARTS[part].in_language(app.language), completed=done, total=total)

    with shown:
        yield Watch(progress, pauses(app))


def _print(app: App, report: Report) -> None:
    made = f"{report.made_at.astimezone(WARSAW):%Y-%m-%d %H:%M}"
    app.out.print(
        f"{report.name}, NIP {report.nip} · {report.period.first} – {report.period.last} · "
        f"{report.environment} · {made} · {report.program} / {report.database_form}",
        markup=False,
    )
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column(overflow="fold")
    for part, looked in report.parts.items():
        said = "; ".join(
            f"{count_text(name).in_language(app.language)}: {number}"
            for name, number in looked.counts.items()
            if number
        )
        if looked.why_not is not None:
            said = f"{looked.why_not.in_language(app.language)} {said}"
        table.add_row(PARTS[part].in_language(app.language), said or "–")
    app.table(table)
    for line in report.series:
        missing = app.text("brak", "missing")
        count = f"{line.count}, {missing} {line.missing}"
        ends = f"{line.first} – {line.last}" if line.first else "–"
        app.out.print(f"  {line.series} {line.period}: {ends} ({count})", markup=False)
    _print_findings(app, report)
    app.say(RESULTS[report.result])


def _print_findings(app: App, report: Report) -> None:
    order = list(Severity)
    for code in sorted(report.totals, key=lambda one: order.index(KINDS[one].severity)):
        kind = KINDS[code]
        title = (
            f"{kind.title.in_language(app.language)} – {SEVERITIES[kind.severity].in_language(app.language)}"
        )
        app.out.print(f"{_MARKS[kind.severity]} {title}: {report.totals[code]}", markup=False)
        listed = [one for one in report.findings if one.code == code][:_SHOWN]
        for one in listed:
            app.out.print(f"    {one.message.in_language(app.language)}", markup=False)
        if report.totals[code] > len(listed):
            app.out.print("    …", markup=False)
        hint = kind.hint.in_language(app.language)
        if hint:
            app.out.print(f"  → {hint}", markup=False)
