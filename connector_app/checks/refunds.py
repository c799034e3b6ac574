"""Refunds of the shops and the corrections of their invoices, one against the other.

A refund that the order names has no day of its own there: one with a document belongs to the day of that
document, and one without any to every check from its invoice to the order's last change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from connector_app.checks.orders import IS_LIVE
from connector_app.checks.period import Period
from connector_app.checks.report import Part, Report
from connector_app.checks.wording import found
from connector_app.pipeline.changes import is_in_ksef_or_under_way
from connector_app.pipeline.purposes import REFUND, WITHDRAWN
from connector_app.pipeline.services import load_text
from connector_app.store.models import INVOICE, Document, DocumentState, ShopOrder, Store
from connector_app.store.recovered import IS_SHOP
from core.findings import Text

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class _Order:
    """An invoiced order and the refunds that the shop names."""

    id: int
    number: str
    store: str
    refunds: list[dict[str, Any]]


def look(
    session: Session,
    seller_id: int,
    period: Period,
    report: Report,
    tell: Callable[[int], None] = lambda _done: None,
) -> None:
    """Compare refunds and corrections of a seller.

    Args:
        session: see :func:`~connector_app.checks.rows.snapshot`.
        seller_id: the seller.
        period: the days.
        report: gets counts and findings.
        tell: told how many orders were read.
    """
    rows = iter(
        session.execute(
            select(ShopOrder.id, ShopOrder.number, Store.code, ShopOrder.snapshot["refunds"])
            .join(Store, ShopOrder.store_id == Store.id)
            .join(Document, Document.order_id == ShopOrder.id)
            .where(IS_SHOP, Store.seller_id == seller_id, ShopOrder.snapshot.is_not(None))
            .where(Document.purpose == INVOICE, IS_LIVE, Document.issued_on <= period.last)
            .where(ShopOrder.modified_at >= period.begins)
            .order_by(ShopOrder.id)
            .execution_options(yield_per=_AT_ONCE)
        )
    )
    seen = 0
    while some := list(islice(rows, _AT_ONCE)):
        seen += len(some)
        orders = [_Order(*one) for one in some if one[3]]
        documents = _documents(session, [one.id for one in orders])
        for order in orders:
            for refund in order.refunds:
                _look_at(order, refund, documents[order.id], period, report)
        tell(seen)
    _without_refund(session, seller_id, period, report)


def _documents(session: Session, orders: list[int]) -> dict[int, dict[str, Document]]:
    found_ones: dict[int, dict[str, Document]] = defaultdict(dict)
    rows = session.scalars(
        select(Document)
        .where(Document.order_id.in_(orders))
        .where(Document.purpose.startswith(REFUND) | Document.purpose.startswith(WITHDRAWN))
        .execution_options(populate_existing=True)
    )
    for row in rows:
        found_ones[row.order_id][row.purpose] = row
        session.expunge(row)
    return found_ones


def _look_at(
    order: _Order, refund: dict[str, Any], documents: dict[str, Document], period: Period, report: Report
) -> None:
    counts = report.parts[Part.REFUNDS].counts
    amount = Decimal(refund["amount"])
    named = Text(
        f"zwrot {refund['id']} zamówienia {order.number} (sklep {order.store})",
        f"refund {refund['id']} of order {order.number} (store {order.store})",
    )
    row = documents.get(f"{REFUND}{refund['id']}")
    if row is None:
        counts["without_correction"] += 1
        text = Text(f"Nie ma korekty: {named.pl}.", f"There is no correction: {named.en}.")
        report.add(found("refund-without-correction", f"order:{order.id}", text))
        return
    if (row.issued_on or row.day) not in period:
        return
    counts["refunds"] += 1
    path = f"document:{row.id}"
    if is_in_ksef_or_under_way(row):
        counts["corrected"] += 1
        if row.plan is None and row.total != -amount:
            text = Text(
                f"Korekta {row.number} jest na {row.total}, a {named.pl} na {amount} {row.currency}.",
                f"Correction {row.number} is of {row.total}, and {named.en} of {amount} {row.currency}.",
            )
            report.add(found("refund-amount-differs", path, text))
    elif row.closed_at is not None:
        counts["closed"] += 1
        text = Text(f"Człowiek zamknął bez korekty: {named.pl}.", f"A person closed {named.en}.")
        report.add(found("refund-closed", path, text))
    elif row.state == DocumentState.CANCELLED:
        counts["without_correction"] += 1
        text = Text(
            f"Korekta nie powstanie, choć sklep wymienia: {named.pl}.",
            f"No correction will come about although the shop names {named.en}.",
        )
        report.add(found("refund-without-correction", path, text))
    else:
        counts["waiting"] += 1
        why = _why(row)
        text = Text(f"Korekta czeka: {named.pl}. {why.pl}", f"A correction waits: {named.en}. {why.en}")
        report.add(found("refund-waits", path, text))


def _why(row: Document) -> Text:
    if row.attention:
        one = row.attention[0]["message"]
        return Text(one["pl"], one["en"])
    return load_text(row.waiting_for) if row.waiting_for else Text("", "")


def _without_refund(session: Session, seller_id: int, period: Period, report: Report) -> None:
    """Corrections of refunds that the shop does not name any more, unless they were taken back."""
    rows = session.execute(
        select(Document.id, Document.number, Document.purpose, Document.order_id, ShopOrder.number,
               ShopOrder.snapshot["refunds"])
        .join(ShopOrder, Document.order_id == ShopOrder.id)
        .where(Document.seller_id == seller_id, Document.purpose.startswith(REFUND), IS_LIVE)
        .where(Document.issued_on.between(period.first, period.last), ShopOrder.snapshot.is_not(None))
        .order_by(Document.id)
    ).all()  # fmt: skip
    counts = report.parts[Part.REFUNDS].counts
    for ident, number, purpose, order_id, order_number, refunds in rows:
        refund = purpose.removeprefix(REFUND)
        if any(one["id"] == refund for one in refunds or []):
            continue
        back = _documents(session, [order_id])[order_id].get(f"{WITHDRAWN}{refund}")
        if back is not None and is_in_ksef_or_under_way(back):
            counts["taken_back"] += 1
            continue
        counts["without_refund"] += 1
        text = Text(
            f"Korekta {number}: sklep nie wymienia już zwrotu {refund} zamówienia {order_number}.",
            f"Correction {number}: the shop no longer names refund {refund} of order {order_number}.",
        )
        report.add(found("correction-without-refund", f"document:{ident}", text))
