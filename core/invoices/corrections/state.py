"""What an invoice and its corrections say together.

A correction states differences in P_13, P_14 and P_15 and either pairs of rows (before and after) or rows
of differences. Each further correction corrects the state after the last one (art. 106j of the VAT act;
descriptions of the correction fields in the schemas).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from core.invoices.model import Buyer, Invoice, InvoiceLine, Pricing, RateRow, RateSummary
from core.money import ZERO


@dataclass(frozen=True, slots=True)
class InvoiceState:
    """An invoice as it stands now.

    Attributes:
        original: the invoice as issued.
        ksef_number: its KSeF number; empty when it was issued outside KSeF.
        corrections: what was issued since, oldest first.
        lines: the lines as they stand, also those corrected to nothing.
        rates: sums of the VAT tables by row.
        total: sum of P_15.
    """

    original: Invoice
    ksef_number: str
    corrections: tuple[Invoice, ...]
    lines: tuple[InvoiceLine, ...]
    rates: dict[RateRow, RateSummary]
    total: Decimal

    @property
    def pricing(self) -> Pricing:
        """Net or gross prices."""
        return self.original.pricing

    @property
    def buyer(self) -> Buyer:
        """Podmiot2 as it stands: as issued, or as a correction of the buyer's data states it."""
        corrected = [one for one in self.corrections if one.correction and one.correction.previous_buyers]
        return replace(corrected[-1].buyer, key="") if corrected else self.original.buyer

    def line(self, line_id: str) -> InvoiceLine | None:
        """The line with a UU_ID."""
        return next((line for line in self.lines if line.line_id == line_id), None)


def state_of(original: Invoice, ksef_number: str, corrections: Iterable[Invoice] = ()) -> InvoiceState:
    """Add up an invoice and its corrections.

    Args:
        original: the invoice as issued.
        ksef_number: its KSeF number; empty when it was issued outside KSeF.
        corrections: accepted corrections, oldest first.
    """
    issued = tuple(corrections)
    lines = {key_of(line): line for line in original.lines}
    rates = {rate.row: rate for rate in original.rates}
    total = original.total
    for correction in issued:
        _apply_lines(lines, correction)
        for rate in correction.rates:
            rates[rate.row] = _sum(rates.get(rate.row), rate)
        total += correction.total
    return InvoiceState(original, ksef_number, issued, tuple(lines.values()), rates, total)


def key_of(line: InvoiceLine) -> str:
    """What tells a line apart within its invoice: UU_ID, else its number."""
    return line.line_id or f"#{line.number}"


def row_of(line: InvoiceLine) -> RateRow:
    """The row of the VAT table that a line counts in."""
    if line.category is not None:
        return line.category.row
    return RateRow.OSS if line.oss_rate is not None else RateRow.MARGIN


def percent_of(line: InvoiceLine) -> Decimal:
    """The percentage of tax inside a line."""
    if line.category is not None:
        return line.category.rate
    return line.oss_rate or Decimal(0)


def _sum(known: RateSummary | None, rate: RateSummary) -> RateSummary:
    if known is None:
        return rate
    return RateSummary(
        rate.row, known.net + rate.net, _plus(known.vat, rate.vat), _plus(known.vat_pln, rate.vat_pln)
    )


def _plus(first: Decimal | None, second: Decimal | None) -> Decimal | None:
    return first if second is None else second if first is None else first + second


def _apply_lines(lines: dict[str, InvoiceLine], correction: Invoice) -> None:
    if any(line.before for line in correction.lines):
        for line in correction.lines:
            key = key_of(line)
            if not line.before:
                lines[key] = line
            elif key in lines:
                # stays so when no row shows the state after: nothing is left of the line
                lines[key] = emptied(lines[key])
        return
    for line in correction.lines:
        known = lines.get(key_of(line))
        lines[key_of(line)] = line if known is None else _shifted(known, line)


def emptied(line: InvoiceLine) -> InvoiceLine:
    """A line of which nothing is left."""
    return replace(
        line,
        quantity=Decimal(0),
        discount=None,
        net_amount=None if line.net_amount is None else ZERO,
        gross_amount=None if line.gross_amount is None else ZERO,
        vat=None if line.vat is None else ZERO,
    )


def _shifted(known: InvoiceLine, difference: InvoiceLine) -> InvoiceLine:
    """A line after a row of differences: a negative price is a lower price, not a return of goods."""
    quantity = known.quantity
    price = difference.unit_price
    if difference.quantity is not None and not (price is not None and price < 0):
        quantity = _plus(known.quantity, difference.quantity)
    return with_amount(
        replace(known, quantity=quantity, vat=_plus(known.vat, difference.vat)),
        (known.amount or ZERO) + (difference.amount or ZERO),
    )


def with_amount(line: InvoiceLine, amount: Decimal) -> InvoiceLine:
    """A line with another amount in its own pricing; the discount (P_10) takes up the difference."""
    price, quantity = line.unit_price, line.quantity
    discount = line.discount
    if price is not None and quantity is not None:
        discount = (price * quantity).quantize(ZERO) - amount
    changed = replace(line, discount=discount or None)
    if line.pricing is Pricing.GROSS:
        return replace(changed, gross_amount=amount)
    return replace(changed, net_amount=amount)
