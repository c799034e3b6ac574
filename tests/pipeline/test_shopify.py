"""The main job with a Shopify shop: orders go to KSeF, their numbers come back, once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from adapters import shopify
from adapters.contract import ShopAdapter
from connector_app.pipeline.services import Services
from connector_app.store.models import Store
from sandbox.ksef.server import KsefSandbox
from sandbox.shopify import ShopifySandbox, shapes
from sandbox.shopify.shapes import Json, line, order, shipping, tax
from tests.pipeline.world import Clock, World, world

TODAY = "2026-11-24T09:55:00Z"
LATER = "2026-11-24T09:56:00Z"


def placed(number: int, **changes: Any) -> Json:
    """An order of the day, with delivery."""
    item = line(number, "246.00", tax("23", "46.00"), quantity=2)
    data = order(
        number,
        [item],
        "258.30",
        "48.30",
        taxLines=[tax("23", "48.30")],
        shippingLines=[shipping(number, "12.30", tax("23", "2.30"))],
        **changes,
    )
    paid = data["transactions"][0] | {"processedAt": TODAY}
    return data | {"createdAt": TODAY, "processedAt": TODAY, "updatedAt": TODAY, "transactions": [paid]}


ORDERS = [
    placed(1, customAttributes=[{"key": "NIP", "value": "526-025-02-74"}], note="Proszę dzwonić"),
    placed(2),
    placed(3, customAttributes=[{"key": "NIP", "value": "5260250275"}]),
    placed(4, displayFinancialStatus="PENDING"),
    placed(5, test=True),
]


class ShopifyWorld(World):
    """The same world with another shop."""

    def __init__(self, home: Path, ksef: KsefSandbox, shopify_shop: ShopifySandbox, clock: Clock) -> None:
        self.home, self.ksef, self.clock = home, ksef, clock
        self.watch = lambda _document: None
        self.counts_requests = False
        self.shopify = shopify_shop

    def services(self) -> Services:
        """Open the installation; its shop is Shopify's."""
        return replace(super().services(), connect_shop=self._connect)

    def _connect(self, platform: str, config: Mapping[str, str]) -> ShopAdapter:
        assert platform == "shopify"
        return shopify.connect(config, clock=self.clock, sleep=self.clock.sleep, jitter=lambda: 0.5)

    def order(self, number: int) -> Json:
        """An order as the shop has it now."""
        return self.shopify.state.orders[f"gid://shopify/Order/{number}"]


@pytest.fixture
def made(tmp_path: Path) -> Iterator[ShopifyWorld]:
    """An installation whose only store is a Shopify shop."""
    with (
        world(tmp_path, []) as plain,
        ShopifySandbox(ORDERS, clock=plain.clock, sleep=lambda _seconds: None) as shop,
    ):
        plain.prepare()
        found = ShopifyWorld(tmp_path, plain.ksef, shop, plain.clock)
        services = found.services()
        with services.database.begin() as session:
            store = session.scalars(select(Store)).one()
            store.platform, store.url = "shopify", shop.url
            store.config = services.vault.seal({"url": shop.url, "access_token": shop.token})
        yield found


def test_orders_are_published_or_wait(made: ShopifyWorld) -> None:
    """Paid ones get their number back; a wrong NIP asks; unpaid and test orders wait."""
    result = made.run()
    assert result.problems == []
    states = {number: one.state for number, one in made.by_order().items()}
    assert (states["#1"], states["#2"], states["#3"]) == ("published", "published", "attention")
    assert {states.get("#4", "waiting"), states.get("#5", "waiting")} == {"waiting"}
    assert len(made.in_ksef()) == 2
    told = {one["key"]: one["value"] for one in made.order(1)["metafields"]["nodes"]}
    number = made.by_order()["#1"].ksef_number
    assert number
    assert told["number"] == number
    assert made.order(1)["note"].startswith("Proszę dzwonić\n\n")
    assert made.order(1)["note"].count(number) >= 1


def test_our_own_writing_starts_no_loop(made: ShopifyWorld) -> None:
    """Notes and metafields change the order and wake us; nothing follows."""
    made.run()
    documents = [(one.id, one.state, one.number, one.ksef_number) for one in made.documents()]
    before = [made.order(number)["updatedAt"] for number in (1, 2)]
    for _ in range(3):
        made.clock.sleep(3600)
        assert made.run().worked == 0
    assert [(one.id, one.state, one.number, one.ksef_number) for one in made.documents()] == documents
    assert [made.order(number)["updatedAt"] for number in (1, 2)] == before
    assert made.shopify.calls.count("SetNote") == 2


def test_a_refund_becomes_a_correction(made: ShopifyWorld) -> None:
    """One unit comes back: the correction is that money, and its number goes to the note."""
    made.run()
    made.clock.sleep(60)
    item = made.order(1)["lineItems"]["nodes"][0]
    back = shapes.refund(7, "123.00", [shapes.refund_line(item, 1, "123.00", "23.00")])
    made.shopify.state.add_refund(1, back | {"createdAt": LATER, "processedAt": LATER})
    assert made.run().problems == []
    (correction,) = [one for one in made.documents() if one.purpose != "invoice"]
    assert correction.state == "published"
    assert correction.total == Decimal("-123.00")
    assert correction.number
    assert correction.number in made.order(1)["note"]
    assert len(made.in_ksef()) == 3


def test_a_shop_that_fails_now_and_then(made: ShopifyWorld) -> None:
    """Throttling, lost answers and errors on the way end in the same documents, each told once."""
    for kind, operation in (
        ("http_500", "OrderFull"),
        ("cut_json", "OrdersChanged"),
        ("drop_after", "SetNote"),
        ("drop_before", "SetMetafields"),
        ("truncate", "OrderNote"),
    ):
        made.shopify.fault(kind, operation)
    made.shopify.shop.throttled = 2
    made.run()
    made.run()
    assert len(made.in_ksef()) == 2
    for number in (1, 2):
        ours = made.by_order()[f"#{number}"]
        assert ours.state == "published"
        assert ours.ksef_number
        assert made.order(number)["note"].count(ours.number or "-") >= 1
    assert made.shopify.calls.count("SetNote") == 2
