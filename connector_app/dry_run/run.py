"""Running a dry run: orders of a period from the shop, each built and counted, the result kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from adapters.contract import NotFound, ShopError, UnreadableOrder
from connector_app.dry_run.building import Builder, Rules
from connector_app.dry_run.keeping import LastRun, Recorder, path_of
from connector_app.dry_run.outcomes import OrderOutcome, Outcome
from connector_app.dry_run.summary import Summary, next_change
from connector_app.log_events import Said
from connector_app.logs import Log
from connector_app.pipeline.services import Services
from connector_app.policies import StorePolicy
from connector_app.store.models import Store
from connector_app.vault import VaultLocked
from core.calendar import WARSAW, warsaw_day
from core.fa import registry
from core.findings import Finding, Severity, Text
from core.orders import Order, Refund

_log = Log(__name__)

MOST_ORDERS = 20_000
"""Orders of one run; a longer period is cut, and the result says so."""
LONGEST = timedelta(days=366)
"""The longest period."""

Tell = Callable[[int, datetime], None]
"""Told after each order: how many were read, and up to which change."""


@dataclass(frozen=True, slots=True)
class Period:
    """Orders placed from one Warsaw day to another, both included."""

    first: date
    last: date

    @property
    def begins(self) -> datetime:
        """Its first moment, aware UTC."""
        return datetime.combine(self.first, time(), WARSAW).astimezone(UTC)

    def holds(self, moment: datetime) -> bool:
        """Whether an order was placed in it."""
        return self.first <= warsaw_day(moment) <= self.last


def last_quarter(today: date) -> Period:
    """The last three months up to a Warsaw day: what a merchant remembers and can still put right."""
    month = today.month - 3
    year, month = (today.year, month) if month > 0 else (today.year - 1, month + 12)
    begin = date(year, month, 1)
    return Period(begin + timedelta(days=today.day - 1) if today.day <= 28 else begin, today)


def wrong(period: Period, today: date) -> Text | None:
    """Why a period cannot be run, ``None`` when it can.

    Args:
        period: as a person chose it.
        today: Warsaw day.
    """
    if period.first > period.last:
        return Text("Początek jest po końcu.", "The first day is after the last.")
    if period.first > today:
        return Text("Ten okres jeszcze się nie zaczął.", "This period has not begun yet.")
    if period.last - period.first > LONGEST:
        return Text("Wybierz najwyżej rok.", "Choose a year at most.")
    return None


def run(
    services: Services, store_id: int, period: Period, tell: Tell = lambda _seen, _at: None
) -> dict[str, Any]:
    """Run it and keep the result; nothing is sent, numbered or stored among documents.

    Args:
        services: the outside world; with a work folder.
        store_id: a connected store.
        period: see :func:`wrong`.
        tell: see :data:`Tell`.

    Returns:
        The result's numbers, JSON-ready.

    Raises:
        ShopError: the shop cannot be read now; the result of the run before stays.
    """
    if services.work_dir is None:
        raise ValueError("a dry run needs a work folder")
    with services.database() as session:
        store = session.get_one(Store, store_id)
        seller = store.seller
        rules = Rules(
            services.profile(seller),
            StorePolicy.from_json(store.policy),
            store.code,
            registry.schema_for(seller.schema_version),
            warsaw_day(services.clock()),
            services.schema_dir,
            services.rates,
        )
    recorder = Recorder(services.work_dir, store_id)
    try:
        summary = Summary(rules.profile.sending)
        facts = _read(services, store, period, Builder(rules), summary, recorder, tell)
        change = next_change(rules.today)
        result = {
            "store": store.code,
            "from": period.first.isoformat(),
            "to": period.last.isoformat(),
            "made_at": services.clock().isoformat(),
            "change_day": change.isoformat() if change else None,
            **facts,
            **summary.as_json(),
        }
        recorder.finish(result)
    finally:
        recorder.drop()
    return result


def last_run(services: Services, store_id: int) -> LastRun | None:
    """The last finished run of a store; it may not exist yet."""
    return None if services.work_dir is None else LastRun(path_of(services.work_dir, store_id))


def _read(
    services: Services,
    store: Store,
    period: Period,
    builder: Builder,
    summary: Summary,
    recorder: Recorder,
    tell: Tell,
) -> dict[str, Any]:
    try:
        shop = services.shop(store)
    except VaultLocked as error:
        raise ShopError(str(error)) from None
    read = kept = 0
    try:
        for found in shop.changed_orders(period.begins):
            read += 1
            if isinstance(found, Order):
                tell(read, found.modified_at)
                if not period.holds(found.created_at):
                    continue
            if kept == MOST_ORDERS:
                return {"read": read, "complete": False}
            kept += 1
            order = found
            one = (
                _unreadable(order)
                if isinstance(order, UnreadableOrder)
                else _safely(builder, order, shop.refunds)
            )
            recorder.add(one, summary.add(one))
    finally:
        shop.close()
    return {"read": read, "complete": True}


def _safely(builder: Builder, order: Order, refunds: Callable[[Order], tuple[Refund, ...]]) -> OrderOutcome:
    """One order; what cannot be read or fails in the program itself hides no other."""
    try:
        return builder.build(order, lambda: refunds(order))
    except (UnreadableOrder, NotFound) as error:
        return _failed(
            order, Text(f"Zwrotów nie da się odczytać: {error}", f"Refunds cannot be read: {error}")
        )
    except ShopError:
        raise
    except Exception as error:
        _log.failed(Said.STORE_FAILED, error, task="dry-run", order=order.id)
        name = type(error).__name__
        return _failed(order, Text(f"Błąd programu ({name}).", f"The program failed ({name})."))


def _failed(order: Order, why: Text) -> OrderOutcome:
    finding = Finding("order-unreadable", Severity.ERROR, "", why)
    return OrderOutcome(
        Outcome.UNREADABLE,
        order.id,
        order.number,
        warsaw_day(order.created_at),
        total=order.total,
        currency=order.currency,
        findings=(finding,),
    )


def _unreadable(error: UnreadableOrder) -> OrderOutcome:
    remote_id = error.path.partition(".")[0].partition("[")[0] or "?"
    finding = Finding(
        "order-unreadable",
        Severity.ERROR,
        error.path,
        Text(
            f"Danych zamówienia ze sklepu nie da się odczytać: {error.message}",
            f"The order's data from the shop cannot be read: {error.message}",
        ),
        Text(error.hint, error.hint)
        if error.hint
        else Text(
            "Otwórz zamówienie w sklepie i zapisz je ponownie.", "Open the order in the shop and save it."
        ),
    )
    return OrderOutcome(Outcome.UNREADABLE, remote_id, remote_id, None, findings=(finding,))
