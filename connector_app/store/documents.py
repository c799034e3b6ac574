"""Documents by what they are for: one row for each order and purpose."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from connector_app.store.models import INVOICE, Document, DocumentState, ShopOrder, Store
from core.invoices.model import InvoiceKind
from core.orders import Order


def document_for(
    session: Session, store: Store, order: ShopOrder, purpose: str, kind: InvoiceKind, now: datetime
) -> Document:
    """The document of an order for a purpose, made when there is none.

    Args:
        session: inside a transaction.
        store: where the order is from.
        order: stored.
        purpose: ``invoice``, ``refund:ID`` ...; unique within the order, which makes issuing idempotent.
        kind: RodzajFaktury of a new document.
        now: aware UTC.
    """
    document = session.scalar(
        select(Document)
        .options(joinedload(Document.order))
        .where(Document.order_id == order.id, Document.purpose == purpose)
    )
    if document is None:
        document = Document(
            seller_id=store.seller_id,
            order=order,
            purpose=purpose,
            kind=kind.value,
            state=DocumentState.WAITING.value,
            attempts=0,
            created_at=now,
            updated_at=now,
        )
        session.add(document)
        session.flush()
    return document


def buyer_name(order: Order) -> str:
    """Whom a list shows: the company, else the person."""
    return order.buyer.company.strip() or order.buyer.person_name


def decide_waiting_at(session: Session, store_id: int, moment: datetime | None) -> None:
    """When invoices of a store that wait are decided anew.

    Args:
        session: of a writing transaction.
        store_id: the store.
        moment: aware UTC; ``None``: not by themselves.
    """
    orders = select(ShopOrder.id).where(ShopOrder.store_id == store_id)
    session.execute(
        update(Document)
        .where(
            Document.order_id.in_(orders),
            Document.purpose == INVOICE,
            Document.state == DocumentState.WAITING,
            Document.xml_sha256.is_(None),
        )
        .values(next_attempt_at=moment)
        .execution_options(synchronize_session=False)
    )
