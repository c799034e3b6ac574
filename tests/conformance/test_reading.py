"""Every platform: orders and refunds in, each once, oldest first, nothing hidden."""

from __future__ import annotations

from datetime import timedelta

import pytest

from adapters.contract import NotFound, ShopUnavailable, UnreadableOrder
from core.orders import Order
from tests.conformance.harness import Fault, Feature, Harness, Part, need


def orders_of(found: object) -> list[Order]:
    assert isinstance(found, list)
    assert all(isinstance(one, Order) for one in found)
    return found


def test_paged_to_the_end(harness: Harness) -> None:
    """Two pages and a half come once each, oldest change first, as they are read by their ids."""
    made = harness.add_orders(harness.page * 2 + harness.page // 2)
    adapter = harness.adapter()
    found = orders_of(list(adapter.changed_orders(None)))
    assert [order.id for order in found] == made
    assert [order.modified_at for order in found] == sorted(order.modified_at for order in found)
    assert {order.platform for order in found} == {harness.platform}
    for order in (found[0], found[-1]):
        assert adapter.order(order.id) == order


def test_paged_while_orders_change(harness: Harness) -> None:
    """Changes shift the pages while they are read: none is missed, and the changed ones come once more."""
    made = harness.add_orders(harness.page + harness.page // 2)
    newest: dict[str, Order] = {}
    for count, order in enumerate(harness.adapter().changed_orders(None)):
        assert isinstance(order, Order)
        newest[order.id] = order
        if count == harness.page // 2:
            for changed in made[:3]:
                harness.clock.forward(1)
                harness.change(changed)
    assert set(newest) == set(made)
    last_plain = newest[made[-1]].modified_at
    assert all(newest[changed].modified_at > last_plain for changed in made[:3])


def test_changed_in_one_second(harness: Harness) -> None:
    """More orders than a page holds, all changed in the same second (a bulk edit), come all."""
    made = harness.add_orders(harness.page + 5)
    harness.clock.forward(60)
    since = harness.clock.now
    for order_id in made:
        harness.change(order_id)
    found = orders_of(list(harness.adapter().changed_orders(since)))
    assert sorted(order.id for order in found) == sorted(made)


def test_since_is_inclusive(harness: Harness) -> None:
    """An order that changed in the very second of the mark comes, an earlier one does not."""
    made = harness.add_orders(5)
    adapter = harness.adapter()
    third = adapter.order(made[2]).modified_at
    assert [order.id for order in orders_of(list(adapter.changed_orders(third)))] == made[2:]
    assert list(adapter.changed_orders(harness.clock.now + timedelta(days=1))) == []


def test_one_broken_order_hides_no_other(harness: Harness) -> None:
    """It comes as its error, whose path begins with its id; read alone it is the same error."""
    need(harness, Feature.BREAK_ORDER)
    made = harness.add_orders(3)
    harness.break_order(made[1])
    adapter = harness.adapter()
    found = list(adapter.changed_orders(None))
    broken = [one for one in found if isinstance(one, UnreadableOrder)]
    assert sorted(one.id for one in found if isinstance(one, Order)) == [made[0], made[2]]
    assert [one.path.partition(".")[0] for one in broken] == [made[1]]
    with pytest.raises(UnreadableOrder):
        adapter.order(made[1])


@pytest.mark.parametrize("order_id", ["999999999", "0", "", "x", "../1", "1?a=b", "1 OR 1=1"])
def test_an_order_that_does_not_exist(harness: Harness, order_id: str) -> None:
    """Whatever its id looks like, it is told as not found."""
    harness.add_orders(1)
    with pytest.raises(NotFound):
        harness.adapter().order(order_id)


def test_a_deleted_order(harness: Harness) -> None:
    """It is not listed and not found; the others stay."""
    need(harness, Feature.DELETE_ORDER)
    made = harness.add_orders(2)
    harness.delete(made[0])
    adapter = harness.adapter()
    assert [order.id for order in orders_of(list(adapter.changed_orders(None)))] == made[1:]
    with pytest.raises(NotFound):
        adapter.order(made[0])


def test_a_shop_that_goes_away_in_the_middle(harness: Harness) -> None:
    """An error, never a short list."""
    harness.add_orders(harness.page + 5)
    found = harness.adapter().changed_orders(None)
    next(found)
    harness.fault(Fault.DOWN, times=20)
    with pytest.raises(ShopUnavailable):
        list(found)


def test_refunds_oldest_first(harness: Harness) -> None:
    """Line, shipping and amount only: with the order's id, in the order in which they were made."""
    parts = [Part.LINE]
    parts += [Part.SHIPPING] if Feature.SHIPPING_REFUND not in harness.lacks else []
    parts += [Part.AMOUNT] if Feature.AMOUNT_REFUND not in harness.lacks else []
    (order_id,) = harness.add_orders(1)
    made = {}
    for part in parts:
        harness.clock.forward(60)
        made[harness.refund(order_id, part)] = part
    adapter = harness.adapter()
    order = adapter.order(order_id)
    refunds = adapter.refunds(order)
    assert [refund.id for refund in refunds] == list(made)
    assert {refund.order_id for refund in refunds} == {order_id}
    assert {ref.id for ref in order.refunds} == set(made)
    for refund in refunds:
        assert refund.amount > 0
        total = sum((share.net + share.tax for line in refund.lines for share in line.shares), start=0)
        if made[refund.id] is Part.AMOUNT:
            assert total in {0, refund.amount}
        else:
            assert abs(total - refund.amount) <= 1


def test_changed_refunds(harness: Harness) -> None:
    """Refunds of different orders by their own clock: all, oldest first, since a moment inclusively."""
    orders = harness.add_orders(3)
    assert list(harness.adapter().changed_refunds(None)) == []
    made = []
    for order_id in reversed(orders):
        harness.clock.forward(60)
        made.append((order_id, harness.refund(order_id, Part.LINE)))
    adapter = harness.adapter()
    found = list(adapter.changed_refunds(None))
    assert [(change.order_id, change.refund_id) for change in found] == made
    moments = [change.changed_at for change in found]
    assert moments == sorted(moments)
    later = adapter.changed_refunds(moments[1])
    assert [(change.order_id, change.refund_id) for change in later] == made[1:]
    assert list(adapter.changed_refunds(harness.clock.now + timedelta(hours=1))) == []


def test_many_changed_refunds(harness: Harness) -> None:
    """More than a page holds come once each."""
    orders = harness.add_orders(harness.page + 5)
    for order_id in orders:
        harness.clock.forward(1)
        harness.refund(order_id, Part.LINE)
    found = [change.order_id for change in harness.adapter().changed_refunds(None)]
    assert found == orders
