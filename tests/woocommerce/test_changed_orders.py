"""Changed orders are listed to the end, oldest change first, whatever happens meanwhile."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adapters.contract import ShopUnavailable, UnreadableOrder
from core.orders import Order
from sandbox.woocommerce import WooSandbox
from tests.woocommerce.servers import Clock, Connect

START = datetime(2026, 11, 1, 8, 0, 0, tzinfo=UTC)


def many(
    template: dict[str, Any], count: int, step: timedelta = timedelta(seconds=1)
) -> list[dict[str, Any]]:
    """Orders that differ in number and in the moment of their last change."""
    orders: list[dict[str, Any]] = []
    for index in range(count):
        moment = (START + index * step).replace(tzinfo=None).isoformat()
        order = copy.deepcopy(template)
        order |= {
            "id": index + 1,
            "number": str(index + 1),
            "date_modified": moment,
            "date_modified_gmt": moment,
        }
        orders.append(order)
    return orders


def ids(found: Iterator[Order | UnreadableOrder]) -> list[int]:
    return [int(order.id) for order in found if isinstance(order, Order)]


@pytest.fixture
def template(recording: Callable[[str], Any]) -> dict[str, Any]:
    """One recorded order to make many of."""
    data: dict[str, Any] = recording("order_eur_no_matching_rate")
    return data


def test_all_pages(template: dict[str, Any], connected: Connect, clock: Clock) -> None:
    """250 orders come once each, oldest change first."""
    with WooSandbox(many(template, 250), clock=clock) as shop:
        assert ids(connected(shop).changed_orders(None)) == list(range(1, 251))


def test_since_is_inclusive(template: dict[str, Any], connected: Connect, clock: Clock) -> None:
    """An order that changed in the very second of the mark is listed, an earlier one is not."""
    with WooSandbox(many(template, 10), clock=clock) as shop:
        adapter = connected(shop)
        assert ids(adapter.changed_orders(START + timedelta(seconds=4))) == [5, 6, 7, 8, 9, 10]
        assert ids(adapter.changed_orders(START + timedelta(days=1))) == []


def test_shop_in_another_zone(template: dict[str, Any], connected: Connect, clock: Clock) -> None:
    """The mark is compared in GMT, not in the shop's local time."""
    with WooSandbox(many(template, 10), clock=clock, zone=ZoneInfo("Europe/Warsaw")) as shop:
        assert ids(connected(shop).changed_orders(START + timedelta(seconds=8))) == [9, 10]


def test_bulk_edit_in_one_second(template: dict[str, Any], connected: Connect, clock: Clock) -> None:
    """230 orders that changed in the same second come once each."""
    with WooSandbox(many(template, 230, timedelta(0)), clock=clock) as shop:
        assert sorted(ids(connected(shop).changed_orders(START))) == list(range(1, 231))


@pytest.mark.parametrize("step", [timedelta(seconds=1), timedelta(0)])
def test_changes_while_reading(
    template: dict[str, Any], connected: Connect, clock: Clock, step: timedelta
) -> None:
    """Orders that change while the list is read shift its pages, yet none is missed."""
    with WooSandbox(many(template, 230, step), clock=clock) as shop:
        found: list[int] = []
        for order in connected(shop).changed_orders(START):
            assert isinstance(order, Order)
            found.append(int(order.id))
            if len(found) == 50:
                for changed in (1, 2, 3):
                    shop.state.change(changed, customer_note="zmiana")
        assert set(found) == set(range(1, 231))
        assert all(found.count(changed) == 2 for changed in (1, 2, 3))
        assert len(found) == 233


def test_broken_order_does_not_hide_others(
    template: dict[str, Any], connected: Connect, clock: Clock
) -> None:
    """An unreadable order comes as its error with its id, between its neighbours."""
    orders = many(template, 3)
    orders[1]["line_items"][0]["total"] = "drogo"
    with WooSandbox(orders, clock=clock) as shop:
        first, broken, last = connected(shop).changed_orders(None)
    assert isinstance(broken, UnreadableOrder)
    assert broken.path == "2.line_items[0].total"
    assert [order.id for order in (first, last) if isinstance(order, Order)] == ["1", "3"]


def test_drafts_and_trash(template: dict[str, Any], connected: Connect, clock: Clock) -> None:
    """What is no order yet, or no more, is not listed."""
    orders = many(template, 5)
    orders[4] |= {"status": "pending", "line_items": [], "total": "0.00"}
    orders[0]["status"], orders[1]["status"] = "checkout-draft", "trash"
    with WooSandbox(orders, clock=clock) as shop:
        assert ids(connected(shop).changed_orders(None)) == [3, 4]


def test_failure_in_the_middle(template: dict[str, Any], connected: Connect, clock: Clock) -> None:
    """A shop that goes away in the middle is an error, never a short list."""
    with WooSandbox(many(template, 150), clock=clock) as shop:
        orders = connected(shop).changed_orders(None)
        next(orders)
        shop.fault("http_500", times=10)
        with pytest.raises(ShopUnavailable):
            list(orders)


def test_refunds_oldest_first(recording: Callable[[str], Any], connected: Connect, clock: Clock) -> None:
    """The refunds of an order come oldest first, whatever the shop's order is."""
    refunds = {15: recording("refunds_list")[::-1]}
    with WooSandbox([recording("order_after_refunds")], refunds=refunds, clock=clock) as shop:
        adapter = connected(shop)
        assert [refund.id for refund in adapter.refunds(adapter.order("15"))] == ["16", "17", "18"]


def test_many_refunds(recording: Callable[[str], Any], connected: Connect, clock: Clock) -> None:
    """More refunds than a page holds are all read."""
    refunds = [recording("refund_amount_only") | {"id": index} for index in range(1, 131)]
    with WooSandbox([recording("order_full")], refunds={15: refunds}, clock=clock) as shop:
        adapter = connected(shop)
        assert len(adapter.refunds(adapter.order("15"))) == 130
