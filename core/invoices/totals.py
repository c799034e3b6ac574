"""The VAT table: tax per rate, by the way of counting that explains what the shop charged.

The VAT act knows three ways: tax from the sum of net values of a rate (art. 106e ust. 1 pkt 14), tax from
the sum of gross values (ust. 7 and 8), or the sum of taxes counted line by line (ust. 10, shown in
P_11Vat). Shops use any of them. The first that gives exactly the shop's tax is taken; a difference of up
to 0.02 that none explains is left as the shop charged it; more goes to a person.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from core.findings import Finding
from core.invoices import attention
from core.invoices.lines import Charge
from core.invoices.model import Pricing, RateSummary, VatCategory
from core.invoices.policy import ExchangeRate
from core.money import ZERO, grosz
from core.orders import Order

TOLERANCE = Decimal("0.02")
"""The largest difference between the shop's sums and ours that is put right without a person."""

_ORDER = list(VatCategory)


@dataclass(frozen=True, slots=True)
class Totals:
    """Result of counting.

    Attributes:
        charges: lines, the largest one moved by up to 0.02 where the shop's own rounding asks for it.
        rates: the VAT table in the schema's order.
        line_taxed: categories whose tax was counted line by line.
    """

    charges: list[Charge]
    rates: tuple[RateSummary, ...]
    line_taxed: frozenset[VatCategory]


def count(
    order: Order,
    charges: list[Charge],
    pricing: Pricing,
    exchange: ExchangeRate | None,
    reasons: list[Finding],
) -> Totals:
    """Count the VAT table so that it adds up to what the buyer was charged.

    Args:
        order: gives the total and the shop's tax per rate.
        charges: lines after discounts.
        pricing: net or gross.
        exchange: PLN rate for an invoice in another currency.
        reasons: reasons for Attention are added here; the result is usable only when none was.
    """
    if pricing is Pricing.GROSS:
        charges = _reconcile(
            order, charges, sum((charge.gross for charge in charges), ZERO), pricing, reasons
        )
    rates: list[RateSummary] = []
    line_taxed: set[VatCategory] = set()
    for category in sorted({charge.category for charge in charges}, key=_ORDER.index):
        own = [charge for charge in charges if charge.category is category]
        tax, by_line = _tax(order, category, own, pricing, reasons)
        amount = sum((charge.amount(pricing) for charge in own), ZERO)
        net = amount if pricing is Pricing.NET else amount - tax
        vat_pln = grosz(tax * exchange.rate) if exchange and category.rate else None
        rates.append(RateSummary(category, net, tax, vat_pln))
        if by_line:
            line_taxed.add(category)
    if pricing is Pricing.NET:
        counted = sum((rate.gross for rate in rates), ZERO)
        before = charges
        charges = _reconcile(order, charges, counted, pricing, reasons)
        rates = _move(rates, before, charges)
    _check_whole_tax(order, rates, reasons)
    return Totals(charges, tuple(rates), frozenset(line_taxed))


def _reconcile(
    order: Order, charges: list[Charge], counted: Decimal, pricing: Pricing, reasons: list[Finding]
) -> list[Charge]:
    """Move the largest line by a difference of up to 0.02; there is no "rounding" line."""
    difference = order.total - counted
    if not difference:
        return charges
    if abs(difference) > TOLERANCE or not charges:
        reasons.append(attention.sums_differ(order.total, counted, order.currency))
        return charges
    largest = max(range(len(charges)), key=lambda i: charges[i].amount(pricing))
    moved = charges[largest]
    moved = replace(moved, net=moved.net + difference, net_before=moved.net_before + difference)
    if moved.amount(pricing) < 0:
        reasons.append(attention.sums_differ(order.total, counted, order.currency))
        return charges
    return [moved if i == largest else charge for i, charge in enumerate(charges)]


def _move(rates: list[RateSummary], before: list[Charge], after: list[Charge]) -> list[RateSummary]:
    """Carry a reconciled line's difference into the net amount of its rate."""
    moved = {
        new.category: new.net - old.net for old, new in zip(before, after, strict=True) if new.net != old.net
    }
    return [replace(rate, net=rate.net + moved.get(rate.category, ZERO)) for rate in rates]


def _tax(
    order: Order,
    category: VatCategory,
    charges: list[Charge],
    pricing: Pricing,
    reasons: list[Finding],
) -> tuple[Decimal, bool]:
    """The tax of one category and whether it was counted line by line."""
    rate = category.rate
    amount = sum((charge.amount(pricing) for charge in charges), ZERO)
    counted = grosz(amount * rate / (100 if pricing is Pricing.NET else 100 + rate))
    by_line = sum((charge.tax for charge in charges), ZERO)
    charged = _charged(order, category, by_line)
    if charged == counted:
        return charged, False
    if charged == by_line:
        return charged, True
    if abs(charged - counted) > TOLERANCE:
        reasons.append(attention.rate_tax_differs(category.value, charged, counted))
    return charged, False


def _charged(order: Order, category: VatCategory, by_line: Decimal) -> Decimal:
    """The shop's own tax for a rate; the sum of line taxes where it gives none."""
    if not category.rate:
        return ZERO
    own = [total.tax for total in order.rate_totals if total.rate == category.rate]
    return sum(own, ZERO) if own else by_line


def _check_whole_tax(order: Order, rates: list[RateSummary], reasons: list[Finding]) -> None:
    if order.total_tax is None:
        return
    whole = sum((rate.vat for rate in rates), ZERO)
    if abs(whole - order.total_tax) > TOLERANCE:
        reasons.append(attention.rate_tax_differs("∑", order.total_tax, whole))
