"""A running shop, an adapter that talks to it, and the recordings."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.http import Limits
from adapters.woocommerce import WooCommerceAdapter, connect
from sandbox.woocommerce import WooSandbox, demo_orders
from tests.woocommerce.servers import Clock, Connect

DATA = Path(__file__).resolve().parent.parent / "data" / "woocommerce"


@pytest.fixture(scope="session")
def recording() -> Callable[[str], Any]:
    """Reads one recorded answer anew."""
    return lambda name: json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture
def clock() -> Clock:
    """The one clock of shop and adapter."""
    return Clock()


@pytest.fixture
def shop(clock: Clock) -> Iterator[WooSandbox]:
    """A shop with the demo's orders."""
    with WooSandbox(demo_orders(), clock=clock) as running:
        yield running


@pytest.fixture
def pauses() -> list[float]:
    """The pauses that the adapter made between attempts."""
    return []


@pytest.fixture
def connected(clock: Clock, pauses: list[float]) -> Iterator[Connect]:
    """Makes adapters to a shop, and closes them."""
    made: list[WooCommerceAdapter] = []

    def make(shop: WooSandbox, limits: Limits | None = None, **config: str) -> WooCommerceAdapter:
        keys = {
            "url": shop.url,
            "consumer_key": shop.consumer_key,
            "consumer_secret": shop.consumer_secret,
        }
        adapter = connect(
            {**keys, **config}, limits=limits, sleep=pauses.append, clock=clock, jitter=lambda: 0.5
        )
        made.append(adapter)
        return adapter

    yield make
    for adapter in made:
        adapter.close()


@pytest.fixture
def adapter(shop: WooSandbox, connected: Connect) -> WooCommerceAdapter:
    """An adapter connected to the shop."""
    return connected(shop)
