"""Recorded refunds become the neutral form."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from adapters.contract import UnreadableOrder
from adapters.woocommerce import map_order, map_refund
from core.orders import LineKind, TaxShare

Recording = Callable[[str], Any]


def share(rate: str, net: str, tax: str, tax_class: str = "") -> TaxShare:
    return TaxShare(Decimal(rate), Decimal(net), Decimal(tax), tax_class, "PL")


def test_one_piece_back(recording: Recording) -> None:
    """A refunded piece refers to the order's line, with positive quantity and amounts."""
    order = map_order(recording("order_after_refunds"))
    refund = map_refund(recording("refund_partial_line_created"), order)
    assert (refund.id, refund.order_id, refund.currency) == ("16", "15", "PLN")
    assert (refund.amount, refund.reason) == (Decimal("43.62"), "Zwrot 1 szt.")
    assert refund.created_at == datetime(2026, 11, 24, 3, 51, 46, tzinfo=UTC)
    (line,) = refund.lines
    assert (line.id, line.kind, line.quantity) == ("1", LineKind.PRODUCT, Decimal(1))
    assert line.shares == (share("23", "35.46", "8.16"),)
    assert not refund.is_amount_only


def test_delivery_only(recording: Recording) -> None:
    """The money back may differ from the lines by a grosz; both are kept as the shop says."""
    order = map_order(recording("order_after_refunds"))
    refund = map_refund(recording("refund_shipping_only"), order)
    assert refund.amount == Decimal("19.00")
    assert [(line.id, line.kind, line.gross) for line in refund.lines] == [
        ("4", LineKind.SHIPPING, Decimal("18.99"))
    ]


@pytest.mark.parametrize(
    ("name", "order", "amount"),
    [
        ("refund_amount_only", "order_after_refunds", "10.00"),
        ("refund_full_by_amount", "order_full_refunded_by_amount", "124.62"),
    ],
)
def test_amount_only(recording: Recording, name: str, order: str, amount: str) -> None:
    """A refund of an amount has no lines, so nobody can mistake it for a split by rate."""
    refund = map_refund(recording(name), map_order(recording(order)))
    assert refund.is_amount_only
    assert refund.amount == Decimal(amount)


def test_whole_order_by_lines(recording: Recording) -> None:
    """A whole refund by lines gives back exactly what the order charged, line by line."""
    order = map_order(recording("order_full_refunded_by_lines"))
    refund = map_refund(recording("refund_full_by_lines"), order)
    assert [(line.id, line.quantity, line.shares) for line in refund.lines] == [
        (line.id, line.quantity, line.shares) for line in order.lines
    ]
    assert refund.amount == order.total


def test_lists(recording: Recording) -> None:
    """The order's list and the shop's global list of refunds map to the same refunds."""
    order = map_order(recording("order_after_refunds"))
    own = [map_refund(data, order) for data in recording("refunds_list")]
    every = [map_refund(data, order) for data in recording("refunds_global_v3")]
    assert own == every
    assert [refund.id for refund in own] == ["18", "17", "16"]


def test_discount_taken_back(recording: Recording) -> None:
    """A refunded negative fee is a negative line, split over the rates as the discount was."""
    order = map_order(recording("order_full"))
    data = recording("refund_partial_line_created")
    data["fee_lines"] = [
        {
            "id": 70,
            "name": "Rabat lojalnościowy",
            "tax_class": "",
            "total": "4.00",
            "total_tax": "0.65",
            "taxes": [],
            "meta_data": [{"id": 1, "key": "_refunded_item_id", "value": "6"}],
        }
    ]
    line = map_refund(data, order).lines[-1]
    assert (line.id, line.kind) == ("6", LineKind.FEE)
    assert set(line.shares) == {
        share("23", "-2.35", "-0.54"),
        share("8", "-1.17", "-0.09"),
        share("5", "-0.48", "-0.02"),
    }


def test_price_cut_without_units(recording: Recording) -> None:
    """Money given back for a line without a returned unit keeps quantity zero."""
    data = recording("refund_partial_line_created")
    data["line_items"][0]["quantity"] = 0
    (line,) = map_refund(data, map_order(recording("order_full"))).lines
    assert line.quantity == 0
    assert line.gross == Decimal("43.62")


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"amount": "-1.00"}, "amount"),
        ({"amount": None}, "amount"),
        ({"parent_id": 99}, "parent_id"),
        ({"line_items": [{"id": 1}]}, "line_items[0]"),
        ({"tax_lines": []}, "line_items[0].taxes[0].id"),
        ({"date_created_gmt": ""}, "date_created_gmt"),
    ],
)
def test_malformed(recording: Recording, change: dict[str, Any], path: str) -> None:
    """A refund that contradicts its contract is refused with a path."""
    order = map_order(recording("order_full"))
    with pytest.raises(UnreadableOrder) as caught:
        map_refund(recording("refund_partial_line_created") | change, order)
    assert caught.value.path == path
