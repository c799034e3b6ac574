"""A world with a Shopify shop in place of the WooCommerce one."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from adapters import shopify
from core.ksef.offline import OfflinePolicy
from sandbox.ksef.server import KsefSandbox
from sandbox.shopify import ShopifySandbox, shapes
from tests.pipeline.world import START, Clock, Installation, install, ksef_sandbox

ORDER, OTHER = 1001, 1002
TOTAL = "260.90"
VAT = "23"


class ShopifyWorld(Installation):
    """An installation with a Shopify shop."""

    def __init__(self, home: Path, ksef: KsefSandbox, shop: ShopifySandbox, clock: Clock) -> None:
        super().__init__(home, ksef, clock, shopify.connect)
        self.shop = shop

    def prepare(self, *, offline: OfflinePolicy | None = None, **config: str) -> None:
        """Add the seller and the store; with an offline policy, Latarnia is listened to."""
        keys = {"access_token": self.shop.token, "client_secret": self.shop.client_secret}
        install(
            self.services(),
            api_url=self.ksef.api_url,
            qr_url=self.ksef.qr_url,
            shop_url=self.shop.url,
            latarnia_url=self.ksef.latarnia_url if offline else "",
            offline=offline or OfflinePolicy.ASK,
            platform=shopify.ShopifyAdapter.platform,
            config=keys | config,
        )

    def order(self, number: int = ORDER) -> dict[str, Any]:
        """The shop's own order."""
        return self.shop.state.orders[f"gid://shopify/Order/{number}"]

    def in_shop(self, number: int = ORDER) -> dict[str, Any]:
        """What an order shows of its documents, and when it changed."""
        order = self.order(number)
        return {
            "note": order["note"] or "",
            "tags": list(order["tags"]),
            "metafields": {one["key"]: one["value"] for one in order["metafields"]["nodes"]},
            "emails": [copy.copy(one) for one in self.shop.state.emails if one["order"] == order["id"]],
            "changed": order["updatedAt"],
        }

    def give_back(self, *, shipping: bool = False, number: int = ORDER) -> str:
        """Refund one of two units, or the delivery; the amount."""
        order, now = self.order(number), self.shop.state.now()
        times: dict[str, Any] = {"createdAt": now, "processedAt": now}
        key = number * 10 + len(order["refunds"])
        if shipping:
            row = shapes.refund_shipping(order["shippingLines"]["nodes"][0], "14.90", "2.79")
            made = shapes.refund(key, "14.90", refundShippingLines=[row], **times)
        else:
            row = shapes.refund_line(order["lineItems"]["nodes"][0], 1, "123.00", "23.00")
            made = shapes.refund(key, "123.00", [row], **times)
        self.shop.state.add_refund(number, made)
        return "14.90" if shipping else "123.00"


def paid(number: int = ORDER, **changes: Any) -> dict[str, Any]:
    """A paid order: two units of a product and delivery."""
    parcel = shapes.shipping(number, "14.90", shapes.tax(VAT, "2.79"))
    item = shapes.line(number * 10, "246.00", shapes.tax(VAT, "46.00"), quantity=2)
    return shapes.order(number, [item], TOTAL, "48.79", shippingLines=[parcel], **changes)


@contextmanager
def shopify_world(home: Path, orders: Iterable[dict[str, Any]]) -> Iterator[ShopifyWorld]:
    """Start the sandboxes on free ports."""
    clock = Clock(START)
    with (
        ksef_sandbox(home, clock) as ksef,
        ShopifySandbox(orders, clock=clock, sleep=lambda _seconds: None) as shop,
    ):
        yield ShopifyWorld(home, ksef, shop, clock)
