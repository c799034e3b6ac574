"""``store check`` says in words what works and what is missing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from adapters.contract import CheckLine
from adapters.prestashop import PrestaShopAdapter, connect
from sandbox.prestashop import INVOICE_STATE, PrestaSandbox, demo_data
from sandbox.prestashop.access import EVERYTHING
from tests.prestashop.conftest import Connect
from tests.prestashop.counting import listening
from tests.woocommerce.servers import Clock

KEY = "D4" * 16


def by_title(lines: list[CheckLine]) -> dict[str, CheckLine]:
    return {line.title.en: line for line in lines}


def test_a_healthy_shop(adapter: PrestaShopAdapter) -> None:
    """A healthy shop has no broken line, and its version and settings are told."""
    lines = by_title(adapter.check())
    assert not [line for line in lines.values() if line.ok is False]
    assert lines["reading orders"].ok
    assert lines["permissions"].ok
    assert "9.1.4" in lines["PrestaShop"].detail.en
    assert lines["clock"].ok
    assert "Europe/Warsaw" in lines["time zone"].detail.en
    assert "delivery address" in lines["taxes"].detail.en
    assert "each line, half up" in lines["rounding"].detail.en
    assert "on: buyers get a second invoice" in lines["the shop's own invoices"].detail.en
    assert "no e-mail" in lines["messages to buyers"].detail.en
    assert "plain http" in lines["encryption"].detail.en


def test_nothing_is_written(connected: Connect, clock: Clock) -> None:
    """Permissions are read from the shop's own list, not tried."""
    with listening(demo_data(), clock=clock) as shop:
        connected(shop, invoice_state=str(INVOICE_STATE)).check()
        assert {one.split()[0] for one in shop.requests} == {"GET"}


def test_missing_permissions_by_resource(connected: Connect, clock: Clock) -> None:
    """Each resource that the key lacks something on is a line with the names of the ticks."""
    allowed = dict(EVERYTHING) | {
        "orders": frozenset({"GET"}),
        "customer_messages": frozenset({"GET", "HEAD"}),
    }
    del allowed["order_slip"]
    with PrestaSandbox(demo_data(), clock=clock, keys={KEY: allowed}) as shop:
        lines = by_title(connected(shop, key=KEY).check())
        without_notes = by_title(connected(shop, key=KEY, private_note="no").check())
    missing = {title: line.detail.en for title, line in lines.items() if title.startswith("permission ")}
    assert sorted(missing) == ["permission customer_messages", "permission order_slip", "permission orders"]
    assert "Patch (PATCH)" in missing["permission orders"]
    assert "Add (POST)" in missing["permission customer_messages"]
    assert "View (GET)" in missing["permission order_slip"]
    assert "permission orders" not in without_notes


def test_a_read_only_key(shop: PrestaSandbox, connected: Connect) -> None:
    """A read-only key reads, and the lines say what to tick."""
    lines = by_title(connected(shop, key=shop.read_only_key).check())
    assert lines["reading orders"].ok
    assert {title for title, line in lines.items() if line.ok is False} == {
        "permission orders",
        "permission customer_threads",
        "permission customer_messages",
    }


def test_a_wrong_key(shop: PrestaSandbox, connected: Connect) -> None:
    """A wrong key gives one broken line instead of a row of the same."""
    (line,) = connected(shop, key="C3" * 16).check()
    assert line.ok is False
    assert "not active" in line.detail.en


def test_a_webservice_that_is_off(connected: Connect, clock: Clock) -> None:
    """The one line says where the switch is."""
    with PrestaSandbox(demo_data(), clock=clock, enabled=False) as shop:
        (line,) = connected(shop).check()
    assert "Enable PrestaShop's webservice" in line.detail.en


@pytest.mark.parametrize(("notes", "ok"), [("yes", False), ("no", True)])
def test_an_old_version(connected: Connect, clock: Clock, notes: str, ok: bool) -> None:
    """Before version 8 notes cannot be written, which is broken only when they are wished."""
    with PrestaSandbox(demo_data(), clock=clock, version="1.7.8.11") as shop:
        line = by_title(connected(shop, private_note=notes).check())["PrestaShop"]
    assert line.ok is ok
    assert "1.7.8.11" in line.detail.en


def settings(**changes: str) -> dict[str, list[object]]:
    """A shop with other settings."""
    data = demo_data()
    for one in data["configurations"]:
        one.fields["value"] = changes.get(one.text("name"), one.text("value"))
    return data  # type: ignore[return-value]


def test_other_settings(connected: Connect, clock: Clock) -> None:
    """Taxes that are off, rounding of the whole order and invoices that are off are told."""
    data = settings(PS_TAX="0", PS_ROUND_TYPE="3", PS_PRICE_ROUND_MODE="4", PS_INVOICE="0")
    with PrestaSandbox(data, clock=clock) as shop:  # type: ignore[arg-type]
        lines = by_title(connected(shop).check())
    assert lines["taxes"].ok is None
    assert "the whole order, half to even" in lines["rounding"].detail.en
    assert lines["the shop's own invoices"].ok is True


@pytest.mark.parametrize(
    ("told", "chosen", "ok"),
    [
        ("Europe/Warsaw", "Europe/Warsaw", True),
        ("US/Eastern", "Europe/Warsaw", False),
        ("Mars/Base", "", False),
    ],
)
def test_the_time_zone(connected: Connect, clock: Clock, told: str, chosen: str, ok: bool) -> None:
    """The store's configuration and the shop's own setting have to agree."""
    data = settings(PS_TIMEZONE=told)
    with PrestaSandbox(data, clock=clock) as shop:  # type: ignore[arg-type]
        assert by_title(connected(shop, time_zone=chosen).check())["time zone"].ok is ok


@pytest.mark.parametrize(("chosen", "ok"), [("", False), ("Europe/Warsaw", None)])
def test_settings_that_cannot_be_read(connected: Connect, clock: Clock, chosen: str, ok: bool | None) -> None:
    """Without the time zone nothing works; with it in the store's configuration it is only worth knowing."""
    allowed = {name: methods for name, methods in EVERYTHING.items() if name != "configurations"}
    with PrestaSandbox(demo_data(), clock=clock, keys={KEY: allowed}) as shop:
        lines = by_title(connected(shop, key=KEY, time_zone=chosen).check())
    assert lines["settings"].ok is ok
    assert ("permission configurations" in lines) is not bool(chosen)


@pytest.mark.parametrize(("state", "ok"), [(str(INVOICE_STATE), True), ("5", False), ("4711", False)])
def test_the_state_that_mails(shop: PrestaSandbox, connected: Connect, state: str, ok: bool) -> None:
    """It has to exist and to send an e-mail."""
    line = by_title(connected(shop, invoice_state=state).check())["order state with e-mail"]
    assert line.ok is ok


@pytest.mark.parametrize(("seconds", "ok"), [(0, True), (-120, None), (800, None)])
def test_clock_skew(shop: PrestaSandbox, clock: Clock, seconds: int, ok: bool | None) -> None:
    """The shop's own Date header is compared with our clock."""
    adapter = connect(
        {"url": shop.url, "key": shop.key}, clock=lambda: clock.now + timedelta(seconds=seconds)
    )
    assert by_title(adapter.check())["clock"].ok is ok
    adapter.close()
