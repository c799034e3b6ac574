"""Orders and their documents: what is due by the rule book and has no invoice, and what has two.

The book is read for the day on which an order became due. An order belongs to the days of a check when that
day is among them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from connector_app.checks.period import Period
from connector_app.checks.report import Part, Report
from connector_app.checks.wording import found
from connector_app.decisions import Decision, decide, due_day
from connector_app.pipeline.deciding import relief_used
from connector_app.pipeline.purposes import REPLACED, chapter, is_invoice
from connector_app.pipeline.services import load_text
from connector_app.policies import StorePolicy
from connector_app.store.models import INVOICE, Document, DocumentState, ShopOrder, Store
from connector_app.store.overrides import with_buyer
from connector_app.store.recovered import IS_SHOP, NO_SHOPS
from connector_app.store.snapshots import from_json
from core.findings import Text
from core.money import ZERO
from core.orders import Order
from core.rulebook import BY_PERSON, CALLED_OFF, FREE, Route

_MOST_PATIENCE = timedelta(days=46)
"""An invoice is due by the 15th of the month after the sale: what was last changed before is due earlier."""
_AT_ONCE = 200
_RESTING = (DocumentState.WAITING, DocumentState.CANCELLED)
_NOWHERE = (DocumentState.REJECTED, DocumentState.CANCELLED)
IS_LIVE = and_(Document.xml_sha256.is_not(None), Document.state.not_in(_NOWHERE))
"""Condition on documents: issued, and not refused or ended."""


@dataclass(frozen=True, slots=True)
class _Case:
    """An order without an issued invoice, with what there is of its document."""

    order_id: int
    number: str
    store: str
    policy: dict[str, Any]
    is_removed: bool
    snapshot: dict[str, Any] | None
    ordered: dict[str, Any] | None
    override: dict[str, Any] | None
    document: int | None
    state: str
    day: date | None
    attention: list[Any] | None
    waits_for: str | None
    closed: bool
    handed_over: bool
    issue_asked: bool

    @property
    def path(self) -> str:
        """Where a finding about it points."""
        return f"document:{self.document}" if self.document else f"order:{self.order_id}"


class OrdersCheck:
    """Looks at the orders of one seller.

    Args:
        session: see :func:`~connector_app.checks.rows.snapshot`.
        seller_id: the seller.
        period: days on which orders became due.
        today: Warsaw day.
        report: gets counts and findings.
    """

    def __init__(self, session: Session, seller_id: int, period: Period, today: date, report: Report) -> None:
        self._session, self._seller_id = session, seller_id
        self._period, self._today, self._report = period, today, report
        self._counts: Counter[str] = report.parts[Part.ORDERS].counts

    def look(self, tell: Callable[[int], None] = lambda _done: None) -> None:
        """Say which orders lack their invoice, and which have two.

        Args:
            tell: told how many orders were read.
        """
        self._counts["invoiced"] += (
            self._session.scalar(
                select(func.count()).where(
                    Document.seller_id == self._seller_id, IS_LIVE, Document.purpose == INVOICE,
                    Document.issued_on.between(self._period.first, self._period.last),
                )
            )
            or 0
        )  # fmt: skip
        for seen, one in enumerate(self._open_orders(), 1):
            self._look_at(_Case(*one))
            if seen % _AT_ONCE == 0:
                tell(seen)
        self._twice()
        self._perhaps_twice()

    def _open_orders(self) -> Any:
        handed_over = Document.decision["handed_over"].as_boolean()
        return self._session.execute(
            select(
                ShopOrder.id, ShopOrder.number, Store.code, Store.policy, Store.closed_at.is_not(None),
                ShopOrder.snapshot, ShopOrder.ordered, ShopOrder.buyer_override,
                Document.id, func.coalesce(Document.state, ""), Document.day, Document.attention,
                Document.waiting_for, Document.closed_at.is_not(None),
                func.coalesce(handed_over, False), func.coalesce(Document.issue_asked, False),
            )
            .join(Store, ShopOrder.store_id == Store.id)
            .outerjoin(Document, and_(Document.order_id == ShopOrder.id, Document.purpose == INVOICE))
            .where(IS_SHOP, Store.seller_id == self._seller_id)
            .where(ShopOrder.modified_at >= self._period.begins - _MOST_PATIENCE)
            .where(or_(Document.id.is_(None), Document.xml_sha256.is_(None)))
            .order_by(ShopOrder.id)
            .execution_options(yield_per=_AT_ONCE)
        )  # fmt: skip

    def _look_at(self, case: _Case) -> None:
        if case.snapshot is None:
            # no day is known of it but the one on which it was first seen
            if case.day not in self._period and case.document is not None:
                return
            if case.state in _RESTING:
                # not due when it was decided; its personal data were deleted since
                self._count("data_deleted")
            else:
                self._count("unreadable")
                self._say("order-unreadable", case, _why(case, _UNREADABLE))
            return
        order = with_buyer(from_json(case.snapshot), case.override)
        due = due_day(order, StorePolicy.from_json(case.policy))
        if due not in self._period or due > self._today:
            return
        self._count("looked_at")
        decision = self._decision(case, order, due)
        is_due = decision.state is DocumentState.READY
        if case.document is None:
            self._count("without_document" if is_due else "not_due")
            if is_due:
                self._say("order-without-document", case, decision.reason)
        elif case.handed_over and case.state == DocumentState.WAITING:
            self._count("outside_ksef")
        elif case.state == DocumentState.ATTENTION:
            self._count("due")
            self._say("order-due-not-issued", case, _why(case, decision.reason))
        elif not is_due and case.state != DocumentState.READY:
            self._count("outside_ksef" if decision.is_handed_over else f"rule_{decision.rule.code}")
        else:
            self._tell_due(case, decision)

    def _tell_due(self, case: _Case, decision: Decision) -> None:
        """An order that is due: why there is no invoice of it."""
        if case.is_removed:
            self._count("store_removed")
            self._say("order-store-removed", case, _REMOVED)
        elif case.state == DocumentState.CANCELLED and case.closed:
            self._count("withdrawn")
            self._say("order-withdrawn", case, _WITHDRAWN)
        elif case.state == DocumentState.CANCELLED:
            self._count("due_cancelled")
            self._say("order-due-cancelled", case, decision.reason)
        else:
            self._count("due")
            self._say("order-due-not-issued", case, _why(case, decision.reason))

    def _decision(self, case: _Case, order: Order, day: date) -> Decision:
        """What the rules, or a person before them, say; as :func:`connector_app.pipeline.deciding.look`."""
        policy = StorePolicy.from_json(case.policy)
        used = (
            relief_used(self._session, self._seller_id, day, besides=case.document) if policy.relief else ZERO
        )
        decision = decide(order, policy, day, relief_used=used)
        if case.ordered is not None and decision.rule not in {CALLED_OFF, FREE}:
            return Decision(DocumentState.READY, BY_PERSON, day, BY_PERSON.sentence)
        if case.issue_asked and decision.rule.route is Route.KSEF:
            return replace(decision, state=DocumentState.READY)
        return decision

    def _twice(self) -> None:
        """Orders with several invoices of which more than one is still worth something."""
        of_days = Document.issued_on.between(self._period.first, self._period.last)
        an_invoice = or_(
            Document.purpose == INVOICE, Document.purpose.like(f"{REPLACED}%/{INVOICE}")
        )  # fmt: skip
        touched = select(Document.order_id).where(Document.seller_id == self._seller_id, of_days, an_invoice)
        several = (
            select(Document.order_id)
            .where(Document.order_id.in_(touched), an_invoice, IS_LIVE)
            .group_by(Document.order_id)
            .having(func.count() > 1)
        )
        rows = self._session.execute(
            select(Document.order_id, Document.id, Document.purpose, Document.number, Document.total)
            .where(Document.order_id.in_(several), IS_LIVE)
            .order_by(Document.order_id, Document.id)
        )
        by_order: dict[int, list[Any]] = defaultdict(list)
        for row in rows:
            by_order[row.order_id].append(row)
        for documents in by_order.values():
            left: dict[str, Decimal] = defaultdict(lambda: ZERO)
            for row in documents:
                left[chapter(row.purpose)] += row.total or ZERO
            standing = [
                row for row in documents if is_invoice(row.purpose) and left[chapter(row.purpose)] != 0
            ]
            if len(standing) > 1:
                self._tell_twice("order-invoiced-twice", [(row.id, row.number) for row in standing])

    def _perhaps_twice(self) -> None:
        """Invoices from elsewhere that name an order which has an invoice here."""
        other, other_order, other_store = aliased(Document), aliased(ShopOrder), aliased(Store)
        first, last = self._period.first, self._period.last
        rows = self._session.execute(
            select(Document.id, Document.number, other.id, other.number)
            .join(ShopOrder, Document.order_id == ShopOrder.id)
            .join(Store, ShopOrder.store_id == Store.id)
            .join(other_order, other_order.number == ShopOrder.number)
            .join(other_store, other_order.store_id == other_store.id)
            .join(other, other.order_id == other_order.id)
            .where(Store.platform.in_(NO_SHOPS), other_store.platform.not_in(NO_SHOPS))
            .where(Document.seller_id == self._seller_id, other.seller_id == self._seller_id)
            .where(Document.purpose == INVOICE, other.purpose == INVOICE)
            .where(IS_LIVE, other.xml_sha256.is_not(None), other.state.not_in(_NOWHERE))
            .where(Document.issued_on.between(first, last) | other.issued_on.between(first, last))
        )
        for ident, number, here, here_number in rows:
            self._tell_twice("order-perhaps-invoiced-twice", [(here, here_number), (ident, number)])

    def _tell_twice(self, code: str, documents: list[tuple[int, str | None]]) -> None:
        self._count("twice")
        named = ", ".join(f"{number} ({ident})" for ident, number in documents)
        text = Text(f"Jedno zamówienie ma faktury: {named}.", f"One order has the invoices: {named}.")
        self._report.add(found(code, f"document:{documents[-1][0]}", text))

    def _count(self, name: str) -> None:
        self._counts[name] += 1

    def _say(self, code: str, case: _Case, why: Text) -> None:
        text = Text(
            f"Zamówienie {case.number} (sklep {case.store}): {why.pl}",
            f"Order {case.number} (store {case.store}): {why.en}",
        )
        self._report.add(found(code, case.path, text))


_UNREADABLE = Text("danych ze sklepu nie da się odczytać.", "the shop's data cannot be read.")
_REMOVED = Text(
    "sklep usunięto z programu, zanim powstała faktura.",
    "the store was removed before the invoice came about.",
)
_WITHDRAWN = Text("fakturę wycofał człowiek.", "a person withdrew the invoice.")


def _why(case: _Case, otherwise: Text) -> Text:
    """What the document waits for: a person's decision, or something else."""
    if case.state == DocumentState.ATTENTION and case.attention:
        one = case.attention[0]["message"]
        return Text(f"wymaga decyzji: {one['pl']}", f"needs a decision: {one['en']}")
    if case.waits_for:
        return load_text(case.waits_for)
    return otherwise
