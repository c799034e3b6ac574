"""Recovered invoices and the orders that are here: linked where it is certain, or by a person."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from connector_app.pipeline.claims import link
from connector_app.pipeline.intake import decide_order
from connector_app.pipeline.services import Services
from connector_app.store.models import INVOICE, Document, ShopOrder, Store
from connector_app.store.recovered import IS_SHOP
from connector_app.store.snapshots import from_json


def link_known_orders(services: Services, seller_id: int) -> int:
    """Decide anew the orders that came in before their invoices were recovered.

    Args:
        services: the outside world.
        seller_id: the seller.

    Returns:
        How many recovered invoices got a shop's order by that.
    """
    placeholders = (
        select(ShopOrder.number)
        .join(Document, Document.order_id == ShopOrder.id)
        .join(Store, ShopOrder.store_id == Store.id)
        .where(~IS_SHOP, Document.seller_id == seller_id, Document.purpose == INVOICE)
    )
    with services.database() as session:
        before = len(session.scalars(placeholders).all())
        orders = session.scalars(
            select(ShopOrder.id)
            .join(Store, ShopOrder.store_id == Store.id)
            .where(IS_SHOP, Store.seller_id == seller_id, ShopOrder.number.in_(placeholders))
            .where(ShopOrder.snapshot.is_not(None))
            .order_by(ShopOrder.id)
        ).all()
    for order_id in orders:
        with services.database.begin(seller_id) as session:
            row = session.get_one(ShopOrder, order_id)
            order = from_json(row.snapshot or {})
            touched = decide_order(session, row.store, row, order, services.clock())
        for document in touched:
            services.watch(document)
    with services.database() as session:
        return before - len(session.scalars(placeholders).all())


def link_by_hand(services: Services, recovered_id: int, order_id: int) -> None:
    """Link a recovered invoice with an order because a person says so.

    What the shop says now is compared with the invoice at once, so that a refund or a change since gets its
    correction or its question.

    Args:
        services: the outside world.
        recovered_id: the invoice's document.
        order_id: the row of the shop's order.

    Raises:
        NotLinkable: see :func:`~connector_app.pipeline.claims.link`.
    """
    with services.database.begin() as session:
        touched = link_in(session, recovered_id, order_id, services.clock())
    for document in touched:
        services.watch(document)


def link_in(session: Session, recovered_id: int, order_id: int, now: datetime) -> list[Document]:
    """:func:`link_by_hand` inside a transaction of the caller's.

    Returns:
        The documents that were changed.

    Raises:
        NotLinkable: see :func:`~connector_app.pipeline.claims.link`.
    """
    row = session.get_one(ShopOrder, order_id)
    touched = [link(session, session.get_one(Document, recovered_id), row, now)]
    if row.snapshot is not None:
        touched += decide_order(session, row.store, row, from_json(row.snapshot), now)
    return touched
