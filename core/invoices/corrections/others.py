"""Corrections that are no refund: to zero, undone, and of the buyer's data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from core.invoices.attention import NeedsAttention
from core.invoices.corrections import reasons
from core.invoices.corrections.build import CorrectionDraft, LineChange, build
from core.invoices.corrections.policy import CorrectionPolicy, RowStyle
from core.invoices.corrections.state import InvoiceState, emptied, with_amount
from core.invoices.model import Buyer, CorrectionType, Invoice, PreviousBuyer, RateRow, RateSummary
from core.money import ZERO

_BUYER_KEY = "1"


def to_zero(state: InvoiceState, reason: str, policy: CorrectionPolicy) -> CorrectionDraft:
    """Take everything back: the order was cancelled, or the buyer's NIP was wrong.

    A wrong NIP is corrected to zero and a new invoice is issued (description of Podmiot2K in the schema).

    Args:
        state: the invoice as it stands.
        reason: PrzyczynaKorekty.
        policy: style and type.

    Raises:
        NeedsAttention: nothing of the invoice is left.
    """
    changes = [LineChange(line, emptied(line)) for line in state.lines if line.amount or line.quantity]
    rates = {row: _negated(rate) for row, rate in state.rates.items() if rate.net or rate.vat}
    if not changes and not rates:
        raise NeedsAttention([reasons.nothing()])
    return build(state, changes, rates, reason=reason, kind=policy.type, style=policy.style)


def undo(state: InvoiceState, correction: Invoice, reason: str, policy: CorrectionPolicy) -> CorrectionDraft:
    """Take one earlier correction back: its refund was deleted in the shop.

    Args:
        state: the invoice as it stands, with the correction among its corrections.
        correction: the one to undo.
        reason: PrzyczynaKorekty.
        policy: style and type.

    Raises:
        ValueError: the correction is not one of the state's.
    """
    if correction not in state.corrections:
        raise ValueError("only a correction of this invoice can be undone")
    changes = []
    for line in state.lines:
        shift = _shift_of(correction, line.line_id)
        if shift is not None:
            quantity = (line.quantity or Decimal(0)) - shift.quantity
            vat = None if line.vat is None else line.vat - shift.vat
            after = replace(line, quantity=quantity, vat=vat)
            changes.append(LineChange(line, with_amount(after, (line.amount or ZERO) - shift.amount)))
    rates = {rate.row: _negated(rate) for rate in correction.rates}
    return build(state, changes, rates, reason=reason, kind=policy.type, style=policy.style)


@dataclass(frozen=True, slots=True)
class _Shift:
    """What a correction did to one line."""

    quantity: Decimal
    amount: Decimal
    vat: Decimal


def _shift_of(correction: Invoice, line_id: str) -> _Shift | None:
    rows = [row for row in correction.lines if row.line_id == line_id]
    if not rows:
        return None
    paired = any(row.before for row in rows)
    quantity, amount, vat = Decimal(0), ZERO, ZERO
    for row in rows:
        sign = -1 if row.before else 1
        amount += sign * (row.amount or ZERO)
        vat += sign * (row.vat or ZERO)
        # in a row of differences a negative price is a lower price, its quantity is no return
        if paired or (row.unit_price or ZERO) >= 0:
            quantity += sign * (row.quantity or Decimal(0))
    return _Shift(quantity, amount, vat)


def buyer_data(state: InvoiceState, buyer: Buyer, reason: str) -> CorrectionDraft:
    """Correct the buyer's name or address; amounts and lines stay.

    Args:
        state: the invoice as it stands.
        buyer: the right data; the identifier has to be the same, since a wrong NIP is corrected to zero.
        reason: PrzyczynaKorekty.

    Raises:
        ValueError: the identifier differs.
    """
    wrong = state.buyer
    if buyer.tax_id != wrong.tax_id:
        raise ValueError("a wrong tax number is corrected to zero, and a new invoice is issued")
    draft = build(state, [], {}, reason=reason, kind=CorrectionType.ORIGINAL_DAY, style=RowStyle.PAIRS)
    previous = PreviousBuyer(wrong.tax_id, wrong.name, wrong.address, key=_BUYER_KEY)
    correction = draft.invoice.correction
    assert correction is not None, "build always states what is corrected"
    return CorrectionDraft(
        replace(
            draft.invoice,
            buyer=replace(buyer, key=_BUYER_KEY),
            correction=replace(correction, previous_buyers=(previous,)),
        )
    )


def _negated(rate: RateSummary) -> RateSummary:
    row: RateRow = rate.row
    return RateSummary(row, -rate.net, _negative(rate.vat), _negative(rate.vat_pln))


def _negative(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else -amount
