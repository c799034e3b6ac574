"""Metafields, tag, note and e-mail are written once, whatever happens on the way."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.contract import Channel, Message, NotFound, ShopAuthFailed, ShopRefused, ShopUnavailable
from adapters.shopify import ShopifyAdapter
from adapters.shopify.publish import LONGEST_NOTE
from sandbox.shopify import ShopifySandbox
from sandbox.shopify.state import Token
from tests.shopify.conftest import Clock, Connect

NUMBER = "5260250274-20261124-ABCDEF-123456-7A"
NOTE = Message(text=f"Faktura FV/1/2026\nNumer KSeF {NUMBER}", marker=NUMBER)
FIELDS = {
    "ksef_number": NUMBER,
    "invoice_number": "FV/1/2026",
    "status": "accepted",
    "pdf_url": "https://faktury.example/f/1.pdf",
    "verification_url": "https://ksef.example/1",
}
LOST = ["drop_after", "truncate", "cut"]
WRITES = [
    (Channel.METADATA, Message(fields=FIELDS), "SetMetafields"),
    (Channel.TAG, Message(text="KSeF"), "AddTag"),
    (Channel.PRIVATE_NOTE, NOTE, "SetNote"),
]


def stored(shop: ShopifySandbox, number: int = 1001) -> dict[str, Any]:
    return shop.state.orders[f"gid://shopify/Order/{number}"]


def metafields(shop: ShopifySandbox) -> dict[str, str]:
    return {one["key"]: one["value"] for one in stored(shop)["metafields"]["nodes"]}


def test_metafields(shop: ShopifySandbox, adapter: ShopifyAdapter, clock: Clock) -> None:
    """Written under ksef.*, defined for customer accounts; the same again writes nothing, so no loop."""
    clock.forward(60)
    assert adapter.publish("1001", Channel.METADATA, Message(fields=FIELDS)) == "1001"
    assert metafields(shop) == {
        "number": NUMBER,
        "invoice_number": "FV/1/2026",
        "status": "accepted",
        "pdf_url": "https://faktury.example/f/1.pdf",
        "verification_url": "https://ksef.example/1",
    }
    assert {one["type"] for one in stored(shop)["metafields"]["nodes"]} == {"single_line_text_field", "url"}
    assert [one["access"] for one in shop.state.definitions] == [{"customerAccount": "READ"}] * 5
    changed = stored(shop)["updatedAt"]
    clock.forward(60)
    adapter.publish("1001", Channel.METADATA, Message(fields=FIELDS))
    assert stored(shop)["updatedAt"] == changed
    assert shop.calls.count("DefineMetafield") == 5


def test_metafields_change_in_place(shop: ShopifySandbox, adapter: ShopifyAdapter) -> None:
    adapter.publish("1001", Channel.METADATA, Message(fields=FIELDS))
    adapter.publish("1001", Channel.METADATA, Message(fields={"status": "published", "pdf_url": ""}))
    assert metafields(shop)["status"] == "published"
    assert "pdf_url" not in metafields(shop)
    assert len(stored(shop)["metafields"]["nodes"]) == 4


def test_another_writer_was_faster(shop: ShopifySandbox, adapter: ShopifyAdapter) -> None:
    """The digest does not fit any more: everything is compared anew, and written over the newer value."""
    adapter.publish("1001", Channel.METADATA, Message(fields={"status": "sent"}))
    raced: list[str] = []

    def race(name: str) -> None:
        if name == "SetMetafields" and not raced:
            raced.append(name)
            stored(shop)["metafields"]["nodes"][0]["value"] = "somebody else's"

    shop.shop.before = race
    adapter.publish("1001", Channel.METADATA, Message(fields={"status": "accepted"}))
    assert metafields(shop) == {"status": "accepted"}
    assert shop.calls.count("SetMetafields") == 3


def test_value_that_the_shop_refuses(shop: ShopifySandbox, adapter: ShopifyAdapter) -> None:
    """All or nothing, and the shop's reason is told."""
    with pytest.raises(ShopRefused, match="Value must be a URL") as caught:
        adapter.publish("1001", Channel.METADATA, Message(fields={"status": "x", "pdf_url": "faktura.pdf"}))
    assert caught.value.code == "INVALID_VALUE"
    assert metafields(shop) == {}


def test_definitions_that_are_refused(shop: ShopifySandbox, adapter: ShopifyAdapter) -> None:
    """A definition that somebody made meanwhile is fine."""

    def race(name: str) -> None:
        if name == "DefineMetafield" and not shop.state.definitions:
            shop.state.definitions.append({"id": "1", "namespace": "ksef", "key": "number", "access": {}})

    shop.shop.before = race
    adapter.publish("1001", Channel.METADATA, Message(fields=FIELDS))
    assert len(shop.state.definitions) == 5
    assert metafields(shop)["number"] == NUMBER


def test_unknown_field(adapter: ShopifyAdapter) -> None:
    with pytest.raises(ValueError, match="colour"):
        adapter.publish("1001", Channel.METADATA, Message(fields={"colour": "red"}))


def test_tag(shop: ShopifySandbox, adapter: ShopifyAdapter) -> None:
    """A tag is there once, in whatever case the merchant wrote it."""
    stored(shop)["tags"] = ["VIP"]
    for text in ("KSeF", "ksef", "", "  KSeF "):
        assert adapter.publish("1001", Channel.TAG, Message(text=text)) == "1001"
    assert stored(shop)["tags"] == ["VIP", "KSeF"]
    assert shop.calls.count("AddTag") == 1


def test_note_is_appended(shop: ShopifySandbox, adapter: ShopifyAdapter) -> None:
    """orderUpdate replaces the note; what buyer and merchant wrote stays."""
    stored(shop)["note"] = "Proszę dzwonić"
    for _ in range(3):
        adapter.publish("1001", Channel.PRIVATE_NOTE, NOTE)
    assert stored(shop)["note"] == f"Proszę dzwonić\n\n{NOTE.text}"
    adapter.publish("1001", Channel.PRIVATE_NOTE, Message("Korekta KOR/1", "KOR/1"))
    assert stored(shop)["note"].endswith(f"{NOTE.text}\n\nKorekta KOR/1")
    assert shop.calls.count("SetNote") == 2


@pytest.mark.parametrize("other", ["FV/1/20261", "KOR/FV/1/2026", "FV/1/2026/K", "xFV/1/2026"])
def test_longer_numbers_are_other_numbers(shop: ShopifySandbox, adapter: ShopifyAdapter, other: str) -> None:
    adapter.publish("1001", Channel.PRIVATE_NOTE, Message(f"Dokument {other}.", other))
    adapter.publish("1001", Channel.PRIVATE_NOTE, Message("Dokument FV/1/2026.", "FV/1/2026"))
    assert shop.calls.count("SetNote") == 2


def test_note_without_room(shop: ShopifySandbox, adapter: ShopifyAdapter) -> None:
    """Nothing of the merchant's text is cut off."""
    full = "x" * (LONGEST_NOTE - 20)
    stored(shop)["note"] = full
    with pytest.raises(ShopRefused) as caught:
        adapter.publish("1001", Channel.PRIVATE_NOTE, NOTE)
    assert caught.value.code == "NOTE_TOO_LONG"
    assert stored(shop)["note"] == full


def test_marker_must_be_in_the_text(adapter: ShopifyAdapter) -> None:
    for message in (Message("Faktura", "FV/1"), Message("Faktura", "")):
        with pytest.raises(ValueError, match="marker"):
            adapter.publish("1001", Channel.PRIVATE_NOTE, message)


@pytest.mark.parametrize("kind", LOST)
@pytest.mark.parametrize(("channel", "message", "operation"), WRITES)
def test_what_was_stored_is_found_after_a_lost_answer(
    shop: ShopifySandbox,
    adapter: ShopifyAdapter,
    kind: str,
    channel: Channel,
    message: Message,
    operation: str,
) -> None:
    shop.fault(kind, operation)
    assert adapter.publish("1001", channel, message) == "1001"
    adapter.publish("1001", channel, message)
    assert shop.calls.count(operation) == 1


@pytest.mark.parametrize(("channel", "message", "operation"), WRITES)
def test_what_was_not_stored(
    shop: ShopifySandbox, adapter: ShopifyAdapter, channel: Channel, message: Message, operation: str
) -> None:
    """Not seen after a lost answer: the outcome is unknown, and the next call writes it."""
    shop.fault("drop_before", operation)
    with pytest.raises(ShopUnavailable) as caught:
        adapter.publish("1001", channel, message)
    assert caught.value.outcome_unknown
    adapter.publish("1001", channel, message)
    assert shop.calls.count(operation) == 2
    assert NUMBER in f"{metafields(shop)} {stored(shop)['note']}" or stored(shop)["tags"] == ["KSeF"]


@pytest.mark.parametrize(("channel", "message", "operation"), WRITES)
def test_throttled_writes_are_repeated(
    shop: ShopifySandbox, adapter: ShopifyAdapter, channel: Channel, message: Message, operation: str
) -> None:
    """A throttled mutation was certainly not carried out."""

    def throttle(name: str) -> None:
        if name == operation and shop.calls.count(operation) == 1:
            shop.shop.throttled = 1

    shop.shop.before = throttle
    adapter.publish("1001", channel, message)
    assert shop.calls.count(operation) == 2


@pytest.mark.parametrize(("channel", "message", "operation"), WRITES)
def test_missing_scope(
    shop: ShopifySandbox, adapter: ShopifyAdapter, channel: Channel, message: Message, operation: str
) -> None:
    shop.state.tokens[shop.token] = Token(frozenset({"read_orders", "read_customers"}))
    with pytest.raises(ShopAuthFailed) as caught:
        adapter.publish("1001", channel, message)
    assert "write_orders" in caught.value.hint


@pytest.mark.parametrize(("channel", "message", "operation"), WRITES)
def test_order_that_is_gone(
    adapter: ShopifyAdapter, channel: Channel, message: Message, operation: str
) -> None:
    with pytest.raises(NotFound):
        adapter.publish("4711", channel, message)


def test_email_is_off_by_default(adapter: ShopifyAdapter) -> None:
    assert Channel.ORDER_EMAIL not in adapter.channels
    for channel in (Channel.ORDER_EMAIL, Channel.CUSTOMER_NOTE, Channel.ORDER_STATE):
        with pytest.raises(ShopRefused):
            adapter.publish("1001", channel, NOTE)


@pytest.fixture
def mailing(shop: ShopifySandbox, connected: Connect) -> ShopifyAdapter:
    """A store whose merchant turned the e-mail on."""
    return connected(shop, order_email="yes")


def test_email_is_sent_once(shop: ShopifySandbox, mailing: ShopifyAdapter) -> None:
    for _ in range(3):
        mailing.publish("1001", Channel.ORDER_EMAIL, NOTE)
    (sent,) = shop.state.emails
    assert (sent["subject"], sent["customMessage"]) == ("Faktura FV/1/2026", f"Numer KSeF {NUMBER}")
    mailing.publish("1001", Channel.ORDER_EMAIL, Message("Korekta KOR/1", "KOR/1"))
    assert len(shop.state.emails) == 2


@pytest.mark.parametrize("kind", LOST)
def test_email_whose_answer_got_lost(shop: ShopifySandbox, mailing: ShopifyAdapter, kind: str) -> None:
    """It cannot be found out whether it went; it is not sent a second time."""
    shop.fault(kind, "SendOrderInvoice")
    with pytest.raises(ShopUnavailable) as caught:
        mailing.publish("1001", Channel.ORDER_EMAIL, NOTE)
    assert caught.value.outcome_unknown
    mailing.publish("1001", Channel.ORDER_EMAIL, NOTE)
    assert len(shop.state.emails) == 1
    assert metafields(shop)["email"] == f"sending {NUMBER}"


def test_email_that_was_refused(shop: ShopifySandbox, mailing: ShopifyAdapter) -> None:
    """It was certainly not sent, so it may be tried again."""
    address, stored(shop)["email"] = stored(shop)["email"], ""
    with pytest.raises(ShopRefused):
        mailing.publish("1001", Channel.ORDER_EMAIL, NOTE)
    stored(shop)["email"] = address
    mailing.publish("1001", Channel.ORDER_EMAIL, NOTE)
    assert len(shop.state.emails) == 1
