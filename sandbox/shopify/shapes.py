"""Invented orders and refunds in the shape of the Admin API's types, for generators and tests.

Nothing here decides what an order means; amounts are what the caller says. Connections are written as
``{"nodes": [...]}``; the sandbox pages them, and a whole one reads like an answer.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

Json = dict[str, Any]

MOMENT = "2026-11-24T09:30:00Z"
CONNECTIONS = ("lineItems", "shippingLines", "discountApplications", "metafields", "agreements")


def money(amount: str | Decimal, currency: str = "PLN", shop: str | Decimal = "", code: str = "") -> Json:
    """A ``MoneyBag``: what the buyer sees, and the shop's own amount when it differs."""
    seen = {"amount": str(amount), "currencyCode": currency}
    own = {"amount": str(shop or amount), "currencyCode": code or currency}
    return {"presentmentMoney": seen, "shopMoney": own}


def connection(items: Iterable[Any] = ()) -> Json:
    """A whole connection."""
    return {"nodes": list(items)}


def tax(
    rate: str, amount: str | Decimal, *, channel_liable: bool = False, bag: Mapping[str, str] | None = None
) -> Json:
    """A ``TaxLine``; the rate is a percentage."""
    return {
        "title": "VAT",
        "rate": float(Decimal(rate) / 100),
        "ratePercentage": float(rate),
        "channelLiable": channel_liable,
        "source": "Shopify",
        "priceSet": money(amount, **(bag or {})),
    }


def discount(amount: str | Decimal, index: int = 0, bag: Mapping[str, str] | None = None) -> Json:
    """A ``DiscountAllocation``."""
    return {
        "allocatedAmountSet": money(amount, **(bag or {})),
        "discountApplication": {"__typename": "DiscountCodeApplication", "index": index},
    }


def line(number: int, amount: str | Decimal, *taxes: Json, quantity: int = 1, **changes: Any) -> Json:
    """A ``LineItem``; the amount is ``originalTotalSet``."""
    bag = changes.pop("bag", {})
    return {
        "id": f"gid://shopify/LineItem/{number}",
        "name": f"Towar {number}",
        "sku": f"T-{number}",
        "quantity": quantity,
        "currentQuantity": quantity,
        "isGiftCard": False,
        "requiresShipping": True,
        "taxable": bool(taxes),
        "originalTotalSet": money(amount, **bag),
        "discountAllocations": [],
        "taxLines": list(taxes),
        "duties": [],
    } | changes


def shipping(number: int, amount: str | Decimal, *taxes: Json, **changes: Any) -> Json:
    """A ``ShippingLine``."""
    bag = changes.pop("bag", {})
    return {
        "id": f"gid://shopify/ShippingLine/{number}",
        "title": "Kurier",
        "isRemoved": False,
        "originalPriceSet": money(amount, **bag),
        "taxLines": list(taxes),
        "discountAllocations": [],
    } | changes


def transaction(
    number: int,
    amount: str | Decimal,
    kind: str = "SALE",
    status: str = "SUCCESS",
    gateway: str = "shopify_payments",
    **changes: Any,
) -> Json:
    """An ``OrderTransaction``."""
    bag = changes.pop("bag", {})
    return {
        "id": f"gid://shopify/OrderTransaction/{number}",
        "kind": kind,
        "status": status,
        "gateway": gateway,
        "formattedGateway": gateway.replace("_", " ").capitalize(),
        "processedAt": MOMENT,
        "paymentId": f"p{number}",
        "amountSet": money(amount, **bag),
    } | changes


def address(**changes: Any) -> Json:
    """A ``MailingAddress``."""
    return {
        "firstName": "Test",
        "lastName": "Testowy",
        "company": None,
        "address1": "ul. Prosta 1",
        "address2": None,
        "zip": "00-838",
        "city": "Warszawa",
        "provinceCode": None,
        "countryCodeV2": "PL",
    } | changes


def order(
    number: int, lines: Iterable[Json], total: str | Decimal, total_tax: str | Decimal, **changes: Any
) -> Json:
    """An ``Order`` that was placed and paid, with a Polish consumer.

    Args:
        number: its legacy id; its name is ``#number``.
        lines: see :func:`line`.
        total: ``totalPriceSet``.
        total_tax: ``totalTaxSet``.
        changes: fields that differ; ``bag`` holds the arguments of :func:`money` for the sums.
    """
    bag = changes.pop("bag", {})
    base: Json = {
        "__typename": "Order",
        "id": f"gid://shopify/Order/{number}",
        "legacyResourceId": str(number),
        "name": f"#{number}",
        "createdAt": MOMENT,
        "processedAt": MOMENT,
        "updatedAt": MOMENT,
        "cancelledAt": None,
        "test": False,
        "edited": False,
        "displayFinancialStatus": "PAID",
        "displayFulfillmentStatus": "UNFULFILLED",
        "currencyCode": bag.get("code") or bag.get("currency", "PLN"),
        "presentmentCurrencyCode": bag.get("currency", "PLN"),
        "taxesIncluded": True,
        "taxExempt": False,
        "dutiesIncluded": False,
        "email": "kupujacy@example.com",
        "phone": None,
        "customerLocale": "pl-PL",
        "note": None,
        "poNumber": None,
        "sourceName": "web",
        "tags": [],
        "paymentGatewayNames": ["shopify_payments"],
        "customAttributes": [],
        "billingAddress": address(),
        "shippingAddress": address(),
        "customer": None,
        "purchasingEntity": None,
        "metafields": connection(),
        "totalPriceSet": money(total, **bag),
        "currentTotalPriceSet": money(total, **bag),
        "totalTaxSet": money(total_tax, **bag),
        "totalTipReceivedSet": money("0.00", **bag),
        "totalCashRoundingAdjustment": {
            "paymentSet": money("0.00", **bag),
            "refundSet": money("0.00", **bag),
        },
        "taxLines": [],
        "additionalFees": [],
        "shippingLines": connection(),
        "discountApplications": connection(),
        "transactions": [transaction(number * 10, total, bag=bag)],
        "fulfillments": [],
        "refunds": [],
        "lineItems": connection(lines),
        "agreements": connection(),
    }
    whole = base | changes
    for key in CONNECTIONS:
        if isinstance(whole[key], list):
            whole[key] = connection(whole[key])
    return copy.deepcopy(whole)


def refund_line(item: Json, quantity: int, subtotal: str | Decimal, taxed: str | Decimal, **bag: str) -> Json:
    """A ``RefundLineItem`` of a line; the subtotal is with tax where the order's prices are."""
    return {
        "id": f"gid://shopify/RefundLineItem/{item['id'].rsplit('/', 1)[-1]}",
        "quantity": quantity,
        "restockType": "RETURN",
        "subtotalSet": money(subtotal, **bag),
        "totalTaxSet": money(taxed, **bag),
        "lineItem": item,
    }


def refund_shipping(item: Json, subtotal: str | Decimal, taxed: str | Decimal, **bag: str) -> Json:
    """A ``RefundShippingLine``."""
    return {
        "id": f"gid://shopify/RefundShippingLine/{item['id'].rsplit('/', 1)[-1]}",
        "subtotalAmountSet": money(subtotal, **bag),
        "taxAmountSet": money(taxed, **bag),
        "shippingLine": item,
    }


def adjustment(
    number: int, amount: str | Decimal, reason: str, taxed: str = "0.00", bag: Mapping[str, str] | None = None
) -> Json:
    """An ``OrderAdjustment``."""
    currencies = {key: value for key, value in (bag or {}).items() if key != "shop"}
    return {
        "id": f"gid://shopify/OrderAdjustment/{number}",
        "reason": reason,
        "amountSet": money(amount, **(bag or {})),
        "taxAmountSet": money(taxed, **currencies),
    }


def refund(number: int, amount: str | Decimal, lines: Iterable[Json] = (), **changes: Any) -> Json:
    """A ``Refund`` whose money went back.

    Args:
        number: its legacy id.
        amount: of its only transaction; an empty text makes none.
        lines: see :func:`refund_line`.
        changes: fields that differ; ``bag`` as in :func:`order`.
    """
    bag = changes.pop("bag", {})
    status = changes.pop("status", "SUCCESS")
    made = [transaction(number * 10 + 1, amount, "REFUND", status, bag=bag)] if amount else []
    base: Json = {
        "__typename": "Refund",
        "id": f"gid://shopify/Refund/{number}",
        "legacyResourceId": str(number),
        "createdAt": "2026-11-25T10:00:00Z",
        "processedAt": "2026-11-25T10:00:00Z",
        "updatedAt": "2026-11-25T10:00:00Z",
        "note": None,
        "totalRefundedSet": money(amount or "0.00", **bag),
        "refundLineItems": connection(lines),
        "refundShippingLines": connection(),
        "orderAdjustments": connection(),
        "duties": [],
        "transactions": connection(made),
    }
    whole = base | changes
    for key in ("refundShippingLines", "orderAdjustments", "transactions"):
        if isinstance(whole[key], list):
            whole[key] = connection(whole[key])
    return copy.deepcopy(whole)


def sale(line_type: str, action: str, gross: str, taxed: str, *taxes: Json, **changes: Any) -> Json:
    """A ``Sale`` of the ledger; its taxes are tax lines whose amounts the sale bears."""
    kinds = {
        "PRODUCT": "ProductSale",
        "GIFT_CARD": "GiftCardSale",
        "TIP": "TipSale",
        "SHIPPING": "ShippingLineSale",
        "DUTY": "DutySale",
        "ADDITIONAL_FEE": "AdditionalFeeSale",
        "ADJUSTMENT": "AdjustmentSale",
    }
    return {
        "__typename": kinds[line_type],
        "id": changes.pop("id", "gid://shopify/Sale/1"),
        "actionType": action,
        "lineType": line_type,
        "quantity": 1,
        "totalAmount": money(gross),
        "totalTaxAmount": money(taxed),
        "taxes": [
            {"id": "gid://shopify/SaleTax/1", "amount": one["priceSet"], "taxLine": one} for one in taxes
        ],
    } | changes


def agreement(number: int, reason: str, *sales: Json) -> Json:
    """A ``SalesAgreement``."""
    kinds = {
        "ORDER": "OrderAgreement",
        "ORDER_EDIT": "OrderEditAgreement",
        "REFUND": "RefundAgreement",
        "RETURN": "ReturnAgreement",
    }
    return {
        "__typename": kinds[reason],
        "id": f"gid://shopify/SalesAgreement/{number}",
        "happenedAt": MOMENT,
        "reason": reason,
        "sales": connection(sales),
    }
