"""The sender of webhooks: signed, retried with the first payload, its subscription deleted in the end."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any

import requests

from sandbox.shopify.state import Json, ShopState

MOST_RETRIES = 8
"""After so many failed retries a subscription is deleted."""

_CONNECT, _TOTAL = 1.0, 5.0


@dataclass(slots=True)
class Delivery:
    """One that waits.

    Attributes:
        subscription: its global id. uri: where it goes. headers, body: as they are sent each time.
        failures: how often it failed so far.
    """

    subscription: str
    uri: str
    headers: dict[str, str]
    body: bytes
    failures: int = 0


@dataclass(slots=True)
class WebhookSender:
    """Sends deliveries.

    Attributes:
        state: the shop. secret: signs; another one than the app's while it is being rotated.
        waiting: deliveries that were not taken yet.
    """

    state: ShopState
    secret: str = field(repr=False)
    domain: str = "sandbox.myshopify.com"
    waiting: list[Delivery] = field(default_factory=list)
    _count: int = 0

    def emit(self, topic: str, payload: Json) -> None:
        """Queue an event for every subscription of a topic (``ORDERS_UPDATED``)."""
        for one in list(self.state.subscriptions.values()):
            if one["topic"] == topic:
                fields = one["includeFields"]
                kept = {key: value for key, value in payload.items() if not fields or key in fields}
                self.waiting.append(self._delivery(one["id"], one["uri"], topic, kept))

    def send(self, *, copies: int = 1) -> list[int]:
        """Try every waiting delivery; gives their statuses, 0 for no answer.

        Args:
            copies: how often each is sent; Shopify promises at least once, not only once.
        """
        statuses = []
        for one in [one for one in self.waiting for _ in range(copies)]:
            try:
                answer = requests.post(
                    one.uri, data=one.body, headers=one.headers, timeout=(_CONNECT, _TOTAL)
                )
                status = answer.status_code
            except requests.RequestException:
                status = 0
            statuses.append(status)
            if 200 <= status < 300:
                self._forget(one)
                continue
            one.failures += 1
            if one.failures > MOST_RETRIES:
                self._forget(one)
                self.state.subscriptions.pop(one.subscription, None)
        return statuses

    def headers(self, topic: str, body: bytes, **changes: str) -> dict[str, str]:
        """The headers of a delivery; ``topic`` as they name it (``orders/updated``)."""
        self._count += 1
        signed = hmac.new(self.secret.encode(), body, hashlib.sha256).digest()
        return {
            "Content-Type": "application/json",
            "X-Shopify-Topic": topic,
            "X-Shopify-Hmac-Sha256": base64.b64encode(signed).decode(),
            "X-Shopify-Shop-Domain": self.domain,
            "X-Shopify-API-Version": "2026-10",
            "X-Shopify-Webhook-Id": f"webhook-{self._count}",
            "X-Shopify-Event-Id": f"event-{self._count}",
            "X-Shopify-Triggered-At": self.state.now(),
        } | changes

    def _forget(self, one: Delivery) -> None:
        self.waiting = [other for other in self.waiting if other is not one]

    def _delivery(self, gid: str, uri: str, topic: str, payload: Any) -> Delivery:
        body = json.dumps(payload, ensure_ascii=False).encode()
        name = topic.lower().replace("_", "/", 1)
        return Delivery(gid, uri, self.headers(name, body), body)
