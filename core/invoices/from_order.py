"""A paid order becomes an invoice.

The work has two halves, because a number may be taken from a gapless series only when nothing can go
wrong any more: :func:`draft` finds out everything that does not depend on number and day, and collects
every reason for Attention; :meth:`Draft.issue` adds number, day and time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal

from core.calendar import warsaw_day
from core.findings import Finding
from core.invoices import attention
from core.invoices.bounds import check_bounds
from core.invoices.buyers import buyer_of, may_be_simplified
from core.invoices.lines import Charge, charges_of, invoice_lines, spread_discounts
from core.invoices.model import (
    Annotations,
    Buyer,
    Description,
    Footer,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    Issuer,
    MarginScheme,
    OrderReference,
    Pricing,
    Seller,
    TaxIdKind,
    TransactionTerms,
    VatCategory,
)
from core.invoices.payments import payment_of
from core.invoices.policy import ExchangeRate, InvoicePolicy
from core.invoices.texts import clean
from core.invoices.totals import Totals, count
from core.invoices.treatment import situation_of
from core.money import ZERO, grosz
from core.orders import Order, OrderState

SYSTEM = "ksef-shop-connector"
"""SystemInfo of every document that the connector makes."""

SPLIT_PAYMENT_LIMIT = Decimal(15000)
"""Gross PLN above which goods of annex 15 ask for split payment (art. 108a ust. 1a of the VAT act)."""

_UNSET_NUMBER = "-"
_BUYER_SETTLES = frozenset({VatCategory.REVERSE_CHARGE, VatCategory.OUTSIDE_SERVICES})
_INTRA_EU = frozenset({VatCategory.ZERO_WDT, VatCategory.OUTSIDE_SERVICES})


@dataclass(frozen=True, slots=True)
class Draft:
    """An invoice that lacks only number, day and time.

    Attributes:
        tax_point: the earlier of payment and delivery, a Warsaw day; ``None`` while neither happened.
    """

    _invoice: Invoice
    tax_point: date | None

    @property
    def total(self) -> Decimal:
        """P_15."""
        return self._invoice.total

    @property
    def lines(self) -> tuple[InvoiceLine, ...]:
        """The lines."""
        return self._invoice.lines

    def changed(self, invoice: Invoice, tax_point: date | None) -> Draft:
        """The draft of another kind of document about the same order."""
        return Draft(invoice, tax_point)

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
            sold_on=self.tax_point if self.tax_point != issued_on else None,
        )


def tax_point_of(order: Order) -> date | None:
    """The day on which tax becomes due: the earlier of payment and delivery (art. 19a ust. 1 and 8).

    Returns:
        A Warsaw day, ``None`` while nothing was paid or delivered.
    """
    moments = [moment for moment in (order.paid_at, order.completed_at) if moment is not None]
    return warsaw_day(min(moments)) if moments else None


def draft(order: Order, issuer: Issuer, policy: InvoicePolicy) -> Draft:
    """Find out everything about an order's invoice that its number and day do not decide.

    Args:
        order: a snapshot as an adapter read it.
        issuer: who sells, and what it states on each invoice.
        policy: the seller's choices; exchange rates in it have to be of the right day, see
            :mod:`core.invoices.exchange`.

    Returns:
        The draft.

    Raises:
        NeedsAttention: with every reason, when a person has to decide something.
    """
    reasons = check_bounds(order)
    if reasons:
        raise attention.NeedsAttention(reasons)
    order = replace(order, total=grosz(order.total))
    _check_refunds(order, reasons)
    exchange = _exchange(order, policy, reasons)
    buyer, third_parties = buyer_of(order, issuer.seller, policy, reasons)
    situation = situation_of(order, buyer)
    charges, free = charges_of(order, situation, policy, reasons)
    if any(reason.path.startswith("lines") for reason in reasons):
        # sums of lines that are not understood would only add noise
        raise attention.NeedsAttention(reasons)
    charges = spread_discounts(order, charges, situation, policy, reasons)
    if not charges:
        reasons.append(attention.nothing_sold())
        raise attention.NeedsAttention(reasons)
    pricing = Pricing.GROSS if order.prices_include_tax else Pricing.NET
    totals = count(order, charges, pricing, exchange, reasons)
    margin = _margin(charges, reasons)
    if reasons:
        raise attention.NeedsAttention(reasons)
    invoice = Invoice(
        kind=_kind(order, buyer, policy),
        number=_UNSET_NUMBER,
        issued_on=warsaw_day(order.created_at),
        created_at=order.created_at,
        currency=order.currency,
        seller=_seller(issuer.seller, charges),
        place=issuer.place,
        from_receipt=policy.receipts and buyer.tax_id.kind is TaxIdKind.NONE,
        buyer=buyer,
        third_parties=third_parties,
        lines=invoice_lines(order, totals.charges, pricing, totals.line_taxed, policy),
        rates=totals.rates,
        total=order.total,
        annotations=_annotations(order, buyer, totals, margin, policy),
        payment=payment_of(order, policy),
        terms=TransactionTerms(orders=(OrderReference(clean(order.number), warsaw_day(order.created_at)),)),
        footer=_footer(issuer),
        descriptions=_descriptions(order, free, exchange),
        system=SYSTEM,
    )
    return Draft(invoice, tax_point_of(order))


def _check_refunds(order: Order, reasons: list[Finding]) -> None:
    refunded = sum((refund.amount for refund in order.refunds), ZERO)
    if not refunded and order.state is OrderState.REFUNDED:
        refunded = order.total
    if refunded:
        reasons.append(attention.refunded_before_invoice(refunded, order.currency))


def _exchange(order: Order, policy: InvoicePolicy, reasons: list[Finding]) -> ExchangeRate | None:
    if order.currency == "PLN":
        return None
    exchange = policy.exchange_rates.get(order.currency)
    if exchange is None:
        reasons.append(attention.currency_without_rate(order.currency))
    return exchange


def _margin(charges: list[Charge], reasons: list[Finding]) -> MarginScheme | None:
    schemes = {charge.treatment.margin for charge in charges if charge.treatment.margin}
    if len(schemes) > 1:
        reasons.append(attention.two_margin_schemes())
    return next(iter(schemes), None)


def _kind(order: Order, buyer: Buyer, policy: InvoicePolicy) -> InvoiceKind:
    """UPR where it is allowed and the address is missing."""
    is_simple = buyer.address is None and may_be_simplified(order, buyer.tax_id, policy)
    return InvoiceKind.SIMPLIFIED if is_simple else InvoiceKind.VAT


def _seller(seller: Seller, charges: list[Charge]) -> Seller:
    """Podmiot1, with the prefix PL on sales to EU businesses (art. 106e ust. 1 pkt 24)."""
    if any(charge.treatment.category in _INTRA_EU for charge in charges):
        return replace(seller, vat_prefix="PL")
    return seller


def _annotations(
    order: Order, buyer: Buyer, totals: Totals, margin: MarginScheme | None, policy: InvoicePolicy
) -> Annotations:
    categories = {charge.treatment.category for charge in totals.charges}
    return Annotations(
        # also services that the foreign buyer settles (art. 106e ust. 1 pkt 18)
        reverse_charge=bool(categories & _BUYER_SETTLES),
        split_payment=_needs_split_payment(order, buyer, totals, policy),
        exemption_law=policy.exemption_law if VatCategory.EXEMPT in categories else "",
        margin=margin,
    )


def _needs_split_payment(order: Order, buyer: Buyer, totals: Totals, policy: InvoicePolicy) -> bool:
    """Over 15 000 PLN gross, to a taxpayer, with goods of annex 15 (art. 106e ust. 1 pkt 18a)."""
    if buyer.tax_id.kind is TaxIdKind.NONE:
        return False
    exchange = policy.exchange_rates.get(order.currency)
    in_pln = order.total * exchange.rate if exchange and order.currency != "PLN" else order.total
    marked = (policy.products.get(charge.line.sku) for charge in totals.charges if charge.line.sku)
    return in_pln > SPLIT_PAYMENT_LIMIT and any(marks is not None and marks.annex_15 for marks in marked)


def _footer(issuer: Issuer) -> Footer | None:
    footer = Footer((issuer.footer,) if issuer.footer else (), (issuer.register,) if issuer.register else ())
    return footer if footer != Footer() else None


def _descriptions(order: Order, free: list[str], exchange: ExchangeRate | None) -> tuple[Description, ...]:
    found = [
        Description("Rabat (uwzględniony w pozycjach)", clean(f"{name}: {discount.gross} {order.currency}"))
        for discount in order.discounts
        if (name := discount.name.strip() or "rabat")
    ]
    found += [Description("Pozycja bez opłaty", name) for name in free]
    if exchange is not None and exchange.table:
        day = f" z {exchange.day:%d.%m.%Y}" if exchange.day else ""
        found.append(Description("Kurs", clean(f"{exchange.table}{day}: {exchange.rate} PLN")))
    return tuple(found)
