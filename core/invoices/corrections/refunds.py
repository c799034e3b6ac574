"""A shop's refund becomes the next correction.

The money given back decides: the correction's gross difference is the refund's amount to the grosz, per
rate and in total. What comes back of goods lowers quantities, the rest lowers prices (P_10 of the row
after takes it up). When nothing is left of a rate, its tax becomes exactly zero, whatever the shop's
rounding was.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from core.findings import Finding
from core.invoices.attention import NeedsAttention
from core.invoices.corrections import reasons as why
from core.invoices.corrections.build import CorrectionDraft, LineChange, build
from core.invoices.corrections.policy import AmountOnly, CorrectionPolicy
from core.invoices.corrections.proof import ProofRow, ProofSheet
from core.invoices.corrections.state import InvoiceState, percent_of, row_of, with_amount
from core.invoices.lines import line_key
from core.invoices.model import InvoiceLine, Pricing, RateRow, RateSummary
from core.money import ZERO, grosz, split
from core.orders import Refund

TOLERANCE = Decimal("0.02")
"""The largest difference between a refund's parts and its amount that is put right without a person."""


@dataclass(slots=True)
class _Take:
    """What is taken off one line: units, amount in the invoice's pricing, tax as the shop told it."""

    quantity: Decimal = Decimal(0)
    net: Decimal = ZERO
    tax: Decimal = ZERO

    def amount(self, pricing: Pricing) -> Decimal:
        return self.net if pricing is Pricing.NET else self.net + self.tax


def correct(
    state: InvoiceState, refund: Refund, corrections: CorrectionPolicy
) -> tuple[CorrectionDraft, ProofSheet]:
    """Make the correction of a refund.

    Args:
        state: the invoice as it stands after earlier corrections.
        refund: what the shop gave back; amounts and quantities are positive.
        corrections: choices about corrections.

    Returns:
        The correction without number and day, and the proof that it is the refund.

    Raises:
        NeedsAttention: with every reason, when a person has to decide something.
    """
    reasons: list[Finding] = []
    if refund.amount <= 0:
        raise NeedsAttention([why.nothing()])
    if refund.amount > state.total:
        raise NeedsAttention([why.exceeds(refund.amount, state.total, refund.currency)])
    if refund.amount == state.total:
        takes = _everything(state)
    elif refund.is_amount_only:
        takes = _spread(state, refund, corrections, reasons)
    else:
        takes = _by_lines(state, refund, reasons)
    if reasons:
        raise NeedsAttention(reasons)
    takes = _within_lines(state, takes, reasons)
    if reasons:
        raise NeedsAttention(reasons)
    rates = _rates(state, takes, reasons)
    if reasons:
        raise NeedsAttention(reasons)
    changes = [
        LineChange(line, _after(line, takes[line.line_id], state.pricing))
        for line in state.lines
        if line.line_id in takes
    ]
    draft = build(
        state,
        changes,
        rates,
        reason=refund.reason or corrections.reason,
        kind=corrections.type,
        style=corrections.style,
    )
    return draft, _proof(state, refund, takes, rates)


def _everything(state: InvoiceState) -> dict[str, _Take]:
    """All that is left: no split has to be known."""
    takes = {}
    for line in state.lines:
        amount = line.amount or ZERO
        if not amount and not line.quantity:
            continue
        net, tax = _net_and_tax(line, amount, state.pricing)
        takes[line.line_id] = _Take(line.quantity or Decimal(0), net, tax)
    return takes


def _net_and_tax(line: InvoiceLine, amount: Decimal, pricing: Pricing) -> tuple[Decimal, Decimal]:
    rate = percent_of(line)
    if pricing is Pricing.NET:
        return amount, grosz(amount * rate / 100)
    tax = grosz(amount * rate / (100 + rate))
    return amount - tax, tax


def _spread(
    state: InvoiceState, refund: Refund, corrections: CorrectionPolicy, reasons: list[Finding]
) -> dict[str, _Take]:
    """An amount without lines, split by what is left per rate and then per line."""
    if corrections.amount_only is AmountOnly.ATTENTION:
        reasons.append(why.amount_only(refund.amount, refund.currency))
        return {}
    rows = [rate for rate in state.rates.values() if rate.gross > 0]
    takes: dict[str, _Take] = {}
    for rate, gross in zip(rows, split(refund.amount, [rate.gross for rate in rows]), strict=True):
        lines = [line for line in state.lines if row_of(line) is rate.row and (line.amount or ZERO) > 0]
        if not gross or not lines:
            continue
        percent = percent_of(lines[0])
        tax = grosz(gross * percent / (100 + percent))
        weights = [line.amount or ZERO for line in lines]
        for line, net_part, tax_part in zip(
            lines, split(gross - tax, weights), split(tax, weights), strict=True
        ):
            takes[line.line_id] = _Take(net=net_part, tax=tax_part)
    return takes


def _row_of_rate(state: InvoiceState, rate: Decimal | None) -> RateRow | None:
    """The row of the first line with a rate; no rate and zero are the same."""
    for line in state.lines:
        if percent_of(line) == (rate or Decimal(0)):
            return row_of(line)
    return None


def _by_lines(state: InvoiceState, refund: Refund, reasons: list[Finding]) -> dict[str, _Take]:
    takes: dict[str, _Take] = {}
    lowered: dict[RateRow, _Take] = {}
    for source in refund.lines:
        for share in source.shares:
            if not share.net and not share.tax and not source.quantity:
                continue
            if share.net < 0 or share.tax < 0:
                # a discount on the order that is taken back with its goods
                row = _row_of_rate(state, share.rate)
                if row is None:
                    reasons.append(why.unknown_line(source.name))
                    continue
                whole = lowered.setdefault(row, _Take())
                whole.net, whole.tax = whole.net - share.net, whole.tax - share.tax
                continue
            line = state.line(line_key(refund.platform, refund.order_id, source.kind, source.id, share.rate))
            if line is not None:
                take = takes.setdefault(line.line_id, _Take())
                take.quantity += source.quantity
                take.net, take.tax = take.net + share.net, take.tax + share.tax
            elif share.net or share.tax:
                # what was given away free is on no invoice, so nothing of it is corrected
                reasons.append(why.unknown_line(source.name))
    if not reasons:
        _lower(state, takes, lowered, reasons)
        _reconcile(refund, takes, reasons)
    return takes


def _lower(
    state: InvoiceState,
    takes: dict[str, _Take],
    lowered: dict[RateRow, _Take],
    reasons: list[Finding],
) -> None:
    """Spread refunded order discounts over the refunded lines of their rate."""
    for row, whole in lowered.items():
        own = [takes[line.line_id] for line in state.lines if line.line_id in takes and row_of(line) is row]
        left = sum((take.net for take in own), ZERO)
        if not own or whole.net > left:
            reasons.append(why.row_exceeded(row.value, whole.net, left))
            continue
        weights = [take.net for take in own]
        for take, net, tax in zip(own, split(whole.net, weights), split(whole.tax, weights), strict=True):
            take.net, take.tax = take.net - net, take.tax - tax


def _reconcile(refund: Refund, takes: dict[str, _Take], reasons: list[Finding]) -> None:
    """The refund's amount is what the buyer got: a difference of up to 0.02 moves the largest part."""
    counted = sum((take.net + take.tax for take in takes.values()), ZERO)
    difference = refund.amount - counted
    if not difference:
        return
    if abs(difference) > TOLERANCE or not takes:
        reasons.append(why.sums_differ(refund.amount, counted, refund.currency))
        return
    largest = max(takes.values(), key=lambda take: take.net)
    largest.net += difference


def _within_lines(state: InvoiceState, takes: dict[str, _Take], reasons: list[Finding]) -> dict[str, _Take]:
    """No line falls below zero: what a line cannot give, the other lines of its rate give.

    A spread order discount leaves a line with less than the shop gives back for it; the discount then
    belongs to the lines that stay.
    """
    pricing = state.pricing
    for row in dict.fromkeys(row_of(line) for line in state.lines if line.line_id in takes):
        lines = [line for line in state.lines if row_of(line) is row]
        over_net = over_tax = ZERO
        for line in lines:
            take, left = takes.get(line.line_id), line.amount or ZERO
            if take is None or take.amount(pricing) <= left:
                continue
            kept_net, kept_tax = _net_and_tax(line, left, pricing)
            over_net, over_tax = over_net + take.net - kept_net, over_tax + take.tax - kept_tax
            take.net, take.tax = kept_net, kept_tax
        if not over_net and not over_tax:
            continue
        rooms = [
            (
                line,
                (line.amount or ZERO)
                - (takes[line.line_id].amount(pricing) if line.line_id in takes else ZERO),
            )
            for line in lines
        ]
        rooms = [(line, room) for line, room in rooms if room > 0]
        over = over_net if pricing is Pricing.NET else over_net + over_tax
        available = sum((room for _, room in rooms), ZERO)
        if over > available:
            reasons.append(why.row_exceeded(row.value, over, available))
            continue
        weights = [room for _, room in rooms]
        for (line, _), net, tax in zip(
            rooms, split(over_net, weights), split(over_tax, weights), strict=True
        ):
            take = takes.setdefault(line.line_id, _Take())
            take.net, take.tax = take.net + net, take.tax + tax
    return takes


def _rates(
    state: InvoiceState, takes: dict[str, _Take], reasons: list[Finding]
) -> dict[RateRow, RateSummary]:
    """Differences of the VAT table, negative."""
    rates: dict[RateRow, RateSummary] = {}
    by_row: dict[RateRow, list[tuple[InvoiceLine, _Take]]] = {}
    for line in state.lines:
        if line.line_id in takes:
            by_row.setdefault(row_of(line), []).append((line, takes[line.line_id]))
    for row, own in by_row.items():
        left = state.rates[row]
        net = sum((take.net for _, take in own), ZERO)
        tax = sum((take.tax for _, take in own), ZERO)
        if net + tax > left.gross:
            reasons.append(why.row_exceeded(row.value, net + tax, left.gross))
            continue
        vat = left.vat
        if net + tax == left.gross:
            # nothing is left of the rate: its net and its tax become exactly zero
            rates[row] = RateSummary(row, -left.net, _negative(vat), _negative(left.vat_pln))
            continue
        percent = percent_of(own[0][0])
        expected = grosz((net + tax) * percent / (100 + percent))
        if abs(tax - expected) > max(TOLERANCE, Decimal("0.01") * len(own)):
            reasons.append(why.tax_differs(row.value, tax, expected))
            continue
        exchange = own[0][0].exchange_rate
        in_pln = None if left.vat_pln is None or exchange is None else -grosz(tax * exchange)
        rates[row] = RateSummary(row, -net, None if vat is None else -tax, in_pln)
    return rates


def _negative(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else -amount


def _after(line: InvoiceLine, take: _Take, pricing: Pricing) -> InvoiceLine:
    amount = (line.amount or ZERO) - take.amount(pricing)
    quantity = (line.quantity or Decimal(0)) - take.quantity
    if amount and quantity <= 0:
        # goods came back, part of the money stays: a lower price of the same quantity says so
        quantity = line.quantity or Decimal(0)
    if not amount:
        quantity = Decimal(0)
    vat = None if line.vat is None else (line.vat - take.tax if amount else ZERO)
    return with_amount(replace(line, quantity=quantity, vat=vat), amount)


def _proof(
    state: InvoiceState, refund: Refund, takes: dict[str, _Take], rates: dict[RateRow, RateSummary]
) -> ProofSheet:
    rows = []
    for row, rate in rates.items():
        own = [takes[line.line_id] for line in state.lines if line.line_id in takes and row_of(line) is row]
        net = sum((take.net for take in own), ZERO)
        tax = sum((take.tax for take in own), ZERO)
        left = state.rates[row].gross + rate.gross
        rows.append(ProofRow(row, net, tax, -rate.net, -(rate.vat or ZERO), left))
    return ProofSheet(
        refund_id=refund.id,
        order_id=refund.order_id,
        invoice_number=state.original.number,
        currency=refund.currency,
        refunded=refund.amount,
        corrected=-sum((rate.gross for rate in rates.values()), ZERO),
        left=state.total - refund.amount,
        rows=tuple(rows),
    )
