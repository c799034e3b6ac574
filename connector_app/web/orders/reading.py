"""Lists of orders for pages: filters, and paging by the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, select
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
    if search.words or search.show:
        query = query.where(ShopOrder.id.in_(_hits(session, sellers, search)))
    else:
        query = query.where(*_of_orders(search))
    return [(row[0], row[1]) for row in session.execute(query).all()]


def _hits(session: Session, sellers: Sequence[int], search: Search) -> set[int]:
    """Ids of the orders of one page, from the index that covers the search."""
    conditions = _of_orders(search)
    invoices = (
        select(Document.order_id)
        .where(Document.seller_id.in_(sellers), Document.purpose == INVOICE)
        .where(Document.order_id.not_in(_of_no_shop(sellers)))
        .order_by(Document.order_id.desc())
        .limit(PAGE + 1)
    )
    if conditions:
        invoices = invoices.join(ShopOrder, Document.order_id == ShopOrder.id).where(*conditions)
    if search.before:
        invoices = invoices.where(Document.order_id < search.before)
    if search.show == LEFT_OUT:
        invoices = invoices.where(Document.state.in_(_LEFT_OUT))
    elif search.show == ASKING:
        invoices = invoices.where(Document.state == DocumentState.ATTENTION)
    if not search.words:
        return set(session.scalars(invoices))
    part = search.words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    by_buyer = invoices.where(Document.buyer_name.ilike(f"%{part}%", escape="\\"))
    numbers = select(ShopOrder.id).where(ShopOrder.number.in_({search.words, search.words.lstrip("#")}))
    by_number = invoices.where(Document.order_id.in_(numbers))
    return {*session.scalars(by_buyer), *session.scalars(by_number)}


def _of_orders(search: Search) -> list[ColumnElement[bool]]:
    """What is asked of the orders themselves."""
    found: list[ColumnElement[bool]] = []
    if search.store:
        # + 0: the orders are walked newest first, not by the store's index and then sorted
        found.append((ShopOrder.store_id + 0).in_(select(Store.id).where(Store.code == search.store)))
    bounds = month_bounds(search.month)
    if bounds is not None:
        found += [ShopOrder.modified_at >= bounds[0], ShopOrder.modified_at < bounds[1]]
    if search.before:
        found.append(ShopOrder.id < search.before)
    return found


def _of_no_shop(sellers: Sequence[int]) -> Select[Any]:
    """Orders of the stores that are no shops."""
    return select(ShopOrder.id).join(Store).where(~IS_SHOP, Store.seller_id.in_(sellers))


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
