"""A WooCommerce refund (``GET /wc/v3/orders/{id}/refunds``) as :class:`core.orders.Refund`.

The shop writes quantities and totals of refund lines with a minus, the amount without; a refund of an
amount only has no lines and no tax at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from adapters.woocommerce.mapping.lines import Rates, rate_countries, read_rates, tax_shares, with_countries
from adapters.woocommerce.mapping.order import PLATFORM
from adapters.woocommerce.mapping.reader import Node
from core.money import ZERO, split
from core.orders import LineKind, Order, OrderDiscount, OrderLine, Refund, TaxShare

_REFUNDED_ITEM = "_refunded_item_id"
_KINDS = (
    ("line_items", LineKind.PRODUCT, "name"),
    ("shipping_lines", LineKind.SHIPPING, "method_title"),
    ("fee_lines", LineKind.FEE, "name"),
)


def map_refund(data: Any, order: Order) -> Refund:
    """Map one parsed refund.

    Args:
        data: the parsed JSON object.
        order: the order it belongs to; gives the currency and explains refunded discounts.

    Returns:
        The refund with positive quantities and amounts. Taking back a negative fee (a discount) is a
        line with negative amounts.

    Raises:
        UnreadableOrder: it is no refund, or belongs to another order.
    """
    node = Node(data)
    parent = node.maybe("parent_id")
    if parent is not None and parent.identifier() != order.id:
        raise parent.error(f"the refund belongs to another order than {order.id}")
    known = {share.rate: share.country for line in order.lines for share in line.shares if share.rate}
    countries = known | rate_countries(node)
    return Refund(
        platform=PLATFORM,
        id=node.child("id").identifier(),
        order_id=order.id,
        amount=node.child("amount").charged_amount(),
        created_at=node.child("date_created_gmt").moment(),
        currency=order.currency,
        lines=tuple(with_countries(line, countries) for line in _lines(node, read_rates(node), order)),
        reason=node.text_of("reason"),
        modified_at=node.moment_of("date_modified_gmt"),
    )


def _lines(refund: Node, rates: Rates, order: Order) -> Iterator[OrderLine]:
    taken_off = {discount.id: discount for discount in order.discounts}
    for key, kind, name in _KINDS:
        for node in refund.items(key):
            line_id = _refunded_item(node)
            if line_id in taken_off:
                shares = _discount_shares(node, taken_off[line_id])
            else:
                shares = tuple(_positive(node, share) for share in tax_shares(node, rates, _tax_class(node)))
            line = OrderLine(
                id=line_id, kind=kind, name=node.name_of(name), quantity=_quantity(node, kind), shares=shares
            )
            if line.quantity or line.net or line.tax:
                yield line


def _quantity(node: Node, kind: LineKind) -> Decimal:
    """Units given back; money given back without units (a price cut) is quantity 0."""
    if kind is not LineKind.PRODUCT:
        return Decimal(1)
    quantity = node.child("quantity").number()
    if quantity > 0:
        raise node.child("quantity").error(f"{quantity} should not be above zero in a refund")
    return abs(quantity)


def _tax_class(node: Node) -> str:
    return node.text_of("tax_class")


def _positive(node: Node, share: TaxShare) -> TaxShare:
    if share.net > 0 or share.tax > 0:
        raise node.child("total").error("a refund line should not be above zero")
    return TaxShare(share.rate, abs(share.net), abs(share.tax), share.tax_class)


def _discount_shares(node: Node, discount: OrderDiscount) -> tuple[TaxShare, ...]:
    """A discount that is taken back, in the proportion in which it was given."""
    net, tax = node.child("total").amount(), node.child("total_tax").amount()
    if net < 0 or tax < 0:
        raise node.child("total").error("taking back a discount should not be below zero")
    nets = split(-net, [share.net for share in discount.shares])
    taxes = split(-tax, [share.tax for share in discount.shares])
    return tuple(
        TaxShare(share.rate, part_net + ZERO, part_tax + ZERO, share.tax_class)
        for share, part_net, part_tax in zip(discount.shares, nets, taxes, strict=True)
    )


def _refunded_item(node: Node) -> str:
    """The id of the order's line, which the shop keeps in the refund line's metadata."""
    for item in node.items("meta_data"):
        if item.fields().get("key") == _REFUNDED_ITEM:
            return item.child("value").identifier()
    raise node.error("it does not say which line of the order was refunded")
