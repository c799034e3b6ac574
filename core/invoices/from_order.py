"""A paid order becomes an invoice.

The work has two halves, because a number may be taken from a gapless series only when nothing can go
wrong any more: :func:`draft` finds out everything that does not depend on number and day, and collects
every reason for Attention; :meth:`Draft.issue` adds number, day and time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from core.calendar import warsaw_day
from core.findings import Finding
from core.invoices import attention
from core.invoices.buyers import buyer_of
from core.invoices.lines import charges_of, invoice_lines, spread_discounts
from core.invoices.model import (
    Annotations,
    Description,
    Invoice,
    InvoiceKind,
    OrderReference,
    PaymentTerms,
    Pricing,
    Seller,
    VatCategory,
)
from core.invoices.policy import ExchangeRate, InvoicePolicy
from core.invoices.texts import TEXT_LIMIT, clean
from core.invoices.totals import count
from core.money import ZERO
from core.orders import Order, PaymentForm, PaymentKind

SYSTEM = "ksef-shop-connector"
"""SystemInfo of every document that the connector makes."""

_UNSET_NUMBER = "-"


@dataclass(frozen=True, slots=True)
class Draft:
    """An invoice that lacks only number, day and time."""

    _invoice: Invoice
    _sold_on: date | None

    def issue(self, number: str, issued_on: date, created_at: datetime) -> Invoice:
        """Complete the invoice.

        Args:
            number: P_2 from the seller's series.
            issued_on: P_1, the Warsaw day on which the document goes out.
            created_at: DataWytworzeniaFa, aware; cut to whole seconds of UTC.
        """
        return replace(
            self._invoice,
            number=number,
            issued_on=issued_on,
            created_at=created_at.astimezone(UTC).replace(microsecond=0),
            # P_6 is stated only when it differs from P_1 (art. 106e ust. 1 pkt 6)
            sold_on=self._sold_on if self._sold_on != issued_on else None,
        )


def draft(order: Order, seller: Seller, policy: InvoicePolicy) -> Draft:
    """Find out everything about an order's invoice that its number and day do not decide.

    Args:
        order: a snapshot as an adapter read it.
        seller: Podmiot1.
        policy: the seller's choices.

    Returns:
        The draft.

    Raises:
        NeedsAttention: with every reason, when a person has to decide something.
    """
    reasons: list[Finding] = []
    pricing = Pricing.GROSS if order.prices_include_tax else Pricing.NET
    if order.refunds:
        reasons.append(
            attention.refunded_before_invoice(
                sum((refund.amount for refund in order.refunds), ZERO), order.currency
            )
        )
    exchange = _exchange(order, policy, reasons)
    buyer = buyer_of(order, policy, reasons)
    charges, free = charges_of(order, policy, reasons)
    if reasons and any(reason.path.startswith("lines") for reason in reasons):
        # sums of lines that are not understood would only add noise
        raise attention.NeedsAttention(reasons)
    charges = spread_discounts(order, charges, policy, reasons)
    if not charges:
        reasons.append(attention.nothing_sold())
        raise attention.NeedsAttention(reasons)
    totals = count(order, charges, pricing, exchange, reasons)
    if reasons:
        raise attention.NeedsAttention(reasons)
    categories = {rate.category for rate in totals.rates}
    invoice = Invoice(
        kind=InvoiceKind.VAT,
        number=_UNSET_NUMBER,
        issued_on=warsaw_day(order.created_at),
        created_at=order.created_at,
        currency=order.currency,
        pricing=pricing,
        seller=seller,
        buyer=buyer,
        lines=invoice_lines(order, totals.charges, pricing, totals.line_taxed, policy),
        rates=totals.rates,
        total=order.total,
        annotations=Annotations(
            reverse_charge=VatCategory.REVERSE_CHARGE in categories,
            exemption_law=policy.exemption_law if VatCategory.EXEMPT in categories else "",
        ),
        payment=_payment(order, policy),
        orders=(OrderReference(clean(order.number), warsaw_day(order.created_at)),),
        descriptions=_descriptions(order, free, exchange),
        system=SYSTEM,
    )
    return Draft(invoice, _sold_on(order))


def _exchange(order: Order, policy: InvoicePolicy, reasons: list[Finding]) -> ExchangeRate | None:
    if order.currency == "PLN":
        return None
    exchange = policy.exchange_rates.get(order.currency)
    if exchange is None:
        reasons.append(attention.currency_without_rate(order.currency))
    return exchange


def _sold_on(order: Order) -> date | None:
    """P_6: the day of delivery, or of payment while nothing was sent yet (art. 19a ust. 1 and 8)."""
    moment = order.completed_at or order.paid_at
    return warsaw_day(moment) if moment else None


def _payment(order: Order, policy: InvoicePolicy) -> PaymentTerms | None:
    payments = [payment for payment in order.payments if payment.kind is PaymentKind.GATEWAY]
    payment = payments[0] if payments else None
    form: PaymentForm | None = None
    text = ""
    if payment is not None:
        form = policy.payment_forms.get(payment.method, payment.form)
        text = "" if form else clean(payment.title or payment.method, TEXT_LIMIT)
    paid_on = warsaw_day(order.paid_at) if order.paid_at else None
    # an account number helps only a buyer who still has to transfer money
    account = policy.account if form is PaymentForm.TRANSFER and paid_on is None else None
    if paid_on is None and form is None and not text:
        return None
    return PaymentTerms(paid_on=paid_on, form=form, description=text, account=account)


def _descriptions(order: Order, free: list[str], exchange: ExchangeRate | None) -> tuple[Description, ...]:
    found = [
        Description("Rabat (uwzględniony w pozycjach)", clean(f"{name}: {discount.gross} {order.currency}"))
        for discount in order.discounts
        if (name := discount.name.strip() or "rabat")
    ]
    found += [Description("Pozycja bez opłaty", name) for name in free]
    found += [
        Description("Zapłacono kartą podarunkową", f"{payment.amount} {order.currency}")
        for payment in order.payments
        if payment.kind is not PaymentKind.GATEWAY and payment.amount is not None
    ]
    if exchange is not None and exchange.table:
        day = f" z {exchange.day:%d.%m.%Y}" if exchange.day else ""
        found.append(Description("Kurs", clean(f"{exchange.table}{day}: {exchange.rate} PLN")))
    return tuple(found)
