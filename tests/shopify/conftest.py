"""A running shop, an adapter that talks to it, and the published schema."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from graphql import GraphQLSchema

from adapters.shopify import ShopifyAdapter, connect
from adapters.shopify.transport import Limits
from sandbox.shopify import ShopifySandbox, shop_of
from sandbox.shopify.schema import published_schema

ROOT = Path(__file__).resolve().parent.parent.parent
SCHEMA = "shopify/admin_2026-10.json.gz"
Connect = Callable[..., ShopifyAdapter]


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        """Move it."""
        self.now += timedelta(seconds=seconds)


@pytest.fixture(scope="session")
def schema_file() -> Path:
    """The file of the published Admin schema; absent, it skips by name."""
    official = Path(os.environ.get("KSEF_SHARED_DIR", ROOT.parent / "shared" / "ksef"))
    found = official.parent / "shops" / SCHEMA
    if not found.is_file():
        pytest.skip(f"the published Shopify schema is not at {found}")
    return found


@pytest.fixture(scope="session")
def published(schema_file: Path) -> GraphQLSchema:
    """The published Admin schema."""
    return published_schema(schema_file)


@pytest.fixture
def clock() -> Clock:
    """The one clock of shop and adapter."""
    return Clock()


@pytest.fixture
def shop(clock: Clock) -> Iterator[ShopifySandbox]:
    """A shop with twelve orders."""
    with ShopifySandbox(shop_of(7, 12), clock=clock) as running:
        yield running


@pytest.fixture
def pauses() -> list[float]:
    """The pauses that the adapter made."""
    return []


@pytest.fixture
def connected(clock: Clock, pauses: list[float]) -> Iterator[Connect]:
    """Makes adapters to a shop whose pauses move the clock, and closes them."""
    made: list[ShopifyAdapter] = []

    def wait(seconds: float) -> None:
        pauses.append(seconds)
        clock.forward(seconds)

    def make(shop: ShopifySandbox, limits: Limits | None = None, **options: object) -> ShopifyAdapter:
        keeping = {key: options.pop(key) for key in ("save_config", "load_config") if key in options}
        keys = {"access_token": shop.token, "client_secret": shop.client_secret}
        config = {"url": shop.url} | keys | options
        adapter = connect(config, limits=limits, sleep=wait, clock=clock, jitter=lambda: 0.5, **keeping)  # type: ignore[arg-type]
        made.append(adapter)
        return adapter

    yield make
    for adapter in made:
        adapter.close()


@pytest.fixture
def adapter(shop: ShopifySandbox, connected: Connect) -> ShopifyAdapter:
    """An adapter connected to the shop."""
    return connected(shop)
