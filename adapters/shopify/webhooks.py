"""Subscriptions of the app at one shop.

Shopify deletes a subscription whose deliveries failed eight times, so health means that it still exists;
:meth:`ShopifyWebhooks.register` makes it again. Deliveries are signed with the app's client secret, not
with one of ours, and carry only the fields that events need.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from adapters.contract import ShopError, ShopRefused, ShopUnavailable, WebhookHealth
from adapters.json_node import Node
from adapters.shopify.client import GraphClient
from adapters.shopify.operations import (
    API_VERSION,
    CHANGE_SUBSCRIPTION,
    SUBSCRIBE,
    SUBSCRIPTIONS,
    UNSUBSCRIBE,
)
from adapters.shopify.paging import MOST_PAGES, next_cursor

_ORDER_FIELDS = ("id", "updated_at", "admin_graphql_api_id")
FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "ORDERS_CREATE": _ORDER_FIELDS,
    "ORDERS_PAID": _ORDER_FIELDS,
    "ORDERS_UPDATED": _ORDER_FIELDS,
    "ORDERS_CANCELLED": _ORDER_FIELDS,
    "ORDERS_EDITED": (),
    "ORDERS_DELETE": (),
    "REFUNDS_CREATE": ("id", "order_id", "created_at", "processed_at"),
    "APP_UNINSTALLED": (),
}
"""Topic to the fields that its deliveries carry; empty means all, where Shopify's are few anyway."""


@dataclass(frozen=True, slots=True)
class _Subscription:
    """One that exists.

    Attributes:
        id, topic, uri: as Shopify names them. fields: of its deliveries. format: ``JSON``.
        version: of the API, by which deliveries are rendered.
    """

    id: str
    topic: str
    uri: str
    fields: tuple[str, ...]
    format: str
    version: str

    def is_right(self) -> bool:
        """Whether its deliveries are what :mod:`adapters.shopify.events` reads."""
        return self.format == "JSON" and set(self.fields) == set(FIELDS[self.topic])


class ShopifyWebhooks:
    """See :class:`adapters.contract.Webhooks`.

    Args:
        client: the shop.
        knows_secret: whether the app's client secret is known.
    """

    topics: tuple[str, ...] = tuple(FIELDS)

    def __init__(self, client: GraphClient, *, knows_secret: bool) -> None:
        self._client = client
        self._knows_secret = knows_secret

    def register(self, url: str, secret: str) -> None:  # noqa: ARG002 - Shopify signs with its own
        """See :meth:`adapters.contract.Webhooks.register`; the secret is the app's, so ours is not used.

        Raises:
            ShopError: without the app's secret no delivery could be verified, and Shopify would delete
                subscriptions whose deliveries are refused.
        """
        if not self._knows_secret:
            raise ShopError(
                "the store has no client_secret, which Shopify signs webhooks with",
                hint="Give the app's client_secret; without webhooks changes are found by asking the shop.",
            )
        ours = {one.topic: one for one in self._all() if one.uri == url}
        for topic, fields in FIELDS.items():
            wanted: dict[str, object] = {"uri": url, "format": "JSON", "includeFields": list(fields)}
            known = ours.get(topic)
            if known is None:
                self._subscribe(topic, wanted, url)
            elif not known.is_right():
                variables = {"id": known.id, "sub": wanted}
                self._client.change(CHANGE_SUBSCRIPTION, variables, "webhookSubscriptionUpdate")

    def subscribed(self) -> frozenset[str]:
        """The topics that any address is told of.

        Raises:
            ShopError: the shop cannot be asked now.
        """
        return frozenset(one.topic for one in self._all())

    def health(self, url: str) -> list[WebhookHealth]:
        """See :meth:`adapters.contract.Webhooks.health`."""
        ours = {one.topic: one for one in self._all() if one.uri == url}
        return [_health(topic, ours.get(topic)) for topic in self.topics]

    def unregister(self, url: str) -> None:
        """See :meth:`adapters.contract.Webhooks.unregister`."""
        for one in list(self._all()):
            if one.uri != url:
                continue
            try:
                self._client.change(UNSUBSCRIBE, {"id": one.id}, "webhookSubscriptionDelete")
            except (ShopRefused, ShopUnavailable):
                # somebody else was faster, or the answer got lost
                if one.id in {left.id for left in self._all()}:
                    raise

    def _subscribe(self, topic: str, wanted: Mapping[str, object], url: str) -> None:
        """Make one; after a lost answer, or a refusal because it exists, look for it."""
        try:
            self._client.change(SUBSCRIBE, {"topic": topic, "sub": wanted}, "webhookSubscriptionCreate")
        except (ShopRefused, ShopUnavailable) as error:
            if isinstance(error, ShopUnavailable) and not error.outcome_unknown:
                raise
            if not any(one.topic == topic and one.uri == url for one in self._all()):
                raise

    def _all(self) -> Iterator[_Subscription]:
        """Every subscription of this app that has one of our topics."""
        after: str | None = None
        for _ in range(MOST_PAGES):
            found = self._client.run(SUBSCRIPTIONS, {"after": after}).child("webhookSubscriptions")
            for node in found.items("nodes"):
                if node.child("topic").text() in FIELDS:
                    yield _read(node)
            after = next_cursor(found, after)
            if after is None:
                return
        raise ShopUnavailable("the shop's list of webhooks does not end")


def _read(node: Node) -> _Subscription:
    return _Subscription(
        id=node.child("id").text(),
        topic=node.child("topic").text(),
        uri=node.child("uri").text(),
        fields=tuple(one.text() for one in node.items("includeFields")),
        format=node.child("format").text(),
        version=node.child("apiVersion").text_of("handle"),
    )


def _health(topic: str, known: _Subscription | None) -> WebhookHealth:
    if known is None:
        detail = "there is no subscription; Shopify deletes one after eight failed deliveries"
        return WebhookHealth(topic, False, detail)
    if not known.is_right():
        return WebhookHealth(topic, False, "its deliveries have another form; register it again")
    if known.version and known.version != API_VERSION:
        detail = f"deliveries follow version {known.version} of the API; change it in the app's settings"
        return WebhookHealth(topic, True, detail)
    return WebhookHealth(topic, True)
