"""Refunds: money that really went back, for what, at which rate."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest

from adapters.contract import UnreadableOrder
from adapters.shopify import MappingOptions, MoneyKind, map_order, map_refund
from core.orders import LineKind, Order, Refund
from sandbox.shopify import shapes
from sandbox.shopify.shapes import Json, adjustment, line, money, order, refund, refund_line, shipping, tax

ITEM = line(1, "246.00", tax("23", "46.00"), quantity=2)
BOOK = line(2, "105.00", tax("5", "5.00"))
PARCEL = shipping(3, "12.30", tax("23", "2.30"))
DUTY = {"id": "gid://shopify/Duty/6", "price": money("24.60"), "taxLines": [tax("23", "4.60")]}


def the_order(**changes: Any) -> Order:
    lines = [ITEM | {"duties": [DUTY]}, BOOK]
    return map_order(order(1, lines, "387.90", "57.90", shippingLines=[PARCEL], **changes))


def mapped(data: Json, **options: Any) -> Refund:
    return map_refund(data, the_order(), **options)


def shown(found: Refund) -> list[tuple[LineKind, str, D, D | None, D, D]]:
    return [(one.kind, one.id, one.quantity, one.shares[0].rate, one.net, one.tax) for one in found.lines]


def test_one_unit() -> None:
    found = mapped(refund(9, "123.00", [refund_line(ITEM, 1, "123.00", "23.00")], note="Zwrot"))
    assert (found.id, found.order_id, found.amount, found.currency) == ("9", "1", D("123.00"), "PLN")
    assert (found.reason, found.platform) == ("Zwrot", "shopify")
    assert shown(found) == [(LineKind.PRODUCT, "1", D(1), D(23), D("100.00"), D("23.00"))]
    assert found.created_at == found.modified_at


def test_net_prices() -> None:
    """Where prices are net, the subtotal is net too."""
    sold = map_order(
        order(1, [line(1, "100.00", tax("23", "23.00"))], "123.00", "23.00", taxesIncluded=False)
    )
    found = map_refund(refund(9, "123.00", [refund_line(ITEM, 1, "100.00", "23.00")]), sold)
    assert (found.lines[0].net, found.lines[0].gross) == (D("100.00"), D("123.00"))


def test_delivery_alone() -> None:
    back = shapes.refund_shipping(PARCEL, "12.30", "2.30")
    found = mapped(refund(9, "12.30", refundShippingLines=[back]))
    assert shown(found) == [(LineKind.SHIPPING, "3", D(1), D(23), D("10.00"), D("2.30"))]


def test_delivery_without_an_id_is_the_only_one() -> None:
    back = shapes.refund_shipping(PARCEL, "12.30", "2.30")
    back["shippingLine"] = PARCEL | {"id": None}
    assert mapped(refund(9, "12.30", refundShippingLines=[back])).lines[0].id == "3"


def test_amount_only() -> None:
    """An adjustment and a transaction: no split by rate is known."""
    found = mapped(refund(9, "20.00", orderAdjustments=[adjustment(1, "-20.00", "REFUND_DISCREPANCY")]))
    assert found.is_amount_only
    assert found.amount == D("20.00")


@pytest.mark.parametrize("sign", ["", "-"])
def test_goods_back_without_money(sign: str) -> None:
    """A balancing adjustment keeps all of it, whatever its sign."""
    kept = adjustment(1, f"{sign}123.00", "FULL_RETURN_BALANCING_ADJUSTMENT")
    found = mapped(refund(9, "", [refund_line(ITEM, 1, "123.00", "23.00")], orderAdjustments=[kept]))
    assert found.amount == 0
    assert found.lines[0].quantity == 1


def test_unpaid_order_is_lowered() -> None:
    """Goods taken off an order that nobody paid yet lower the claim, though no money moves."""
    data = refund(9, "", [refund_line(ITEM, 1, "123.00", "23.00")])
    unpaid = the_order(displayFinancialStatus="PENDING", transactions=[])
    assert map_refund(data, unpaid).amount == D("123.00")
    assert map_refund(data, unpaid, edited=True).amount == 0
    assert mapped(data).amount == 0


@pytest.mark.parametrize(
    ("transactions", "amount"),
    [
        ([("REFUND", "SUCCESS", "100.00"), ("REFUND", "PENDING", "23.00")], "100.00"),
        ([("REFUND", "FAILURE", "123.00")], "0.00"),
        ([("REFUND", "PENDING", "123.00")], "0.00"),
        ([("REFUND", "SUCCESS", "100.00"), ("REFUND", "SUCCESS", "23.00")], "123.00"),
        ([("REFUND", "ERROR", "123.00"), ("REFUND", "SUCCESS", "123.00")], "123.00"),
        ([("VOID", "SUCCESS", "123.00")], "0.00"),
    ],
)
def test_status_of_money(transactions: list[tuple[str, str, str]], amount: str) -> None:
    """Only successful transactions gave money back."""
    rows = [
        shapes.transaction(index, value, kind, status)
        for index, (kind, status, value) in enumerate(transactions)
    ]
    data = refund(9, "", [refund_line(ITEM, 1, "123.00", "23.00")], transactions=rows)
    assert mapped(data).amount == D(amount)


def test_duties() -> None:
    """Only a sum comes back; its tax is as it was charged."""
    back = {"amountSet": money("12.30"), "originalDuty": {"id": DUTY["id"]}}
    found = mapped(refund(9, "12.30", duties=[back]))
    assert shown(found) == [(LineKind.DUTY, "6", D(1), D(23), D("10.00"), D("2.30"))]
    unknown = mapped(refund(9, "5.00", duties=[{"amountSet": money("5.00"), "originalDuty": None}]))
    assert unknown.lines[0].shares[0].rate is None


def test_less_money_than_goods() -> None:
    """A fee that the merchant kept: lines and amount differ, which the rules for corrections see."""
    kept = adjustment(1, "23.00", "REFUND_DISCREPANCY")
    found = mapped(refund(9, "100.00", [refund_line(ITEM, 1, "123.00", "23.00")], orderAdjustments=[kept]))
    assert (found.amount, sum(one.gross for one in found.lines)) == (D("100.00"), D("123.00"))


def test_line_that_the_order_does_not_have() -> None:
    other = line(99, "50.00", tax("8", "3.70"))
    found = mapped(refund(9, "50.00", [refund_line(other, 1, "50.00", "3.70")]))
    assert shown(found) == [(LineKind.PRODUCT, "99", D(1), D(8), D("46.30"), D("3.70"))]


def test_currencies() -> None:
    bag = {"currency": "EUR", "code": "PLN", "shop": "522.75"}
    taxed = {"currency": "EUR", "code": "PLN", "shop": "97.75"}
    item = line(1, "123.00", tax("23", "23.00", bag=taxed), bag=bag)
    data = order(1, [item], "123.00", "23.00", bag=bag)
    data["totalTaxSet"] = money("23.00", **taxed)
    row = refund_line(item, 1, "123.00", "23.00", **bag)
    row["totalTaxSet"] = money("23.00", **taxed)
    back = refund(9, "123.00", [row], bag=bag)
    assert map_refund(back, map_order(data)).amount == D("123.00")
    options = MappingOptions(money=MoneyKind.SHOP)
    own = map_refund(back, map_order(data, options), options)
    assert (own.amount, own.currency, own.lines[0].net) == (D("522.75"), "PLN", D("425.00"))


@pytest.mark.parametrize(
    "data",
    [
        refund(9, "1.00") | {"order": {"id": "gid://shopify/Order/2"}},
        refund(9, "1.00") | {"id": None},
        refund(9, "1.00", [refund_line(ITEM, -1, "1.00", "0.00")]),
        refund(9, "1.00", [refund_line(ITEM, 1, "1.00", "2.00")]),
        refund(9, "1.00") | {"refundLineItems": {"nodes": [], "pageInfo": {"hasNextPage": True}}},
        "refund",
    ],
)
def test_unreadable(data: Any) -> None:
    with pytest.raises(UnreadableOrder):
        mapped(data)
