"""Lists of changes lose nothing, double nothing, and one broken order hides no other."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from graphql import GraphQLSchema

from adapters.contract import ShopUnavailable, UnreadableOrder
from adapters.shopify import ShopifyAdapter
from core.orders import Order, Refund
from sandbox.shopify import ShopifySandbox, shapes, shop_of
from tests.shopify.conftest import Clock, Connect


def read(adapter: ShopifyAdapter, since: datetime | None = None) -> list[Order]:
    found = list(adapter.changed_orders(since))
    assert all(isinstance(one, Order) for one in found)
    return [one for one in found if isinstance(one, Order)]


def test_all_pages(connected: Connect, clock: Clock) -> None:
    """Three pages of fifty, oldest change first, each order once, lines of long orders included."""
    orders = shop_of(1, 120)
    items = [shapes.line(90_000 + index, "1.23", shapes.tax("23", "0.23")) for index in range(130)]
    long = shapes.order(5000, items, "159.90", "29.90", updatedAt="2026-11-01T09:00:00Z")
    with ShopifySandbox([*orders, long], clock=clock) as shop:
        found = read(connected(shop))
        assert shop.calls.count("OrdersChanged") == 3
    assert sorted(one.id for one in found) == sorted(one["legacyResourceId"] for one in [*orders, long])
    assert [one.modified_at for one in found] == sorted(one.modified_at for one in found)
    assert len(next(one for one in found if one.id == "5000").lines) == 130


def test_the_published_schema_answers_the_same(
    connected: Connect, clock: Clock, published: GraphQLSchema
) -> None:
    """The committed part leaves out nothing that the mapping sees."""
    seen: list[tuple[list[Order], list[tuple[Refund, ...]]]] = []
    for schema in (published, None):
        with ShopifySandbox(shop_of(7, 30), clock=clock, schema=schema) as shop:
            adapter = connected(shop)
            orders = read(adapter)
            seen.append((orders, [adapter.refunds(one) for one in orders]))
    assert seen[0] == seen[1]
    assert any(seen[0][1])


def test_since(shop: ShopifySandbox, adapter: ShopifyAdapter, clock: Clock) -> None:
    """At or after the moment, to the second."""
    shop.state.change(1004, note="x")
    assert [one.id for one in read(adapter, clock.now + timedelta(microseconds=900))] == ["1004"]
    assert read(adapter, clock.now + timedelta(seconds=1)) == []


def test_many_of_one_second(connected: Connect, clock: Clock) -> None:
    """A bulk edit gives more orders of one second than a page holds."""
    item = shapes.line(1, "1.23", shapes.tax("23", "0.23"))
    orders = [shapes.order(number, [item], "1.23", "0.23") for number in range(1, 131)]
    with ShopifySandbox(orders, clock=clock) as shop:
        assert len({one.id for one in read(connected(shop))}) == 130


def test_order_that_changes_meanwhile(shop: ShopifySandbox, adapter: ShopifyAdapter, clock: Clock) -> None:
    """It is yielded after everything that changed before it, so that a saved mark skips nothing."""

    changed = clock.now

    def change(name: str) -> None:
        if name == "OrderFull" and shop.calls.count("OrderFull") == 1:
            shop.state.change(1001, note="zmiana")

    shop.shop.before = change
    found = read(adapter)
    assert [one.id for one in found][-1] == "1001"
    assert len(found) == 12
    assert [one.modified_at for one in found] == sorted(one.modified_at for one in found)
    assert found[-1].modified_at == changed


def test_order_that_changes_between_its_pages(connected: Connect, clock: Clock) -> None:
    """Its parts belong together: it is read again."""
    items = [shapes.line(index, "1.23", shapes.tax("23", "0.23")) for index in range(1, 31)]
    with ShopifySandbox([shapes.order(1, items, "36.90", "6.90")], clock=clock) as shop:
        adapter = connected(shop)

        def change(name: str) -> None:
            if name == "OrderLines" and shop.calls.count("OrderLines") == 1:
                shop.state.change(1, note="zmiana")

        shop.shop.before = change
        assert adapter.order("1").customer_note == "zmiana"
        assert shop.calls.count("OrderFull") == 2


def test_order_that_never_rests(connected: Connect, clock: Clock) -> None:
    items = [shapes.line(index, "1.23", shapes.tax("23", "0.23")) for index in range(1, 31)]
    with ShopifySandbox([shapes.order(1, items, "36.90", "6.90")], clock=clock) as shop:

        def change(name: str) -> None:
            if name == "OrderLines":
                clock.forward(1)
                shop.state.change(1, note="zmiana")

        shop.shop.before = change
        with pytest.raises(ShopUnavailable, match="faster than it can be read"):
            connected(shop).order("1")


def test_broken_order_hides_no_other(shop: ShopifySandbox, adapter: ShopifyAdapter) -> None:
    shop.state.orders["gid://shopify/Order/1003"]["lineItems"]["nodes"][0]["quantity"] = -1
    found = list(adapter.changed_orders(None))
    (broken,) = [one for one in found if isinstance(one, UnreadableOrder)]
    assert broken.path.startswith("1003.lineItems.nodes[0]")
    assert len(found) == 12


def test_order_deleted_between_list_and_read(shop: ShopifySandbox, adapter: ShopifyAdapter) -> None:
    def delete(name: str) -> None:
        if name == "OrderFull":
            shop.state.orders.pop("gid://shopify/Order/1002", None)

    shop.shop.before = delete
    assert "1002" not in [one.id for one in read(adapter)]


def test_shop_that_fails_in_the_middle(shop: ShopifySandbox, adapter: ShopifyAdapter) -> None:
    """What was yielded stays good; the caller goes on from its mark."""
    changes = adapter.changed_orders(None)
    found = [one for one in itertools.islice(changes, 3) if isinstance(one, Order)]
    shop.fault("http_500", "OrderFull", times=4)
    with pytest.raises(ShopUnavailable):
        next(changes)
    again = read(adapter, found[-1].modified_at)
    assert {one.id for one in [*found, *again]} == {str(1001 + index) for index in range(12)}


def test_refunds_have_the_orders_clock(shop: ShopifySandbox, adapter: ShopifyAdapter, clock: Clock) -> None:
    before = len(list(adapter.changed_refunds(None)))
    clock.forward(60)
    shop.state.add_refund(1002, shapes.refund(77, "5.00"))
    (change,) = adapter.changed_refunds(clock.now)
    assert (change.order_id, change.refund_id, change.changed_at) == ("1002", "77", clock.now)
    assert len(list(adapter.changed_refunds(None))) == before + 1


def test_refund_whose_money_arrives_later(
    shop: ShopifySandbox, adapter: ShopifyAdapter, clock: Clock
) -> None:
    """Pending it is no refund; when it succeeds the order changes and it comes again."""
    order = adapter.order("1001")
    known = len(adapter.refunds(order))
    shop.state.add_refund(1001, shapes.refund(77, "5.00", status="PENDING"))
    assert len(adapter.refunds(order)) == known
    clock.forward(3600)
    whole = shop.state.orders["gid://shopify/Order/1001"]["refunds"]
    whole[-1]["transactions"]["nodes"][0]["status"] = "SUCCESS"
    shop.state.change(1001)
    assert "77" in [one.refund_id for one in adapter.changed_refunds(clock.now)]
    found = adapter.refunds(adapter.order("1001"))
    assert [str(one.amount) for one in found if one.id == "77"] == ["5.00"]


def test_refund_with_many_lines(connected: Connect, clock: Clock) -> None:
    items = [shapes.line(index, "1.23", shapes.tax("23", "0.23")) for index in range(1, 61)]
    rows = [shapes.refund_line(item, 1, "1.23", "0.23") for item in items]
    order = shapes.order(1, items, "73.80", "13.80", refunds=[shapes.refund(5, "73.80", rows)])
    with ShopifySandbox([order], clock=clock) as shop:
        adapter = connected(shop)
        (refund,) = adapter.refunds(adapter.order("1"))
    assert len(refund.lines) == 60
    assert sum(one.gross for one in refund.lines) == refund.amount


def test_edited_order_is_read_from_its_ledger(connected: Connect, clock: Clock) -> None:
    """Agreement by agreement, sales page by page."""
    items = [shapes.line(index, "1.23", shapes.tax("23", "0.23")) for index in range(1, 46)]
    sales = [
        shapes.sale("PRODUCT", "ORDER", "1.23", "0.23", shapes.tax("23", "0.23"), lineItem=item)
        for item in items
    ]
    back = shapes.sale("PRODUCT", "RETURN", "-1.23", "-0.23", shapes.tax("23", "-0.23"), lineItem=items[0])
    agreements = [
        shapes.agreement(1, "ORDER", *sales),
        shapes.agreement(2, "ORDER_EDIT", back),
        shapes.agreement(3, "ORDER_EDIT", sales[1]),
    ]
    order = shapes.order(1, items, "55.35", "10.35", edited=True, agreements=agreements)
    with ShopifySandbox([order], clock=clock) as shop:
        found = connected(shop).order("1")
        assert shop.calls.count("OrderLedger") == 5
    assert len(found.lines) == 44
    assert found.lines[0].quantity == 2
    assert str(found.total) == "55.35"


def test_a_moment_of_another_zone(shop: ShopifySandbox, adapter: ShopifyAdapter, clock: Clock) -> None:
    shop.state.change(1004)
    warsaw = clock.now.astimezone(UTC).astimezone()
    assert [one.id for one in read(adapter, warsaw)] == ["1004"]
