"""A Shopify order (GraphQL ``Order``) as :class:`core.orders.Order`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from adapters.contract import UnreadableFile, UnreadableOrder
from adapters.json_node import Node
from adapters.shopify.mapping.ledger import agreed_lines
from adapters.shopify.mapping.lines import charged_lines
from adapters.shopify.mapping.options import MappingOptions, MoneyKind
from adapters.shopify.mapping.parties import read_buyer, read_recipient
from adapters.shopify.mapping.payments import money_back, read_receipts
from adapters.shopify.mapping.tax_ids import wants_invoice
from adapters.shopify.mapping.taxes import read_taxes
from adapters.shopify.mapping.values import Purse, flag_of, nodes, tail
from core.money import ZERO
from core.orders import Coupon, LineKind, Order, OrderLine, OrderState, RateTotal, RefundRef

PLATFORM = "shopify"

_PAID = frozenset({"PAID", "PARTIALLY_REFUNDED", "REFUNDED"})
_FINANCIAL: Mapping[str, OrderState] = {
    "AUTHORIZED": OrderState.PENDING,
    "PENDING": OrderState.PENDING,
    "PARTIALLY_PAID": OrderState.PENDING,
    "PAID": OrderState.PAID,
    "PARTIALLY_REFUNDED": OrderState.PAID,
    "REFUNDED": OrderState.REFUNDED,
    "VOIDED": OrderState.CANCELLED,
    "EXPIRED": OrderState.FAILED,
}
_SENT = "FULFILLED"
_TOLERANCE = Decimal("0.02")


@dataclass(frozen=True, slots=True)
class OrderFile:
    """An :class:`~adapters.contract.OrderReader` of one GraphQL answer with a merchant's options."""

    options: MappingOptions

    def __call__(self, data: bytes) -> Order:
        """See :meth:`adapters.contract.OrderReader.__call__`."""
        try:
            parsed = json.loads(data, parse_float=Decimal)
        except (UnicodeDecodeError, ValueError, RecursionError):
            raise UnreadableFile("it is no JSON", form="JSON") from None
        return map_order(_unwrapped(parsed), self.options)


def _unwrapped(parsed: Any) -> Any:
    """The order inside an answer: ``{"data": {"order": {...}}}``, or bare."""
    if isinstance(parsed, dict) and parsed.get("errors"):
        raise UnreadableOrder("the answer tells errors instead of an order", path="errors")
    for key in ("data", "order"):
        if isinstance(parsed, dict) and key in parsed:
            parsed = parsed[key]
    return parsed


def map_order(data: Any, options: MappingOptions | None = None) -> Order:
    """Map one parsed order.

    Args:
        data: what :data:`~adapters.shopify.operations.ORDER` answers under ``order``, all line items in it;
            of an edited order also all ``agreements``.
        options: a merchant's options.

    Returns:
        The neutral order. All amounts are of one currency, see
        :attr:`~adapters.shopify.mapping.options.MappingOptions.money`.

    Raises:
        UnreadableOrder: it is no order, or contradicts itself; its path names the place.
    """
    options = options or MappingOptions()
    node = Node(data)
    purse = Purse.of(node, options.money)
    edited = flag_of(node, "edited")
    lines = agreed_lines(node, purse) if edited else charged_lines(node, purse)
    if not lines:
        raise node.child("lineItems").error("the order charges nothing")
    total = _agreed_total(node, purse, lines) if edited else purse.amount(node.child("totalPriceSet"))
    financial = node.text_of("displayFinancialStatus")
    fulfillment = node.text_of("displayFulfillmentStatus")
    receipts = read_receipts(node, purse, total, paid=financial in _PAID)
    order_id = tail(node.child("id"))
    return Order(
        platform=PLATFORM,
        id=order_id,
        number=node.text_of("name") or order_id,
        status=f"{financial}/{fulfillment}".lower(),
        state=_state(node, financial, fulfillment, options),
        currency=purse.currency,
        prices_include_tax=node.child("taxesIncluded").flag(),
        lines=lines,
        total=total,
        buyer=read_buyer(node, options.tax_id_fields),
        created_at=node.child("createdAt").moment(),
        modified_at=node.child("updatedAt").moment(),
        total_tax=None if edited else _total_tax(node, purse, lines),
        rate_totals=() if edited else _rate_totals(node, purse, lines),
        coupons=_coupons(node, purse),
        payments=receipts.payments,
        recipient=read_recipient(node),
        wants_invoice=wants_invoice(node),
        paid_at=receipts.paid_at,
        completed_at=_sent_at(node) if fulfillment == _SENT else None,
        refunds=_refund_refs(node, purse),
        customer_note=node.text_of("note"),
        extra=_extra(node, purse),
        **_other_currency(node, options.money),
    )


def _state(node: Node, financial: str, fulfillment: str, options: MappingOptions) -> OrderState:
    """Cancelled, then money, then goods; what is not known stays pending."""
    if node.maybe("cancelledAt") is not None:
        return OrderState.CANCELLED
    if flag_of(node, "test") and not options.test_orders:
        return OrderState.PENDING
    state = _FINANCIAL.get(financial, OrderState.PENDING)
    sent = fulfillment == _SENT and state in {OrderState.PAID, OrderState.PENDING}
    return OrderState.COMPLETED if sent else state


def _sent_at(node: Node) -> datetime | None:
    """When the last parcel of a fulfilled order was sent."""
    moments = [
        item.child("createdAt").moment()
        for item in node.items("fulfillments")
        if item.text_of("status") == "SUCCESS"
    ]
    return max(moments, default=None)


def _agreed_total(node: Node, purse: Purse, lines: tuple[OrderLine, ...]) -> Decimal:
    """The total of an edited order: its ledger's, which the order confirms unless money was given back."""
    total = sum((line.gross for line in lines), ZERO)
    current = purse.amount(node.child("currentTotalPriceSet"))
    if not list(node.items("refunds")) and abs(current - total) > _TOLERANCE:
        raise node.child("currentTotalPriceSet").error(f"{current} is not what was agreed on: {total}")
    return total


def _has_other_taxes(lines: tuple[OrderLine, ...]) -> bool:
    """Whether taxes are charged that the order's own sums may leave out, or that others pay."""
    return any(
        share.tax
        and (share.rate is None or line.kind not in {LineKind.PRODUCT, LineKind.SHIPPING, LineKind.TIP})
        for line in lines
        for share in line.shares
    )


def _total_tax(node: Node, purse: Purse, lines: tuple[OrderLine, ...]) -> Decimal | None:
    bag = node.maybe("totalTaxSet")
    return None if bag is None or _has_other_taxes(lines) else purse.amount(bag)


def _rate_totals(node: Node, purse: Purse, lines: tuple[OrderLine, ...]) -> tuple[RateTotal, ...]:
    """The order's own tax per percentage."""
    if _has_other_taxes(lines):
        return ()
    totals: dict[Decimal, Decimal] = {}
    for tax in read_taxes(node, purse):
        totals[tax.rate] = totals.get(tax.rate, ZERO) + tax.amount
    return tuple(RateTotal(rate, amount) for rate, amount in totals.items())


def _coupons(node: Node, purse: Purse) -> tuple[Coupon, ...]:
    """Information only: allocations are inside the lines. Net shops do not tell a gross effect."""
    included = node.child("taxesIncluded").flag()
    effects: dict[str, Decimal] = {}
    charges = [*nodes(node, "lineItems"), *nodes(node, "shippingLines")]
    for allocation in (one for charge in charges for one in charge.items("discountAllocations")):
        index = str(allocation.child("discountApplication").child("index").value)
        effects[index] = effects.get(index, ZERO) + purse.amount(allocation.child("allocatedAmountSet"))
    coupons = []
    for item in nodes(node, "discountApplications"):
        name = item.text_of("code") or item.name_of("title")
        amount = effects.get(str(item.child("index").value))
        if name:
            coupons.append(Coupon(name, amount if included else None))
    return tuple(coupons)


def _refund_refs(node: Node, purse: Purse) -> tuple[RefundRef, ...]:
    """Refunds by which money really went back; pending and failed ones count when they succeed."""
    found = []
    for item in node.items("refunds"):
        amount, _ = money_back(purse, nodes(item, "transactions"))
        if amount:
            found.append(RefundRef(tail(item.child("id")), amount, item.text_of("note")))
    return tuple(found)


def _other_currency(node: Node, kind: MoneyKind) -> dict[str, Any]:
    """The shop's own currency beside the one that the buyer paid in."""
    own = Purse.of(node, MoneyKind.SHOP)
    if kind is MoneyKind.SHOP or own.currency == node.text_of("presentmentCurrencyCode"):
        return {}
    return {"shop_currency": own.currency, "shop_total": own.amount(node.child("totalPriceSet"))}


def _extra(node: Node, purse: Purse) -> dict[str, str]:
    """Details for a person who looks at the order; never an address that opens the buyer's page."""
    rounding = node.maybe("totalCashRoundingAdjustment")
    rounded = purse.of_member(rounding, "paymentSet") if rounding is not None else ZERO
    titles = [
        item.name_of("title") for item in nodes(node, "shippingLines") if not flag_of(item, "isRemoved")
    ]
    extra = {
        "source": node.text_of("sourceName"),
        "po_number": node.text_of("poNumber"),
        "shipping_method": ", ".join(title for title in titles if title),
        "test": "yes" if flag_of(node, "test") else "",
        "edited": "yes" if flag_of(node, "edited") else "",
        "cash_rounding": str(rounded) if rounded else "",
    }
    return {key: value for key, value in extra.items() if value}
