"""What a store's rules say about an order: KSeF, outside KSeF or nothing; now, later or never.

Pure: the order, the merchant's choices, a day and what is used of the monthly relief go in, a decision that
names its rule, basis and day comes out. The rules themselves stand in :mod:`core.rulebook`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from connector_app.policies import Place, Recipients, StorePolicy, Trigger
from connector_app.store.models import DocumentState
from core import rulebook
from core.calendar import WARSAW, warsaw_day
from core.countries import EU
from core.findings import Text
from core.invoices.tax_ids import as_eu_vat, as_nip, is_no_number
from core.money import ZERO
from core.orders import CALLED_OFF, Order, OrderState
from core.rulebook import Route, Rule

_HOME = "PL"
_NEVER = frozenset({rulebook.CALLED_OFF.code, rulebook.FREE.code, rulebook.BEFORE_START.code})


@dataclass(frozen=True, slots=True)
class Decision:
    """What a store's rules say about an order that was not invoiced yet.

    Attributes:
        state: ``ready``, ``waiting`` or ``cancelled``.
        rule: the first rule of the book that applies.
        day: Warsaw day on which the book was read.
        reason: the whole answer, for a person.
        due_at: aware UTC, when only time is missing; ``None`` when nothing is, or something else.
        is_due: nothing is waited for, so that an invoice outside KSeF is due now.
    """

    state: DocumentState
    rule: Rule
    day: date
    reason: Text
    due_at: datetime | None = None
    is_due: bool = True

    @property
    def is_handed_over(self) -> bool:
        """Whether another program is to issue the invoice now."""
        return self.rule.route is Route.OUTSIDE and self.is_due

    def as_json(self) -> dict[str, Any]:
        """What is kept with the document: rule, sentence, basis and dates as they were."""
        rule = self.rule
        return {
            "rule": rule.code,
            "route": rule.route.value,
            "sentence": {"pl": rule.sentence.pl, "en": rule.sentence.en},
            "basis": {"pl": rule.basis.pl, "en": rule.basis.en},
            "begins": rule.begins.isoformat() if rule.begins else None,
            "ends": rule.ends.isoformat() if rule.ends else None,
            "day": self.day.isoformat(),
            "state": self.state.value,
            "reason": {"pl": self.reason.pl, "en": self.reason.en},
            "due_at": self.due_at.isoformat() if self.due_at else None,
            "handed_over": self.is_handed_over,
        }


@dataclass(frozen=True, slots=True)
class _Case:
    """An order with everything that rules ask."""

    order: Order
    policy: StorePolicy
    day: date
    sold_on: date
    relief_used: Decimal
    is_business: bool


def decide(
    order: Order,
    policy: StorePolicy,
    day: date,
    *,
    sold_on: date | None = None,
    relief_used: Decimal = ZERO,
) -> Decision:
    """Say whether an order is due for its invoice, where the invoice belongs, and why.

    Args:
        order: what the shop says.
        policy: the merchant's choices.
        day: Warsaw day on which the invoice would be issued.
        sold_on: Warsaw day of the sale; the order's own when it is not given.
        relief_used: PLN of this month's invoices outside KSeF under the relief, without this order.
    """
    case = _Case(order, policy, day, sold_on or sale_day(order), relief_used, is_business(order))
    rule = next(rule for rule, applies in _RULES if rule.holds_on(_read_on(rule, case)) and applies(case))
    if rule.route is Route.NOTHING:
        state = DocumentState.CANCELLED if rule.code in _NEVER else DocumentState.WAITING
        return Decision(state, rule, day, _reason(rule, policy), is_due=False)
    waits, due_at = _wait(order, policy, day)
    if waits is not None:
        return Decision(
            DocumentState.WAITING, rule, day, _joined(waits, _reason(rule, policy)), due_at, is_due=False
        )
    state = DocumentState.READY if rule.route is Route.KSEF else DocumentState.WAITING
    lead = _LEADS[rule.route]
    return Decision(state, rule, day, _joined(lead, _reason(rule, policy)))


def sale_day(order: Order) -> date:
    """The Warsaw day of a sale as far as the shop tells it: completed, else paid, else placed."""
    return warsaw_day(order.completed_at or order.paid_at or order.created_at)


def is_business(order: Order) -> bool:
    """Whether the buyer gave a tax number, right or mistyped, or a company name."""
    if order.buyer.company.strip():
        return True
    return any(
        as_nip(one.value) or as_eu_vat(one.value) or not (one.free_text or is_no_number(one.value))
        for one in order.buyer.tax_ids
    )


def is_oss(order: Order) -> bool:
    """Whether a consumer was charged the rate of another EU country."""
    countries = {share.country.upper() for line in order.lines for share in line.shares if share.rate}
    return not is_business(order) and any(one in EU and one != _HOME for one in countries)


def _read_on(rule: Rule, case: _Case) -> date:
    # a receipt is handed out with the goods, so the law of that day counts
    return case.sold_on if rule is rulebook.RECEIPT else case.day


def _is_before_start(case: _Case) -> bool:
    start = case.policy.start_day
    return start is not None and warsaw_day(case.order.created_at) < start


def _has_receipt(case: _Case) -> bool:
    limit = rulebook.RECEIPT_LIMITS.get(case.order.currency)
    has_nip = any(as_nip(one.value) for one in case.order.buyer.tax_ids)
    return case.policy.receipts and has_nip and limit is not None and case.order.total <= limit


def _is_not_asked(case: _Case) -> bool:
    match case.policy.recipients:
        case Recipients.EVERYONE:
            return False
        case Recipients.ASKED:
            return not (case.is_business or case.order.wants_invoice)
        case Recipients.NIP:
            return not case.is_business


def _may_have_relief(case: _Case) -> bool:
    # without a rate nobody knows what is left, so other currencies go to KSeF
    return case.policy.relief and case.order.currency == "PLN"


def _has_relief(case: _Case) -> bool:
    return _may_have_relief(case) and case.relief_used + case.order.total <= rulebook.RELIEF_LIMIT


_RULES: tuple[tuple[Rule, Callable[[_Case], bool]], ...] = (
    (rulebook.CALLED_OFF, lambda case: case.order.state in CALLED_OFF),
    (rulebook.FREE, lambda case: case.order.total == 0),
    (rulebook.BEFORE_START, _is_before_start),
    (rulebook.RECEIPT, _has_receipt),
    (rulebook.NOT_ASKED, _is_not_asked),
    (rulebook.OSS_OUTSIDE, lambda case: is_oss(case.order) and case.policy.oss is Place.OUTSIDE),
    (rulebook.OSS_KSEF, lambda case: is_oss(case.order)),
    (
        rulebook.CONSUMER_OUTSIDE,
        lambda case: not case.is_business and case.policy.consumers is Place.OUTSIDE,
    ),
    (rulebook.CONSUMER_KSEF, lambda case: not case.is_business),
    (rulebook.RELIEF, _has_relief),
    (rulebook.RELIEF_USED_UP, _may_have_relief),
    (rulebook.BUSINESS, lambda _case: True),
    (rulebook.BEFORE_DUTY, lambda _case: True),
)


def _wait(order: Order, policy: StorePolicy, day: date) -> tuple[Text | None, datetime | None]:
    """What an invoice waits for, and until when if it is time alone."""
    if order.state is OrderState.PENDING:
        return Text(
            f"Zamówienie czeka na zapłatę (status „{order.status}”).",
            f'The order waits for payment (status "{order.status}").',
        ), None
    if policy.trigger is Trigger.MONEY and order.paid_at is None and order.state is OrderState.PAID:
        return Text(
            "Sklep nie potwierdził jeszcze wpłaty; faktura powstanie po niej.",
            "The shop has not confirmed the money yet; the invoice is issued after it.",
        ), None
    if policy.trigger is Trigger.COMPLETED and order.state is OrderState.PAID:
        return Text(
            "Zamówienie jest opłacone; faktura powstanie po zrealizowaniu.",
            "The order is paid; its invoice is issued when it is completed.",
        ), None
    first = due_day(order, policy) if policy.after_days else day
    if first <= day:
        return None, None
    return Text(
        f"Faktura powstanie {first:%d.%m.%Y}, według ustawień sklepu.",
        f"The invoice is issued on {first}, by the store's settings.",
    ), datetime.combine(first, time(), WARSAW).astimezone(UTC)


def due_day(order: Order, policy: StorePolicy) -> date:
    """The first Warsaw day for the invoice of an order whose trigger is met.

    The store's days of patience never lead past the 15th of the month after the sale (art. 106i ust. 1).
    """
    if policy.trigger is Trigger.COMPLETED:
        met = order.completed_at or order.modified_at
    else:
        met = order.paid_at or order.completed_at or order.created_at
    wanted = warsaw_day(met) + timedelta(days=policy.after_days)
    next_month = sale_day(order).replace(day=1) + timedelta(days=31)
    return min(wanted, next_month.replace(day=rulebook.INVOICE_BY_DAY))


def _reason(rule: Rule, policy: StorePolicy) -> Text:
    value = f" {policy.start_day}" if rule is rulebook.BEFORE_START else ""
    return Text(
        f"{rule.sentence.pl} ({rule.basis.pl}{value})", f"{rule.sentence.en} ({rule.basis.en}{value})"
    )


def _joined(first: Text, second: Text) -> Text:
    return Text(f"{first.pl} {second.pl}", f"{first.en} {second.en}")


_LEADS = {
    Route.KSEF: Text("Zamówienie do zafakturowania.", "The order is due."),
    Route.OUTSIDE: Text(
        "Fakturę poza KSeF wystawia inny program.",
        "Another program issues the invoice, outside KSeF.",
    ),
}
