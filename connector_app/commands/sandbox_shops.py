"""``sandbox shops``: the shops on localhost, and how to reach each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from sandbox.background import BackgroundServer


@dataclass(frozen=True, slots=True)
class ShopSandbox:
    """A shop that is not started yet.

    Attributes:
        name: of its platform, as people write it.
        server: listens inside a ``with`` block.
        keys: entries of a store's configuration that reach it.
    """

    name: str
    server: BackgroundServer
    keys: Mapping[str, str]

    def lines(self) -> list[str]:
        """Its address and keys for a person, while it runs."""
        return [f"{name:<16} {value}" for name, value in {self.name: self.server.url, **self.keys}.items()]


def _woocommerce(port: int, state: Path | None) -> ShopSandbox:
    from sandbox.woocommerce.recordings import demo_orders  # noqa: PLC0415  servers load only when asked for
    from sandbox.woocommerce.server import (  # noqa: PLC0415
        DEMO_CONSUMER_KEY,
        DEMO_CONSUMER_SECRET,
        WooSandbox,
    )

    keys = {"consumer_key": DEMO_CONSUMER_KEY, "consumer_secret": DEMO_CONSUMER_SECRET}
    return ShopSandbox("WooCommerce", WooSandbox(demo_orders(), port=port, state_path=state), keys)


def _prestashop(port: int, state: Path | None) -> ShopSandbox:
    from sandbox.prestashop import DEMO_KEY, PrestaSandbox, demo_data  # noqa: PLC0415

    return ShopSandbox(
        "PrestaShop", PrestaSandbox(demo_data(), port=port, state_path=state), {"key": DEMO_KEY}
    )


def _shopify(port: int, state: Path | None) -> ShopSandbox:
    from sandbox.shopify import (  # noqa: PLC0415
        DEMO_CLIENT_ID,
        DEMO_CLIENT_SECRET,
        ShopifySandbox,
        demo_orders,
    )

    keys = {"client_id": DEMO_CLIENT_ID, "client_secret": DEMO_CLIENT_SECRET}
    return ShopSandbox("Shopify", ShopifySandbox(demo_orders(), port=port, state_path=state), keys)


SHOPS: Mapping[str, Callable[[int, Path | None], ShopSandbox]] = MappingProxyType(
    {"woocommerce": _woocommerce, "prestashop": _prestashop, "shopify": _shopify}
)
"""Makes a platform's shop on a port, with a file that keeps it over a restart."""
