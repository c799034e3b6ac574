"""Advance and settlement invoices of an order that is paid before it is delivered.

Sources: art. 106b ust. 1 pkt 4 and art. 106f of the VAT act; Zamowienie, FakturaZaliczkowa and P_15 in the
schemas. An advance states what was paid, split over the rates of the order; the settlement states the
whole delivery in its lines, and in its VAT table and P_15 what the advances left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from core.calendar import warsaw_day
from core.findings import Finding, Severity, Text
from core.invoices.attention import NeedsAttention
from core.invoices.from_order import Draft, draft
from core.invoices.model import (
    AdvanceOrder,
    AdvanceOrderLine,
    AdvanceReference,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    Issuer,
    PaymentTerms,
    Pricing,
    RateRow,
    RateSummary,
)
from core.invoices.policy import InvoicePolicy
from core.money import ZERO, grosz, split
from core.orders import Order


@dataclass(frozen=True, slots=True)
class IssuedAdvance:
    """An accepted advance invoice.

    Attributes:
        invoice: as issued, with corrections already taken into account by the caller.
        ksef_number: its KSeF number; empty when it was issued outside KSeF.
    """

    invoice: Invoice
    ksef_number: str = ""


def advance(order: Order, paid: Decimal, received_on: date, issuer: Issuer, policy: InvoicePolicy) -> Draft:
    """Make the advance invoice (ZAL) of a payment.

    Args:
        order: the whole order.
        paid: what was received, with tax, in the order's currency.
        received_on: Warsaw day of receipt; it is the tax point (art. 19a ust. 8).
        issuer: who sells.
        policy: the seller's choices.

    Raises:
        NeedsAttention: the order itself needs a person, or more was paid than it costs.
    """
    whole = draft(order, issuer, policy)
    invoice = whole.issue("-", received_on, order.created_at)
    if not 0 < paid <= invoice.total:
        raise NeedsAttention([_odd_payment(paid, invoice.total, order.currency)])
    lines = tuple(_order_line(line) for line in invoice.lines)
    exchange = policy.exchange_rates.get(order.currency) if order.currency != "PLN" else None
    rate = exchange.rate if exchange else None
    return whole.changed(
        replace(
            invoice,
            kind=InvoiceKind.ADVANCE,
            lines=(),
            order=AdvanceOrder(invoice.total, lines),
            rates=_part(invoice.rates, paid, rate),
            total=paid,
            advance_exchange_rate=rate,
            payment=_paid(invoice.payment, received_on),
        ),
        received_on,
    )


def settlement(
    order: Order, advances: Sequence[IssuedAdvance], issuer: Issuer, policy: InvoicePolicy
) -> Draft:
    """Make the settlement invoice (ROZ) that closes an order after its advances.

    Args:
        order: the whole order.
        advances: what was invoiced before; together less than the order.
        issuer: who sells.
        policy: the seller's choices.

    Raises:
        NeedsAttention: the order itself needs a person, or the advances leave nothing to settle (the last
            advance closes the sale then, art. 106f ust. 4).
    """
    whole = draft(order, issuer, policy)
    invoice = whole.issue("-", warsaw_day(order.created_at), order.created_at)
    paid = sum((one.invoice.total for one in advances), ZERO)
    if not 0 < paid < invoice.total:
        raise NeedsAttention([_odd_payment(paid, invoice.total, order.currency)])
    references = tuple(
        AdvanceReference(one.ksef_number, "" if one.ksef_number else one.invoice.number) for one in advances
    )
    return whole.changed(
        replace(
            invoice,
            kind=InvoiceKind.SETTLEMENT,
            rates=_rest(invoice.rates, advances),
            total=invoice.total - paid,
            advances=references,
        ),
        whole.tax_point,
    )


def _order_line(line: InvoiceLine) -> AdvanceOrderLine:
    rate = line.category.rate if line.category else line.oss_rate or Decimal(0)
    amount = line.amount or ZERO
    is_gross = line.pricing is Pricing.GROSS
    tax = line.vat if line.vat is not None else grosz(amount * rate / (100 + rate if is_gross else 100))
    net = amount - tax if is_gross else amount
    quantity = line.quantity or Decimal(1)
    return AdvanceOrderLine(
        number=line.number,
        line_id=line.line_id,
        name=line.name,
        quantity=quantity,
        unit=line.unit,
        # P_9AZ is a net price, whatever the shop's prices are
        net_price=(net / quantity).quantize(Decimal("0.00000001")).normalize()
        if is_gross
        else line.net_price,
        net_amount=net,
        vat=tax,
        category=line.category,
        oss_rate=line.oss_rate,
        sku=line.sku,
        gtin=line.gtin,
        pkwiu=line.pkwiu,
        cn=line.cn,
        annex_15=line.annex_15,
        gtu=line.gtu,
    )


def _part(rates: tuple[RateSummary, ...], paid: Decimal, exchange: Decimal | None) -> tuple[RateSummary, ...]:
    """A payment split over the rows by their gross amounts; each row's tax by the row's own proportion."""
    parts = []
    for rate, gross in zip(rates, split(paid, [rate.gross for rate in rates]), strict=True):
        if rate.vat is None:
            parts.append(replace(rate, net=gross))
            continue
        vat = grosz(gross * rate.vat / rate.gross) if rate.gross else ZERO
        in_pln = grosz(vat * exchange) if exchange is not None and rate.vat_pln is not None else None
        parts.append(RateSummary(rate.row, gross - vat, vat, in_pln))
    return tuple(part for part in parts if part.gross)


def _rest(rates: tuple[RateSummary, ...], advances: Sequence[IssuedAdvance]) -> tuple[RateSummary, ...]:
    left: dict[RateRow, RateSummary] = {rate.row: rate for rate in rates}
    for one in advances:
        for rate in one.invoice.rates:
            known = left[rate.row]
            left[rate.row] = RateSummary(
                rate.row,
                known.net - rate.net,
                _minus(known.vat, rate.vat),
                _minus(known.vat_pln, rate.vat_pln),
            )
    return tuple(left.values())


def _minus(first: Decimal | None, second: Decimal | None) -> Decimal | None:
    return first if first is None or second is None else first - second


def _paid(payment: PaymentTerms | None, received_on: date) -> PaymentTerms:
    terms = payment or PaymentTerms()
    return replace(terms, paid_on=received_on, part_payments=(), paid_in_parts=False, accounts=())


def _odd_payment(paid: Decimal, total: Decimal, currency: str) -> Finding:
    return Finding(
        "advances-do-not-fit",
        Severity.ERROR,
        "payments",
        Text(
            f"Zaliczki {paid} {currency} nie pasują do zamówienia za {total} {currency}.",
            f"Advances of {paid} {currency} do not fit an order of {total} {currency}.",
        ),
        Text(
            "Zaliczka jest dodatnia i nie większa od zamówienia; rozlicza się to, co zostało.",
            "An advance is positive and not above the order; a settlement needs something left to settle.",
        ),
        "art. 106f VAT act",
    )
