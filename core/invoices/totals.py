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
from core.invoices.model import Pricing, RateRow, RateSummary
from core.invoices.policy import ExchangeRate
from core.invoices.treatment import Treatment
from core.money import ZERO, grosz
from core.orders import Order

TOLERANCE = Decimal("0.02")
"""The largest difference between the shop's sums and ours that is put right without a person."""
_HALF_GROSZ = Decimal("0.005")


@dataclass(frozen=True, slots=True)
class Totals:
    """Result of counting.

    Attributes:
        charges: lines, the largest one moved by up to 0.02 where the shop's own rounding asks for it.
        rates: the VAT table in the schema's order.
        line_taxed: treatments whose tax was counted line by line.
    """

    charges: list[Charge]
    rates: tuple[RateSummary, ...]
    line_taxed: frozenset[Treatment]


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
    rates: dict[RateRow, RateSummary] = {}
    line_taxed: set[Treatment] = set()
    for treatment in dict.fromkeys(charge.treatment for charge in charges):
        own = [charge for charge in charges if charge.treatment == treatment]
        tax, by_line = _tax(order, treatment, own, pricing, reasons)
        amount = sum((charge.amount(pricing) for charge in own), ZERO)
        net = amount if pricing is Pricing.NET or treatment.margin else amount - tax
        in_pln = grosz(tax * exchange.rate) if exchange and treatment.rate and not treatment.is_oss else None
        rates[treatment.row] = _add(rates.get(treatment.row), treatment, net, tax, in_pln)
        if by_line:
            line_taxed.add(treatment)
    if pricing is Pricing.NET:
        counted = sum((rate.gross for rate in rates.values()), ZERO)
        before = charges
        charges = _reconcile(order, charges, counted, pricing, reasons)
        _move(rates, before, charges)
    table = tuple(rates[row] for row in RateRow if row in rates)
    _check_whole_tax(order, table, reasons)
    return Totals(charges, table, frozenset(line_taxed))


def _add(
    sum_so_far: RateSummary | None, treatment: Treatment, net: Decimal, tax: Decimal, in_pln: Decimal | None
) -> RateSummary:
    """One more treatment in its row; 23 % and 22 % share one."""
    vat = tax if treatment.rate else None
    if sum_so_far is None:
        return RateSummary(treatment.row, net, vat, in_pln)
    return RateSummary(
        treatment.row, sum_so_far.net + net, plus(sum_so_far.vat, vat), plus(sum_so_far.vat_pln, in_pln)
    )


def plus(first: Decimal | None, second: Decimal | None) -> Decimal | None:
    """The sum of two amounts of which either may be absent."""
    return first if second is None else second if first is None else first + second


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


def _move(rates: dict[RateRow, RateSummary], before: list[Charge], after: list[Charge]) -> None:
    """Carry a reconciled line's difference into the net amount of its row."""
    for old, new in zip(before, after, strict=True):
        if new.net != old.net:
            rate = rates[new.treatment.row]
            rates[rate.row] = replace(rate, net=rate.net + new.net - old.net)


def _tax(
    order: Order, treatment: Treatment, charges: list[Charge], pricing: Pricing, reasons: list[Finding]
) -> tuple[Decimal, bool]:
    """The tax of one treatment and whether it was counted line by line."""
    rate = treatment.rate
    if not rate:
        return ZERO, False
    amount = sum((charge.amount(pricing) for charge in charges), ZERO)
    counted = grosz(amount * rate / (100 if pricing is Pricing.NET else 100 + rate))
    by_line = sum((charge.tax for charge in charges), ZERO)
    own = [total.tax for total in order.rate_totals if total.rate == rate]
    charged = grosz(sum(own, ZERO)) if own else by_line
    if charged == counted:
        return charged, False
    if charged == by_line:
        # each line may be half a grosz off; more is no rounding
        if abs(charged - counted) > max(TOLERANCE, _HALF_GROSZ * len(charges)):
            reasons.append(attention.rate_tax_differs(treatment.name, charged, counted))
        return charged, True
    if abs(charged - counted) > TOLERANCE:
        reasons.append(attention.rate_tax_differs(treatment.name, charged, counted))
    return charged, False


def _check_whole_tax(order: Order, rates: tuple[RateSummary, ...], reasons: list[Finding]) -> None:
    if order.total_tax is None:
        return
    whole = sum((rate.vat for rate in rates if rate.vat is not None), ZERO)
    if abs(whole - order.total_tax) > TOLERANCE:
        reasons.append(attention.rate_tax_differs("∑", order.total_tax, whole))
