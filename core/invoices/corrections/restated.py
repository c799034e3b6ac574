"""A correction whose lines a person restates: quantity and amount after it, line by line.

What is entered is the state after the correction, in the invoice's own pricing (gross or net). The tax of the
difference follows from each line's rate; when nothing is left of a rate, its net and tax become exactly zero,
whatever the rounding was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from core.findings import Finding, Severity, Text
from core.invoices.attention import NeedsAttention
from core.invoices.corrections import reasons
from core.invoices.corrections.build import PRICE_CONTEXT, CorrectionDraft, LineChange, build, short_price
from core.invoices.corrections.policy import CorrectionPolicy
from core.invoices.corrections.state import (
    InvoiceState,
    emptied,
    key_of,
    percent_of,
    row_of,
    with_amount,
)
from core.invoices.model import InvoiceLine, Pricing, RateRow, RateSummary, VatCategory
from core.money import ZERO, grosz

_PRICE_STEP = Decimal("0.00000001")


@dataclass(frozen=True, slots=True)
class Restated:
    """One line as it was when a person restated it, and as it is to be.

    Attributes:
        quantity_before, amount_before: what the person saw.
        quantity, amount: after the correction, none of them negative; the amount in the invoice's pricing.
    """

    quantity_before: Decimal
    amount_before: Decimal
    quantity: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Added:
    """A line that the invoice lacks, such as goods added to the order after it.

    Attributes:
        name: P_7. quantity: more than zero. amount: in the invoice's pricing, more than zero.
        category: P_12.
    """

    name: str
    quantity: Decimal
    amount: Decimal
    category: VatCategory


def restate(
    state: InvoiceState,
    lines: Mapping[str, Restated],
    reason: str,
    policy: CorrectionPolicy,
    added: Sequence[Added] = (),
) -> CorrectionDraft:
    """Write what a person restated as a correction.

    Args:
        state: the invoice as it stands after earlier corrections.
        lines: by :func:`~core.invoices.corrections.state.key_of`; lines left out stay as they are.
        reason: PrzyczynaKorekty.
        policy: style and type.
        added: lines to add.

    Raises:
        NeedsAttention: the invoice changed since, or nothing is changed, or a line cannot be so.
    """
    found = _check(state, lines)
    found += [_impossible(one.name) for one in added if one.quantity <= 0 or not _is_grosze(one.amount)]
    if found:
        raise NeedsAttention(found)
    changes = [
        LineChange(line, _after(line, lines[key_of(line)]))
        for line in state.lines
        if key_of(line) in lines and _differs(line, lines[key_of(line)])
    ]
    changes += [_addition(state, place, one) for place, one in enumerate(added, 1)]
    if not changes:
        raise NeedsAttention([reasons.nothing()])
    return build(state, changes, _rates(state, changes), reason=reason, kind=policy.type, style=policy.style)


def _is_grosze(amount: Decimal) -> bool:
    return amount > 0 and amount == grosz(amount)


def _addition(state: InvoiceState, place: int, one: Added) -> LineChange:
    """A new line; before the correction there was nothing of it."""
    like = state.lines[0]
    is_net = state.pricing is Pricing.NET
    line = InvoiceLine(
        number=max(line.number for line in state.lines) + place,
        name=one.name,
        quantity=one.quantity,
        unit=like.unit,
        net_amount=one.amount if is_net else None,
        gross_amount=None if is_net else one.amount,
        category=one.category,
        exchange_rate=like.exchange_rate,
    )
    line = _priced(line, one.amount, one.quantity)
    if like.vat is not None:
        line = replace(line, vat=_tax(one.amount, line))
    return LineChange(emptied(line), line)


def _priced(line: InvoiceLine, amount: Decimal, quantity: Decimal) -> InvoiceLine:
    """A line with the unit price that its amount asks for, and without a discount."""
    price = PRICE_CONTEXT.divide(amount, quantity)
    price = short_price(price.quantize(_PRICE_STEP, context=PRICE_CONTEXT))
    is_net = line.pricing is Pricing.NET
    return replace(
        line, discount=None, net_price=price if is_net else None, gross_price=None if is_net else price
    )


def _differs(line: InvoiceLine, wanted: Restated) -> bool:
    return (line.quantity or Decimal(0), line.amount or ZERO) != (wanted.quantity, wanted.amount)


def _check(state: InvoiceState, lines: Mapping[str, Restated]) -> list[Finding]:
    known = {key_of(line): line for line in state.lines}
    found = []
    for key, wanted in lines.items():
        line = known.get(key)
        if line is None or line.amount is None:
            found.append(_stale(key))
        elif (line.quantity or Decimal(0), line.amount) != (wanted.quantity_before, wanted.amount_before):
            found.append(_stale(line.name))
        elif not _is_possible(wanted):
            found.append(_impossible(line.name))
    return found


def _is_possible(wanted: Restated) -> bool:
    is_whole = wanted.amount == grosz(wanted.amount)
    has_goods = bool(wanted.quantity) or not wanted.amount
    return is_whole and has_goods and wanted.amount >= 0 and wanted.quantity >= 0


def _after(line: InvoiceLine, wanted: Restated) -> InvoiceLine:
    if not wanted.amount and not wanted.quantity:
        return emptied(line)
    changed = with_amount(replace(line, quantity=wanted.quantity), wanted.amount)
    if (changed.discount or ZERO) < 0:
        # dearer than before: that is another price, not a discount below zero
        changed = _priced(changed, wanted.amount, wanted.quantity)
    if line.vat is None:
        return changed
    return replace(changed, vat=_tax(wanted.amount, line))


def _tax(amount: Decimal, line: InvoiceLine) -> Decimal:
    """The tax in, or on, an amount of a line."""
    rate = percent_of(line)
    return grosz(amount * rate / (100 if line.pricing is Pricing.NET else 100 + rate))


def _rates(state: InvoiceState, changes: Sequence[LineChange]) -> dict[RateRow, RateSummary]:
    """Differences of the VAT table."""
    after = {key_of(line): line for line in state.lines}
    after |= {key_of(change.after): change.after for change in changes}
    rates: dict[RateRow, RateSummary] = {}
    for row in dict.fromkeys(row_of(change.after) for change in changes):
        own = [change for change in changes if row_of(change.after) is row]
        left = state.rates.get(row)
        if left is not None and not any(line.amount for line in after.values() if row_of(line) is row):
            rates[row] = RateSummary(row, -left.net, _minus(left.vat), _minus(left.vat_pln))
            continue
        amount, tax = _difference(own)
        net = amount if own[0].after.pricing is Pricing.NET else amount - tax
        exchange = own[0].after.exchange_rate
        # a rate that the invoice lacks states its tax as every rate with a percentage does
        has_vat = left.vat is not None if left is not None else bool(percent_of(own[0].after))
        in_pln = exchange is not None and has_vat and (left is None or left.vat_pln is not None)
        in_pln_amount = grosz(tax * exchange) if in_pln and exchange is not None else None
        rates[row] = RateSummary(row, net, tax if has_vat else None, in_pln_amount)
    return {row: rate for row, rate in rates.items() if rate.net or rate.vat}


def _difference(changes: Sequence[LineChange]) -> tuple[Decimal, Decimal]:
    """Amount and tax by which lines of one row change; the tax is counted once for each percentage."""
    amounts: dict[Decimal, Decimal] = {}
    for one in changes:
        rate = percent_of(one.after)
        change = (one.after.amount or ZERO) - (one.before.amount or ZERO)
        amounts[rate] = amounts.get(rate, ZERO) + change
    is_net = changes[0].after.pricing is Pricing.NET
    tax = sum(
        (grosz(amount * rate / (100 if is_net else 100 + rate)) for rate, amount in amounts.items()), ZERO
    )
    return sum(amounts.values(), ZERO), tax


def _minus(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else -amount


def _stale(name: str) -> Finding:
    return Finding(
        "correction-stale",
        Severity.ERROR,
        "lines",
        Text(
            f"Pozycja „{name}” zmieniła się od chwili, gdy wypełniono formularz korekty.",
            f'Line "{name}" has changed since the correction\'s form was filled in.',
        ),
        Text(
            "Wycofaj tę korektę i wypełnij formularz jeszcze raz.",
            "Withdraw this correction and fill the form in once more.",
        ),
        "art. 106j VAT act",
    )


def _impossible(name: str) -> Finding:
    return Finding(
        "correction-line-impossible",
        Severity.ERROR,
        "lines",
        Text(
            f"Pozycja „{name}”: kwota i ilość nie mogą być ujemne, kwota ma najwyżej dwa miejsca po "
            "przecinku, a ilość zero wymaga kwoty zero.",
            f'Line "{name}": amount and quantity must not be negative, an amount has two decimals at most, '
            "and a quantity of zero needs an amount of zero.",
        ),
        Text("Popraw tę pozycję w formularzu.", "Correct this line in the form."),
        "art. 106j VAT act",
    )
