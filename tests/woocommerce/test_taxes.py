"""A shop's own tax settings, as far as they decide what an amount without tax may mean."""

from __future__ import annotations

from decimal import Decimal

import pytest

from adapters import woocommerce
from adapters.contract import ShopRefused, TaxRate, TellsTaxes
from sandbox.woocommerce.server import DEMO_CONSUMER_KEY, DEMO_CONSUMER_SECRET, WooSandbox


def connected(shop: WooSandbox) -> woocommerce.WooCommerceAdapter:
    keys = {"consumer_key": DEMO_CONSUMER_KEY, "consumer_secret": DEMO_CONSUMER_SECRET}
    return woocommerce.connect({"url": shop.url, **keys})


def test_classes_and_their_rates() -> None:
    """The standard class comes first, and classes without a rate are named too."""
    with WooSandbox([]) as shop:
        adapter = connected(shop)
        assert isinstance(adapter, TellsTaxes)
        found = {one.key: one for one in adapter.tax_settings()}
    assert next(iter(found)) == "standard"
    assert found["standard"].rates == (TaxRate(Decimal(23), "PL", "VAT 23%"),)
    assert found["vat-8"].rates[0].rate == Decimal(8)
    assert found["zero-rate"].rates == ()
    assert found["zero-rate"].name.pl == "Zero rate"


def test_a_refusal_is_a_shops_error() -> None:
    """Nothing is made up when the shop does not tell."""
    with WooSandbox([]) as shop:
        shop.fault("redirect", path="taxes")
        with pytest.raises(ShopRefused):
            connected(shop).tax_settings()
