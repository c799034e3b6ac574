"""Deciding about orders by the rule book, and what was decided kept with their documents.

What was handed over (an invoice outside KSeF that another program issues) is not silently taken back: if the
rules later say KSeF, a person is asked whether that program issued it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, joinedload

from connector_app.decisions import Decision, decide
from connector_app.pipeline import life, proposed
from connector_app.pipeline.services import Services
from connector_app.policies import StorePolicy
from connector_app.store.lanes import of_document
from connector_app.store.models import INVOICE, Document, DocumentState, ShopOrder
from connector_app.store.overrides import invoice_order
from core.calendar import warsaw_day
from core.findings import Finding, Severity, Text
from core.money import ZERO
from core.orders import Order
from core.rulebook import BY_PERSON, CALLED_OFF, FREE, RELIEF, Route, Rule

WAITS_FOR_TIME: ColumnElement[bool] = (
    (Document.state == DocumentState.WAITING)
    & (Document.purpose == INVOICE)
    & Document.next_attempt_at.is_not(None)
)
"""Invoices whose order is due on a day that comes by itself."""

_ASKED = Text(
    "Człowiek polecił wystawić fakturę teraz, mimo że ustawienia sklepu każą czekać.",
    "A person asked to issue the invoice now although the store's settings say to wait.",
)
_UNDECIDED = (DocumentState.WAITING, DocumentState.READY, DocumentState.CANCELLED)
_CHUNK = 200


def look(session: Session, document: Document, order: Order, day: date) -> Decision:
    """What is to become of one order: a person's decision, else the rule book; changes nothing.

    A person's decision ends where there is no sale: an order that was called off or costs nothing.

    Args:
        session: for reading what is used of the relief.
        document: the order's invoice, with its order and store.
        order: what the shop says, with the buyer that a person entered.
        day: Warsaw day on which the book is read.
    """
    decision = by_rules(session, document, order, day)
    if document.order.ordered is None or decision.rule in {CALLED_OFF, FREE}:
        return decision
    return Decision(DocumentState.READY, BY_PERSON, day, BY_PERSON.sentence)


def by_rules(session: Session, document: Document, order: Order, day: date) -> Decision:
    """What the rule book alone says; see :func:`look`."""
    policy = StorePolicy.from_json(document.order.store.policy)
    if document.buyer_fingerprint is not None and document.order.buyer_override is None:
        order = proposed.applied(session, document.order_id, order)
    used = relief_used(session, document.seller_id, day, besides=document.id) if policy.relief else ZERO
    found = decide(order, policy, day, relief_used=used)
    if document.issue_asked and found.rule.route is Route.KSEF and found.state is DocumentState.WAITING:
        # what it waited for is the merchant's own setting; where the invoice belongs is not
        return replace(found, state=DocumentState.READY, reason=_ASKED, due_at=None, is_due=True)
    return found


def relief_used(session: Session, seller_id: int, day: date, *, besides: int | None = None) -> Decimal:
    """PLN of a seller's invoices that stay outside KSeF under the relief in the month of a Warsaw day.

    Args:
        session: for reading.
        seller_id: all stores of the seller count together (art. 145m counts per taxpayer).
        day: any day of the month.
        besides: a document that does not count.
    """
    rows = session.scalars(
        select(Document.total).where(
            Document.seller_id == seller_id,
            Document.relief_month == _month(day),
            Document.id != (besides or 0),
        )
    )
    return sum((total for total in rows if total is not None), ZERO)


def settle(document: Document, decision: Decision, now: datetime) -> None:
    """Move the document of an order whose invoice was not issued as the rule book says.

    Args:
        document: the order's invoice, open, inside a transaction.
        decision: see :func:`look`.
        now: aware UTC.
    """
    before = document.decision
    document.attention = None
    if before is None or not before["handed_over"] or decision.rule is BY_PERSON:
        _apply(document, decision, now)
    elif decision.rule.route is Route.KSEF:
        life.ask(document, [_was_handed_over(before, decision)], now)
    elif decision.state is DocumentState.CANCELLED:
        # called off: what was handed over is remembered, should the order come back
        life.move(document, decision.state, decision.reason, now)
    elif decision.is_due and decision.rule.code != before["rule"] and before["rule"] != RELIEF.code:
        _apply(document, decision, now)
    else:
        # the other program has it: its month and rule stay what they were
        life.move(document, DocumentState.WAITING, _text(before["reason"]), now)


def _apply(document: Document, decision: Decision, now: datetime) -> None:
    keep(document, decision)
    life.move(document, decision.state, decision.reason, now)
    document.next_attempt_at = decision.due_at


def keep(document: Document, decision: Decision) -> None:
    """Store what was decided with its document."""
    document.decision = decision.as_json()
    is_relief = decision.rule is RELIEF and decision.is_handed_over
    document.relief_month = _month(decision.day) if is_relief else None


def keep_rule(document: Document, rule: Rule, day: date) -> None:
    """Store the rule that a correction follows."""
    document.decision = Decision(DocumentState(document.state), rule, day, rule.sentence).as_json()


def settle_due(services: Services, seller_id: int) -> int:
    """Decide anew about a seller's orders whose day has come.

    Returns:
        How many documents were touched.
    """
    now = services.clock()
    with services.database() as session:
        due = WAITS_FOR_TIME & (Document.seller_id == seller_id) & (Document.next_attempt_at <= now)
        ids = list(session.scalars(select(Document.id).where(due).order_by(Document.id)))
    return _settle_all(services, ids)


def settle_store(services: Services, store_id: int) -> int:
    """Decide anew about a store's orders after its policy was changed.

    What needs a person keeps asking, and what was handed over to another program stays with it.

    Returns:
        How many documents were touched.
    """
    with services.database() as session:
        of_store = Document.order_id.in_(select(ShopOrder.id).where(ShopOrder.store_id == store_id))
        open_ones = (
            (Document.purpose == INVOICE) & Document.state.in_(_UNDECIDED) & Document.xml_sha256.is_(None)
        )
        ids = list(session.scalars(select(Document.id).where(of_store, open_ones).order_by(Document.id)))
    return _settle_all(services, ids)


def _settle_all(services: Services, ids: list[int]) -> int:
    touched: list[Document] = []
    for start in range(0, len(ids), _CHUNK):
        with services.database.begin(of_document(ids[start])) as session:
            rows = session.scalars(
                select(Document)
                .where(Document.id.in_(ids[start : start + _CHUNK]))
                .options(joinedload(Document.order).joinedload(ShopOrder.store))
                .order_by(Document.id)
            )
            touched += _settle_some(session, rows, services.clock())
    for document in touched:
        services.watch(document)
    return len(touched)


def _settle_some(session: Session, rows: Iterable[Document], now: datetime) -> list[Document]:
    touched = []
    for row in rows:
        is_open = row.state in _UNDECIDED and row.xml_sha256 is None and row.corrected_sha256 is None
        is_open = is_open and not life.is_withdrawn(row)
        handed_over = row.decision is not None and row.decision["handed_over"]
        if not is_open or handed_over or row.order.snapshot is None:
            continue
        order = invoice_order(row.order)
        decision = look(session, row, order, warsaw_day(now))
        if row.decision is None or row.state != decision.state or row.decision["rule"] != decision.rule.code:
            _apply(row, decision, now)
            touched.append(row)
        elif row.state == DocumentState.WAITING:
            row.next_attempt_at = decision.due_at
        session.flush()  # the next one counts this one's share of the relief
    return touched


def _month(day: date) -> str:
    return f"{day:%Y-%m}"


def _text(stored: dict[str, Any]) -> Text:
    return Text(stored["pl"], stored["en"])


def _was_handed_over(before: dict[str, Any], decision: Decision) -> Finding:
    sentence = _text(before["sentence"])
    return Finding(
        "was-outside-ksef",
        Severity.ERROR,
        "",
        Text(
            f"Fakturę do tego zamówienia miał {before['day']} wystawić inny program: {sentence.pl} "
            f"Teraz reguły mówią: {decision.rule.sentence.pl}",
            f"Another program was to issue this order's invoice on {before['day']}: {sentence.en} "
            f"Now the rules say: {decision.rule.sentence.en}",
        ),
        Text(
            "Jeśli faktury poza KSeF nie ma, ponów (documents retry); jeśli jest, tam ją popraw.",
            "If no invoice was issued outside KSeF, retry (documents retry); if one was, correct it there.",
        ),
        before["basis"]["pl"],
    )
