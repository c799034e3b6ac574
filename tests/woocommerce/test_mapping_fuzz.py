"""Broken input never surfaces as anything but UnreadableOrder."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.contract import UnreadableOrder
from adapters.woocommerce import map_order, map_refund
from core.orders import Order

DATA = Path(__file__).resolve().parent.parent / "data" / "woocommerce"


def _read(name: str) -> Any:
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))


ORDERS = [
    _read(name)
    for name in ("order_full", "order_blocks_checkout_with_nip", "order_after_refunds", "order_dp6")
]
REFUNDS = [_read(name) for name in ("refund_full_by_lines", "refund_shipping_only", "refund_amount_only")]

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.text(max_size=20),
    st.sampled_from(
        [
            "",
            "NaN",
            "-0.00",
            "-1.00",
            "1e9",
            "999999999999999.99",
            "0.000000000001",
            "٣.00",
            "\x00",
            "9999-12-31T23:59:59+14:00",
            "0001-01-01T00:00:00+14:00",
            [],
            {},
            [None],
            [[]],
            {"id": 1},
            10**400,
        ]
    ),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=3),
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in pairs:
        found += _places(child, (*path, key))
    return found


@st.composite
def broken(draw: st.DrawFn, originals: list[Any]) -> Any:
    """A recording with one to three members replaced, dropped or doubled."""
    data = copy.deepcopy(draw(st.sampled_from(originals)))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(_places(data)))
        target = data
        for key in path[:-1]:
            target = target[key]
        action = draw(st.sampled_from(("replace", "drop", "double")))
        if action == "drop":
            del target[path[-1]]
        elif action == "double" and isinstance(target, list):
            target.append(copy.deepcopy(target[path[-1]]))
        else:
            target[path[-1]] = copy.deepcopy(draw(JUNK))
        if not _places(data):
            break
    return data


def _check_sane(order: Order) -> None:
    amounts = [order.total, *(total.tax for total in order.rate_totals)]
    for line in order.lines:
        amounts += [line.net, line.tax]
        assert line.quantity > 0
        assert all(share.rate is None or 0 <= share.rate <= 100 for share in line.shares)
    assert all(isinstance(amount, Decimal) and amount.is_finite() for amount in amounts)
    assert all(amount == amount.quantize(Decimal("0.01")) for amount in amounts)
    assert order.modified_at.tzinfo is not None
    order.customer_note.encode("utf-8")


@settings(max_examples=400, deadline=None)
@given(broken(ORDERS))
def test_broken_orders(data: Any) -> None:
    """A mutated order either maps to sane values or is unreadable, whatever was done to it."""
    try:
        order = map_order(data)
    except UnreadableOrder:
        return
    _check_sane(order)


@settings(max_examples=200, deadline=None)
@given(broken(REFUNDS))
def test_broken_refunds(data: Any) -> None:
    """A mutated refund either maps or is unreadable."""
    order = map_order(_read("order_full"))
    try:
        refund = map_refund(data, order)
    except UnreadableOrder:
        return
    assert refund.amount >= 0


@settings(max_examples=200, deadline=None)
@given(JUNK)
def test_junk(data: Any) -> None:
    """Any JSON value that is no order says so."""
    try:
        map_order(data)
    except UnreadableOrder:
        return
    raise AssertionError("junk was taken for an order")
