"""Subscriptions, signed deliveries and what an event may say."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from werkzeug.serving import WSGIRequestHandler
from werkzeug.wrappers import Request, Response

from adapters.contract import (
    Entity,
    ForgedEvent,
    ShopError,
    ShopEvent,
    ShopRefused,
    ShopUnavailable,
    UnreadableEvent,
)
from adapters.shopify import ShopifyAdapter, event_reader
from adapters.shopify.events import PRIVACY_TOPICS
from adapters.shopify.webhooks import FIELDS
from sandbox.background import BackgroundServer
from sandbox.shopify import ShopifySandbox
from sandbox.shopify.webhooks import MOST_RETRIES
from tests.shopify.conftest import Connect

URL = "https://faktury.example/hooks/1"
SECRET = ShopifySandbox.client_secret
CONFIG = {"url": "sandbox", "client_secret": SECRET, "previous_client_secret": "shpss_old"}


def topics(shop: ShopifySandbox, url: str = URL) -> set[str]:
    return {one["topic"] for one in shop.state.subscriptions.values() if one["uri"] == url}


def test_register_health_unregister(shop: ShopifySandbox, adapter: ShopifyAdapter) -> None:
    hooks = adapter.webhooks
    assert hooks is not None
    assert [one.active for one in hooks.health(URL)] == [False] * len(FIELDS)
    for _ in range(2):
        hooks.register(URL, "unused")
    assert topics(shop) == set(FIELDS) == set(hooks.topics)
    assert shop.calls.count("Subscribe") == len(FIELDS)
    assert [one.active for one in hooks.health(URL)] == [True] * len(FIELDS)
    hooks.register("https://inny.example/h", "")
    hooks.unregister(URL)
    assert topics(shop) == set()
    assert topics(shop, "https://inny.example/h") == set(FIELDS)


def test_deliveries_carry_no_personal_data(shop: ShopifySandbox, adapter: ShopifyAdapter) -> None:
    assert adapter.webhooks is not None
    adapter.webhooks.register(URL, "")
    wide = {one["topic"] for one in shop.state.subscriptions.values() if not one["includeFields"]}
    assert wide == {"ORDERS_EDITED", "ORDERS_DELETE", "APP_UNINSTALLED"}


def test_without_the_apps_secret(shop: ShopifySandbox, connected: Connect) -> None:
    """Deliveries that nobody could verify are not asked for; those that are there can be deleted."""
    hooks = connected(shop).webhooks
    bare = connected(shop, client_secret="").webhooks
    assert hooks is not None
    assert bare is not None
    with pytest.raises(ShopError, match="client_secret") as caught:
        bare.register(URL, "one of ours")
    assert caught.value.hint
    assert topics(shop) == set()
    hooks.register(URL, "")
    bare.unregister(URL)
    assert topics(shop) == set()


def test_wrong_form_is_corrected(shop: ShopifySandbox, adapter: ShopifyAdapter) -> None:
    assert adapter.webhooks is not None
    adapter.webhooks.register(URL, "")
    one = next(iter(shop.state.subscriptions.values()))
    one["format"] = "XML"
    assert [line.topic for line in adapter.webhooks.health(URL) if not line.active] == [one["topic"]]
    adapter.webhooks.register(URL, "")
    assert one["format"] == "JSON"
    assert len(shop.state.subscriptions) == len(FIELDS)


def test_old_version_is_told(shop: ShopifySandbox, adapter: ShopifyAdapter) -> None:
    assert adapter.webhooks is not None
    adapter.webhooks.register(URL, "")
    next(iter(shop.state.subscriptions.values()))["apiVersion"] = {"handle": "2026-01"}
    (line,) = [line for line in adapter.webhooks.health(URL) if line.detail]
    assert line.active
    assert "2026-01" in line.detail


@pytest.mark.parametrize("kind", ["drop_after", "truncate", "drop_before"])
def test_lost_answers(shop: ShopifySandbox, adapter: ShopifyAdapter, kind: str) -> None:
    """What was made is found; what was not is an error, and the next call makes it."""
    assert adapter.webhooks is not None
    shop.fault(kind, "Subscribe$")
    if kind == "drop_before":
        with pytest.raises(ShopUnavailable):
            adapter.webhooks.register(URL, "")
    adapter.webhooks.register(URL, "")
    shop.fault(kind, "Unsubscribe")
    if kind == "drop_before":
        with pytest.raises(ShopUnavailable):
            adapter.webhooks.unregister(URL)
    adapter.webhooks.unregister(URL)
    assert topics(shop) == set()


def test_address_that_the_shop_refuses(shop: ShopifySandbox, adapter: ShopifyAdapter) -> None:
    """Taken, says the shop, and does not list it: that is no success."""
    hooks = adapter.webhooks
    assert hooks is not None
    hooks.register(URL, "")
    kept = dict(shop.state.subscriptions)

    def hide(name: str) -> None:
        shop.state.subscriptions = dict(kept) if name == "Subscribe" else {}

    shop.shop.before = hide
    with pytest.raises(ShopRefused, match="already been taken"):
        hooks.register(URL, "")


def signed(body: bytes, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def read(topic: str, payload: object, *, secret: str = SECRET, **headers: str) -> ShopEvent:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    given = {
        "x-shopify-topic": topic,
        "x-shopify-hmac-sha256": signed(body, secret),
        "x-shopify-shop-domain": "sandbox.myshopify.com",
        "x-shopify-triggered-at": "2026-11-24T12:00:00.123456789Z",
    }
    return event_reader(CONFIG)(given | headers, body, [])


@pytest.mark.parametrize(
    ("topic", "payload", "entity", "entity_id", "order_id"),
    [
        ("orders/create", {"id": 15, "updated_at": "2026-11-24T10:00:00+01:00"}, Entity.ORDER, "15", "15"),
        ("orders/paid", {"id": 15}, Entity.ORDER, "15", "15"),
        ("orders/updated", {"id": 15}, Entity.ORDER, "15", "15"),
        ("orders/cancelled", {"id": 15}, Entity.ORDER, "15", "15"),
        ("orders/delete", {"id": 15}, Entity.ORDER, "15", "15"),
        ("orders/edited", {"order_edit": {"id": 7, "order_id": 15}}, Entity.ORDER, "15", "15"),
        ("refunds/create", {"id": 9, "order_id": 15}, Entity.REFUND, "9", "15"),
        ("app/uninstalled", {"id": 1, "name": "Sklep"}, Entity.APP, "", ""),
        (
            "customers/data_request",
            {"data_request": {"id": 3}, "customer": {"id": 4}},
            Entity.PRIVACY,
            "3",
            "",
        ),
        ("customers/redact", {"customer": {"id": 4}, "orders_to_redact": [15]}, Entity.PRIVACY, "4", ""),
        ("shop/redact", {"shop_id": 5}, Entity.PRIVACY, "5", ""),
    ],
)
def test_events(topic: str, payload: object, entity: Entity, entity_id: str, order_id: str) -> None:
    event = read(topic, payload)
    assert (event.topic, event.entity) == (topic, entity)
    assert (event.entity_id, event.order_id) == (entity_id, order_id)
    assert set(PRIVACY_TOPICS) >= {topic} or entity is not Entity.PRIVACY


def test_when_it_changed() -> None:
    """The entity's own time tells deliveries of one change from those of the next."""
    event = read("orders/updated", {"id": 15, "updated_at": "2026-11-24T10:00:00+01:00"})
    assert event.modified == datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    assert read("orders/updated", {"id": 15}).modified == datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)
    bare = read("orders/updated", {"id": 15}, **{"x-shopify-triggered-at": "soon"})
    assert bare.modified is None


def test_both_secrets_count_during_a_rotation() -> None:
    assert read("orders/updated", {"id": 15}, secret="shpss_old").order_id == "15"
    body = b'{"id": 15}'
    headers = {"x-shopify-topic": "orders/updated", "x-shopify-hmac-sha256": signed(body, "extra")}
    assert event_reader({})(headers, body, ["other", "extra"]).order_id == "15"


@pytest.mark.parametrize("signature", ["", "x", signed(b"other"), signed(b'{"id": 15}', "shpss_wrong"), "é"])
def test_forged(signature: str) -> None:
    with pytest.raises(ForgedEvent):
        read("orders/updated", {"id": 15}, **{"x-shopify-hmac-sha256": signature})


def test_no_secret_verifies_nothing() -> None:
    body = b"{}"
    headers = {"x-shopify-topic": "orders/updated", "x-shopify-hmac-sha256": signed(body, "")}
    with pytest.raises(ForgedEvent):
        event_reader({})(headers, body, [""])


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("orders/updated", b"not json"),
        ("orders/updated", b"[]"),
        ("orders/updated", {"id": "x"}),
        ("orders/updated", {"id": -1}),
        ("orders/updated", {"id": 1, "updated_at": "soon"}),
        ("orders/edited", {"id": 1}),
        ("refunds/create", {"id": 9}),
        ("products/update", {"id": 9}),
        ("", {}),
        ("customers/redact", {}),
        ("orders/updated", b" " * (5 * 1024 * 1024) + b"{}"),
        ("orders/updated", b"[" * 100_000),
    ],
)
def test_unreadable(topic: str, payload: object) -> None:
    with pytest.raises(UnreadableEvent):
        read(topic, payload)


def test_another_shop() -> None:
    with pytest.raises(UnreadableEvent, match="another shop"):
        read("orders/updated", {"id": 1}, **{"x-shopify-shop-domain": "inny.myshopify.com"})


@dataclass
class Inbox:
    """Takes deliveries and reads them."""

    status: int = 200
    config: dict[str, str] = field(default_factory=lambda: dict(CONFIG))
    events: list[ShopEvent] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)

    def __call__(self, environ: object, start_response: object) -> object:
        request = Request(environ)  # type: ignore[arg-type]
        headers = {key.lower(): value for key, value in request.headers.items()}
        self.ids.append(headers["x-shopify-webhook-id"])
        self.events.append(event_reader(self.config)(headers, request.get_data(), []))
        return Response(status=self.status)(environ, start_response)  # type: ignore[arg-type]


class _Server(BackgroundServer):
    def __init__(self, inbox: Inbox) -> None:
        super().__init__(0, WSGIRequestHandler)
        self._inbox = inbox

    def application(self) -> Inbox:  # type: ignore[override]
        return self._inbox


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def inbox_url(inbox: Inbox) -> Iterator[str]:
    with _Server(inbox) as server:
        yield f"{server.url}/hooks"


def test_real_deliveries(shop: ShopifySandbox, adapter: ShopifyAdapter, inbox: Inbox, inbox_url: str) -> None:
    """The sandbox's sender signs what it really sends, trimmed to the fields that were asked for."""
    assert adapter.webhooks is not None
    inbox.config["url"] = shop.url
    adapter.webhooks.register(inbox_url, "")
    shop.webhooks.emit(
        "ORDERS_UPDATED", {"id": 1001, "updated_at": "2026-11-24T12:00:00Z", "email": "a@b.example"}
    )
    shop.webhooks.emit("REFUNDS_CREATE", {"id": 7, "order_id": 1001})
    assert b"a@b.example" not in shop.webhooks.waiting[0].body
    assert shop.webhooks.send() == [200, 200]
    assert [(one.entity, one.entity_id) for one in inbox.events] == [
        (Entity.ORDER, "1001"),
        (Entity.REFUND, "7"),
    ]


def test_failed_deliveries_cost_the_subscription(
    shop: ShopifySandbox, adapter: ShopifyAdapter, inbox: Inbox, inbox_url: str
) -> None:
    """Retries are the same delivery; after eight the subscription is gone, and register makes it again."""
    assert adapter.webhooks is not None
    adapter.webhooks.register(inbox_url, "")
    inbox.config["url"] = shop.url
    inbox.status = 500
    shop.webhooks.emit("ORDERS_PAID", {"id": 1001})
    for _ in range(MOST_RETRIES + 1):
        assert shop.webhooks.send() == [500]
    assert shop.webhooks.send() == []
    assert len(set(inbox.ids)) == 1
    assert [one.topic for one in adapter.webhooks.health(inbox_url) if not one.active] == ["ORDERS_PAID"]
    adapter.webhooks.register(inbox_url, "")
    assert all(one.active for one in adapter.webhooks.health(inbox_url))
