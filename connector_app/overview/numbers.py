"""How much was issued: by day, by month, by currency."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import ColumnElement, Integer, func, literal_column, select
from sqlalchemy.orm import Session

from connector_app.store.models import Document
from core.money import ZERO

_OF_SELLER: ColumnElement[int] = literal_column("+documents.seller_id", Integer)
"""The sign keeps SQLite from reading all of a seller's documents instead of those of some days."""


@dataclass(slots=True)
class Issued:
    """What was issued in a time.

    Attributes:
        count: documents with a number, corrections included. totals: gross sums by currency.
    """

    count: int = 0
    totals: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))


def issued(session: Session, sellers: Collection[int], first: date, last: date) -> Issued:
    """What was issued between two Warsaw days, both included.

    A correction's total is what it changes, so sums are what buyers owe in the end.
    """
    rows = session.execute(
        select(Document.currency, Document.total, func.count())
        .where(
            _OF_SELLER.in_(sellers),
            Document.issued_on.between(first, last),
            Document.total.is_not(None),
        )
        # equal amounts come as one row; they are added here, because a database adds them as floats
        .group_by(Document.currency, Document.total)
    )
    found = Issued()
    for currency, total, count in rows:
        found.count += count
        found.totals[currency or "PLN"] += (total or ZERO) * count
    return found


def by_day(session: Session, sellers: Collection[int], last: date, days: int) -> list[tuple[date, int]]:
    """How many documents were issued on each of so many Warsaw days, oldest first."""
    first = last - timedelta(days=days - 1)
    rows = session.execute(
        select(Document.issued_on, func.count())
        .where(_OF_SELLER.in_(sellers), Document.issued_on.between(first, last))
        .group_by(Document.issued_on)
    )
    found = {row[0]: row[1] for row in rows}
    return [(day, found.get(day, 0)) for day in (first + timedelta(days=one) for one in range(days))]
