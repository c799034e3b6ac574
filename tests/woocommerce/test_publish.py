"""Notes and metadata are written once, whatever happens on the way."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from adapters.contract import Channel, Message, NotFound, ShopAuthFailed, ShopUnavailable
from adapters.http import Limits
from adapters.notes import plain_text
from adapters.woocommerce import WooCommerceAdapter
from sandbox.woocommerce import WooSandbox
from tests.woocommerce.servers import Clock, Connect

NUMBER = "5260250274-20261124-ABCDEF-123456-7A"
TEXT = f"Faktura FV/1/2026 & paragon: https://sklep.example/fv?a=1&b=2\nNumer KSeF {NUMBER}"
NOTE = Message(text=TEXT, marker=NUMBER)
FIELDS = {"ksef_number": NUMBER, "invoice_number": "FV/1/2026", "status": "accepted"}


def seen(shop: WooSandbox, order_id: int = 15) -> dict[str, Any]:
    """What the shop stores for an order, by the sandbox's own door."""
    answer = requests.get(f"{shop.url}/sandbox/orders/{order_id}", timeout=5)
    data: dict[str, Any] = answer.json()
    return data


def test_customer_note_is_sent_once(shop: WooSandbox, adapter: WooCommerceAdapter) -> None:
    """Three publications of one customer note are one note and one e-mail, and give the same id."""
    given = {adapter.publish("15", Channel.CUSTOMER_NOTE, NOTE) for _ in range(3)}
    stored = seen(shop)
    assert len(given) == len(stored["notes"]) == len(stored["emails"]) == 1
    assert given == {str(stored["notes"][0]["id"])}
    assert stored["notes"][0]["customer_note"] is True
    assert plain_text(stored["notes"][0]["note"]) == " ".join(TEXT.split())


def test_channels_are_apart(shop: WooSandbox, adapter: WooCommerceAdapter) -> None:
    """A private note is not taken for the customer note of the same text, and is not mailed."""
    private = adapter.publish("15", Channel.PRIVATE_NOTE, NOTE)
    public = adapter.publish("15", Channel.CUSTOMER_NOTE, NOTE)
    assert private != public
    assert len(seen(shop)["emails"]) == 1


def test_note_does_not_change_the_order(shop: WooSandbox, adapter: WooCommerceAdapter, clock: Clock) -> None:
    """A note leaves the order's modification time, so it does not wake us again."""
    before = adapter.order("15").modified_at
    clock.forward(60)
    adapter.publish("15", Channel.PRIVATE_NOTE, NOTE)
    assert adapter.order("15").modified_at == before


@pytest.mark.parametrize("kind", ["drop_after", "truncate", "cut"])
def test_stored_note_is_found_after_a_broken_answer(
    shop: WooSandbox, adapter: WooCommerceAdapter, kind: str
) -> None:
    """The shop stored the note and the answer was lost: it is found at once and not written again."""
    shop.fault(kind, method="POST")
    note_id = adapter.publish("15", Channel.CUSTOMER_NOTE, NOTE)
    stored = seen(shop)
    assert [str(note["id"]) for note in stored["notes"]] == [note_id]
    assert len(stored["emails"]) == 1


def test_stored_note_is_found_after_a_timeout(shop: WooSandbox, connected: Connect) -> None:
    """The same after a timeout of ours."""
    adapter = connected(shop, limits=Limits(read=0.2, attempts=1))
    shop.fault("slow", method="POST", value=0.6)
    note_id = adapter.publish("15", Channel.CUSTOMER_NOTE, NOTE)
    assert [str(note["id"]) for note in seen(shop)["notes"]] == [note_id]


def test_note_that_was_not_stored(shop: WooSandbox, adapter: WooCommerceAdapter) -> None:
    """A note that is not seen after a lost answer is an unknown outcome; the next call writes it once."""
    shop.fault("drop_before", method="POST")
    with pytest.raises(ShopUnavailable) as caught:
        adapter.publish("15", Channel.CUSTOMER_NOTE, NOTE)
    assert caught.value.outcome_unknown
    assert seen(shop)["notes"] == []
    adapter.publish("15", Channel.CUSTOMER_NOTE, NOTE)
    assert len(seen(shop)["notes"]) == 1


def test_shop_that_is_down_while_looking(shop: WooSandbox, adapter: WooCommerceAdapter) -> None:
    """When even the look afterwards fails the caller learns of it, and nothing is doubled later."""
    adapter.publish("15", Channel.PRIVATE_NOTE, Message("Dzień dobry", "dobry"))
    shop.fault("slow", method="GET", path="notes$", value=0.0)
    shop.fault("drop_after", method="POST")
    shop.fault("http_500", method="GET", path="notes$", times=6)
    for _ in range(2):
        with pytest.raises(ShopUnavailable):
            adapter.publish("15", Channel.CUSTOMER_NOTE, NOTE)
    assert len(seen(shop)["emails"]) == 1
    adapter.publish("15", Channel.CUSTOMER_NOTE, NOTE)
    assert len(seen(shop)["emails"]) == 1


@pytest.mark.parametrize(
    "stored",
    [
        f"Faktura &amp; numer <a href='https://x' rel='nofollow'>{NUMBER}</a>.",
        f"<p>{NUMBER}</p>",
        f"KSeF:&nbsp;{NUMBER},\n dalej",
    ],
)
def test_marker_survives_wordpress(shop: WooSandbox, adapter: WooCommerceAdapter, stored: str) -> None:
    """A note that WordPress or a plugin has dressed up is still recognised."""
    note = shop.state.add_note(15, stored, for_customer=True)
    assert adapter.publish("15", Channel.CUSTOMER_NOTE, NOTE) == str(note["id"])


def test_marker_with_ampersand_and_brackets(shop: WooSandbox, adapter: WooCommerceAdapter) -> None:
    """A marker with characters that HTML encodes is found again."""
    message = Message(text="Faktura A&B <1> gotowa", marker="A&B <1>")
    first = adapter.publish("15", Channel.PRIVATE_NOTE, message)
    assert adapter.publish("15", Channel.PRIVATE_NOTE, message) == first
    assert plain_text(seen(shop)["notes"][0]["note"]) == "Faktura A&B <1> gotowa"


@pytest.mark.parametrize("other", ["FV/1/20261", "KOR/FV/1/2026", "FV/1/2026/K", "xFV/1/2026"])
def test_longer_numbers_are_other_numbers(shop: WooSandbox, adapter: WooCommerceAdapter, other: str) -> None:
    """A note about another number that contains the marker is not taken for ours."""
    adapter.publish("15", Channel.PRIVATE_NOTE, Message(f"Dokument {other}.", other))
    adapter.publish("15", Channel.PRIVATE_NOTE, Message("Dokument FV/1/2026.", "FV/1/2026"))
    assert len(seen(shop)["notes"]) == 2


def test_marker_must_be_in_the_text(adapter: WooCommerceAdapter) -> None:
    """A note that could never be found again is refused."""
    for message in (Message("Faktura", "FV/1"), Message("Faktura", "")):
        with pytest.raises(ValueError, match="marker"):
            adapter.publish("15", Channel.PRIVATE_NOTE, message)


def test_metadata(shop: WooSandbox, adapter: WooCommerceAdapter, clock: Clock) -> None:
    """Metadata is written under its keys; the same again writes nothing, so the order does not change."""
    clock.forward(60)
    assert adapter.publish("15", Channel.METADATA, Message(fields=FIELDS)) == "15"
    stored = {row["key"]: row["value"] for row in seen(shop)["meta_data"]}
    assert stored["_ksef_number"] == NUMBER
    assert stored["_ksef_invoice_number"] == "FV/1/2026"
    assert stored["_ksef_status"] == "accepted"
    assert stored["_billing_nip"] == "5260250274"
    changed = adapter.order("15").modified_at
    assert changed == clock.now
    clock.forward(60)
    adapter.publish("15", Channel.METADATA, Message(fields=FIELDS))
    assert adapter.order("15").modified_at == changed


def test_metadata_changes_in_place(shop: WooSandbox, adapter: WooCommerceAdapter) -> None:
    """A new value replaces the old one, an empty one removes its key, and no key is doubled."""
    adapter.publish("15", Channel.METADATA, Message(fields=FIELDS))
    adapter.publish("15", Channel.METADATA, Message(fields={"status": "published", "invoice_number": ""}))
    rows = [(row["key"], row["value"]) for row in seen(shop)["meta_data"] if "ksef" in row["key"]]
    assert rows == [("_ksef_number", NUMBER), ("_ksef_status", "published")]


def test_metadata_after_a_lost_answer(shop: WooSandbox, adapter: WooCommerceAdapter) -> None:
    """Stored metadata whose answer was lost counts as written; metadata that was not stored does not."""
    shop.fault("drop_after", method="PUT")
    adapter.publish("15", Channel.METADATA, Message(fields=FIELDS))
    shop.fault("drop_before", method="PUT")
    with pytest.raises(ShopUnavailable) as caught:
        adapter.publish("15", Channel.METADATA, Message(fields={"status": "x"}))
    assert caught.value.outcome_unknown


def test_unknown_metadata_field(adapter: WooCommerceAdapter) -> None:
    """A field that has no key is a mistake of the caller."""
    with pytest.raises(ValueError, match="colour"):
        adapter.publish("15", Channel.METADATA, Message(fields={"colour": "red"}))


def test_read_only_key(shop: WooSandbox, connected: Connect) -> None:
    """A key that may only read is told so in words, and nothing is written."""
    adapter = connected(shop, consumer_key=shop.read_only_key, consumer_secret=shop.read_only_secret)
    with pytest.raises(ShopAuthFailed) as caught:
        adapter.publish("15", Channel.PRIVATE_NOTE, NOTE)
    assert "Read/Write" in caught.value.hint
    assert seen(shop)["notes"] == []


def test_order_that_is_gone(adapter: WooCommerceAdapter) -> None:
    """A note to an order that is gone is NotFound."""
    with pytest.raises(NotFound):
        adapter.publish("4711", Channel.PRIVATE_NOTE, NOTE)
