"""``store dry-run``: a period's orders as the invoices they would become; nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

import click
from rich.progress import TaskProgressColumn
from rich.table import Table

from adapters.contract import ShopError
from connector_app.commands.app import ATTENTION, App, BadInput, Failure, pass_app
from connector_app.commands.bars import bars
from connector_app.commands.bilingual import Command, option
from connector_app.commands.find_store import find_store
from connector_app.dry_run.outcomes import OUTCOME_WORDS, Outcome
from connector_app.dry_run.run import Period, Tell, last_quarter, run, wrong
from connector_app.pipeline.services import Services
from core.calendar import warsaw_day
from core.findings import Text

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command(
    cls=Command,
    pl="""Buduje faktury z zamówień okresu i mówi, co by się z nimi stało; niczego nie wysyła.

    Bez dat: ostatnie trzy miesiące. Kod wyjścia 2, gdy coś wymagałoby decyzji albo byłoby odrzucone. Obrazy
    dokumentów pokazuje aplikacja w przeglądarce.""",
)
@click.argument("code", metavar="CODE")
@option("--from", "first", type=_DAY, metavar="DATE", pl="Od dnia RRRR-MM-DD.", en="From, YYYY-MM-DD.")
@option("--to", "last", type=_DAY, metavar="DATE", pl="Do dnia RRRR-MM-DD.", en="To, YYYY-MM-DD.")
@option("--json", "as_json", is_flag=True, pl="Wynik jako JSON.", en="The result as JSON.")
@pass_app
def dry_run(app: App, code: str, first: datetime | None, last: datetime | None, as_json: bool) -> None:
    """Build the invoices of a period's orders and say what would become of them; nothing is sent.

    Without dates: the last three months. Exit code 2 when something would need a decision or be refused. The
    application in the browser shows pictures of the documents.
    """
    services = app.open()
    today = warsaw_day(services.clock())
    usual = last_quarter(today)
    period = Period(first.date() if first else usual.first, last.date() if last else today)
    fault = wrong(period, today)
    if fault is not None:
        raise BadInput(fault.in_language(app.language))
    with services.database() as session:
        store = find_store(session, app, code)
    try:
        with _bar(app, period, services) as tell:
            result = run(services, store.id, period, tell)
    except ShopError as error:
        raise Failure(error.message, error.hint) from None
    if as_json:
        app.json(result)
    else:
        _report(app, result)
    if any(result["outcomes"][one] for one in (Outcome.ATTENTION, Outcome.REFUSED, Outcome.UNREADABLE)):
        click.get_current_context().exit(ATTENTION)


def _report(app: App, result: dict[str, Any]) -> None:
    said = app.text("Zamówienia", "Orders")
    app.out.print(f"{said} {result['from']} – {result['to']}: {result['orders']}", markup=False)
    if not result["complete"]:
        app.say(Text("Wynik niepełny: okres ma za dużo zamówień.", "Incomplete: too many orders."))
    for outcome in Outcome:
        count = result["outcomes"][outcome.value]
        if count:
            app.out.print(f"  {OUTCOME_WORDS[outcome].in_language(app.language)}: {count}", markup=False)
    documents = result["documents"]
    app.say(
        Text(
            f"Faktury: {documents['invoices']} (konsumenci: {documents['consumers']}), "
            f"korekty: {documents['corrections']}",
            f"Invoices: {documents['invoices']} (consumers: {documents['consumers']}), "
            f"corrections: {documents['corrections']}",
        )
    )
    for group in result["groups"]:
        mark = "✗" if group["blocks"] else "!"
        numbers = ", ".join(group["orders"]) + ("…" if group["count"] > len(group["orders"]) else "")
        app.out.print(f"{mark} {group['count']}× ({numbers}) {_of(app, group['message'])}", markup=False)
        if _of(app, group["hint"]):
            app.out.print(f"  → {_of(app, group['hint'])}", markup=False)
    if result["rates"]:
        app.table(_rates(app, result))
    _say_sending(app, result["sending"])
    for change in result["changes"]:
        app.out.print(
            f"{result['change_day']}: {change['count']}× {_of(app, change['before']['sentence'])}"
            f" → {_of(app, change['after']['sentence'])}",
            markup=False,
        )


def _of(app: App, both: dict[str, str]) -> str:
    return both[app.language]


def _rates(app: App, result: dict[str, Any]) -> Table:
    table = Table(box=None)
    table.add_column(app.text("Pole", "Field"))
    for title in (app.text("Netto", "Net"), "VAT"):
        table.add_column(title, justify="right")
    table.add_column("")
    for row in result["rates"]:
        table.add_row(row["row"], *(f"{Decimal(row[name]):,.2f}" for name in ("net", "vat")), row["currency"])
    for currency, amount in result["gross"].items():
        table.add_row(app.text("brutto", "gross"), f"{Decimal(amount):,.2f}", "", currency)
    return table


def _say_sending(app: App, sending: dict[str, Any]) -> None:
    at_once, busiest = sending["at_once"], sending["busiest"]
    if busiest is None:
        return
    app.say(
        Text(
            f"Wysyłka: najwięcej dokumentów jednego dnia: {busiest['documents']} ({busiest['day']}); "
            f"wszystko naraz: sesje: {at_once['sessions']}, zapytania: {at_once['requests']}, co najmniej "
            f"{at_once['seconds']} s.",
            f"Sending: most documents in one day: {busiest['documents']} ({busiest['day']}); all at once: "
            f"sessions: {at_once['sessions']}, requests: {at_once['requests']}, at least "
            f"{at_once['seconds']} s.",
        )
    )


@contextmanager
def _bar(app: App, period: Period, services: Services) -> Iterator[Tell]:
    """A bar over the time that is read; how many orders lie in it is not known before."""
    shown = bars(app, TaskProgressColumn())
    span = max(1.0, (services.clock() - period.begins).total_seconds())
    task = shown.add_task(app.text("Zamówienia", "Orders"), total=span)

    def tell(seen: int, changed_at: datetime) -> None:
        shown.update(
            task,
            completed=max(0.0, (changed_at - period.begins).total_seconds()),
            description=app.text(f"Zamówienia: {seen}", f"Orders: {seen}"),
        )

    with shown:
        yield tell
