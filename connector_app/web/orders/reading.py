"""Lists of orders for pages: filters, and paging by the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, aliased, contains_eager, defer, joinedload

from connector_app.store.models import INVOICE, Document, DocumentState, ShopOrder, Store
from connector_app.store.recovered import IS_SHOP
from core.calendar import WARSAW

PAGE = 50
"""Orders of one page."""

ALL, LEFT_OUT, ASKING = "", "left-out", "asking"
"""Which orders: all; those without an invoice in KSeF; those that ask a person."""

_LEFT_OUT = (DocumentState.WAITING, DocumentState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Search:
    """What a list is narrowed to.

    Attributes:
        words: part of the order's number or of the buyer's name.
        store: code of a store; empty for all.
        month: ``YYYY-MM`` of the order's last change in the shop; empty for all.
        show: :data:`ALL`, :data:`LEFT_OUT` or :data:`ASKING`.
        before: only orders with a lower id, for the next page; 0 for the first.
    """

    words: str = ""
    store: str = ""
    month: str = ""
    show: str = ALL
    before: int = 0


def find(session: Session, sellers: Sequence[int], search: Search) -> list[tuple[ShopOrder, Document | None]]:
    """One page of orders with their invoices, newest first, and one more to tell whether there is a next.

    Args:
        session: for reading.
        sellers: whose orders are seen.
        search: see :class:`Search`.
    """
    invoice = aliased(Document)
    query = (
        select(ShopOrder, invoice)
        .join(Store, ShopOrder.store_id == Store.id)
        .outerjoin(invoice, and_(invoice.order_id == ShopOrder.id, invoice.purpose == INVOICE))
        .options(contains_eager(ShopOrder.store), defer(ShopOrder.snapshot))
        .where(IS_SHOP, Store.seller_id.in_(sellers))
        .order_by(ShopOrder.id.desc())
        .limit(PAGE + 1)
    )
    if search.words:
        part = search.words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        query = query.where(
            or_(
                ShopOrder.number == search.words.lstrip("#"),
                ShopOrder.number == search.words,
                invoice.buyer_name.ilike(f"%{part}%", escape="\\"),
            )
        )
    if search.store:
        query = query.where(Store.code == search.store)
    bounds = month_bounds(search.month)
    if bounds is not None:
        query = query.where(ShopOrder.modified_at >= bounds[0], ShopOrder.modified_at < bounds[1])
    if search.show == LEFT_OUT:
        query = query.where(or_(invoice.id.is_(None), invoice.state.in_(_LEFT_OUT)))
    elif search.show == ASKING:
        query = query.where(invoice.state == DocumentState.ATTENTION)
    if search.before:
        query = query.where(ShopOrder.id < search.before)
    return [(row[0], row[1]) for row in session.execute(query).all()]


def month_bounds(month: str) -> tuple[datetime, datetime] | None:
    """First moment of a Warsaw month and of the next one; ``None`` when it is none."""
    try:
        first = date.fromisoformat(f"{month}-01")
        following = (first + timedelta(days=31)).replace(day=1)
    except (ValueError, OverflowError):
        return None
    return (
        datetime(first.year, first.month, 1, tzinfo=WARSAW),
        datetime(following.year, following.month, 1, tzinfo=WARSAW),
    )


def store_codes(session: Session, sellers: Sequence[int]) -> list[str]:
    """Codes of the shops whose orders are seen."""
    query = select(Store.code).where(IS_SHOP, Store.seller_id.in_(sellers)).order_by(Store.code)
    return list(session.scalars(query))


def documents_of(session: Session, order_id: int) -> list[Document]:
    """Everything that was made, or may be made, for an order, the invoice first."""
    query = select(Document).where(Document.order_id == order_id).options(joinedload(Document.seller))
    return sorted(session.scalars(query), key=lambda row: (row.purpose != INVOICE, row.id))
