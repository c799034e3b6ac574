"""``store check`` says in words what works and what is missing."""

from __future__ import annotations

import pytest

from adapters.contract import CheckLine
from adapters.registry import PLATFORMS, config_keys, order_file, order_reader
from adapters.shopify import ShopifyAdapter
from sandbox.shopify import ShopifySandbox, shop_of
from sandbox.shopify.state import Token
from tests.shopify.conftest import Clock, Connect


def by_title(lines: list[CheckLine]) -> dict[str, CheckLine]:
    return {line.title.en: line for line in lines}


def test_healthy_shop(shop: ShopifySandbox, adapter: ShopifyAdapter) -> None:
    lines = by_title(adapter.check())
    assert not [line for line in lines.values() if line.ok is False]
    assert "sandbox.myshopify.com" in lines["connection"].detail.en
    assert lines["scopes"].ok
    assert lines["API version"].ok
    assert "PLN" in lines["currency"].detail.en
    assert "with tax" in lines["taxes"].detail.en
    assert "Europe/Warsaw" in lines["time zone"].detail.en
    assert "60 days" in lines["older orders"].detail.en
    assert "asking" in lines["webhooks"].detail.en
    assert {"SetNote", "SetMetafields", "DefineMetafield"}.isdisjoint(shop.calls)


def test_missing_scopes(shop: ShopifySandbox, adapter: ShopifyAdapter) -> None:
    """write_orders includes read_orders; read_all_orders makes the line about 60 days go."""
    shop.state.tokens[shop.token] = Token(frozenset({"read_orders", "read_all_orders"}))
    lines = by_title(adapter.check())
    assert lines["scopes"].ok is False
    assert "write_orders, read_customers" in lines["scopes"].detail.en
    assert "older orders" not in lines
    shop.state.tokens[shop.token] = Token(frozenset({"write_orders", "read_orders", "write_customers"}))
    assert by_title(adapter.check())["scopes"].ok


def test_older_version_falls_forward(shop: ShopifySandbox, adapter: ShopifyAdapter) -> None:
    shop.shop.version = "2027-10"
    line = by_title(adapter.check())["API version"]
    assert line.ok is None
    assert "2027-10" in line.detail.en


def test_other_settings(connected: Connect, clock: Clock) -> None:
    settings = {"taxesIncluded": False, "taxShipping": False, "currencyCode": "EUR"}
    orders = [
        one | {"email": None, "billingAddress": {"lastName": None, "address1": None}} for one in shop_of(1, 2)
    ]
    with ShopifySandbox(orders, clock=clock, settings=settings) as shop:
        lines = by_title(connected(shop).check())
    assert "without tax" in lines["taxes"].detail.en
    assert "tax on delivery" in lines
    assert "Protected customer data" in lines["buyers' data"].detail.en


def test_what_was_set_up(shop: ShopifySandbox, adapter: ShopifyAdapter) -> None:
    assert adapter.webhooks is not None
    adapter.webhooks.register("https://faktury.example/h", "")
    for key in ("number", "invoice_number", "pdf_url", "status", "verification_url"):
        definition = {"id": key, "namespace": "ksef", "key": key, "access": {"customerAccount": "READ"}}
        shop.state.definitions.append(definition)
    lines = by_title(adapter.check())
    assert lines["webhooks"].ok
    assert lines["metafields for buyers"].ok
    shop.state.subscriptions.popitem()
    line = by_title(adapter.check())["webhooks"]
    assert line.ok is False
    assert "APP_UNINSTALLED" in line.detail.en


@pytest.mark.parametrize(
    ("fault", "said"), [("http_500", "failed"), ("html", "not JSON"), ("redirect", "redirects")]
)
def test_shop_that_does_not_answer(
    shop: ShopifySandbox, adapter: ShopifyAdapter, fault: str, said: str
) -> None:
    """One broken line instead of a row of the same."""
    shop.fault(fault, times=99)
    (line,) = adapter.check()
    assert line.ok is False
    assert said in line.detail.en


def test_wrong_token(shop: ShopifySandbox, connected: Connect) -> None:
    (line,) = connected(shop, access_token="shpat_wrong").check()
    assert line.ok is False
    assert "Connect the shop again" in line.detail.en


def test_registry() -> None:
    assert "shopify" in PLATFORMS
    assert "client_secret" in config_keys("shopify")
    assert "docs/shopify.md" in order_file("shopify").en
    assert order_reader("shopify", {"money": "shop"}) is not None
