"""Documents that came back from KSeF and whose order is not known (yet).

Each stands under an order of its own in a store that is no shop: nobody reads it and nothing is published
to it. When the shop says the order again, the documents move to the true one, see
:mod:`connector_app.pipeline.claims`.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from connector_app.store.models import Document, Seller, ShopOrder, Store
from connector_app.store.uploaded import PLATFORM as UPLOADED
from connector_app.store.uploaded import shelf_of

PLATFORM = "ksef"
"""Platform of the store that holds them."""

NO_SHOPS = frozenset({PLATFORM, UPLOADED})
"""Platforms of stores that hold documents and are no shops."""

IS_SHOP = Store.platform.not_in(NO_SHOPS)
"""Condition on stores: a real shop."""

IS_OPEN = IS_SHOP & Store.closed_at.is_(None)
"""Condition on stores: a real shop that was not removed."""

NEVER = datetime(9999, 12, 31, tzinfo=UTC)
"""``next_attempt_at`` of a document that nothing is to be done with until its order is known."""


def store_of(session: Session, seller: Seller, now: datetime) -> Store:
    """The store that holds a seller's recovered documents, made when there is none."""
    return shelf_of(session, seller, PLATFORM, now)


def order_for(session: Session, store: Store, ksef_number: str, now: datetime) -> ShopOrder:
    """The order that an invoice and its corrections stand under.

    Args:
        session: inside a transaction.
        store: see :func:`store_of`.
        ksef_number: of the invoice, whether it was recovered or only named by a correction.
        now: aware UTC.

    Returns:
        Where the invoice itself stands, which may be a shop's order; else an order of the store, made when
        there is none.
    """
    known = session.scalar(
        select(ShopOrder)
        .join(Document, Document.order_id == ShopOrder.id)
        .where(Document.ksef_number == ksef_number, Document.seller_id == store.seller_id)
    )
    if known is None:
        of_store = (ShopOrder.store_id == store.id) & (ShopOrder.remote_id == ksef_number)
        known = session.scalar(select(ShopOrder).where(of_store))
    if known is None:
        known = ShopOrder(
            store_id=store.id,
            remote_id=ksef_number,
            number=ksef_number,
            modified_at=now,
            content_hash="",
            seen_at=now,
        )
        session.add(known)
        session.flush()
    return known
