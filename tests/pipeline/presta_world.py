"""A world with a PrestaShop shop in place of the WooCommerce one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from adapters import prestashop
from sandbox.ksef.server import KsefSandbox
from sandbox.prestashop import PrestaSandbox, demo_data
from sandbox.prestashop.recordings import Data
from tests.pipeline.world import START, Clock, Installation, install, ksef_sandbox


class PrestaWorld(Installation):
    """An installation with a PrestaShop shop."""

    def __init__(self, home: Path, ksef: KsefSandbox, shop: PrestaSandbox, clock: Clock) -> None:
        super().__init__(home, ksef, clock, prestashop.connect)
        self.shop = shop

    def prepare(self, **config: str) -> None:
        """Add the seller and the store."""
        install(
            self.services(),
            api_url=self.ksef.api_url,
            qr_url=self.ksef.qr_url,
            shop_url=self.shop.url,
            platform=prestashop.PrestaShopAdapter.platform,
            config={"key": self.shop.key, **config},
        )

    def in_shop(self, order_id: int) -> dict[str, Any]:
        """Note, messages, history and e-mails of an order."""
        found: dict[str, Any] = requests.get(f"{self.shop.url}/sandbox/orders/{order_id}", timeout=10).json()
        return found


def without_slips(*orders: int) -> Data:
    """The recorded shop with some of its orders, before anything was given back."""
    data = demo_data(slips=False)
    data["orders"] = [one for one in data["orders"] if one.id in orders]
    return data


@contextmanager
def presta_world(home: Path, data: Data) -> Iterator[PrestaWorld]:
    """Start the sandboxes on free ports."""
    clock = Clock(START)
    with (
        ksef_sandbox(home, clock) as ksef,
        PrestaSandbox(data, clock=clock, sleep=lambda _seconds: None) as shop,
    ):
        yield PrestaWorld(home, ksef, shop, clock)
