"""``store check`` says in words what works and what is missing."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from adapters.contract import CheckLine, ShopError
from adapters.registry import PLATFORMS, UnknownPlatform, config_keys, connect, order_reader
from adapters.woocommerce import WooCommerceAdapter
from adapters.woocommerce import connect as woo_connect
from sandbox.woocommerce import WooSandbox, demo_orders
from tests.woocommerce.servers import Clock, Connect


def by_title(lines: list[CheckLine]) -> dict[str, CheckLine]:
    return {line.title.en: line for line in lines}


def test_healthy_shop(adapter: WooCommerceAdapter) -> None:
    """A healthy shop has no broken line, and its version and settings are told."""
    lines = by_title(adapter.check())
    assert not [line for line in lines.values() if line.ok is False]
    assert lines["reading orders"].ok
    assert lines["writing notes and metadata"].ok
    assert "11.0.1" in lines["WooCommerce"].detail.en
    assert "with tax" in lines["taxes"].detail.en
    assert "per line" in lines["rounding"].detail.en
    assert lines["e-mail of customer notes"].ok


def test_check_changes_nothing(shop: WooSandbox, adapter: WooCommerceAdapter, clock: Clock) -> None:
    """The probe for the right to write leaves every order as it was."""
    before = {number: order["date_modified_gmt"] for number, order in shop.state.orders.items()}
    clock.forward(60)
    adapter.check()
    assert {number: order["date_modified_gmt"] for number, order in shop.state.orders.items()} == before
    assert not shop.state.notes


def test_read_only_key(shop: WooSandbox, connected: Connect) -> None:
    """A read-only key reads, and the line about writing says what to change."""
    adapter = connected(shop, consumer_key=shop.read_only_key, consumer_secret=shop.read_only_secret)
    lines = by_title(adapter.check())
    assert lines["reading orders"].ok
    assert lines["writing notes and metadata"].ok is False
    assert "Read/Write" in lines["writing notes and metadata"].detail.en


def test_wrong_key(shop: WooSandbox, connected: Connect) -> None:
    """A wrong key gives one broken line instead of a row of the same."""
    (line,) = connected(shop, consumer_key="ck_wrong").check()
    assert line.ok is False
    assert "Consumer key is invalid" in line.detail.en


def test_unhealthy_settings(connected: Connect, clock: Clock) -> None:
    """Customer notes switched off, rounding at subtotal and the shop's zone are noticed."""
    settings = {
        "settings/tax": [
            {"id": "woocommerce_prices_include_tax", "value": "no"},
            {"id": "woocommerce_tax_round_at_subtotal", "value": "yes"},
        ],
        "settings/email_customer_note": [{"id": "enabled", "value": "no"}],
    }
    orders = demo_orders()
    for order in orders:
        order["date_created"] = order["date_created"].replace("T03", "T04")
    with WooSandbox(orders, clock=clock, settings=settings, zone=ZoneInfo("Europe/Warsaw")) as shop:
        lines = by_title(connected(shop).check())
    assert lines["e-mail of customer notes"].ok is False
    assert "without tax" in lines["taxes"].detail.en
    assert "subtotal" in lines["rounding"].detail.en
    assert lines["time zone"].detail.en.startswith("UTC+01:00")


@pytest.mark.parametrize(("seconds", "ok"), [(0, True), (-120, None), (800, None)])
def test_clock_skew(shop: WooSandbox, clock: Clock, seconds: int, ok: bool | None) -> None:
    """The shop's own Date header is compared with our clock."""
    config = {
        "url": shop.url,
        "consumer_key": shop.consumer_key,
        "consumer_secret": shop.consumer_secret,
    }
    adapter = woo_connect(config, clock=lambda: clock.now + timedelta(seconds=seconds))
    assert by_title(adapter.check())["clock"].ok is ok
    adapter.close()


def test_shop_that_hides_its_settings(shop: WooSandbox, adapter: WooCommerceAdapter) -> None:
    """Settings that cannot be read are worth knowing, not broken."""
    shop.fault("html", path="settings|system_status", times=20)
    lines = by_title(adapter.check())
    for title in ("WooCommerce", "taxes", "e-mail of customer notes"):
        assert lines[title].ok is None


def test_registry() -> None:
    """Platforms are found by name, and an unknown one is named with the known ones."""
    assert "woocommerce" in PLATFORMS
    assert "consumer_key" in config_keys("woocommerce")
    for ask in (
        lambda: connect("magento", {}),
        lambda: order_reader("magento"),
        lambda: config_keys("magento"),
    ):
        with pytest.raises(UnknownPlatform) as caught:
            ask()
        assert "magento" in caught.value.message
        assert "woocommerce" in caught.value.hint


@pytest.mark.parametrize("missing", ["url", "consumer_key", "consumer_secret"])
def test_missing_configuration(missing: str) -> None:
    """A store without a required value says which one, and shows no other."""
    config = {"url": "https://sklep.example", "consumer_key": "ck_1", "consumer_secret": "cs_1"}
    with pytest.raises(ShopError) as caught:
        connect("woocommerce", config | {missing: " "})
    assert missing in caught.value.message
    assert "cs_1" not in repr(caught.value)
