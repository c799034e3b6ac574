"""Rows for tests of the store: sellers with a store, orders and documents."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy.orm import Session

from connector_app.store.models import Document, Event, Seller, ShopOrder, Store

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
NIPS = ("5265877635", "7010002137")


def sellers(session: Session) -> None:
    """Two sellers, ids 1 and 2, each with a store of its number."""
    for one, nip in enumerate(NIPS, 1):
        seller = Seller(
            nip=nip, name=f"S{one}", profile={}, environment={}, schema_version="FA3", credential="",
            created_at=NOW,
        )  # fmt: skip
        session.add(seller)
        session.flush()
        session.add(
            Store(
                seller_id=seller.id, code=f"s{one}", platform="woocommerce", url="", config="", policy={},
                created_at=NOW,
            )
        )  # fmt: skip
        session.flush()


def document(session: Session, seller_id: int, name: str, **changes: object) -> Document:
    """A document with an order of its own, stored."""
    order = ShopOrder(
        store_id=seller_id, remote_id=name, number=name, modified_at=NOW, content_hash="", snapshot=None,
        seen_at=NOW,
    )  # fmt: skip
    session.add(order)
    session.flush()
    values: dict[str, object] = {
        "seller_id": seller_id, "order_id": order.id, "purpose": "invoice", "kind": "VAT", "state": "ready",
        "created_at": NOW, "updated_at": NOW,
    }  # fmt: skip
    row = Document(**values | changes)
    session.add(row)
    session.flush()
    return row


def event(session: Session, document_id: int, state: str = "issued") -> Event:
    """An entry of a document's life."""
    row = Event(document_id=document_id, at=NOW, state=state, text='{"pl": "x", "en": "x"}')
    session.add(row)
    session.flush()
    return row
