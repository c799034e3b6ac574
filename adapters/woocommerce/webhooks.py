"""The shop's webhooks that lead to us: made, looked at, re-enabled, deleted.

A shop switches a webhook off after more than five failures in a row and never delivers what was lost, so
the subscriptions are looked at regularly and polling goes on beside them. There is no topic
``order.refunded``; the two actions tell of refunds.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from adapters.contract import NotFound, ShopUnavailable, UnreadableOrder, WebhookHealth
from adapters.woocommerce.client import WooClient
from adapters.woocommerce.events import ORDER_REFUNDED, ORDER_TOPICS, REFUND_CREATED
from adapters.woocommerce.mapping.reader import Node

TOPICS: Final = (*ORDER_TOPICS, ORDER_REFUNDED, REFUND_CREATED)
NAME: Final = "KSeF Shop Connector"

_ACTIVE = "active"
_WHY = {
    "disabled": "the shop has switched it off after more than five failed deliveries in a row",
    "paused": "it is paused in the shop",
}
_MISSING = "the shop does not have it"


@dataclass(frozen=True, slots=True)
class _Webhook:
    id: str
    topic: str
    status: str
    url: str


class WooWebhooks:
    """A shop's :class:`adapters.contract.Webhooks`.

    Args:
        client: the shop.
    """

    topics: tuple[str, ...] = TOPICS

    def __init__(self, client: WooClient) -> None:
        self._client = client

    def register(self, url: str, secret: str) -> None:
        """See :meth:`adapters.contract.Webhooks.register`."""
        ours = list(self._leading_to(url))
        kept: dict[str, _Webhook] = {}
        for one in ours:
            if one.topic in TOPICS and kept.setdefault(one.topic, one) is one:
                continue
            self._delete(one)
        for topic in TOPICS:
            known = kept.get(topic)
            body = {"name": NAME, "status": _ACTIVE, "secret": secret}
            if known is None:
                self._client.post("webhooks", body | {"topic": topic, "delivery_url": url})
            else:
                # the shop never shows a secret, so it is set anew
                self._client.put(f"webhooks/{known.id}", body)

    def health(self, url: str) -> list[WebhookHealth]:
        """See :meth:`adapters.contract.Webhooks.health`."""
        status: dict[str, str] = {}
        for one in self._leading_to(url):
            if status.get(one.topic) != _ACTIVE:
                status[one.topic] = one.status
        return [_health(topic, status.get(topic)) for topic in TOPICS]

    def unregister(self, url: str) -> None:
        """See :meth:`adapters.contract.Webhooks.unregister`."""
        for one in list(self._leading_to(url)):
            self._delete(one)

    def _delete(self, webhook: _Webhook) -> None:
        with contextlib.suppress(NotFound):
            self._client.delete(f"webhooks/{webhook.id}")

    def _leading_to(self, url: str) -> Iterator[_Webhook]:
        """Ours, oldest first; others belong to somebody else."""
        params: dict[str, str | int] = {"status": "all", "orderby": "id", "order": "asc"}
        for page in self._client.pages("webhooks", params):
            for data in page:
                webhook = _read(data)
                if webhook.url == url:
                    yield webhook


def _read(data: object) -> _Webhook:
    node = Node(data)
    try:
        return _Webhook(
            id=node.child("id").identifier(),
            topic=node.text_of("topic"),
            status=node.text_of("status"),
            url=node.text_of("delivery_url"),
        )
    except UnreadableOrder as error:
        raise ShopUnavailable(f"the shop's list of webhooks cannot be read: {error.message}") from error


def _health(topic: str, status: str | None) -> WebhookHealth:
    if status == _ACTIVE:
        return WebhookHealth(topic, active=True)
    why = _MISSING if status is None else _WHY.get(status, f"its status in the shop is {status}")
    return WebhookHealth(topic, active=False, detail=why)
