"""From a shop's charged lines to invoice lines: treatment, discounts, unit prices.

An order-level discount lowers the lines of its rate in proportion to their amounts (art. 29a ust. 7
pkt 2 of the VAT act: a discount given at the sale is not part of the taxable amount), and shows in
P_10 of each line, so that no negative line stands on an invoice.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Context, Decimal

from core.findings import Finding
from core.invoices import attention
from core.invoices.model import InvoiceLine, Pricing, VatCategory
from core.invoices.policy import InvoicePolicy, ProductMarks
from core.invoices.texts import NAME_LIMIT, TEXT_LIMIT, clean
from core.invoices.treatment import Situation, Treatment, is_foreign_rate, tax_class_key, treatment_of
from core.money import ZERO, grosz, split
from core.orders import LineKind, Order, OrderDiscount, OrderLine, TaxShare

LINE_TOLERANCE = Decimal("0.02")
"""Two roundings (net from gross, tax from net) may each move a line's tax by up to a grosz."""

_UNIT_CONTEXT = Context(prec=40, rounding=ROUND_HALF_UP)
_QUANTITY_STEP = Decimal("0.000001")  # TIlosci: six decimals
_PRICE_STEP = Decimal("0.00000001")  # TKwotowy2: eight decimals
_SHORT_TEXT = 50  # TZnakowy50: Indeks, PKWiU, CN
_GTIN_LIMIT = 20
_GOODS = frozenset({LineKind.PRODUCT})
_NO_MARKS = ProductMarks()


@dataclass(frozen=True, slots=True)
class Charge:
    """One line of one treatment on its way to FaWiersz.

    Attributes:
        line: the shop's line it came from. key: what identifies this part of it in corrections.
        treatment: how it is taxed.
        net, tax: what was charged, after all discounts spread so far.
        net_before, tax_before: the same before discounts.
    """

    line: OrderLine
    key: str
    treatment: Treatment
    net: Decimal
    tax: Decimal
    net_before: Decimal
    tax_before: Decimal

    @property
    def gross(self) -> Decimal:
        """Net and tax together."""
        return self.net + self.tax

    def pricing(self, pricing: Pricing) -> Pricing:
        """The pricing of this line: margin lines always state gross amounts."""
        return Pricing.GROSS if self.treatment.margin else pricing

    def amount(self, pricing: Pricing) -> Decimal:
        """What the line costs in the pricing of the invoice."""
        return self.net if self.pricing(pricing) is Pricing.NET else self.gross

    def amount_before(self, pricing: Pricing) -> Decimal:
        """What the line cost before discounts in the pricing of the invoice."""
        return self.net_before if self.pricing(pricing) is Pricing.NET else self.net_before + self.tax_before


def charges_of(
    order: Order, situation: Situation, policy: InvoicePolicy, reasons: list[Finding]
) -> tuple[list[Charge], list[str]]:
    """Split an order's lines by treatment and check each line's tax against its rate.

    Returns:
        The charges, and the names of goods that nothing was charged for (a free gift): they are no line
        of the invoice, free delivery neither.
    """
    charges: list[Charge] = []
    free: list[str] = []
    for index, line in enumerate(order.lines):
        path = f"lines[{index}]"
        if not line.gross and not line.net:
            if line.kind in _GOODS:
                free.append(clean(f"{line.name} × {line.quantity.normalize():f}"))
            continue
        if line.kind is LineKind.GIFT_CARD_SOLD:
            reasons.append(attention.voucher_sold(line.name, path))
            continue
        if line.quantity <= 0 or line.net < 0 or line.tax < 0:
            reasons.append(attention.bad_quantity(line.name, line.quantity, path))
            continue
        charges.extend(_charges_of_line(order, line, path, situation, policy, reasons))
    return _in_grosz(charges), free


def _in_grosz(charges: list[Charge]) -> list[Charge]:
    """Amounts with parts of a grosz rounded so that the sum of each treatment is the rounded exact sum.

    Shops with prices of three and more decimals round once per order; rounding each line apart would miss
    their total.
    """
    carried: dict[Treatment, tuple[Decimal, Decimal]] = {}
    rounded = []
    for charge in charges:
        if charge.net == grosz(charge.net) and charge.tax == grosz(charge.tax):
            rounded.append(_with_whole_before(charge, charge.net, charge.tax))
            continue
        net_left, tax_left = carried.get(charge.treatment, (ZERO, ZERO))
        net, tax = grosz(charge.net + net_left), grosz(charge.tax + tax_left)
        carried[charge.treatment] = (charge.net + net_left - net, charge.tax + tax_left - tax)
        rounded.append(_with_whole_before(charge, net, tax))
    return rounded


def _with_whole_before(charge: Charge, net: Decimal, tax: Decimal) -> Charge:
    """A charge in whole grosz; without a discount it stays without one."""
    same = charge.net_before == charge.net and charge.tax_before == charge.tax
    net_before = net if same else grosz(charge.net_before)
    tax_before = tax if same else grosz(charge.tax_before)
    return replace(charge, net=net, tax=tax, net_before=net_before, tax_before=tax_before)


def _charges_of_line(
    order: Order,
    line: OrderLine,
    path: str,
    situation: Situation,
    policy: InvoicePolicy,
    reasons: list[Finding],
) -> list[Charge]:
    charges: list[Charge] = []
    for share in line.shares:
        treatment = treatment_of(line, share, situation, policy)
        if treatment is None:
            reasons.append(_untold(line, share, situation, path))
            continue
        if treatment.category is VatCategory.EXEMPT and not policy.exemption_law:
            reasons.append(attention.exemption_basis_missing(line.name))
        expected = grosz(share.net * treatment.rate / 100)
        if abs(share.tax - expected) > LINE_TOLERANCE:
            reasons.append(attention.line_tax_differs(line.name, share.tax, expected, path))
        whole = len(line.shares) == 1 and line.net_before is not None and line.tax_before is not None
        before = (line.net_before, line.tax_before) if whole else (share.net, share.tax)
        net_before, tax_before = (amount if amount is not None else ZERO for amount in before)
        key = line_key(order.platform, order.id, line.kind, line.id, share.rate)
        charge = Charge(line, key, treatment, share.net, share.tax, net_before, tax_before)
        twin = next((i for i, one in enumerate(charges) if one.key == key), None)
        if twin is None:
            charges.append(charge)
        else:  # two parts of a line at the same rate are one line of the invoice
            charges[twin] = _merged(charges[twin], charge)
    return charges


def _merged(first: Charge, second: Charge) -> Charge:
    return replace(
        first,
        net=first.net + second.net,
        tax=first.tax + second.tax,
        net_before=first.net_before + second.net_before,
        tax_before=first.tax_before + second.tax_before,
    )


def _untold(line: OrderLine, share: TaxShare, situation: Situation, path: str) -> Finding:
    if is_foreign_rate(share) and situation.eu_consumer and share.rate is not None:
        return attention.oss_sale(line.name, share.rate, path)
    return attention.unknown_treatment(
        line.name, share.rate, tax_class_key(share), path, is_goods=line.kind in _GOODS
    )


def spread_discounts(
    order: Order,
    charges: list[Charge],
    situation: Situation,
    policy: InvoicePolicy,
    reasons: list[Finding],
) -> list[Charge]:
    """Take order-level discounts off the lines of the same treatment, in proportion to their net amounts."""
    spread = list(charges)
    for discount in order.discounts:
        source = OrderLine(discount.id, LineKind.FEE, discount.name, Decimal(1), discount.shares)
        for share in discount.shares:
            if not share.net and not share.tax:
                continue
            treatment = treatment_of(source, share, situation, policy)
            if treatment is None:
                reasons.append(_untold(source, share, situation, "discounts"))
            else:
                _spread_share(discount, share, treatment, spread, reasons)
    return spread


def _spread_share(
    discount: OrderDiscount,
    share: TaxShare,
    treatment: Treatment,
    charges: list[Charge],
    reasons: list[Finding],
) -> None:
    chosen = [i for i, charge in enumerate(charges) if charge.treatment == treatment and charge.net > 0]
    net = sum((charges[i].net for i in chosen), ZERO)
    tax = sum((charges[i].tax for i in chosen), ZERO)
    if not chosen or share.net < 0 or share.tax < 0 or share.net > net or share.tax > tax:
        reasons.append(attention.discount_exceeds_lines(discount.name))
        return
    weights = [charges[i].net for i in chosen]
    for i, net, tax in zip(chosen, split(share.net, weights), split(share.tax, weights), strict=True):
        charges[i] = replace(charges[i], net=charges[i].net - net, tax=charges[i].tax - tax)


def invoice_lines(
    order: Order,
    charges: list[Charge],
    pricing: Pricing,
    line_taxed: frozenset[Treatment],
    policy: InvoicePolicy,
) -> tuple[InvoiceLine, ...]:
    """Number the charges and give each its unit price, discount and marks.

    Args:
        order: names the currency.
        charges: what is left after discounts and reconciling.
        pricing: net or gross.
        line_taxed: treatments whose tax is the sum of their lines' taxes (P_11Vat is given).
        policy: units, marks and exchange rates.
    """
    exchange = policy.exchange_rates.get(order.currency)
    rate = _exchange_rate(exchange.rate) if exchange and order.currency != "PLN" else None
    return tuple(
        _invoice_line(number, charge, pricing, line_taxed, policy, rate)
        for number, charge in enumerate(charges, 1)
    )


def _exchange_rate(rate: Decimal) -> Decimal | None:
    """KursWaluty takes six decimals; a longer rate (NBP gives eight for some) is not stated on lines."""
    short = rate.quantize(_QUANTITY_STEP, context=_UNIT_CONTEXT)
    return rate if short == rate else None


def _invoice_line(
    number: int,
    charge: Charge,
    pricing: Pricing,
    line_taxed: frozenset[Treatment],
    policy: InvoicePolicy,
    exchange_rate: Decimal | None,
) -> InvoiceLine:
    source, treatment = charge.line, charge.treatment
    marks = policy.products.get(source.sku, _NO_MARKS) if source.sku else _NO_MARKS
    unit_price, discount = _price(charge, pricing)
    is_net = charge.pricing(pricing) is Pricing.NET
    amount = charge.amount(pricing)
    is_goods = source.kind in _GOODS
    unit = marks.unit or source.unit or (policy.unit if is_goods else policy.service_unit)
    return InvoiceLine(
        number=number,
        line_id=charge.key,
        name=clean(source.name, NAME_LIMIT) or "—",
        quantity=_quantity(source.quantity),
        unit=clean(unit, TEXT_LIMIT),
        net_price=unit_price if is_net else None,
        gross_price=None if is_net else unit_price,
        discount=discount or None,
        net_amount=amount if is_net else None,
        gross_amount=None if is_net else amount,
        vat=charge.tax if treatment in line_taxed else None,
        category=treatment.category,
        oss_rate=treatment.rate if treatment.is_oss else None,
        sku=clean(source.sku, _SHORT_TEXT),
        gtin=clean(source.gtin, _GTIN_LIMIT),
        pkwiu=clean(marks.pkwiu, _SHORT_TEXT),
        cn=clean(marks.cn, _SHORT_TEXT),
        annex_15=marks.annex_15,
        gtu=marks.gtu,
        # distance sales of goods to consumers in other EU countries carry their own mark
        procedure=marks.procedure or ("WSTO_EE" if treatment.is_oss and is_goods else ""),
        exchange_rate=exchange_rate,
    )


def line_key(platform: str, order_id: str, kind: LineKind, shop_line_id: str, rate: Decimal | None) -> str:
    """UU_ID of a line: 16 characters, the same in every document about the order.

    A refund finds the invoice's line by it, so only what the shop repeats in its refunds goes in. No rate
    and a rate of zero are the same.
    """
    percent = f"{rate.normalize():f}" if rate else "0"
    key = f"UU_ID|{platform}|{order_id}|{kind.value}|{shop_line_id}|{percent}"
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def _quantity(quantity: Decimal) -> Decimal:
    """A quantity as P_8B takes it: six decimals, no trailing zeros, no exponent."""
    short = quantity.quantize(_QUANTITY_STEP, context=_UNIT_CONTEXT).normalize(_UNIT_CONTEXT)
    return short.quantize(Decimal(1)) if short == short.to_integral_value() else short


def _price(charge: Charge, pricing: Pricing) -> tuple[Decimal, Decimal]:
    amount = charge.amount(pricing)
    before = max(charge.amount_before(pricing), amount)  # a surcharge is no discount
    unit = _UNIT_CONTEXT.divide(before, charge.line.quantity).quantize(_PRICE_STEP, context=_UNIT_CONTEXT)
    return _tidy(unit), before - amount


def _tidy(price: Decimal) -> Decimal:
    """A price with at least two and at most eight decimals."""
    short = price.quantize(ZERO, context=_UNIT_CONTEXT)
    return short if short == price else price.normalize(_UNIT_CONTEXT)
