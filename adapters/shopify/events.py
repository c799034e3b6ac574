"""Webhooks: signature over the raw body, then what changed; nothing else of the body is used.

Retries carry the body of the first try, so a delivery never tells what an order is now. Headers are not
signed: of them only the topic, the shop and the time are looked at, and none of them becomes data.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from adapters.contract import Entity, EventReader, ForgedEvent, ShopEvent, UnreadableEvent, UnreadableOrder
from adapters.json_node import Node
from adapters.shopify.transport import shop_domain, shop_url

PRIVACY_TOPICS: Final = ("customers/data_request", "customers/redact", "shop/redact")
"""Shopify demands that every public app answers them; they are set in the app, not subscribed to."""

_ORDERS = frozenset({"orders/create", "orders/paid", "orders/updated", "orders/cancelled", "orders/delete"})
_LONGEST = 5 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ShopifyEventReader:
    """See :class:`adapters.contract.EventReader`.

    Attributes:
        domain: ``name.myshopify.com``; empty takes every shop's.
        secrets: of the store's own configuration, beside those of a call.
    """

    domain: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def __call__(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> ShopEvent:
        """See :meth:`adapters.contract.EventReader.__call__`."""
        given = headers.get("x-shopify-hmac-sha256", "").strip().encode()
        fits = [hmac.compare_digest(signature(body, one), given) for one in (*self.secrets, *secrets) if one]
        if not any(fits):
            raise ForgedEvent("the delivery is not signed with the app's secret")
        if len(body) > _LONGEST:
            raise UnreadableEvent(f"the delivery is larger than {_LONGEST} bytes")
        domain = headers.get("x-shopify-shop-domain", "").strip().lower()
        if self.domain and domain and domain != self.domain:
            raise UnreadableEvent("the delivery is about another shop")
        topic = headers.get("x-shopify-topic", "").strip().lower()
        try:
            return _event(topic, Node(json.loads(body)), _triggered(headers))
        except (ValueError, RecursionError):
            raise UnreadableEvent(f"the delivery {topic!r} is not JSON") from None
        except UnreadableOrder as error:
            raise UnreadableEvent(f"the delivery {topic!r} is unreadable: {error.message}") from None


def signature(body: bytes, secret: str) -> bytes:
    """The value of ``X-Shopify-Hmac-Sha256``: base64 of HMAC-SHA256 over the raw body."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest())


def event_reader(config: Mapping[str, str]) -> EventReader:
    """A reader of a store's deliveries.

    Args:
        config: the store's configuration; ``client_secret`` and, during a rotation,
            ``previous_client_secret`` verify.

    Raises:
        ShopError: the shop's address is none.
    """
    secrets = [config.get(key, "").strip() for key in ("client_secret", "previous_client_secret")]
    domain = shop_domain(shop_url(config["url"])) if config.get("url", "").strip() else ""
    return ShopifyEventReader(domain, tuple(one for one in secrets if one))


def _event(topic: str, body: Node, triggered: datetime | None) -> ShopEvent:
    if topic in _ORDERS:
        order_id = body.child("id").identifier()
        modified = body.moment_of("updated_at") or triggered
        return ShopEvent(topic, Entity.ORDER, order_id, order_id, modified)
    if topic == "orders/edited":
        edit = body.child("order_edit")
        order_id = edit.child("order_id").identifier()
        return ShopEvent(topic, Entity.ORDER, order_id, order_id, edit.moment_of("created_at") or triggered)
    if topic == "refunds/create":
        made = body.moment_of("created_at") or body.moment_of("processed_at") or triggered
        refund_id, order_id = body.child("id").identifier(), body.child("order_id").identifier()
        return ShopEvent(topic, Entity.REFUND, refund_id, order_id, made)
    if topic == "app/uninstalled":
        return ShopEvent(topic, Entity.APP, modified=triggered)
    if topic in PRIVACY_TOPICS:
        return ShopEvent(topic, Entity.PRIVACY, _subject(topic, body), modified=triggered)
    raise UnreadableEvent(f"nobody subscribed to {topic!r}")


def _subject(topic: str, body: Node) -> str:
    """Whom a privacy request is about: its own number, the customer, or the shop."""
    owner = {"customers/data_request": "data_request", "customers/redact": "customer"}.get(topic)
    if owner is None:
        return body.child("shop_id").identifier()
    return body.child(owner).child("id").identifier()


def _triggered(headers: Mapping[str, str]) -> datetime | None:
    try:
        return Node(headers.get("x-shopify-triggered-at", "")).moment()
    except UnreadableOrder:
        return None
