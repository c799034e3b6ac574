"""Intake: what changed in a shop becomes snapshots, and documents waiting, ready or for a person."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import select
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError
from sqlalchemy.orm import Session

from adapters.contract import ShopAdapter, ShopAuthFailed, ShopBusy, ShopError, UnreadableOrder
from connector_app.log_events import Said
from connector_app.logs import Log
from connector_app.pipeline import claims, deciding, life, marks
from connector_app.pipeline.after_issue import after_issue, ask_about_unreadable
from connector_app.pipeline.refund_intake import take_in_refunds
from connector_app.pipeline.services import Services
from connector_app.store.documents import buyer_name, document_for
from connector_app.store.lanes import of_store
from connector_app.store.models import INVOICE, Document, DocumentState, ShopOrder, Store
from connector_app.store.overrides import buyer_conflict, with_buyer
from connector_app.store.snapshots import content_hash, to_json
from connector_app.vault import VaultLocked
from core.calendar import warsaw_day
from core.findings import Finding, Severity, Text
from core.invoices.model import InvoiceKind
from core.orders import Order

_log = Log(__name__)

_OPEN = frozenset(
    {DocumentState.WAITING, DocumentState.READY, DocumentState.ATTENTION, DocumentState.CANCELLED}
)
_STAYS_WITHDRAWN = Text(
    "Zamówienie zmieniło się w sklepie; faktura pozostaje wycofana.",
    "The order changed in the shop; its invoice stays withdrawn.",
)
_SEEN_STEP = timedelta(seconds=30)
"""An order that says nothing new is noted as seen again no more often than this."""
_TOGETHER = 10
"""Orders of a look that are kept in one transaction: few, so that nobody waits long for the database.

While a burst of webhooks comes in, each has one of its own."""


@dataclass(frozen=True, slots=True)
class IntakeResult:
    """What one look at a store gave.

    Attributes:
        seen: orders read.
        changed: orders that were new or said something new.
        failure: why reading stopped early; ``None`` when everything was read.
    """

    seen: int
    changed: int
    failure: ShopError | None = None


def take_in(services: Services, store_id: int) -> IntakeResult:
    """Read what changed in a store, its orders and its refunds, and keep what they say.

    Entities come oldest change first and each is kept before the next one is read, so the store's marks move
    on the way: a failure half-way loses nothing, and the next look does not begin from the start. Orders and
    refunds have marks of their own, and trouble with one list does not stop the other, unless the shop asked
    for a pause or does not accept the key.

    Raises:
        SQLAlchemyError: the database cannot be used.
    """
    with services.database() as session:
        store = session.get_one(Store, store_id)
    began = services.clock()
    if store.quiet_until is not None and store.quiet_until > began:
        left = (store.quiet_until - began).total_seconds()
        return IntakeResult(0, 0, ShopBusy("the shop asked for a pause", retry_after=left))
    try:
        adapter = services.shop(store)
    except VaultLocked as error:
        return IntakeResult(0, 0, ShopError(str(error)))
    except ShopError as error:
        return IntakeResult(0, 0, error)
    try:
        orders = _take_in_orders(services, store, adapter)
        failure = orders.failure
        if not isinstance(failure, ShopBusy | ShopAuthFailed):
            keep_one = partial(keep_safely, services, store_id)
            failure = take_in_refunds(services, store, adapter, keep_one) or failure
    finally:
        adapter.close()
    with services.database.begin(of_store(store_id)) as session:
        row = session.get_one(Store, store_id)
        row.quiet_until = pause_asked(failure, services.clock())
        if orders.failure is None:
            row.looked_at = began
    services.measures.mark("look", began)
    services.measures.keep_now_and_then(services.database)
    return replace(orders, failure=failure)


def pause_asked(failure: ShopError | None, now: datetime) -> datetime | None:
    """Until when a shop wants to be left alone."""
    return now + timedelta(seconds=failure.retry_after) if isinstance(failure, ShopBusy) else None


def _take_in_orders(services: Services, store: Store, adapter: ShopAdapter) -> IntakeResult:
    seen = changed = 0
    mark = marks.of_orders(services, store)
    before = marks.overlap(store.looked_at, services.clock())
    failure: ShopError | None = None
    read: list[Order | UnreadableOrder] = []

    def keep_read() -> int:
        kept = _keep_together(services, store.id, read)
        for found in read:
            mark.passed(found.modified_at if isinstance(found, Order) else None)
        read.clear()
        return kept

    try:
        for found in adapter.changed_orders(store.mark - before if store.mark else None):
            seen += 1
            read.append(found)
            if len(read) >= (1 if services.way.is_burst() else _TOGETHER):
                changed += keep_read()
                services.way.give()
    except ShopError as error:
        failure = error
    changed += keep_read()
    mark.save()
    return IntakeResult(seen, changed, failure)


def _keep_together(services: Services, store_id: int, read: Sequence[Order | UnreadableOrder]) -> int:
    """Keep some orders in one transaction, for each waits for the disk; how many said something new.

    When anything of it fails it is undone as a whole, and each order is kept by itself.
    """
    now = services.clock()
    news = _news(services, store_id, read, now)
    if len(news) < 2:
        return sum(keep_safely(services, store_id, one) for one in news)
    try:
        with services.database.begin(of_store(store_id)) as session:
            store = session.get_one(Store, store_id)
            touched = [_keep_found(session, store, one, now) for one in news]
    except Exception:
        return sum(keep_safely(services, store_id, one) for one in news)
    for documents in touched:
        for document in documents:
            services.watch(document)
    return sum(map(bool, touched))


def keep_safely(
    services: Services, store_id: int, found: Order | UnreadableOrder, *, anew: bool = False
) -> bool:
    """:func:`keep`, but an order at which the program itself fails asks a person and hides no other."""
    try:
        return keep(services, store_id, found, anew=anew)
    except Exception as error:
        if isinstance(error, SQLAlchemyError) and not isinstance(error, StatementError):
            raise
        if isinstance(error, DBAPIError) and not isinstance(error, IntegrityError | DataError):
            raise
        remote_id = found.id if isinstance(found, Order) else found.path.partition(".")[0]
        _log.failed(Said.STORE_FAILED, error, store_id=store_id, order=remote_id)
        odd = UnreadableOrder(f"it cannot be stored ({type(error).__name__})", path=remote_id)
        return keep(services, store_id, odd)


def keep(services: Services, store_id: int, found: Order | UnreadableOrder, *, anew: bool = False) -> bool:
    """Keep one order, or the fact that it cannot be read.

    Args:
        services: the outside world.
        store_id: where it is from.
        found: what the shop said.
        anew: decide also an order that says nothing new, because the store's rules may have changed.

    Returns:
        Whether it was new or said something new.
    """
    now = services.clock()
    if not anew and not _news(services, store_id, [found], now):
        return False
    with services.database.begin(of_store(store_id)) as session:
        touched = _keep_found(session, session.get_one(Store, store_id), found, now, anew=anew)
    for document in touched:
        services.watch(document)
    return bool(touched)


def _keep_found(
    session: Session, store: Store, found: Order | UnreadableOrder, now: datetime, *, anew: bool = False
) -> list[Document]:
    if isinstance(found, UnreadableOrder):
        return _keep_unreadable(session, store, found, now)
    return _keep_order(session, store, found, now, anew=anew)


def _news(
    services: Services, store_id: int, read: Sequence[Order | UnreadableOrder], now: datetime
) -> list[Order | UnreadableOrder]:
    """Those of which there is something to write: most orders of a look were read a moment ago."""
    ids = [one.id for one in read if isinstance(one, Order)]
    with services.database() as session:
        rows = session.execute(
            select(
                ShopOrder.remote_id,
                ShopOrder.content_hash,
                ShopOrder.modified_at,
                ShopOrder.seen_at,
                ShopOrder.data_deleted_at,
            ).where(ShopOrder.store_id == store_id, ShopOrder.remote_id.in_(ids))
        ).all()
    known = {row.remote_id: row for row in rows}

    def is_old(order: Order) -> bool:
        row = known.get(order.id)
        return (
            row is not None
            and row.data_deleted_at is None
            and row.modified_at == order.modified_at
            and now - row.seen_at < _SEEN_STEP
            and row.content_hash == content_hash(order)
        )

    return [one for one in read if not (isinstance(one, Order) and is_old(one))]


def _keep_order(session: Session, store: Store, order: Order, now: datetime, *, anew: bool) -> list[Document]:
    fingerprint = content_hash(order)
    row, is_new = _row(session, store, order.id, now)
    if not is_new and row.content_hash == fingerprint:
        row.modified_at = order.modified_at
        if now - row.seen_at >= _SEEN_STEP:
            row.seen_at = now
        is_wanted = row.data_deleted_at is not None and _is_due(session, row)
        if not is_wanted and not (anew and _would_be_decided_otherwise(session, row, order, now)):
            return []
    row.data_deleted_at = None
    row.number, row.modified_at, row.content_hash = order.number, order.modified_at, fingerprint
    row.snapshot, row.seen_at = to_json(order), now
    session.flush()
    return decide_order(session, store, row, order, now)


def _is_due(session: Session, row: ShopOrder) -> bool:
    """Whether a document of an order whose data were deleted needs them after all: a person asked for it."""
    needs = Document.state.in_((DocumentState.READY, DocumentState.ATTENTION))
    of_order = select(Document.id).where(Document.order_id == row.id, needs)
    return session.scalar(of_order.limit(1)) is not None


def _would_be_decided_otherwise(session: Session, row: ShopOrder, order: Order, now: datetime) -> bool:
    """Whether an order that is not due, by what was decided before, is decided otherwise today."""
    document = session.scalar(
        select(Document).where(Document.order_id == row.id, Document.purpose == INVOICE)
    )
    if document is None:
        return True
    if life.is_withdrawn(document):
        return False
    decision = deciding.look(session, document, with_buyer(order, row.buyer_override), warsaw_day(now))
    resting = {DocumentState.WAITING, DocumentState.CANCELLED}
    return document.xml_sha256 is None and document.state in resting - {decision.state}


def decide_order(
    session: Session, store: Store, row: ShopOrder, order: Order, now: datetime
) -> list[Document]:
    """Bring an order's documents in line with what the shop says.

    Args:
        session: inside a transaction.
        store: where the order is from.
        row: the order's row, stored.
        order: what the shop says.
        now: aware UTC.

    Returns:
        The documents that were changed.
    """
    recovered, perhaps = claims.claim(session, store, row, order, now)
    document = recovered or document_for(session, store, row, INVOICE, InvoiceKind.VAT, now)
    if not _is_open(document):
        return [document, *after_issue(session, store, document, order, now)]
    order, changed = with_buyer(order, row.buyer_override), buyer_conflict(row)
    document.total, document.currency, document.buyer_name = order.total, order.currency, buyer_name(order)
    if life.is_withdrawn(document):
        life.note(document, _STAYS_WITHDRAWN, now)
        return [document]
    decision = deciding.look(session, document, order, warsaw_day(now))
    other = set((row.ordered or {}).get("others", ()))
    perhaps = [one for one in perhaps if one.id not in other]
    if perhaps and decision.state is not DocumentState.CANCELLED:
        life.ask(document, [claims.uncertain(order, perhaps)], now)
    elif changed is not None and decision.state is DocumentState.READY:
        life.ask(document, [changed], now)
    else:
        deciding.settle(document, decision, now)
    return [document]


def _is_open(document: Document) -> bool:
    """Whether nothing was issued, so that a changed order is decided anew; what was issued is frozen.

    An offline document that KSeF refused is issued all the same: the buyer has it.
    """
    issued = document.xml_sha256 or document.corrected_sha256
    return issued is None and DocumentState(document.state) in _OPEN


def _keep_unreadable(session: Session, store: Store, error: UnreadableOrder, now: datetime) -> list[Document]:
    remote_id = (error.path.partition(".")[0].partition("[")[0] or "?")[:64]
    row, is_new = _row(session, store, remote_id, now)
    said = f"{error.path} {error.message}"
    fingerprint = hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()
    row.seen_at = now
    is_known = not is_new and row.content_hash == fingerprint
    row.content_hash = fingerprint
    session.flush()
    document = document_for(session, store, row, INVOICE, InvoiceKind.VAT, now)
    if is_known and (document.state != DocumentState.READY or document.xml_sha256 is not None):
        # a document that is due again because a person retried it has to ask again
        return []
    if life.is_withdrawn(document):
        row.snapshot = None
        return []
    if _is_open(document):
        # what it said before must not become an invoice
        row.snapshot = None
        life.ask(document, [_unreadable(error)], now)
    else:
        return ask_about_unreadable(session, store, document, error.path, error.message, now)
    return [document]


def _row(session: Session, store: Store, remote_id: str, now: datetime) -> tuple[ShopOrder, bool]:
    row = session.scalar(
        select(ShopOrder).where(ShopOrder.store_id == store.id, ShopOrder.remote_id == remote_id)
    )
    if row is not None:
        return row, False
    row = ShopOrder(
        store_id=store.id,
        remote_id=remote_id,
        number=remote_id,
        modified_at=now,
        content_hash="",
        seen_at=now,
    )
    session.add(row)
    return row, True


def _unreadable(error: UnreadableOrder) -> Finding:
    return Finding(
        "order-unreadable",
        Severity.ERROR,
        error.path,
        Text(
            f"Danych zamówienia ze sklepu nie da się odczytać ({error.path}): {error.message}",
            f"The order's data from the shop cannot be read ({error.path}): {error.message}",
        ),
        Text(
            error.hint or "Otwórz zamówienie w sklepie, zapisz je ponownie i ponów.",
            error.hint or "Open the order in the shop, save it again and retry.",
        ),
    )
