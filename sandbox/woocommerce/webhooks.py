"""The shop's webhooks: what is subscribed, what is due, and a sender that delivers when it is told to.

As recorded from WooCommerce 11: the payload is rendered at delivery, not when the event happens; the same
delivery is queued once; the delivery id is made of the webhook and the second, so several deliveries share
one; a webhook that failed more than five times in a row is disabled by the next failure; what was lost is
not sent again; a new webhook is greeted by an unsigned ping. Deliveries go to this machine only.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import requests

from sandbox.woocommerce.access import RefusedError

Json = dict[str, Any]

ORDER_TOPICS = ("order.created", "order.updated", "order.deleted", "order.restored")
_MOST_FAILURES = 5
_LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})
_TIMEOUT = 60
_AGENT = "WooCommerce/11.0.1 Hookshot (WordPress/6.9)"
_WRITABLE = ("name", "topic", "delivery_url", "status")
_STATUSES = frozenset({"active", "paused", "disabled"})


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request that was sent.

    Attributes:
        webhook_id: of which webhook; topic: its topic.
        status: HTTP status of the answer; 0 when there was none.
        delivery_id: empty for a ping.
        body: as it was sent.
    """

    webhook_id: int
    topic: str
    status: int
    delivery_id: str
    body: bytes

    @property
    def succeeded(self) -> bool:
        """Whether the shop counts it as delivered."""
        return 200 <= self.status < 300 or self.status in {301, 302}


@dataclass(slots=True)
class WebhookBook:
    """The shop's webhooks and their queue.

    Attributes:
        hooks: by id, with their secrets and failures.
        queue: webhook id and argument of what is due.
    """

    hooks: dict[int, Json] = field(default_factory=dict)
    queue: list[tuple[int, int]] = field(default_factory=list)

    def happened(self, topic: str, argument: int) -> None:
        """Queue a delivery for every active webhook of a topic; what is queued already is not doubled."""
        for hook_id, hook in self.hooks.items():
            due = (hook_id, argument)
            if hook["topic"] == topic and hook["status"] == "active" and due not in self.queue:
                self.queue.append(due)

    def add(self, hook_id: int, body: Json, times: Json) -> Json:
        """Make a webhook.

        Raises:
            RefusedError: its topic or address cannot be used.
        """
        hook = {
            "name": "",
            "status": "active",
            "secret": "",
            "failures": 0,
            **times,
            **{key: str(body[key]) for key in (*_WRITABLE, "secret") if key in body},
            "id": hook_id,
        }
        _check(hook)
        self.hooks[hook_id] = hook
        return hook

    def change(self, hook_id: int, body: Json, times: Json) -> Json:
        """Change a webhook; activating it forgets its failures.

        Raises:
            RefusedError: no such webhook, or a value that cannot be used.
        """
        hook = self.get(hook_id)
        changed = hook | {key: str(body[key]) for key in (*_WRITABLE, "secret") if key in body} | times
        _check(changed)
        if changed["status"] == "active" != hook["status"]:
            changed["failures"] = 0
        self.hooks[hook_id] = changed
        return changed

    def remove(self, hook_id: int) -> Json:
        """Delete a webhook and what it would have delivered.

        Raises:
            RefusedError: no such webhook.
        """
        hook = self.get(hook_id)
        del self.hooks[hook_id]
        self.queue = [due for due in self.queue if due[0] != hook_id]
        return hook

    def get(self, hook_id: int) -> Json:
        """A webhook itself, not a copy.

        Raises:
            RefusedError: no such webhook.
        """
        if hook_id not in self.hooks:
            raise RefusedError(404, "woocommerce_rest_shop_webhook_invalid_id", "Invalid ID.")
        return self.hooks[hook_id]

    def failed(self, hook_id: int) -> None:
        """Count a failure; more than five in a row disable."""
        hook = self.hooks[hook_id]
        if hook["failures"] > _MOST_FAILURES:
            hook["status"] = "disabled"
        else:
            hook["failures"] += 1


def shown(hook: Json) -> Json:
    """A webhook as the API gives it: without its secret."""
    resource, _, event = str(hook["topic"]).partition(".")
    kept = {key: value for key, value in hook.items() if key not in {"secret", "failures"}}
    return kept | {"resource": resource, "event": event}


def _check(hook: Json) -> None:
    topic = str(hook.get("topic", ""))
    if topic not in ORDER_TOPICS and not topic.startswith("action."):
        raise RefusedError(
            400, "woocommerce_rest_invalid_topic", "Webhook topic is required and must be valid."
        )
    if urlsplit(str(hook.get("delivery_url", ""))).scheme not in {"http", "https"}:
        text = "Webhook delivery URL must be a valid URL starting with http:// or https://."
        raise RefusedError(400, "woocommerce_rest_invalid_delivery_url", text)
    if hook["status"] not in _STATUSES:
        raise RefusedError(400, "rest_invalid_param", "Invalid parameter(s): status")


@dataclass(frozen=True, slots=True)
class Sender:
    """Delivers over HTTP to this machine.

    Attributes:
        book: webhooks and queue.
        render: topic and argument to the payload as the shop says it now.
        clock: the time now, aware UTC.
        source: the shop's own address.
    """

    book: WebhookBook
    render: Callable[[str, int], Json]
    clock: Callable[[], datetime]
    source: str

    def deliver(self, *, copies: int = 1) -> list[Delivery]:
        """Send everything that is due now.

        Args:
            copies: how often each is sent; a second copy is what a shop with a stuck queue does.
        """
        due, self.book.queue = self.book.queue, []
        sent: list[Delivery] = []
        for hook_id, argument in due:
            for _ in range(copies):
                hook = self.book.hooks.get(hook_id)
                if hook is None or hook["status"] != "active":
                    continue
                one = self._send(hook, argument)
                sent.append(one)
                if one.succeeded:
                    hook["failures"] = 0
                else:
                    self.book.failed(hook_id)
        return sent

    def ping(self, hook: Json) -> Delivery:
        """Greet an address: form-encoded, without a signature."""
        body = f"webhook_id={hook['id']}".encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": _AGENT}
        return Delivery(hook["id"], hook["topic"], _post(hook["delivery_url"], body, headers), "", body)

    def _send(self, hook: Json, argument: int) -> Delivery:
        topic = str(hook["topic"])
        resource, _, event = topic.partition(".")
        body = json.dumps(self.render(topic, argument), ensure_ascii=False).encode()
        digest = hmac.new(str(hook["secret"]).encode(), body, hashlib.sha256).digest()
        second = int(self.clock().timestamp())
        delivery_id = hashlib.md5(f"{hook['id']}{second}".encode(), usedforsecurity=False).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": _AGENT,
            "X-WC-Webhook-Source": f"{self.source}/",
            "X-WC-Webhook-Topic": topic,
            "X-WC-Webhook-Resource": resource,
            "X-WC-Webhook-Event": event,
            "X-WC-Webhook-Signature": base64.b64encode(digest).decode(),
            "X-WC-Webhook-ID": str(hook["id"]),
            "X-WC-Webhook-Delivery-ID": delivery_id,
        }
        return Delivery(hook["id"], topic, _post(hook["delivery_url"], body, headers), delivery_id, body)


def _post(url: str, body: bytes, headers: dict[str, str]) -> int:
    """HTTP status of the answer; 0 when none came, or when the address is not on this machine."""
    if urlsplit(url).hostname not in _LOCAL:
        return 0
    try:
        return requests.post(
            url, data=body, headers=headers, timeout=_TIMEOUT, allow_redirects=False
        ).status_code
    except requests.RequestException:
        return 0
