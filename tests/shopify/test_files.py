"""Order files, and values that no shop should send."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.contract import UnreadableFile, UnreadableOrder
from adapters.registry import order_reader
from adapters.shopify import map_order, map_refund
from core.orders import Order
from sandbox.shopify import shop_of
from sandbox.shopify.shapes import line, order, tax

ORDER = order(15, [line(1, "123.00", tax("23", "23.00"))], "123.00", "23.00")


@pytest.mark.parametrize("wrapped", [ORDER, {"order": ORDER}, {"data": {"order": ORDER}, "extensions": {}}])
def test_an_answer_is_a_file(wrapped: Any) -> None:
    found = order_reader("shopify")(json.dumps(wrapped).encode())
    assert (found.platform, found.id, str(found.total)) == ("shopify", "15", "123.00")


def test_options_hold_for_files() -> None:
    reader = order_reader("shopify", {"tax_id_fields": "Numer"})
    data = ORDER | {"customAttributes": [{"key": "Numer", "value": "5260250274"}]}
    assert [one.value for one in reader(json.dumps(data).encode()).buyer.tax_ids] == ["5260250274"]


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"<html>", b'{"order": ', b"[" * 100_000])
def test_no_json(data: bytes) -> None:
    with pytest.raises(UnreadableFile) as caught:
        order_reader("shopify")(data)
    assert caught.value.form == "JSON"


@pytest.mark.parametrize(
    "data",
    [
        b"[]",
        b"1",
        b"null",
        b"{}",
        b'{"data": null}',
        b'{"data": {"order": null}}',
        b'{"errors": [{"message": "x"}]}',
    ],
)
def test_no_order(data: bytes) -> None:
    with pytest.raises(UnreadableOrder):
        order_reader("shopify")(data)


ORDERS = [one for one in shop_of(3, 40) if one["refunds"]][:6]


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of every value inside."""
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += _places(inner, (*path, key))
    return found


PLACES = [(index, place) for index, one in enumerate(ORDERS) for place in _places(one)]
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**15), 10**15),
    st.floats(allow_nan=True),
    st.text(max_size=8),
    st.sampled_from(
        ["", "0", "-1", "1e9", "NaN", "999999999999999", "0.005", "PL", "EUR", "gid://shopify/X/1"]
    ),
    st.just([]),
    st.just({}),
)


def _sane(found: Order) -> None:
    assert found.lines
    for one in found.lines:
        assert one.quantity > 0
        assert min(one.net, one.tax) >= 0
        assert one.net.is_finite()
    assert found.modified_at.tzinfo is not None


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(PLACES), JUNK), min_size=1, max_size=2))
def test_broken_values(changes: list[tuple[tuple[int, tuple[Any, ...]], Any]]) -> None:
    """An order with one or two broken values maps to sane ones or is unreadable, whatever was done to it."""
    index = changes[0][0][0]
    data = copy.deepcopy(ORDERS[index])
    for (_, place), junk in changes:
        owner: Any = data
        try:
            for key in place[:-1]:
                owner = owner[key]
            owner[place[-1]] = junk
        except (KeyError, IndexError, TypeError):
            continue
    try:
        found = map_order(data)
        refunds = [map_refund(one, found) for one in data["refunds"] or []]
    except UnreadableOrder:
        return
    _sane(found)
    assert all(one.amount >= 0 for one in refunds)
