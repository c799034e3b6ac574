"""A running shop and an adapter that talks to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from adapters.http import Limits
from adapters.prestashop import PrestaShopAdapter, connect
from sandbox.prestashop import PrestaSandbox, demo_data
from tests.woocommerce.servers import Clock

Connect = Callable[..., PrestaShopAdapter]


@pytest.fixture
def clock() -> Clock:
    """The one clock of shop and adapter."""
    return Clock()


@pytest.fixture
def shop(clock: Clock) -> Iterator[PrestaSandbox]:
    """A shop with the recorded orders and slips."""
    with PrestaSandbox(demo_data(), clock=clock) as running:
        yield running


@pytest.fixture
def pauses() -> list[float]:
    """The pauses that the adapter made between attempts."""
    return []


@pytest.fixture
def connected(clock: Clock, pauses: list[float]) -> Iterator[Connect]:
    """Makes adapters to a shop, and closes them."""
    made: list[PrestaShopAdapter] = []

    def make(shop: PrestaSandbox, limits: Limits | None = None, **config: str) -> PrestaShopAdapter:
        adapter = connect(
            {"url": shop.url, "key": shop.key, **config},
            limits=limits,
            sleep=pauses.append,
            clock=clock,
            jitter=lambda: 0.5,
        )
        made.append(adapter)
        return adapter

    yield make
    for adapter in made:
        adapter.close()


@pytest.fixture
def adapter(shop: PrestaSandbox, connected: Connect) -> PrestaShopAdapter:
    """An adapter connected to the shop."""
    return connected(shop)
