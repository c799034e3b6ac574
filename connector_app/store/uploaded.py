"""Documents that were uploaded as ready XML, and whose order is of no shop.

Each stands under an order of its own in a store that is no shop: nobody reads it and nothing is published to
it. Its bytes are another program's: they are never made anew, only another file takes their place.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from connector_app.store.models import Document, Seller, ShopOrder, Store
from core.rulebook import UPLOADED

PLATFORM = "upload"
"""Platform of the store that holds them."""


def shelf_of(session: Session, seller: Seller, platform: str, now: datetime) -> Store:
    """A seller's store that is no shop, made when there is none.

    Args:
        session: inside a transaction.
        seller: whose.
        platform: what it holds, such as :data:`PLATFORM`.
        now: aware UTC.
    """
    code = f"{platform}-{seller.nip}"
    store = session.scalar(select(Store).where(Store.code == code))
    if store is None:
        store = Store(
            code=code, seller_id=seller.id, platform=platform, url="", config="", policy={}, created_at=now
        )
        session.add(store)
        session.flush()
    return store


def store_of(session: Session, seller: Seller, now: datetime) -> Store:
    """The store that holds a seller's uploaded documents, made when there is none."""
    return shelf_of(session, seller, PLATFORM, now)


def order_for(session: Session, store: Store, sha256: str, number: str, now: datetime) -> ShopOrder:
    """A new order for an uploaded document.

    Args:
        session: inside a transaction.
        store: see :func:`store_of`.
        sha256: of the bytes, which makes the order unique.
        number: what a list shows: the order that the invoice names, else P_2.
        now: aware UTC.
    """
    order = ShopOrder(
        store_id=store.id,
        remote_id=sha256,
        number=number[:64],
        modified_at=now,
        content_hash="",
        seen_at=now,
    )
    session.add(order)
    session.flush()
    return order


def is_uploaded(document: Document) -> bool:
    """Whether a document's bytes were uploaded, also when it was linked with a shop's order since."""
    return document.decision is not None and document.decision.get("rule") == UPLOADED.code
