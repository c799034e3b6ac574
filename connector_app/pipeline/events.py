"""Received webhooks: kept once, and each turned into a fresh reading of what it is about (principle 6).

Nothing of an event becomes data. An event names an order, which is read through the API; a refund whose order
it does not name is found in the shop's list of changed refunds; an order that it does not name, in the list
of changed orders. An order that was read after the event came needs no second reading, which ends storms and
the echo of our own writing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from adapters.contract import Entity, NotFound, ShopAdapter, ShopBusy, ShopError, ShopEvent
from connector_app.log_events import Said
from connector_app.logs import Log, bound
from connector_app.pipeline import life
from connector_app.pipeline.gone import order_gone
from connector_app.pipeline.intake import keep_safely, take_in
from connector_app.pipeline.reading import read_order
from connector_app.pipeline.services import Services
from connector_app.store.lanes import of_store
from connector_app.store.models import ShopOrder, Store, WebhookEvent
from connector_app.store.recovered import IS_OPEN
from connector_app.vault import VaultLocked
from core.calendar import WARSAW
from core.findings import Text

_log = Log(__name__)

_KEPT = timedelta(days=30)
"""How long events that were done are kept: a late copy of one of them is known."""

_MOST = 500
"""Events of a store that one pass does."""

_READ = (Entity.ORDER, Entity.REFUND)


@dataclass(slots=True)
class Heard:
    """What one pass over received events did.

    Attributes:
        worked: events that are done.
        problems: sentences about shops that could not be asked.
    """

    worked: int = 0
    problems: list[Text] = field(default_factory=list)


def receive(services: Services, store_id: int, told: Sequence[ShopEvent]) -> list[bool]:
    """Keep what verified webhooks of a store said, in one transaction.

    A copy is known by store, topic, entity and the moment of the change; where the event tells no moment, by
    an event of the same that was not done yet.

    Args:
        services: the outside world.
        store_id: whose webhooks they are.
        told: verified.

    Returns:
        Of each whether it was new.

    Raises:
        SQLAlchemyError: the database cannot be used; none is kept.
    """
    now = services.clock()
    with services.database.begin(of_store(store_id)) as session:
        return [_keep(session, store_id, event, now) for event in told]


def _keep(session: Session, store_id: int, event: ShopEvent, now: datetime) -> bool:
    """Keep one; the database itself says whether it is a copy, because webhooks come by the thousand."""
    values = {
        "store_id": store_id,
        "topic": event.topic[:64],
        "entity": event.entity.value,
        "entity_id": event.entity_id[:64],
        "order_id": event.order_id[:64],
        "modified": event.modified,
        "received_at": now,
        # the others ask nothing of the shop: a person is told of them
        "done_at": None if event.entity in _READ else now,
    }
    if event.modified is None:
        known = session.scalar(
            select(WebhookEvent.id)
            .where(
                WebhookEvent.store_id == store_id,
                WebhookEvent.topic == values["topic"],
                WebhookEvent.entity_id == values["entity_id"],
                WebhookEvent.modified.is_(None),
                WebhookEvent.done_at.is_(None),
            )
            .limit(1)
        )
        if known is not None:
            again = update(WebhookEvent).where(WebhookEvent.id == known)
            session.execute(again.values(copies=WebhookEvent.copies + 1))
            return False
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(WebhookEvent).on_conflict_do_update(
        index_elements=["store_id", "topic", "entity_id", "modified"],
        set_={"copies": WebhookEvent.copies + 1},
    )
    return session.connection().execute(statement.returning(WebhookEvent.copies), values).scalar_one() == 1


def work(services: Services, sellers: Collection[int]) -> Heard:
    """Do every event that is due, store by store; one shop's trouble holds up no other.

    Args:
        services: the outside world.
        sellers: ids of the sellers to work for.

    Raises:
        SQLAlchemyError: the database cannot be used.
    """
    heard = Heard()
    now = services.clock()
    with services.database() as session:
        stores = session.scalars(
            select(Store)
            .where(
                IS_OPEN,
                Store.seller_id.in_(sellers),
                or_(Store.quiet_until.is_(None), Store.quiet_until <= now),
                Store.id.in_(select(WebhookEvent.store_id).where(_is_due(now))),
            )
            .order_by(Store.id)
        ).all()
    for store in stores:
        with bound(task="events", seller_id=store.seller_id, store_id=store.id):
            _work_store(services, store, heard)
    return heard


def next_due(services: Services, sellers: Collection[int]) -> datetime | None:
    """When the next event is due; ``None`` when there is none."""
    first = func.min(func.coalesce(WebhookEvent.next_attempt_at, WebhookEvent.received_at))
    with services.database() as session:
        rows = session.execute(
            select(first, Store.quiet_until)
            .join(Store, Store.id == WebhookEvent.store_id)
            .where(WebhookEvent.done_at.is_(None), IS_OPEN, Store.seller_id.in_(sellers))
            .group_by(Store.id)
        ).all()
    return min((max(filter(None, row)) for row in rows), default=None)


def requests_of_people(services: Services) -> list[Text]:
    """Demands about personal data that platforms passed on in the last month, and apps that were removed."""
    with services.database() as session:
        rows = session.execute(
            select(Store.code, WebhookEvent)
            .join(Store, Store.id == WebhookEvent.store_id)
            .where(
                IS_OPEN,
                WebhookEvent.entity.in_((Entity.PRIVACY.value, Entity.APP.value)),
                WebhookEvent.received_at > services.clock() - _KEPT,
            )
            .order_by(WebhookEvent.id)
        ).all()
    return [_sentence(code, event) for code, event in rows]


def _sentence(code: str, event: WebhookEvent) -> Text:
    day = f"{event.received_at.astimezone(WARSAW):%d.%m.%Y}"
    if event.entity == Entity.APP:
        return Text(
            f"Sklep {code} odłączył aplikację ({event.topic}, {day}).",
            f"Store {code} removed the app ({event.topic}, {day}).",
        )
    return Text(
        f"Sklep {code} przekazał żądanie dotyczące danych osobowych ({event.topic}, {day}). Odpowiedz na "
        "nie; faktur ono nie dotyczy, bo przechowywać je każe prawo.",
        f"Store {code} passed on a request about personal data ({event.topic}, {day}). Answer it; invoices "
        "are not part of it, because the law demands that they are kept.",
    )


def _is_due(now: datetime) -> ColumnElement[bool]:
    return WebhookEvent.done_at.is_(None) & or_(
        WebhookEvent.next_attempt_at.is_(None), WebhookEvent.next_attempt_at <= now
    )


def _work_store(services: Services, store: Store, heard: Heard) -> None:
    with services.database() as session:
        of_store = select(WebhookEvent).where(WebhookEvent.store_id == store.id, _is_due(services.clock()))
        due = session.scalars(of_store.order_by(WebhookEvent.id).limit(_MOST)).all()
    try:
        shop = services.shop(store)
    except (ShopError, VaultLocked) as error:
        heard.problems.append(_put_off(services, store, due, error))
        return
    try:
        by_order: dict[str, list[WebhookEvent]] = {}
        for event in due:
            by_order.setdefault(event.order_id, []).append(event)
        nameless = by_order.pop("", [])
        for order_id, events in by_order.items():
            problem = _read_one(services, store, shop, order_id, events)
            heard.worked += 0 if problem else _done(services, events)
            heard.problems += [problem] if problem else []
    except ShopError as error:
        heard.problems.append(_put_off(services, store, due, error))
        return
    finally:
        shop.close()
    if nameless:
        failure = take_in(services, store.id).failure
        if failure is not None:
            heard.problems.append(_put_off(services, store, nameless, failure))
        else:
            heard.worked += _done(services, nameless)


def _read_one(
    services: Services, store: Store, shop: ShopAdapter, order_id: str, events: list[WebhookEvent]
) -> Text | None:
    """:func:`_read_anew`, but an order at which the program itself fails holds up no other."""
    try:
        with bound(order=order_id):
            _read_anew(services, store, shop, order_id, events)
    except (ShopError, SQLAlchemyError):
        raise
    except Exception as error:
        _log.failed(Said.STORE_FAILED, error, store_id=store.id, order=order_id)
        return _put_off(services, store, events, ShopError("an internal error; the log has details"))
    return None


def _read_anew(
    services: Services, store: Store, shop: ShopAdapter, order_id: str, events: list[WebhookEvent]
) -> None:
    """Read the order of some events, unless it was read after the last of them came."""
    with services.database() as session:
        seen_at = session.scalar(
            select(ShopOrder.seen_at).where(ShopOrder.store_id == store.id, ShopOrder.remote_id == order_id)
        )
    # a snapshot cannot tell that the order was deleted since
    may_be_gone = any(event.modified is None for event in events)
    if seen_at is not None and not may_be_gone and seen_at > max(one.received_at for one in events):
        return
    found = read_order(shop, order_id)
    if isinstance(found, NotFound):
        order_gone(services, store.id, order_id)
    else:
        keep_safely(services, store.id, found)


def _done(services: Services, events: list[WebhookEvent]) -> int:
    with services.database.begin(of_store(events[0].store_id)) as session:
        session.execute(
            update(WebhookEvent)
            .where(WebhookEvent.id.in_([event.id for event in events]))
            .values(done_at=services.clock(), next_attempt_at=None)
        )
    return len(events)


def _put_off(
    services: Services, store: Store, events: Collection[WebhookEvent], error: ShopError | VaultLocked
) -> Text:
    """Try the events of a store later that are not done; pauses grow with every failure."""
    _log.warning(Said.STORE_FAILED, error)
    now = services.clock()
    asked = error.retry_after if isinstance(error, ShopBusy) else 0.0
    attempts = max(event.attempts for event in events)
    moment = now + life.pause_after(attempts, at_least=asked)
    with services.database.begin(store.seller_id) as session:
        session.execute(
            update(WebhookEvent)
            .where(WebhookEvent.id.in_([event.id for event in events]), WebhookEvent.done_at.is_(None))
            .values(attempts=attempts + 1, next_attempt_at=moment)
        )
        if asked:
            session.get_one(Store, store.id).quiet_until = now + timedelta(seconds=asked)
    said = f"{error.message} {error.hint}".strip() if isinstance(error, ShopError) else str(error)
    return Text(f"Sklep {store.code}: {said}", f"Store {store.code}: {said}")
