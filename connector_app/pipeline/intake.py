"""Intake: what changed in a shop becomes snapshots, and documents waiting, ready or for a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from adapters.contract import ShopError, UnreadableOrder
from connector_app.pipeline import life
from connector_app.pipeline.services import Services
from connector_app.policies import StorePolicy, decide
from connector_app.store.models import Document, DocumentState, ShopOrder, Store
from connector_app.store.snapshots import content_hash, to_json
from core.findings import Finding, Severity, Text
from core.invoices.model import InvoiceKind
from core.orders import Order, OrderState

INVOICE = "invoice"
"""Purpose of an order's first document."""

OVERLAP = timedelta(minutes=10)
"""Changes are read again from this long before the mark: clocks differ and pages shift."""

_OPEN = frozenset(
    {DocumentState.WAITING, DocumentState.READY, DocumentState.ATTENTION, DocumentState.CANCELLED}
)
"""States in which nothing was issued, so that a changed order is decided anew."""


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

    The store's mark moves only after everything was read, so that a failure half-way loses nothing.
    """
    with services.database() as session:
        store = session.get_one(Store, store_id)
    seen = changed = 0
    newest = store.mark
    failure: ShopError | None = None
    try:
        adapter = services.shop(store)
    except ShopError as error:
        return IntakeResult(0, 0, error)
    try:
        for found in adapter.changed_orders(store.mark - OVERLAP if store.mark else None):
            seen += 1
            changed += keep(services, store_id, found)
            if isinstance(found, Order) and (newest is None or found.modified_at > newest):
                newest = found.modified_at
    except ShopError as error:
        failure = error
    finally:
        adapter.close()
    if failure is None and newest != store.mark:
        with services.database.begin() as session:
            session.get_one(Store, store_id).mark = newest
    return IntakeResult(seen, changed, failure)


def keep(services: Services, store_id: int, found: Order | UnreadableOrder) -> bool:
    """Keep one order, or the fact that it cannot be read.

    Returns:
        Whether it was new or said something new.
    """
    now = services.clock()
    touched: list[Document] = []
    with services.database.begin() as session:
        store = session.get_one(Store, store_id)
        if isinstance(found, UnreadableOrder):
            touched = _keep_unreadable(session, store, found, now)
        else:
            touched = _keep_order(session, store, found, now)
    for document in touched:
        services.watch(document)
    return bool(touched)


def _keep_order(session: Session, store: Store, order: Order, now: datetime) -> list[Document]:
    fingerprint = content_hash(order)
    row, is_new = _row(session, store, order.id, now)
    if not is_new and row.content_hash == fingerprint:
        row.modified_at = order.modified_at
        return []
    row.number, row.modified_at, row.content_hash = order.number, order.modified_at, fingerprint
    row.snapshot, row.seen_at = to_json(order), now
    session.flush()
    document = _document(session, store, row, INVOICE, InvoiceKind.VAT, now)
    document.total, document.currency = order.total, order.currency
    document.buyer_name = order.buyer.company.strip() or order.buyer.person_name
    if DocumentState(document.state) in _OPEN:
        decision = decide(order, StorePolicy.from_json(store.policy))
        document.attention = None
        life.move(document, decision.state, decision.reason, now)
        return [document]
    return [document, *_after_issue(session, store, row, order, now)]


def _after_issue(
    session: Session, store: Store, row: ShopOrder, order: Order, now: datetime
) -> list[Document]:
    """A refund or a cancellation after the invoice needs a correction: shown, never forgotten."""
    wanted = [(f"refund:{refund.id}", refund.amount, refund.reason) for refund in order.refunds]
    if order.state in {OrderState.CANCELLED, OrderState.FAILED}:
        wanted.append(("cancellation", order.total, ""))
    made = []
    for purpose, amount, reason in wanted:
        if session.scalar(
            select(Document.id).where(Document.order_id == row.id, Document.purpose == purpose)
        ):
            continue
        document = _document(session, store, row, purpose, InvoiceKind.CORRECTION, now)
        document.total, document.currency = -amount, order.currency
        document.buyer_name = order.buyer.company.strip() or order.buyer.person_name
        life.ask(document, [_correction_needed(amount, order.currency, reason)], now)
        made.append(document)
    return made


def _keep_unreadable(session: Session, store: Store, error: UnreadableOrder, now: datetime) -> list[Document]:
    remote_id = error.path.partition(".")[0].partition("[")[0] or "?"
    row, is_new = _row(session, store, remote_id, now)
    fingerprint = f"unreadable {error.path} {error.message}"[:64]
    if not is_new and row.content_hash == fingerprint:
        return []
    row.content_hash, row.seen_at = fingerprint, now
    session.flush()
    document = _document(session, store, row, INVOICE, InvoiceKind.VAT, now)
    if DocumentState(document.state) in _OPEN:
        life.ask(document, [_unreadable(error)], now)
    else:
        life.note(document, _unreadable(error).message, now)
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


def _document(
    session: Session, store: Store, row: ShopOrder, purpose: str, kind: InvoiceKind, now: datetime
) -> Document:
    document = session.scalar(
        select(Document).where(Document.order_id == row.id, Document.purpose == purpose)
    )
    if document is None:
        document = Document(
            seller_id=store.seller_id,
            order=row,
            purpose=purpose,
            kind=kind.value,
            state=DocumentState.WAITING.value,
            attempts=0,
            created_at=now,
            updated_at=now,
        )
        session.add(document)
    return document


def _correction_needed(amount: Decimal, currency: str, reason: str) -> Finding:
    why_pl = f" (powód: {reason})" if reason else ""
    why_en = f" (reason: {reason})" if reason else ""
    return Finding(
        "correction-needed",
        Severity.ERROR,
        "refunds",
        Text(
            f"Po wystawieniu faktury zwrócono {amount} {currency}{why_pl}: potrzebna jest korekta.",
            f"{amount} {currency} was given back after the invoice{why_en}: a correction is needed.",
        ),
        Text(
            "Ta wersja nie wystawia korekt sama; wystaw korektę w innym programie.",
            "This version does not issue corrections by itself; issue it in another program.",
        ),
        "art. 106j VAT act",
    )


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
