"""Webhooks of WooCommerce: the sandbox behaves as recorded, and the adapter registers, verifies and reads."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.contract import Entity, ForgedEvent, ShopAuthFailed, ShopEvent, UnreadableEvent, WebhookHealth
from adapters.woocommerce import WooCommerceAdapter, event_reader
from adapters.woocommerce.webhooks import TOPICS, WooWebhooks
from sandbox.woocommerce import WooSandbox
from tests.conformance.inbox import Inbox, inbox
from tests.woocommerce.conftest import DATA
from tests.woocommerce.servers import Clock, Connect

SECRET = "a secret of the test"
READ = event_reader({})


def events(box: Inbox) -> list[ShopEvent]:
    return box.events(READ, [SECRET])


def hooks(adapter: WooCommerceAdapter) -> WooWebhooks:
    assert isinstance(adapter.webhooks, WooWebhooks)
    return adapter.webhooks


def signed(body: bytes, topic: str = "order.updated", secret: str = SECRET) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return {"x-wc-webhook-topic": topic, "x-wc-webhook-signature": base64.b64encode(digest).decode()}


def test_registered_once_and_greeted(shop: WooSandbox, adapter: WooCommerceAdapter) -> None:
    """Every topic is subscribed, however often it is asked for, and each is greeted by an unsigned ping."""
    with inbox() as box:
        for _ in range(2):
            hooks(adapter).register(box.url, SECRET)
        assert [one["topic"] for one in shop.state.webhooks.hooks.values()] == list(TOPICS)
        assert hooks(adapter).health(box.url) == [WebhookHealth(topic, active=True) for topic in TOPICS]
        assert events(box) == [ShopEvent("ping", Entity.PING)] * len(TOPICS)


def test_unregistered_and_others_kept(shop: WooSandbox, adapter: WooCommerceAdapter) -> None:
    """Only what leads to us is deleted."""
    with inbox() as box, inbox() as other:
        hooks(adapter).register(other.url, "theirs")
        hooks(adapter).register(box.url, SECRET)
        hooks(adapter).unregister(box.url)
        assert {one["delivery_url"] for one in shop.state.webhooks.hooks.values()} == {other.url}
        assert not any(one.active for one in hooks(adapter).health(box.url))


def test_a_doubled_subscription_is_made_one(shop: WooSandbox, adapter: WooCommerceAdapter) -> None:
    """A registration whose answer was lost leaves two; the next one deletes the second."""
    with inbox() as box:
        hooks(adapter).register(box.url, SECRET)
        book = shop.state.webhooks
        book.add(9999, {"topic": TOPICS[0], "delivery_url": box.url}, {})
        hooks(adapter).register(box.url, SECRET)
        assert (9999 in book.hooks, len(book.hooks)) == (False, len(TOPICS))


def test_deliveries_are_signed_and_say_what_changed(
    shop: WooSandbox, adapter: WooCommerceAdapter, clock: Clock, recording: Callable[[str], Any]
) -> None:
    """Change, refund, bin and deletion arrive as events with the right entity."""
    with inbox() as box:
        hooks(adapter).register(box.url, SECRET)
        box.requests.clear()
        clock.forward(60)
        shop.state.add_refund(15, recording("refund_partial_line_created"))
        assert all(one.succeeded for one in shop.deliver())
        assert events(box) == [
            ShopEvent("order.updated", Entity.ORDER, "15", "15", clock.now),
            ShopEvent("action.woocommerce_refund_created", Entity.REFUND, "16"),
            ShopEvent("action.woocommerce_order_refunded", Entity.REFUND, "15", "15"),
        ]
        assert len({headers["x-wc-webhook-delivery-id"] for headers, _ in box.requests}) == 3
        box.requests.clear()
        shop.state.delete(23)
        shop.deliver()
        assert events(box) == [ShopEvent("order.deleted", Entity.ORDER, "23", "23")]


def test_payload_is_rendered_at_delivery(shop: WooSandbox, adapter: WooCommerceAdapter) -> None:
    """Two changes make one delivery that says the last; an order gone before is told without an id."""
    with inbox() as box:
        hooks(adapter).register(box.url, SECRET)
        box.requests.clear()
        shop.state.change(15, status="on-hold")
        shop.state.change(15, status="completed")
        shop.deliver()
        assert [json.loads(body)["status"] for _, body in box.requests] == ["completed"]
        box.requests.clear()
        shop.state.change(15, status="processing")
        shop.state.delete(15)
        shop.deliver()
        assert events(box) == [
            ShopEvent("order.updated", Entity.ORDER),
            ShopEvent("order.deleted", Entity.ORDER, "15", "15"),
        ]


def test_delivery_ids_repeat_within_a_second(
    shop: WooSandbox, adapter: WooCommerceAdapter, clock: Clock
) -> None:
    """Different orders in one second share a delivery id, so it tells nothing apart."""
    with inbox() as box:
        hooks(adapter).register(box.url, SECRET)
        shop.state.change(15, status="on-hold")
        shop.state.change(23, status="on-hold")
        first = shop.deliver()
        shop.state.change(15, status="completed")
        clock.forward(1)
        later = shop.deliver()
    assert len({one.delivery_id for one in first}) == 1
    assert first[0].delivery_id != later[0].delivery_id


def test_disabled_after_failures_and_woken_again(shop: WooSandbox, adapter: WooCommerceAdapter) -> None:
    """The seventh failure in a row disables; health says so; registering again makes it active."""
    with inbox() as box:
        hooks(adapter).register(box.url, SECRET)
        box.status = "500 Broken"
        for _ in range(6):
            shop.state.change(15, status="on-hold")
            shop.deliver()
        assert all(one.active for one in hooks(adapter).health(box.url))
        shop.state.change(15, status="on-hold")
        shop.deliver()
        dead = [one for one in hooks(adapter).health(box.url) if not one.active]
        assert [one.topic for one in dead] == ["order.updated"]
        assert "five failed deliveries" in dead[0].detail
        shop.state.change(15, status="completed")
        assert shop.deliver() == []
        box.status = "200 OK"
        hooks(adapter).register(box.url, SECRET)
        shop.state.change(15, status="processing")
        assert [one.succeeded for one in shop.deliver()] == [True]


def test_a_success_forgets_failures(shop: WooSandbox, adapter: WooCommerceAdapter) -> None:
    """Six failures, a success, six failures: still active."""
    with inbox() as box:
        hooks(adapter).register(box.url, SECRET)
        for status, times in (("500 x", 6), ("302 Found", 1), ("500 x", 6)):
            box.status = status
            for _ in range(times):
                shop.state.change(15, status="on-hold")
                shop.deliver()
        assert all(one.active for one in hooks(adapter).health(box.url))


def test_deliveries_stay_on_this_machine(shop: WooSandbox, adapter: WooCommerceAdapter) -> None:
    """The sandbox sends to nobody else."""
    hooks(adapter).register("http://shop.example/webhooks/a/b", SECRET)
    shop.state.change(15, status="on-hold")
    assert [one.status for one in shop.deliver()] == [0]


def test_a_read_only_key_cannot_register(shop: WooSandbox, connected: Connect) -> None:
    """It is told as what it is."""
    reader = connected(shop, consumer_key=shop.read_only_key, consumer_secret=shop.read_only_secret)
    with pytest.raises(ShopAuthFailed):
        hooks(reader).register("http://127.0.0.1:1/webhooks/a/b", SECRET)


def test_any_of_two_secrets_verifies() -> None:
    """During a rotation both count."""
    body = b'{"id":15,"date_modified_gmt":"2026-11-24T10:00:00"}'
    event = READ(signed(body), body, ["new", SECRET])
    assert event.modified == datetime(2026, 11, 24, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-wc-webhook-signature": ""},
        {"x-wc-webhook-signature": "zażółć"},
        signed(b'{"id":16}'),
        signed(b'{"id":15}', secret="another"),
    ],
)
def test_forged(headers: dict[str, str]) -> None:
    """Without a right signature over these very bytes nothing is believed, and without secrets nothing is."""
    for secrets in ([SECRET], []):
        with pytest.raises(ForgedEvent):
            READ(headers, b'{"id":15}', secrets)
    with pytest.raises(ForgedEvent):
        READ({}, b"webhook_id=1&x=2", [SECRET])


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("order.updated", b""),
        ("order.updated", b"\xff"),
        ("order.updated", b"[]"),
        ("order.updated", b'{"id":"15; DROP"}'),
        ("order.updated", b'{"id":15,"date_modified_gmt":"yesterday"}'),
        ("order.updated", b"[" * 100_000),
        ("action.woocommerce_refund_created", b'{"action":"woocommerce_refund_created"}'),
        ("customer.updated", b'{"id":15}'),
        ("", b'{"id":15}'),
    ],
)
def test_signed_and_unreadable(topic: str, body: bytes) -> None:
    """What the platform does not document is refused without repeating it."""
    with pytest.raises(UnreadableEvent) as caught:
        READ(signed(body, topic), body, [SECRET])
    assert "DROP" not in str(caught.value)


def test_recorded_deliveries_are_read() -> None:
    """One recorded delivery of each topic and status, signed anew: every one names what it is about."""
    lines = (DATA / "webhook_deliveries.jsonl").read_text("utf-8").splitlines()
    found: dict[str, set[str]] = {}
    for line in lines:
        recorded = json.loads(line)
        body = recorded["body"].encode()
        headers = {name.lower(): value for name, value in recorded["headers"].items()}
        if "x-wc-webhook-topic" in headers:
            with pytest.raises(ForgedEvent):
                READ(headers, body, [SECRET])
            headers |= signed(body, headers["x-wc-webhook-topic"])
        event = READ(headers, body, [SECRET])
        found.setdefault(event.topic, set()).add(event.entity_id)
        is_order = event.topic in {"order.created", "order.updated"}
        assert (event.modified is not None) is is_order
    assert set(found) == {"ping", *TOPICS} - {"order.restored"}
    assert all(found[topic] - {""} for topic in found if topic != "ping")
