"""Refunds by their own clock, whatever the orders say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.contract import RefundChange, ShopUnavailable
from adapters.woocommerce.changes import changed_refunds
from sandbox.woocommerce import WooSandbox
from tests.woocommerce.servers import Clock, Connect, client_of, json_reply, serving

START = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)


def many(template: dict[str, Any], count: int) -> list[dict[str, Any]]:
    return [
        template | {"id": n, "date_created_gmt": f"{START + timedelta(seconds=n):%Y-%m-%dT%H:%M:%S}"}
        for n in range(1, count + 1)
    ]


@pytest.fixture
def template(recording: Callable[[str], Any]) -> dict[str, Any]:
    """One recorded refund to make many of."""
    data: dict[str, Any] = recording("refund_amount_only")
    return data


def test_paged_to_the_end_oldest_first(
    template: dict[str, Any], recording: Callable[[str], Any], connected: Connect, clock: Clock
) -> None:
    """250 refunds of one order come once each with the order's id, oldest first."""
    refunds = {15: many(template, 250)}
    with WooSandbox([recording("order_full")], refunds=refunds, clock=clock) as shop:
        found = list(connected(shop).changed_refunds(None))
    assert [change.refund_id for change in found] == [str(n) for n in range(1, 251)]
    assert found[0] == RefundChange("15", "1", START + timedelta(seconds=1))


def test_since_is_inclusive(
    template: dict[str, Any], recording: Callable[[str], Any], connected: Connect, clock: Clock
) -> None:
    """A refund made in the very second of the mark is listed, an earlier one is not."""
    refunds = {15: many(template, 10)}
    with WooSandbox([recording("order_full")], refunds=refunds, clock=clock) as shop:
        found = connected(shop).changed_refunds(START + timedelta(seconds=9, microseconds=500_000))
        assert [change.refund_id for change in found] == ["9", "10"]


def test_a_refund_deleted_while_reading_hides_no_other(
    template: dict[str, Any], recording: Callable[[str], Any], connected: Connect, clock: Clock
) -> None:
    """Pages shift by one, and the shifted refund is still found."""
    order = recording("order_full") | {"refunds": []}
    with WooSandbox([order], refunds={15: many(template, 150)}, clock=clock) as shop:
        found = []
        for change in connected(shop).changed_refunds(None):
            found.append(change.refund_id)
            if len(found) == 50:
                shop.state.delete_refund(15, 1)
    assert sorted(map(int, found)) == list(range(1, 151))


def test_an_older_shop_has_no_such_list() -> None:
    """Before WooCommerce 9.0 there is no route; the orders themselves tell then."""
    body = b'{"code":"rest_no_route","message":"No route","data":{"status":404}}'
    with serving(json_reply(body, "404 Not Found")) as place, client_of(f"http://{place}") as client:
        assert list(changed_refunds(client, None)) == []


def test_a_refund_without_an_order_hides_no_other() -> None:
    """It cannot be corrected by anything, and the next one still comes."""
    body = (
        b'[{"id":1,"parent_id":0,"date_created_gmt":"2026-11-01T08:00:00"},'
        b'{"id":2,"parent_id":15,"date_created_gmt":"2026-11-01T08:00:00"}]'
    )
    with serving(json_reply(body)) as place, client_of(f"http://{place}") as client:
        assert list(changed_refunds(client, None)) == [RefundChange("15", "2", START)]


def test_a_shop_that_goes_away_is_an_error(
    template: dict[str, Any], recording: Callable[[str], Any], connected: Connect, clock: Clock
) -> None:
    """Never a short list."""
    with WooSandbox([recording("order_full")], refunds={15: many(template, 150)}, clock=clock) as shop:
        found = connected(shop).changed_refunds(None)
        next(found)
        shop.fault("http_500", path="refunds", times=10)
        with pytest.raises(ShopUnavailable):
            list(found)
