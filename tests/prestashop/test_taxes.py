"""A shop's tax rules groups and what they charge."""

from __future__ import annotations

from decimal import Decimal

import pytest

from adapters.contract import ShopAuthFailed, TaxRate, TellsTaxes
from adapters.prestashop import connect
from sandbox.prestashop import PrestaSandbox, demo_data


def test_groups_and_their_rates() -> None:
    """By the ids that order lines name; countries come from the rules."""
    with PrestaSandbox(demo_data()) as shop:
        adapter = connect({"url": shop.url, "key": shop.key})
        assert isinstance(adapter, TellsTaxes)
        found = {one.key: one for one in adapter.tax_settings()}
    assert found["1"].rates == (TaxRate(Decimal(23), "PL", "PTU PL 23%"),)
    assert [rate.rate for rate in found["4"].rates] == [Decimal(0)]
    assert all(one.name.pl for one in found.values())


def test_deleted_groups_are_left_out() -> None:
    """A group that the merchant deleted is no choice any more."""
    data = demo_data()
    data["tax_rule_groups"][1].fields["deleted"] = "1"
    with PrestaSandbox(data) as shop:
        keys = [one.key for one in connect({"url": shop.url, "key": shop.key}).tax_settings()]
    assert "2" not in keys
    assert "1" in keys


def test_a_key_that_may_not_is_an_error() -> None:
    """The key of orders need not see tax rules: then the shop does not tell."""
    with PrestaSandbox(demo_data()) as shop:
        adapter = connect({"url": shop.url, "key": "C3" * 16})
        with pytest.raises(ShopAuthFailed):
            adapter.tax_settings()
