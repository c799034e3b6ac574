"""Intake: what changed in a shop becomes snapshots, and documents waiting, ready or for a person."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError
from sqlalchemy.orm import Session

from adapters.contract import ShopError, UnreadableOrder
from connector_app.pipeline import claims, deciding, life
from connector_app.pipeline.after_issue import after_issue, ask_about_unreadable
from connector_app.pipeline.services import Services
from connector_app.store.documents import buyer_name, document_for
from connector_app.store.models import INVOICE, Document, DocumentState, ShopOrder, Store
from connector_app.store.snapshots import content_hash, to_json
from connector_app.vault import VaultLocked
from core.calendar import warsaw_day
from core.findings import Finding, Severity, Text
from core.invoices.model import InvoiceKind
from core.orders import Order

_log = logging.getLogger(__name__)

OVERLAP = timedelta(minutes=10)
"""Changes are read again from this long before the mark: clocks differ and pages shift."""

_OPEN = frozenset(
    {DocumentState.WAITING, DocumentState.READY, DocumentState.ATTENTION, DocumentState.CANCELLED}
)
_CHECKPOINT = 200
"""Orders after which the store's mark is written down."""

_SEEN_STEP = timedelta(seconds=30)
"""An order that says nothing new is noted as seen again no more often than this."""


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
    """Read a store's changed orders and keep what they say.

    Orders come oldest change first and each is kept before the next one is read, so the store's mark moves
    on the way: a failure half-way loses nothing, and the next look does not begin from the start.

    Raises:
        SQLAlchemyError: the database cannot be used.
    """
    with services.database() as session:
        store = session.get_one(Store, store_id)
    try:
        adapter = services.shop(store)
    except VaultLocked as error:
        return IntakeResult(0, 0, ShopError(str(error)))
    except ShopError as error:
        return IntakeResult(0, 0, error)
    seen = changed = 0
    began = services.clock()
    mark = _Mark(services, store)
    failure: ShopError | None = None
    try:
        for found in adapter.changed_orders(store.mark - OVERLAP if store.mark else None):
            seen += 1
            changed += _keep_whatever_it_is(services, store_id, found)
            if isinstance(found, Order):
                mark.passed(found.modified_at)
            if seen % _CHECKPOINT == 0:
                mark.save()
    except ShopError as error:
        failure = error
    finally:
        adapter.close()
    mark.save()
    if failure is None:
        with services.database.begin() as session:
            session.get_one(Store, store_id).looked_at = began
    return IntakeResult(seen, changed, failure)


class _Mark:
    """Up to which change a store was read; never later than now by our own clock.

    A shop can date a change in the future (a wrong clock, an import). Taken as it is, such a date would hide
    every true change until that day.
    """

    def __init__(self, services: Services, store: Store) -> None:
        self._services = services
        self._store_id = store.id
        self._saved = self._newest = store.mark

    def passed(self, modified_at: datetime) -> None:
        """An order of this change was kept."""
        if self._newest is None or modified_at > self._newest:
            self._newest = modified_at

    def save(self) -> None:
        """Write down how far reading came."""
        newest = self._newest and min(self._newest, self._services.clock())
        if newest is None or newest == self._saved:
            return
        with self._services.database.begin() as session:
            session.get_one(Store, self._store_id).mark = self._saved = newest


def _keep_whatever_it_is(services: Services, store_id: int, found: Order | UnreadableOrder) -> bool:
    """:func:`keep`, but an order at which the program itself fails asks a person and hides no other."""
    try:
        return keep(services, store_id, found)
    except Exception as error:
        if isinstance(error, SQLAlchemyError) and not isinstance(error, StatementError):
            raise
        if isinstance(error, DBAPIError) and not isinstance(error, IntegrityError | DataError):
            raise
        remote_id = found.id if isinstance(found, Order) else found.path.partition(".")[0]
        _log.exception("order %s of store %d cannot be kept", remote_id, store_id)
        odd = UnreadableOrder(f"it cannot be stored ({type(error).__name__})", path=remote_id)
        return keep(services, store_id, odd)


def keep(services: Services, store_id: int, found: Order | UnreadableOrder) -> bool:
    """Keep one order, or the fact that it cannot be read.

    Returns:
        Whether it was new or said something new.
    """
    now = services.clock()
    if isinstance(found, Order) and _says_nothing_new(services, store_id, found, now):
        return False
    with services.database.begin() as session:
        store = session.get_one(Store, store_id)
        if isinstance(found, UnreadableOrder):
            touched = _keep_unreadable(session, store, found, now)
        else:
            touched = _keep_order(session, store, found, now)
    for document in touched:
        services.watch(document)
    return bool(touched)


def _says_nothing_new(services: Services, store_id: int, order: Order, now: datetime) -> bool:
    """Whether there is nothing to write: most orders of a look were read a moment ago."""
    with services.database() as session:
        known = session.execute(
            select(ShopOrder.content_hash, ShopOrder.modified_at, ShopOrder.seen_at).where(
                ShopOrder.store_id == store_id, ShopOrder.remote_id == order.id
            )
        ).one_or_none()
    return (
        known is not None
        and known.modified_at == order.modified_at
        and now - known.seen_at < _SEEN_STEP
        and known.content_hash == content_hash(order)
    )


def _keep_order(session: Session, store: Store, order: Order, now: datetime) -> list[Document]:
    fingerprint = content_hash(order)
    row, is_new = _row(session, store, order.id, now)
    if not is_new and row.content_hash == fingerprint:
        row.modified_at = order.modified_at
        if now - row.seen_at >= _SEEN_STEP:
            row.seen_at = now
        return []
    row.number, row.modified_at, row.content_hash = order.number, order.modified_at, fingerprint
    row.snapshot, row.seen_at = to_json(order), now
    session.flush()
    return decide_order(session, store, row, order, now)


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
    document.total, document.currency, document.buyer_name = order.total, order.currency, buyer_name(order)
    decision = deciding.look(session, document, order, warsaw_day(now))
    if perhaps and decision.state is not DocumentState.CANCELLED:
        life.ask(document, [claims.uncertain(order, perhaps)], now)
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
