"""A WooCommerce order (``GET /wc/v3/orders/{id}``) as :class:`core.orders.Order`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from adapters.contract import UnreadableFile
from adapters.woocommerce.mapping.fees import discounts
from adapters.woocommerce.mapping.lines import (
    fee_lines,
    located,
    product_lines,
    rate_countries,
    rate_totals,
    read_rates,
    shipping_lines,
    with_countries,
)
from adapters.woocommerce.mapping.parties import read_buyer, read_recipient
from adapters.woocommerce.mapping.payments import charged_total, gift_card_amounts, read_payments
from adapters.woocommerce.mapping.reader import Node
from adapters.woocommerce.mapping.tax_ids import wants_invoice
from core.money import ZERO
from core.orders import Coupon, Order, OrderDiscount, OrderLine, OrderState, RefundRef

PLATFORM = "woocommerce"

STATES: Mapping[str, OrderState] = {
    "pending": OrderState.PENDING,
    "on-hold": OrderState.PENDING,
    "checkout-draft": OrderState.PENDING,
    "auto-draft": OrderState.PENDING,
    "processing": OrderState.PAID,
    "completed": OrderState.COMPLETED,
    "refunded": OrderState.REFUNDED,
    "cancelled": OrderState.CANCELLED,
    "trash": OrderState.CANCELLED,
    "failed": OrderState.FAILED,
}
"""WooCommerce's own statuses."""

_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class MappingOptions:
    """What a merchant may say about their shop's data.

    Attributes:
        tax_id_fields: metadata keys, or members of ``billing``, with the buyer's tax number; they go
            before all known places.
        statuses: statuses of the merchant's own, without ``wc-``, to their neutral state. Unknown
            statuses count as pending, so that nothing is invoiced by a guess.
    """

    tax_id_fields: tuple[str, ...] = ()
    statuses: Mapping[str, OrderState] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OrderFile:
    """An :class:`~adapters.contract.OrderReader` of JSON with a merchant's options."""

    options: MappingOptions = MappingOptions()

    def __call__(self, data: bytes) -> Order:
        """See :meth:`adapters.contract.OrderReader.__call__`."""
        try:
            parsed = json.loads(data, parse_float=Decimal)
        except (UnicodeDecodeError, ValueError, RecursionError):
            raise UnreadableFile("it is no JSON", form="JSON") from None
        return map_order(parsed, self.options)


def map_order(data: Any, options: MappingOptions | None = None) -> Order:
    """Map one parsed order.

    Args:
        data: the parsed JSON object; amounts are texts, other numbers may be int, Decimal or float.
        options: a merchant's options.

    Returns:
        The neutral order, with all amounts in the order's currency and all times in UTC.

    Raises:
        UnreadableOrder: it is no order, or contradicts itself; its path names the place.
    """
    options = options or MappingOptions()
    node = Node(data)
    status = node.child("status").text().removeprefix("wc-")
    rates = read_rates(node)
    lines = (*product_lines(node, rates), *shipping_lines(node, rates), *fee_lines(node, rates))
    if not lines:
        raise node.child("line_items").error("the order charges nothing")
    reductions = tuple(discounts(node, rates, lines))
    countries = rate_countries(node)
    lines = tuple(with_countries(line, countries) for line in lines)
    reductions = tuple(replace(one, shares=located(one.shares, countries)) for one in reductions)
    total_tax = node.child("total_tax").charged_amount()
    cards = gift_card_amounts(node)
    total = charged_total(node, _net(lines, reductions) + total_tax, cards)
    order_id = node.child("id").identifier()
    return Order(
        platform=PLATFORM,
        id=order_id,
        number=node.text_of("number") or order_id,
        status=status,
        state=options.statuses.get(status, STATES.get(status, OrderState.PENDING)),
        currency=_currency(node),
        prices_include_tax=node.child("prices_include_tax").flag(),
        lines=lines,
        total=total,
        buyer=read_buyer(node, options.tax_id_fields),
        created_at=node.child("date_created_gmt").moment(),
        modified_at=node.child("date_modified_gmt").moment(),
        total_tax=total_tax,
        rate_totals=rate_totals(node),
        discounts=reductions,
        coupons=_coupons(node),
        payments=read_payments(node, cards, total),
        recipient=read_recipient(node),
        wants_invoice=wants_invoice(node),
        paid_at=node.moment_of("date_paid_gmt"),
        completed_at=node.moment_of("date_completed_gmt"),
        refunds=_refund_refs(node),
        customer_note=node.text_of("customer_note"),
        extra=_extra(node),
    )


def _net(lines: tuple[OrderLine, ...], reductions: tuple[OrderDiscount, ...]) -> Decimal:
    charged = sum((line.net for line in lines), ZERO)
    return charged - sum((share.net for item in reductions for share in item.shares), ZERO)


def _currency(node: Node) -> str:
    currency = node.child("currency").text()
    if not _CURRENCY.fullmatch(currency):
        raise node.child("currency").error("an ISO 4217 code was expected")
    return currency


def _coupons(node: Node) -> tuple[Coupon, ...]:
    """Information only: their discounts are inside the lines already."""
    coupons: list[Coupon] = []
    for item in node.items("coupon_lines"):
        discount, tax = item.maybe("discount"), item.maybe("discount_tax")
        amount = None
        if discount is not None:
            amount = discount.amount() + (tax.amount() if tax is not None else ZERO)
        coupons.append(Coupon(code=item.child("code").text(), amount=amount))
    return tuple(coupons)


def _refund_refs(node: Node) -> tuple[RefundRef, ...]:
    """Refunds as the order lists them: their totals are negative there."""
    return tuple(
        RefundRef(
            id=item.child("id").identifier(),
            amount=abs(item.child("total").amount()),
            reason=item.text_of("reason"),
        )
        for item in node.items("refunds")
    )


def _extra(node: Node) -> dict[str, str]:
    """Details for a person who looks at the order; never the order key, which opens the buyer's page."""
    methods = [item.name_of("method_title") for item in node.items("shipping_lines")]
    extra = {
        "woocommerce_version": node.text_of("version"),
        "created_via": node.text_of("created_via"),
        "shipping_method": ", ".join(method for method in methods if method),
    }
    return {key: value for key, value in extra.items() if value}
