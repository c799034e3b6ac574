"""``store backfill``: a shop's orders since a day are read and decided anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import click
from rich.progress import TaskProgressColumn

from connector_app.commands.app import App, BadInput, Failure, pass_app
from connector_app.commands.bars import bars
from connector_app.commands.bilingual import Command, option
from connector_app.commands.failures import shop_words
from connector_app.commands.find_store import find_store
from connector_app.pipeline import backfill as reading
from connector_app.pipeline.backfill import Tell
from connector_app.pipeline.intake import IntakeResult
from connector_app.pipeline.services import Services
from connector_app.policies import StorePolicy
from connector_app.running.alone import RunnerBusy, work_alone
from core.calendar import WARSAW, warsaw_day
from core.findings import Text

_LEFT_TO_SERVE = Text(
    "Inny proces pracuje na tej instalacji; działający serve przeczyta zamówienia przy następnym obejściu.",
    "Another process is at work on this installation; a running serve reads them at its next look.",
)


@click.command(
    cls=Command,
    pl="""Czyta zamówienia utworzone lub zmienione od dnia i rozstrzyga je na nowo według zasad sklepu.

    Zamówienia złożone przed dniem początkowym sklepu nigdy nie są fakturowane (store add --start). Przerwane
    idzie dalej od miejsca, w którym stanęło; gdy pracuje serve, zrobi to serve.""",
)
@click.argument("code", metavar="CODE")
@option(
    "--since",
    required=True,
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    pl="Dzień RRRR-MM-DD.",
    en="A day, YYYY-MM-DD.",
)
@option("--json", "as_json", is_flag=True, pl="Wynik jako JSON.", en="The result as JSON.")
@pass_app
def backfill(app: App, code: str, since: datetime, as_json: bool) -> None:
    """Read orders created or changed since a day, and decide them anew by the store's rules.

    Orders placed before the store's start day are never invoiced (store add --start). Interrupted, it goes on
    where it was; while serve is running, serve does it.
    """
    services = app.open()
    day = since.date()
    if day > warsaw_day(services.clock()):
        raise BadInput(app.text(f"{day} jest w przyszłości.", f"{day} is in the future."))
    with services.database() as session:
        store = find_store(session, app, code)
    start = StorePolicy.from_json(store.policy).start_day
    if start is not None and day < start:
        app.err.print(
            app.text(
                f"i Zamówienia złożone przed {start} nie będą fakturowane (store add --start).",
                f"i Orders placed before {start} will not be invoiced (store add --start).",
            ),
            markup=False,
        )
    begins = reading.ask(services, store.id, day)
    try:
        with (
            work_alone(services, "backfill", wait=False),
            _bar(app, begins, services) as tell,
        ):
            result = reading.run(services, store.id, tell)
    except RunnerBusy:
        app.say(_LEFT_TO_SERVE)
        return
    assert result is not None, "it was asked for above, and only the holder of the lock does it"
    _report(app, result, code, as_json=as_json)


def _report(app: App, result: IntakeResult, code: str, *, as_json: bool) -> None:
    if as_json:
        app.json({"seen": result.seen, "changed": result.changed, "finished": result.failure is None})
    else:
        app.say(
            Text(
                f"Przeczytane zamówienia: {result.seen}, zmienione: {result.changed}.",
                f"Orders read: {result.seen}, changed: {result.changed}.",
            )
        )
    if result.failure is not None:
        again = app.text("Uruchom ponownie: idzie dalej.", "Run it again: it goes on.")
        message, hint = shop_words(result.failure, app.language)
        raise Failure(message, f"{hint} {again}".strip())
    if not as_json:
        app.say(Text(f"→ ksef-connector store sync {code}", f"→ ksef-connector store sync {code}"))


@contextmanager
def _bar(app: App, begins: datetime, services: Services) -> Iterator[Tell]:
    """A bar over the time that is read; how many orders lie in it is not known before."""
    shown = bars(app, TaskProgressColumn())
    span = max(1.0, (services.clock() - begins).total_seconds())
    task = shown.add_task(app.text("Zamówienia", "Orders"), total=span)

    def tell(seen: int, changed_at: datetime) -> None:
        upto = f"{changed_at.astimezone(WARSAW):%Y-%m-%d}"
        shown.update(
            task,
            completed=(changed_at - begins).total_seconds(),
            description=app.text(f"Zamówienia: {seen} (do {upto})", f"Orders: {seen} (up to {upto})"),
        )

    with shown:
        yield tell
