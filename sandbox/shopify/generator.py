"""Many varied orders and refunds from a seed; sums are what Shopify would charge."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.shopify import shapes
from sandbox.shopify.state import Json

_GROSZ = Decimal("0.01")
_RATES = ("23", "23", "23", "8", "5", None)
_START = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
_EURO = Decimal("4.25")
_NIP = "5260250274"


@dataclass(slots=True)
class _Sums:
    """Running sums of an order."""

    gross: Decimal = Decimal("0.00")
    tax: Decimal = Decimal("0.00")


def shop_of(seed: int, count: int) -> list[Json]:
    """Orders with their refunds.

    Args:
        seed: the same seed gives the same orders.
        count: how many.
    """
    return list(_orders(random.Random(seed), count))  # noqa: S311 - no secret is made


def _orders(dice: random.Random, count: int) -> Iterator[Json]:
    for number in range(1, count + 1):
        yield _order(dice, 1000 + number, _START + timedelta(minutes=7 * number))


def _order(dice: random.Random, number: int, moment: datetime) -> Json:
    included = dice.random() < 0.8
    bag = {"currency": "EUR", "code": "PLN"} if dice.random() < 0.15 else {}
    sums = _Sums()
    lines = [
        _line(dice, number * 100 + index, sums, included=included, bag=bag)
        for index in range(dice.randint(1, 6))
    ]
    parcels = []
    if dice.random() < 0.7:
        price = Decimal(dice.choice(["9.99", "14.90", "19.00"]))
        taxes = _taxes(price, "23", sums, included=included, bag=bag)
        parcels.append(shapes.shipping(number, price, *taxes, bag=_bag(price, bag)))
    total = sums.gross
    stamp = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    order = shapes.order(
        number,
        lines,
        total,
        sums.tax,
        bag=_bag(total, bag),
        taxesIncluded=included,
        shippingLines=parcels,
        createdAt=stamp,
        processedAt=stamp,
        updatedAt=stamp,
        **_payment(dice, number, total, bag),
        **_buyer(dice),
    )
    order["totalTaxSet"] = shapes.money(sums.tax, **_bag(sums.tax, bag))
    if dice.random() < 0.25:
        _refund(dice, order, included=included, bag=bag)
    return order


def _bag(amount: Decimal, bag: dict[str, str]) -> dict[str, str]:
    """The arguments of a money bag: the shop's own amount is the buyer's at one rate."""
    if not bag:
        return {}
    return bag | {"shop": str((amount * _EURO).quantize(_GROSZ, ROUND_HALF_UP))}


def _line(dice: random.Random, number: int, sums: _Sums, *, included: bool, bag: dict[str, str]) -> Json:
    quantity = dice.choice([1, 1, 1, 2, 3, 10])
    before = Decimal(dice.randint(199, 29_999)) / 100 * quantity
    off = Decimal("0.00")
    if dice.random() < 0.3:
        off = (before * dice.choice([5, 10, 15]) / 100).quantize(_GROSZ, ROUND_HALF_UP)
    rate = dice.choice(_RATES)
    taxes = _taxes(before - off, rate, sums, included=included, bag=bag)
    return shapes.line(
        number,
        before,
        *taxes,
        quantity=quantity,
        bag=_bag(before, bag),
        discountAllocations=[shapes.discount(off, bag=_bag(off, bag))] if off else [],
    )


def _taxes(
    amount: Decimal, rate: str | None, sums: _Sums, *, included: bool, bag: dict[str, str]
) -> list[Json]:
    """The tax line of an amount, which joins the sums."""
    if rate is None:
        sums.gross += amount
        return []
    percent = Decimal(rate)
    share = percent / (100 + percent) if included else percent / 100
    tax = (amount * share).quantize(_GROSZ, ROUND_HALF_UP)
    sums.gross += amount if included else amount + tax
    sums.tax += tax
    return [shapes.tax(rate, tax, bag=_bag(tax, bag))]


def _payment(dice: random.Random, number: int, total: Decimal, bag: dict[str, str]) -> dict[str, Any]:
    """Paid at once, by gift card in part, or on delivery."""
    kind = dice.random()
    if kind < 0.1:
        waits = shapes.transaction(
            number, total, status="PENDING", gateway="Cash on Delivery (COD)", bag=_bag(total, bag)
        )
        return {"transactions": [waits], "displayFinancialStatus": "PENDING"}
    card = (total / 3).quantize(_GROSZ, ROUND_HALF_UP) if kind < 0.25 else Decimal("0.00")
    paid = [shapes.transaction(number * 10, total - card, bag=_bag(total - card, bag))]
    if card:
        paid.append(shapes.transaction(number * 10 + 1, card, gateway="gift_card", bag=_bag(card, bag)))
    sent = dice.random() < 0.5
    return {
        "transactions": paid,
        "displayFulfillmentStatus": "FULFILLED" if sent else "UNFULFILLED",
        "fulfillments": [{"createdAt": shapes.MOMENT, "status": "SUCCESS"}] if sent else [],
    }


def _buyer(dice: random.Random) -> dict[str, Any]:
    kind = dice.random()
    company = shapes.address(company="Nabywca S.A.")
    if kind < 0.2:
        return {"customAttributes": [{"key": "NIP", "value": _NIP}], "billingAddress": company}
    if kind < 0.3:
        return {"note": f"Proszę o fakturę, NIP {_NIP}", "billingAddress": company}
    if kind < 0.4:
        location = {
            "id": "gid://shopify/CompanyLocation/7",
            "name": "Centrala",
            "taxSettings": {"taxRegistrationId": f"PL{_NIP}", "taxExempt": False},
            "billingAddress": None,
        }
        entity = {
            "__typename": "PurchasingCompany",
            "company": {"id": "gid://shopify/Company/7", "name": "Nabywca S.A.", "externalId": None},
            "location": location,
        }
        return {"purchasingEntity": entity, "billingAddress": company}
    return {}


def _refund(dice: random.Random, order: Json, *, included: bool, bag: dict[str, str]) -> None:
    """A refund of one line, of an amount, of goods without money, or one that waits."""
    number = int(order["legacyResourceId"]) * 10
    item = dice.choice(order["lineItems"]["nodes"])
    off = sum((_amount(one["allocatedAmountSet"]) for one in item["discountAllocations"]), Decimal(0))
    subtotal = _amount(item["originalTotalSet"]) - off
    taxed = sum((_amount(one["priceSet"]) for one in item["taxLines"]), Decimal("0.00"))
    gross = subtotal if included else subtotal + taxed
    row = shapes.refund_line(item, item["quantity"], subtotal, taxed, **_bag(subtotal, bag))
    row["totalTaxSet"] = shapes.money(taxed, **_bag(taxed, bag))
    kind = dice.choice(["line", "amount", "restock", "pending"])
    money = _bag(gross, bag)
    if kind == "amount":
        kept = shapes.adjustment(number, -gross, "REFUND_DISCREPANCY", bag=_bag(-gross, bag))
        made = shapes.refund(number, gross, bag=money, orderAdjustments=[kept])
    elif kind == "restock":
        kept = shapes.adjustment(number, gross, "RESTOCK", bag=money)
        made = shapes.refund(number, "", [row], bag=money, orderAdjustments=[kept])
    else:
        status = "PENDING" if kind == "pending" else "SUCCESS"
        made = shapes.refund(number, gross, [row], bag=money, status=status)
    order["refunds"] = [made]
    if kind in {"line", "amount"} and order["displayFinancialStatus"] == "PAID":
        order["displayFinancialStatus"] = "PARTIALLY_REFUNDED"


def _amount(bag: Json) -> Decimal:
    return Decimal(bag["presentmentMoney"]["amount"])
