"""From a shop's charged lines to invoice lines: tax category, discounts, unit prices.

An order-level discount lowers the lines of its rate in proportion to their amounts (art. 29a ust. 7
pkt 2 of the VAT act: a discount given at the sale is not part of the taxable amount), and shows in
P_10 of each line, so that no negative line stands on an invoice.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Context, Decimal

from core.findings import Finding
from core.invoices import attention
from core.invoices.model import InvoiceLine, Pricing, VatCategory
from core.invoices.policy import InvoicePolicy
from core.invoices.texts import NAME_LIMIT, TEXT_LIMIT, clean
from core.money import ZERO, grosz, split
from core.orders import LineKind, Order, OrderDiscount, OrderLine, TaxShare

LINE_TOLERANCE = Decimal("0.02")
"""Two roundings (net from gross, tax from net) may each move a line's tax by up to a grosz."""

_UNIT_CONTEXT = Context(prec=40, rounding=ROUND_HALF_UP)
_PRICE_STEP = Decimal("0.00000001")  # TKwotowy2: eight decimals
_LINE_IDS = uuid.UUID("5b0c1bd0-7a0e-5f43-9a4e-3a5f0c9f7d61")
_SHORT_TEXT = 50  # TZnakowy50: Indeks
_GTIN_LIMIT = 20
_GOODS = frozenset({LineKind.PRODUCT})


@dataclass(frozen=True, slots=True)
class Charge:
    """One line of one tax category on its way to FaWiersz.

    Attributes:
        line: the shop's line it came from. category: how it is taxed.
        net, tax: what was charged, after all discounts spread so far.
        net_before, tax_before: the same before discounts.
    """

    line: OrderLine
    category: VatCategory
    net: Decimal
    tax: Decimal
    net_before: Decimal
    tax_before: Decimal

    @property
    def gross(self) -> Decimal:
        """Net and tax together."""
        return self.net + self.tax

    def amount(self, pricing: Pricing) -> Decimal:
        """What the line costs in the pricing of the invoice."""
        return self.net if pricing is Pricing.NET else self.gross

    def amount_before(self, pricing: Pricing) -> Decimal:
        """What the line cost before discounts in the pricing of the invoice."""
        return self.net_before if pricing is Pricing.NET else self.net_before + self.tax_before


def category_of(share: TaxShare, policy: InvoicePolicy) -> VatCategory | None:
    """The VAT category of a charged share, or ``None`` when the shop does not tell it.

    A positive rate speaks for itself. A rate of zero, or none, is decided only by the merchant's mapping
    of the tax class.
    """
    if share.rate:
        code = f"{share.rate.normalize():f}"
        return VatCategory(code) if code in _POSITIVE_CODES else None
    if share.tax:
        return None
    return policy.tax_classes.get(share.tax_class or "standard")


_POSITIVE_CODES = frozenset(category.value for category in VatCategory if category.rate)


def charges_of(order: Order, policy: InvoicePolicy, reasons: list[Finding]) -> tuple[list[Charge], list[str]]:
    """Split an order's lines by tax category and check each line's tax against its rate.

    Returns:
        The charges, and the names of lines without any amount whose tax treatment does not matter
        (a free gift, free delivery).
    """
    charges: list[Charge] = []
    free: list[str] = []
    for index, line in enumerate(order.lines):
        path = f"lines[{index}]"
        if not line.gross and not line.net and _is_untaxed(line, policy):
            if line.kind in _GOODS:
                free.append(clean(f"{line.name} × {line.quantity.normalize():f}"))
            continue
        if line.kind is LineKind.GIFT_CARD_SOLD:
            reasons.append(attention.voucher_sold(line.name, path))
            continue
        if line.quantity <= 0 or line.net < 0 or line.tax < 0:
            reasons.append(attention.bad_quantity(line.name, line.quantity, path))
            continue
        charges.extend(_charges_of_line(line, path, policy, reasons))
    return charges, free


def _is_untaxed(line: OrderLine, policy: InvoicePolicy) -> bool:
    return all(category_of(share, policy) is None for share in line.shares)


def _charges_of_line(
    line: OrderLine, path: str, policy: InvoicePolicy, reasons: list[Finding]
) -> list[Charge]:
    charges: list[Charge] = []
    for share in line.shares:
        category = category_of(share, policy)
        if category is None:
            reasons.append(attention.unknown_treatment(line.name, share.rate, share.tax_class, path))
            continue
        if category is VatCategory.EXEMPT and not policy.exemption_law:
            reasons.append(attention.exemption_basis_missing(line.name))
        expected = grosz(share.net * category.rate / 100)
        if abs(share.tax - expected) > LINE_TOLERANCE:
            reasons.append(attention.line_tax_differs(line.name, share.tax, expected, path))
        whole = len(line.shares) == 1 and line.net_before is not None and line.tax_before is not None
        before = (line.net_before, line.tax_before) if whole else (share.net, share.tax)
        net_before, tax_before = (amount if amount is not None else ZERO for amount in before)
        charges.append(Charge(line, category, share.net, share.tax, net_before, tax_before))
    return charges


def spread_discounts(
    order: Order, charges: list[Charge], policy: InvoicePolicy, reasons: list[Finding]
) -> list[Charge]:
    """Take order-level discounts off the lines of the same category, in proportion to their net amounts."""
    spread = list(charges)
    for discount in order.discounts:
        for share in discount.shares:
            _spread_share(discount, share, spread, policy, reasons)
    return spread


def _spread_share(
    discount: OrderDiscount,
    share: TaxShare,
    charges: list[Charge],
    policy: InvoicePolicy,
    reasons: list[Finding],
) -> None:
    if not share.net and not share.tax:
        return
    category = category_of(share, policy)
    if category is None:
        reasons.append(attention.unknown_treatment(discount.name, share.rate, share.tax_class, "discounts"))
        return
    chosen = [i for i, charge in enumerate(charges) if charge.category is category and charge.net > 0]
    available = sum((charges[i].net for i in chosen), ZERO)
    if share.net < 0 or share.tax < 0 or share.net > available:
        reasons.append(attention.discount_exceeds_lines(discount.name))
        return
    weights = [charges[i].net for i in chosen]
    for i, net, tax in zip(chosen, split(share.net, weights), split(share.tax, weights), strict=True):
        charges[i] = replace(charges[i], net=charges[i].net - net, tax=charges[i].tax - tax)


def invoice_lines(
    order: Order,
    charges: list[Charge],
    pricing: Pricing,
    line_taxed: frozenset[VatCategory],
    policy: InvoicePolicy,
) -> tuple[InvoiceLine, ...]:
    """Number the charges and give each its unit price and discount.

    Args:
        order: names the currency and the ids.
        charges: what is left after discounts and reconciling.
        pricing: net or gross.
        line_taxed: categories whose tax is the sum of their lines' taxes (P_11Vat is given).
        policy: units and exchange rates.
    """
    exchange = policy.exchange_rates.get(order.currency)
    lines = []
    for number, charge in enumerate(charges, 1):
        unit_price, discount = _price(charge, pricing)
        source = charge.line
        lines.append(
            InvoiceLine(
                number=number,
                line_id=line_id(order, source, charge.category),
                name=clean(source.name, NAME_LIMIT) or "—",
                quantity=source.quantity,
                unit=clean(
                    source.unit or (policy.unit if source.kind in _GOODS else policy.service_unit), TEXT_LIMIT
                ),
                unit_price=unit_price,
                discount=discount,
                amount=charge.amount(pricing),
                vat=charge.tax if charge.category in line_taxed else None,
                category=charge.category,
                sku=clean(source.sku, _SHORT_TEXT),
                gtin=clean(source.gtin, _GTIN_LIMIT),
                exchange_rate=exchange.rate if exchange else None,
            )
        )
    return tuple(lines)


def line_id(order: Order, line: OrderLine, category: VatCategory) -> str:
    """UU_ID of a line: 16 characters, the same for the same line of an order in every document about it."""
    key = f"{order.platform}|{order.id}|{line.kind.value}|{line.id}|{category.value}"
    return uuid.uuid5(_LINE_IDS, key).hex[:16]


def _price(charge: Charge, pricing: Pricing) -> tuple[Decimal, Decimal]:
    amount = charge.amount(pricing)
    before = max(charge.amount_before(pricing), amount)  # a surcharge is no discount
    unit = _UNIT_CONTEXT.divide(before, charge.line.quantity).quantize(_PRICE_STEP, context=_UNIT_CONTEXT)
    return _tidy(unit), before - amount


def _tidy(price: Decimal) -> Decimal:
    """A price with at least two and at most eight decimals."""
    short = price.quantize(ZERO, context=_UNIT_CONTEXT)
    return short if short == price else price.normalize(_UNIT_CONTEXT)
