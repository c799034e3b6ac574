"""Documents that need a person, that are under way, and that must be sent by a day."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, String, func, literal_column, select
from sqlalchemy.orm import Session, joinedload

from connector_app.store.models import INVOICE, Document, DocumentState, ShopOrder
from connector_app.store.recovered import NEVER
from core.calendar import add_working_days

NEEDS_A_PERSON = (DocumentState.ATTENTION, DocumentState.REJECTED)
"""States in which nothing happens until somebody decides."""

UNDER_WAY = (DocumentState.READY, DocumentState.ISSUED, DocumentState.SENT, DocumentState.ACCEPTED)
"""States that the program leaves by itself."""


_KSEF_NUMBER: ColumnElement[str | None] = literal_column("documents.ksef_number || ''", String)
"""Looked at in the rows of few states, not by its index, in which documents without one are many."""


@dataclass(frozen=True, slots=True)
class Needed:
    """One document that a person must decide about.

    Attributes:
        id: of the document. order_id: row of the order. is_invoice: no correction.
        state: ``attention`` or ``rejected``. store: its code.
        order: the order's number in the shop. buyer, total, currency: as far as they are known.
        findings: why, as stored (``message`` and ``hint`` in both languages).
        refusal: KSeF's code and our explanation, for a refused one.
    """

    id: int
    order_id: int
    is_invoice: bool
    state: str
    store: str
    order: str
    buyer: str
    total: Decimal | None
    currency: str | None
    findings: list[dict[str, Any]]
    refusal: str


def needed(session: Session, sellers: Collection[int], limit: int) -> list[Needed]:
    """The newest documents that need a person.

    Args:
        session: for reading.
        sellers: ids of the sellers to look at.
        limit: how many at the most.
    """
    rows = session.scalars(
        select(Document)
        .where(Document.seller_id.in_(sellers), Document.state.in_(NEEDS_A_PERSON))
        .options(joinedload(Document.order).joinedload(ShopOrder.store))
        .order_by(Document.id.desc())
        .limit(limit)
    )
    return [_needed(row) for row in rows]


def _needed(row: Document) -> Needed:
    refusal = f"{row.refusal_code} {row.refusal_text or ''}".strip() if row.refusal_code else ""
    return Needed(
        id=row.id,
        order_id=row.order_id,
        is_invoice=row.purpose == INVOICE,
        state=row.state,
        store=row.order.store.code,
        order=row.order.number,
        buyer=row.buyer_name or "",
        total=row.total,
        currency=row.currency,
        findings=list(row.attention or []),
        refusal=refusal,
    )


def counts(session: Session, sellers: Collection[int]) -> dict[DocumentState, int]:
    """How many documents stand in each state; states without one are zero."""
    rows = session.execute(
        select(Document.state, func.count()).where(Document.seller_id.in_(sellers)).group_by(Document.state)
    )
    found = {row[0]: row[1] for row in rows}
    return {state: found.get(state.value, 0) for state in DocumentState}


@dataclass(frozen=True, slots=True)
class Deadline:
    """An offline document that must reach KSeF by a day.

    Attributes:
        id: of the document. number: of the invoice. day: the last one, a Warsaw day.
        days: from today to it; negative when it is over.
        waits_for: why it was not sent yet, as stored.
    """

    id: int
    number: str
    day: date
    days: int
    waits_for: str | None


def deadlines(
    session: Session, sellers: Collection[int], today: date, limit: int, *, within: int | None = None
) -> list[Deadline]:
    """Offline documents that KSeF does not have yet, the most urgent first.

    Args:
        session: for reading.
        sellers: ids of the sellers to look at.
        today: Warsaw day.
        limit: how many at the most.
        within: only those that are due in so many working days, or overdue; ``None``: all.
    """
    until = date.max if within is None else add_working_days(today, within) if within else today
    rows = session.execute(
        select(Document.id, Document.number, Document.send_by, Document.waiting_for)
        .where(
            Document.seller_id.in_(sellers),
            Document.state.in_((DocumentState.ISSUED, DocumentState.SENT, DocumentState.REJECTED)),
            _KSEF_NUMBER.is_(None),
            Document.send_by.is_not(None),
            Document.send_by <= until,
        )
        .order_by(Document.send_by)
        .limit(limit)
    )
    return [
        Deadline(one, number or "", day, (day - today).days, waits_for)
        for one, number, day, waits_for in rows
        if day is not None
    ]


def waiting_soon(session: Session, sellers: Collection[int]) -> int:
    """How many documents wait for a moment that is known, such as the store's days of patience."""
    return (
        session.scalar(
            select(func.count())
            .select_from(Document)
            .where(
                Document.seller_id.in_(sellers),
                Document.state == DocumentState.WAITING,
                Document.next_attempt_at.is_not(None),
                Document.next_attempt_at < NEVER,
            )
        )
        or 0
    )
