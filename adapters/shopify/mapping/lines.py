"""Charged lines of an order that was never edited: products, tips, gift cards, delivery, fees, duties.

Amounts are the original ones: ``originalTotalSet`` less every discount allocation (``discountedTotalSet``
leaves out codes and discounts on the whole order, so it is not used). They include units that were
refunded later, as the invoice of the order has to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from adapters.json_node import Node
from adapters.shopify.mapping.taxes import NOT_TAXABLE, before_discounts, read_taxes, share_of
from adapters.shopify.mapping.values import Purse, flag_of, nodes, tail
from core.money import ZERO
from core.orders import LineKind, OrderLine

_ONE = Decimal(1)
TIP_ID = "tip"
"""Id of a tip that the order tells only as a sum."""

TIP_NAME = "Napiwek"


def charged_lines(order: Node, purse: Purse) -> tuple[OrderLine, ...]:
    """Every line that was charged when the order was placed.

    Raises:
        UnreadableOrder: a line that cannot be read.
    """
    included = order.child("taxesIncluded").flag()
    duties_inside = flag_of(order, "dutiesIncluded")
    lines = list(_with_tips(order, purse, list(_products(order, purse, included=included))))
    lines += _shipping(order, purse, included=included)
    lines += _fees(order, purse, included=included)
    if not duties_inside:
        lines += _duties(order, purse, included=included)
    return tuple(lines)


def discounts_of(charge: Node, purse: Purse) -> Decimal:
    """The sum of a charge's discount allocations.

    Raises:
        UnreadableOrder: one that cannot be read, or is negative.
    """
    whole = ZERO
    for allocation in charge.items("discountAllocations"):
        bag = allocation.child("allocatedAmountSet")
        amount = purse.amount(bag)
        if amount < 0:
            raise bag.error(f"a discount of {amount} is negative")
        whole += amount
    return whole


def tax_class_of(line_item: Node) -> str:
    """The key under which the merchant says what no rate means for a product."""
    taxable = line_item.maybe("taxable")
    return NOT_TAXABLE if taxable is not None and not taxable.flag() else ""


def _products(order: Node, purse: Purse, *, included: bool) -> Iterator[tuple[Node, OrderLine]]:
    for node in nodes(order, "lineItems"):
        quantity = node.child("quantity").number()
        line = OrderLine(
            id=tail(node.child("id")),
            kind=LineKind.GIFT_CARD_SOLD if flag_of(node, "isGiftCard") else LineKind.PRODUCT,
            name=node.name_of("name"),
            quantity=quantity,
            shares=(),
            sku=node.text_of("sku"),
        )
        line = _priced(
            node, line, node.child("originalTotalSet"), purse, included=included, tax_class=tax_class_of(node)
        )
        if quantity > 0:
            yield node, line
        elif quantity < 0 or line.gross:
            raise node.child("quantity").error(f"{quantity} units at {line.gross} make no sense")


def _priced(
    node: Node, line: OrderLine, price: Node, purse: Purse, *, included: bool, tax_class: str = ""
) -> OrderLine:
    """The line with its amounts."""
    before = purse.amount(price)
    amount = before - discounts_of(node, purse)
    share = share_of(node, amount, read_taxes(node, purse), included=included, tax_class=tax_class)
    if share.net < 0 or share.tax < 0:
        raise node.error(f"it costs {share.net} and a tax of {share.tax}")
    net_before, tax_before = before_discounts(share, before, included=included)
    return replace(line, shares=(share,), net_before=net_before, tax_before=tax_before)


def _with_tips(order: Node, purse: Purse, found: list[tuple[Node, OrderLine]]) -> list[OrderLine]:
    """Products with tips told apart.

    A tip stands among the line items, or in ``totalTipReceivedSet`` alone. Among the items it is what is
    neither taxed nor sent and has no article number, and adds up to that sum.
    """
    lines = [line for _, line in found]
    tips = purse.of_member(order, "totalTipReceivedSet")
    if not tips:
        return lines
    if tips < 0:
        raise order.child("totalTipReceivedSet").error(f"a tip of {tips} is negative")
    like_tips = {
        line.id
        for node, line in found
        if line.kind is LineKind.PRODUCT
        and not line.tax
        and not line.sku
        and node.maybe("requiresShipping") is not None
        and not node.child("requiresShipping").flag()
        and not flag_of(node, "taxable")
    }
    if sum((line.gross for line in lines if line.id in like_tips), ZERO) == tips:
        return [
            replace(line, kind=LineKind.TIP, shares=(replace(line.shares[0], tax_class="tip"),))
            if line.id in like_tips
            else line
            for line in lines
        ]
    single = [line for line in lines if line.id in like_tips and line.gross == tips]
    if len(single) == 1:
        tip = single[0]
        as_tip = replace(tip, kind=LineKind.TIP, shares=(replace(tip.shares[0], tax_class="tip"),))
        return [as_tip if line is tip else line for line in lines]
    share = share_of(order, tips, (), included=True, tax_class="tip")
    return [*lines, OrderLine(TIP_ID, LineKind.TIP, TIP_NAME, _ONE, (share,))]


def _shipping(order: Node, purse: Purse, *, included: bool) -> Iterator[OrderLine]:
    """Delivery that costs something and was not removed; free delivery is no line of an invoice."""
    for index, node in enumerate(nodes(order, "shippingLines")):
        if flag_of(node, "isRemoved"):
            continue
        known = node.maybe("id")
        line = OrderLine(
            id=tail(known) if known is not None else f"shipping-{index}",
            kind=LineKind.SHIPPING,
            name=node.name_of("title"),
            quantity=_ONE,
            shares=(),
        )
        line = _priced(node, line, node.child("originalPriceSet"), purse, included=included)
        if line.gross:
            yield line


def _fees(order: Node, purse: Purse, *, included: bool) -> Iterator[OrderLine]:
    for node in order.items("additionalFees"):
        line = OrderLine(tail(node.child("id")), LineKind.FEE, node.name_of("name"), _ONE, ())
        line = _priced(node, line, node.child("price"), purse, included=included, tax_class="fee")
        if line.gross:
            yield line


def _duties(order: Node, purse: Purse, *, included: bool) -> Iterator[OrderLine]:
    """Import duties that were charged above the prices."""
    for item in nodes(order, "lineItems"):
        for node in item.items("duties"):
            name = f"Cło: {item.name_of('name')}"
            line = OrderLine(tail(node.child("id")), LineKind.DUTY, name, _ONE, ())
            line = _priced(node, line, node.child("price"), purse, included=included, tax_class="duty")
            if line.gross:
                yield line
