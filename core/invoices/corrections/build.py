"""The difference of two states as a correcting invoice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal

from core.invoices.corrections.policy import RowStyle
from core.invoices.corrections.state import InvoiceState
from core.invoices.model import (
    Annotations,
    CorrectedInvoice,
    Correction,
    CorrectionType,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    Pricing,
    RateRow,
    RateSummary,
)
from core.invoices.texts import clean
from core.money import ZERO

_KINDS = {
    InvoiceKind.ADVANCE: InvoiceKind.ADVANCE_CORRECTION,
    InvoiceKind.SETTLEMENT: InvoiceKind.SETTLEMENT_CORRECTION,
}
PRICE_CONTEXT = Context(prec=40, rounding=ROUND_HALF_UP)
"""How unit prices are divided and rounded."""
_PRICE_STEP = Decimal("0.00000001")
_UNSET_NUMBER = "-"


@dataclass(frozen=True, slots=True)
class LineChange:
    """One line before and after."""

    before: InvoiceLine
    after: InvoiceLine


@dataclass(frozen=True, slots=True)
class CorrectionDraft:
    """A correction that lacks only number, day and time.

    Attributes:
        invoice: the correction so far.
    """

    invoice: Invoice

    def issue(self, number: str, issued_on: date, created_at: datetime) -> Invoice:
        """Complete the correction.

        Args:
            number: P_2 from the seller's series of corrections.
            issued_on: P_1, the Warsaw day on which the document goes out.
            created_at: DataWytworzeniaFa, aware; cut to whole seconds of UTC.
        """
        return replace(
            self.invoice,
            number=number,
            issued_on=issued_on,
            created_at=created_at.astimezone(UTC).replace(microsecond=0),
        )


def build(
    state: InvoiceState,
    changes: Iterable[LineChange],
    rates: Mapping[RateRow, RateSummary],
    *,
    reason: str,
    kind: CorrectionType,
    style: RowStyle,
) -> CorrectionDraft:
    """Write the difference as KOR, KOR_ZAL or KOR_ROZ.

    Args:
        state: what is corrected.
        changes: lines that change.
        rates: differences of the VAT table by row.
        reason: PrzyczynaKorekty.
        kind: TypKorekty.
        style: pairs of rows or differences.
    """
    original = state.original
    table = tuple(rates[row] for row in RateRow if row in rates)
    number = original.number
    correction = Correction(
        originals=(CorrectedInvoice(original.issued_on, number, state.ksef_number),),
        reason=clean(reason),
        type=kind,
    )
    rows: list[InvoiceLine] = []
    for change in changes:
        rows += _pair(change) if style is RowStyle.PAIRS else [_difference(change)]
    invoice = replace(
        original,
        kind=_KINDS.get(original.kind, InvoiceKind.CORRECTION),
        number=_UNSET_NUMBER,
        buyer=state.buyer,
        correction=correction,
        lines=tuple(rows),
        rates=table,
        total=sum((rate.gross for rate in table), ZERO),
        annotations=_annotations(original, rows),
        descriptions=(),
        payment=None,
        settlement=None,
        advances=(),
    )
    return CorrectionDraft(invoice)


def _annotations(original: Invoice, rows: list[InvoiceLine]) -> Annotations:
    """The original's annotations; a basis of exemption only with an exempt row."""
    notes = original.annotations
    if any(row.category and row.category.row is RateRow.EXEMPT for row in rows):
        return notes
    return replace(notes, exemption_law="", exemption_directive="", exemption_other="")


def _pair(change: LineChange) -> list[InvoiceLine]:
    # both rows keep the number and the UU_ID of the line that they show
    return [replace(change.before, before=True), replace(change.after, before=False)]


def _difference(change: LineChange) -> InvoiceLine:
    before, after = change.before, change.after
    amount = (after.amount or ZERO) - (before.amount or ZERO)
    quantity = (after.quantity or Decimal(0)) - (before.quantity or Decimal(0))
    vat = None if after.vat is None or before.vat is None else after.vat - before.vat
    if quantity:
        price = before.unit_price
        discount = _minus(after.discount, before.discount)
    else:
        # a lower price of the same goods: quantity as it stands, the difference in the price
        quantity = after.quantity or Decimal(1)
        price = PRICE_CONTEXT.divide(amount, quantity).quantize(_PRICE_STEP, context=PRICE_CONTEXT)
        price = short_price(price)
        discount = None
    is_net = before.pricing is Pricing.NET
    return replace(
        before,
        quantity=quantity,
        net_price=price if is_net else None,
        gross_price=None if is_net else price,
        discount=discount,
        net_amount=amount if is_net else None,
        gross_amount=None if is_net else amount,
        vat=vat,
    )


def _minus(first: Decimal | None, second: Decimal | None) -> Decimal | None:
    return (first or ZERO) - (second or ZERO) or None


def short_price(price: Decimal) -> Decimal:
    """A unit price with two decimals, or as many more as it needs."""
    short = price.quantize(ZERO, context=PRICE_CONTEXT)
    return short if short == price else price.normalize(PRICE_CONTEXT)
