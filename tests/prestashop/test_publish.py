"""Notes, messages and states are written once, whatever happens on the way."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from adapters.contract import (
    Channel,
    Message,
    NotFound,
    ShopAuthFailed,
    ShopRefused,
    ShopUnavailable,
)
from adapters.http import Limits
from adapters.notes import plain_text
from adapters.prestashop import PrestaShopAdapter
from sandbox.prestashop import INVOICE_STATE, PrestaSandbox, demo_data
from tests.prestashop.conftest import Connect
from tests.prestashop.counting import listening
from tests.woocommerce.servers import Clock

NUMBER = "5260250274-20261124-ABCDEF-123456-7A"
TEXT = f"Faktura FV/1/2026 & paragon: https://sklep.example/fv?a=1&b=2 Numer KSeF {NUMBER}"
NOTE = Message(text=TEXT, marker=NUMBER)
STATE = str(INVOICE_STATE)
WRITES = [Channel.CUSTOMER_NOTE, Channel.PRIVATE_NOTE, Channel.ORDER_STATE]


def seen(shop: PrestaSandbox, order_id: int = 10) -> dict[str, Any]:
    """What the shop shows of an order, by the sandbox's own door."""
    data: dict[str, Any] = requests.get(f"{shop.url}/sandbox/orders/{order_id}", timeout=5).json()
    return data


def copies(shop: PrestaSandbox) -> dict[Channel, int]:
    """How often each channel of order 10 was written."""
    stored = seen(shop)
    return {
        Channel.CUSTOMER_NOTE: len(stored["messages"]),
        Channel.PRIVATE_NOTE: stored["note"].count(NUMBER),
        Channel.ORDER_STATE: len(stored["emails"]),
    }


def test_what_is_offered(shop: PrestaSandbox, connected: Connect) -> None:
    """Note and message by default, the state when it is named, metadata never; notes can be left out."""
    assert connected(shop).channels == {Channel.PRIVATE_NOTE, Channel.CUSTOMER_NOTE}
    assert connected(shop, invoice_state=STATE).channels == set(WRITES)
    assert connected(shop, private_note="no").channels == {Channel.CUSTOMER_NOTE}
    with pytest.raises(ShopRefused, match="metadata"):
        connected(shop).publish("10", Channel.METADATA, Message(fields={"status": "accepted"}))


def test_a_message_in_the_orders_thread(
    shop: PrestaSandbox, adapter: PrestaShopAdapter, clock: Clock
) -> None:
    """The thread is made with the customer's data, and three publications are one message."""
    given = {adapter.publish("10", Channel.CUSTOMER_NOTE, NOTE) for _ in range(3)}
    stored = seen(shop)
    (message,) = stored["messages"]
    assert given == {message["id"]}
    assert (message["private"], message["id_employee"]) == ("0", "1")
    assert plain_text(message["message"]) == TEXT
    (thread,) = shop.state.tables["customer_threads"].values()
    assert thread.text("email").endswith("@example.test")
    assert (thread.text("id_customer"), thread.text("id_order"), thread.text("id_contact")) == (
        "4",
        "10",
        "0",
    )
    assert 1 <= len(thread.text("token")) <= 12
    assert stored["emails"] == []


def test_the_thread_that_is_there_is_used(shop: PrestaSandbox, adapter: PrestaShopAdapter) -> None:
    """A buyer who wrote about the order reads the answer in the same thread."""
    with shop.state.lock:
        thread = shop.state.add("customer_threads", {"id_order": "10", "id_customer": "4", "id_contact": "0"})
        shop.state.add(
            "customer_messages",
            {"id_customer_thread": thread.text("id"), "message": f"Kiedy {NUMBER[:10]}?", "private": "0"},
        )
    adapter.publish("10", Channel.CUSTOMER_NOTE, NOTE)
    stored = seen(shop)
    assert stored["threads"] == [thread.text("id")]
    assert len(stored["messages"]) == 2


def test_a_note_among_employees_is_not_the_buyers(shop: PrestaSandbox, adapter: PrestaShopAdapter) -> None:
    """A private message with the same number is not taken for the one that the buyer reads."""
    with shop.state.lock:
        thread = shop.state.add("customer_threads", {"id_order": "10", "id_customer": "4"})
        private = {"id_customer_thread": thread.text("id"), "message": TEXT, "private": "1"}
        shop.state.add("customer_messages", private)
    adapter.publish("10", Channel.CUSTOMER_NOTE, NOTE)
    assert [one["private"] for one in seen(shop)["messages"]] == ["1", "0"]


def test_links_are_plain_unless_wished(shop: PrestaSandbox, connected: Connect) -> None:
    """A theme that does not show HTML would print the tags, so they are the merchant's choice."""
    connected(shop).publish("10", Channel.CUSTOMER_NOTE, NOTE)
    adapter = connected(shop, message_links="yes")
    adapter.publish("11", Channel.CUSTOMER_NOTE, NOTE)
    assert "<a" not in seen(shop, 10)["messages"][0]["message"]
    linked = seen(shop, 11)["messages"][0]["message"]
    address = "https://sklep.example/fv?a=1&amp;b=2"
    assert f'<a href="{address}">{address}</a>' in linked
    assert plain_text(linked) == TEXT
    assert adapter.publish("11", Channel.CUSTOMER_NOTE, NOTE) == seen(shop, 11)["messages"][0]["id"]


def test_a_note_is_appended(shop: PrestaSandbox, adapter: PrestaShopAdapter) -> None:
    """What the merchant wrote stays, and the whole order is never sent back."""
    shop.state.change(10, note="Zadzwonić przed dostawą.\nDruga linia")
    before = dict(shop.state.entity("orders", 10).fields)
    assert adapter.publish("10", Channel.PRIVATE_NOTE, NOTE) == "10"
    adapter.publish("10", Channel.PRIVATE_NOTE, NOTE)
    after = shop.state.entity("orders", 10).fields
    assert after["note"] == f"Zadzwonić przed dostawą.\nDruga linia\n{TEXT.replace('&', '&amp;')}"
    assert {name for name in after if after[name] != before[name]} <= {"note", "date_upd"}
    # a correction comes below
    adapter.publish("10", Channel.PRIVATE_NOTE, Message("Korekta KOR/1", "KOR/1"))
    assert seen(shop)["note"].endswith("\nKorekta KOR/1")


@pytest.mark.parametrize("version", ["1.7.8.11", "1.7.6.0"])
def test_a_version_that_cannot_change_a_note_alone(connected: Connect, clock: Clock, version: str) -> None:
    """The order is not written as a whole instead, which would send its e-mails again; the hint helps."""
    with listening(demo_data(), clock=clock, version=version) as shop:
        with pytest.raises(ShopRefused) as caught:
            connected(shop).publish("10", Channel.PRIVATE_NOTE, NOTE)
        assert "private_note=no" in caught.value.hint
        assert not [one for one in shop.requests if one.startswith(("PUT", "PATCH"))]
        connected(shop).publish("10", Channel.CUSTOMER_NOTE, NOTE)
        assert len(seen(shop)["messages"]) == 1


def test_a_state_with_its_email(shop: PrestaSandbox, connected: Connect) -> None:
    """The shop mails once an order, whatever is published, and it is no second time for a correction."""
    adapter = connected(shop, invoice_state=STATE)
    first = adapter.publish("10", Channel.ORDER_STATE, NOTE)
    assert adapter.publish("10", Channel.ORDER_STATE, Message("Korekta KOR/1", "KOR/1")) == first
    stored = seen(shop)
    assert [mail["template"] for mail in stored["emails"]] == ["faktura_ksef"]
    assert stored["current_state"] == STATE


def test_a_state_that_was_left_again_is_not_repeated(shop: PrestaSandbox, connected: Connect) -> None:
    """The history remembers that the buyer was told, though the order is in another state now."""
    adapter = connected(shop, invoice_state=STATE)
    adapter.publish("10", Channel.ORDER_STATE, NOTE)
    shop.state.set_state(10, 4)
    adapter.publish("10", Channel.ORDER_STATE, NOTE)
    assert len(seen(shop)["emails"]) == 1
    assert seen(shop)["current_state"] == "4"


@pytest.mark.parametrize("channel", WRITES)
@pytest.mark.parametrize("kind", ["drop_after", "truncate", "cut"])
def test_what_was_stored_is_found_after_a_broken_answer(
    shop: PrestaSandbox, connected: Connect, channel: Channel, kind: str
) -> None:
    """The shop stored it and every answer to a write was lost: it is found at once and not written again."""
    adapter = connected(shop, invoice_state=STATE)
    shop.fault(kind, method="POST", times=2)
    shop.fault(kind, method="PATCH")
    first = adapter.publish("10", channel, NOTE)
    assert adapter.publish("10", channel, NOTE) == first
    assert copies(shop)[channel] == 1
    assert len(seen(shop)["threads"]) <= 1


@pytest.mark.parametrize("channel", WRITES)
def test_what_was_not_stored_is_written_the_next_time(
    shop: PrestaSandbox, connected: Connect, channel: Channel
) -> None:
    """A write that is not seen after a lost answer is an unknown outcome; the next call writes once."""
    adapter = connected(shop, invoice_state=STATE)
    shop.fault("drop_before", method="POST")
    shop.fault("drop_before", method="PATCH")
    with pytest.raises(ShopUnavailable) as caught:
        adapter.publish("10", channel, NOTE)
    assert caught.value.outcome_unknown
    assert copies(shop)[channel] == 0
    shop._faults.clear()
    adapter.publish("10", channel, NOTE)
    assert copies(shop)[channel] == 1


def test_a_timeout_of_ours(shop: PrestaSandbox, connected: Connect) -> None:
    """The same after we gave up waiting."""
    adapter = connected(shop, limits=Limits(read=0.2, attempts=1))
    adapter.publish("10", Channel.CUSTOMER_NOTE, Message("Dzień dobry", "dobry"))
    shop.fault("slow", method="POST", value=0.6)
    adapter.publish("10", Channel.CUSTOMER_NOTE, NOTE)
    assert len(seen(shop)["messages"]) == 2


@pytest.mark.parametrize("channel", WRITES)
def test_a_key_that_may_only_read(shop: PrestaSandbox, connected: Connect, channel: Channel) -> None:
    """It is told so in words, and nothing is written."""
    adapter = connected(shop, key=shop.read_only_key, invoice_state=STATE)
    with pytest.raises(ShopAuthFailed) as caught:
        adapter.publish("10", channel, NOTE)
    assert "permission" in caught.value.hint
    assert copies(shop)[channel] == 0


@pytest.mark.parametrize("channel", WRITES)
def test_an_order_that_is_gone(shop: PrestaSandbox, connected: Connect, channel: Channel) -> None:
    """Nothing is written for an order that is gone."""
    with pytest.raises(NotFound):
        connected(shop, invoice_state=STATE).publish("4711", channel, NOTE)
    assert not shop.state.tables["customer_threads"]


def test_a_customer_who_is_gone(shop: PrestaSandbox, adapter: PrestaShopAdapter) -> None:
    """The order is there, so it is not told to be gone; the note can still be written."""
    shop.state.tables["customers"].clear()
    with pytest.raises(ShopRefused, match="customer 4") as caught:
        adapter.publish("10", Channel.CUSTOMER_NOTE, NOTE)
    assert not isinstance(caught.value, NotFound)
    assert adapter.publish("10", Channel.PRIVATE_NOTE, NOTE) == "10"


@pytest.mark.parametrize("message", [Message("Faktura", "FV/1"), Message("Faktura", "")])
def test_a_marker_must_be_in_the_text(adapter: PrestaShopAdapter, message: Message) -> None:
    """A text that could never be found again is refused."""
    for channel in adapter.channels:
        with pytest.raises(ValueError, match="marker"):
            adapter.publish("10", channel, message)
