"""What happens to an order after its invoice becomes documents of its own; nothing issued is ever touched."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from connector_app.pipeline import deciding, life, proposed
from connector_app.pipeline.changes import (
    Wanted,
    after_hand_made,
    is_hand_made,
    is_in_ksef_or_under_way,
    perhaps_by_hand,
    unreadable,
    wanted,
    zero_by_hand,
)
from connector_app.pipeline.claims import name_corrections
from connector_app.pipeline.purposes import BY_PERSON, CHANGE, HAND, REFUND, TO_ZERO, UNREADABLE, chapter
from connector_app.policies import StorePolicy
from connector_app.store.documents import buyer_name, document_for
from connector_app.store.models import INVOICE, Document, DocumentState, Store
from core.calendar import warsaw_day
from core.invoices.model import InvoiceKind
from core.orders import Order
from core.rulebook import CORRECTION_ASKED, CORRECTION_AUTOMATIC


def after_issue(
    session: Session, store: Store, invoice: Document, order: Order, now: datetime
) -> list[Document]:
    """Bring the documents of an invoiced order in line with what the shop says now.

    What is new becomes ready, or asks a person; what the shop took back before KSeF had it is cancelled, and
    comes back when the shop says it again. What a person closed stays closed.

    Args:
        session: inside a transaction.
        store: where the order is from.
        invoice: issued, so it is frozen.
        order: the order as it is now.
        now: aware UTC.

    Returns:
        The documents that were changed.
    """
    query = select(Document).where(Document.order_id == invoice.order_id).order_by(Document.id)
    current = {row.purpose: row for row in session.scalars(query) if not chapter(row.purpose)}
    rows = name_corrections(current, order)
    asked = wanted(invoice, order, rows, proposed.latest(session, invoice.order_id))
    touched = _drop(rows, {one.purpose for one in asked}, now)
    policy = StorePolicy.from_json(store.policy)
    hand_made = any(is_hand_made(row) for row in rows.values())
    hand_made = hand_made or any(one.purpose.startswith(CHANGE) for one in asked)
    by_hand = {
        row.total
        for purpose, row in rows.items()
        if purpose.startswith(HAND) and (is_in_ksef_or_under_way(row) or row.state in life.UNDECIDED)
    }
    for one in asked:
        row = rows.get(one.purpose)
        if row is not None and not _comes_back(row):
            continue
        if row is None:
            row = document_for(session, store, invoice.order, one.purpose, InvoiceKind.CORRECTION, now)
        elif row.xml_sha256 is not None:
            life.begin_anew(row, now)
        row.plan = None
        row.total, row.currency, row.buyer_name = one.amount, order.currency, buyer_name(order)
        if one.purpose.startswith(REFUND) and one.amount in by_hand and not hand_made:
            life.ask(row, [perhaps_by_hand(one.finding)], now)
            deciding.keep_rule(row, CORRECTION_ASKED, warsaw_day(now))
        else:
            by_itself = policy.corrects_by_itself(one.amount)
            _begin(row, one, now, by_itself=by_itself, hand_made=hand_made)
        touched.append(row)
    return touched


def _begin(row: Document, one: Wanted, now: datetime, *, by_itself: bool, hand_made: bool) -> None:
    is_refund = one.purpose.startswith(REFUND)
    if is_refund and hand_made:
        life.ask(row, [after_hand_made(one.finding)], now)
    elif hand_made and one.purpose in TO_ZERO:
        life.ask(row, [one.finding, zero_by_hand()], now)
    elif is_refund and by_itself:
        life.move(row, DocumentState.READY, one.finding.message, now)
    else:
        life.ask(row, [one.finding], now)
    rule = CORRECTION_AUTOMATIC if row.state == DocumentState.READY else CORRECTION_ASKED
    deciding.keep_rule(row, rule, warsaw_day(now))


def _comes_back(row: Document) -> bool:
    """Whether a document was cancelled because the shop took back what it now says again."""
    return row.state == DocumentState.CANCELLED and row.closed_at is None


def _drop(rows: dict[str, Document], asked: set[str], now: datetime) -> list[Document]:
    """Cancel the corrections that nothing asks for any more and that KSeF does not have."""
    dropped = [
        row
        for purpose, row in rows.items()
        if purpose != INVOICE
        and purpose not in asked
        and not purpose.startswith(BY_PERSON)
        and (row.state == DocumentState.REJECTED or (row.xml_sha256 is None and row.state in life.UNDECIDED))
    ]
    for row in dropped:
        life.drop(row, now)
    return dropped


def ask_about_unreadable(
    session: Session, store: Store, invoice: Document, path: str, message: str, now: datetime
) -> list[Document]:
    """An invoiced order that cannot be read: a person has to know, or a refund could be missed.

    Args:
        session: inside a transaction.
        store: where the order is from.
        invoice: issued.
        path: of the value that cannot be read.
        message: what is wrong with it.
        now: aware UTC.

    Returns:
        The document that asks.
    """
    row = document_for(session, store, invoice.order, UNREADABLE, InvoiceKind.CORRECTION, now)
    row.currency, row.buyer_name = invoice.currency, invoice.buyer_name
    row.closed_at = None
    life.ask(row, [unreadable(path, message)], now)
    return [row]
