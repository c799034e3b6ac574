"""The part of the suite that needs no faults, against live shops; see :mod:`tests.conformance.live`.

Reads only, but for webhooks that are made and deleted again under an address that nobody else uses.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import islice

import pytest

from adapters import registry
from adapters.contract import NotFound, ShopAdapter, ShopAuthFailed
from core.orders import Order
from tests.conformance.live import live_shops

SHOPS = live_shops()
ADDRESS = "https://ksef-conformance.example/webhooks/live/conformance"
MOST = 250


@pytest.fixture(params=list(SHOPS))
def platform(request: pytest.FixtureRequest) -> str:
    """Each live shop's platform."""
    name: str = request.param
    return name


@pytest.fixture
def adapter(platform: str) -> Iterator[ShopAdapter]:
    """An adapter connected to a live shop."""
    with closing(registry.connect(platform, SHOPS[platform])) as made:
        yield made


def test_orders_come_oldest_change_first(adapter: ShopAdapter) -> None:
    """And each can be read by its id, as it was listed."""
    listed = [one for one in islice(adapter.changed_orders(None), MOST) if isinstance(one, Order)]
    moments = [order.modified_at for order in listed]
    assert moments == sorted(moments)
    for order in listed[:5]:
        again = adapter.order(order.id)
        assert again == order or again.modified_at > order.modified_at


def test_since_is_inclusive(adapter: ShopAdapter) -> None:
    """Asked from an order's modification on, that order comes again."""
    listed = [one for one in islice(adapter.changed_orders(None), MOST) if isinstance(one, Order)]
    if listed:
        last = listed[-1]
        found = islice(adapter.changed_orders(last.modified_at), MOST)
        assert last.id in {one.id for one in found if isinstance(one, Order)}


def test_an_order_that_does_not_exist(adapter: ShopAdapter) -> None:
    """It is told as what it is."""
    with pytest.raises(NotFound):
        adapter.order("999999999")


def test_refunds_by_their_own_clock(adapter: ShopAdapter) -> None:
    """Each changed refund is one of its order's refunds."""
    for change in islice(adapter.changed_refunds(None), 5):
        refunds = adapter.refunds(adapter.order(change.order_id))
        assert change.refund_id in {refund.id for refund in refunds}
        assert [one.created_at for one in refunds] == sorted(one.created_at for one in refunds)


def test_a_wrong_key(platform: str) -> None:
    """It is told as what it is."""
    wrong = {key: value if key == "url" else "X" * len(value) for key, value in SHOPS[platform].items()}
    with closing(registry.connect(platform, wrong)) as made, pytest.raises(ShopAuthFailed):
        made.order("1")


def test_webhooks(adapter: ShopAdapter) -> None:
    """Made once, healthy, and gone again."""
    if adapter.webhooks is None:
        pytest.skip("the platform has no webhooks")
    try:
        for _ in range(2):
            adapter.webhooks.register(ADDRESS, "a secret of the suite")
        assert all(one.active for one in adapter.webhooks.health(ADDRESS))
    finally:
        adapter.webhooks.unregister(ADDRESS)
    assert not any(one.active for one in adapter.webhooks.health(ADDRESS))


def test_check_finds_nothing_broken_and_shows_no_key(adapter: ShopAdapter, platform: str) -> None:
    """The first thing that is looked at works, and no line shows what it was connected with."""
    lines = adapter.check()
    assert lines[0].ok is True
    secrets = [value for key, value in SHOPS[platform].items() if key != "url"]
    assert not any(secret in f"{lines}" for secret in secrets)
