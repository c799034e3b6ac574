"""The Shopify adapter: :class:`adapters.contract.ShopAdapter` over the Admin GraphQL API."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime

from adapters.contract import (
    Channel,
    CheckLine,
    Message,
    NotFound,
    RefundChange,
    ShopError,
    ShopRefused,
    TaxClass,
    UnreadableOrder,
    Webhooks,
)
from adapters.shopify.changes import changed_order_ids, changed_refunds
from adapters.shopify.checks import check_store
from adapters.shopify.client import GraphClient
from adapters.shopify.config import CONFIG_KEYS, is_on, mapping_options
from adapters.shopify.email import publish_email
from adapters.shopify.mapping import MappingOptions, map_order, map_refund
from adapters.shopify.mapping.order import PLATFORM
from adapters.shopify.mapping.taxes import TAX_CLASSES
from adapters.shopify.publish import define_metafields, publish_metadata, publish_note, publish_tag
from adapters.shopify.reading import Reader
from adapters.shopify.tokens import App, ClientCredentials, RotatingToken, StaticToken, TokenSource, grant_of
from adapters.shopify.transport import Limits, Transport, shop_url
from adapters.shopify.webhooks import ShopifyWebhooks
from core.findings import Text
from core.orders import Order, Refund

_CHANNELS = frozenset({Channel.METADATA, Channel.TAG, Channel.PRIVATE_NOTE})


class ShopifyAdapter:
    """One connected Shopify store; not shared between threads.

    Args:
        client: operations on the shop.
        options: what the merchant said about their data.
        order_email: the merchant lets Shopify's order e-mail carry our text.
        knows_secret: the app's client secret is known, so that deliveries of webhooks can be verified.
    """

    platform = PLATFORM

    def __init__(
        self,
        client: GraphClient,
        options: MappingOptions | None = None,
        *,
        order_email: bool = False,
        knows_secret: bool = False,
    ) -> None:
        self._client = client
        self._reader = Reader(client)
        self._options = options or MappingOptions()
        self._defined = False
        self._webhooks = ShopifyWebhooks(client, knows_secret=knows_secret)
        self.webhooks: Webhooks | None = self._webhooks
        self.channels = _CHANNELS | {Channel.ORDER_EMAIL} if order_email else _CHANNELS

    def changed_orders(self, since: datetime | None) -> Iterator[Order | UnreadableOrder]:
        """See :meth:`adapters.contract.ShopAdapter.changed_orders`.

        An order that changed again since it was listed waits until the list ends, so that the times of the
        yielded orders never go back.
        """
        late: dict[str, Order] = {}
        for one in changed_order_ids(self._client, since):
            try:
                order = map_order(self._reader.order(one.order_id), self._options)
            except NotFound:
                continue
            except UnreadableOrder as error:
                path = ".".join(part for part in (one.order_id, error.path) if part)
                yield UnreadableOrder(f"order {one.order_id}: {error.message}", path=path, hint=error.hint)
                continue
            if order.modified_at > one.at:
                late[order.id] = order
            else:
                late.pop(order.id, None)
                yield order
        yield from sorted(late.values(), key=lambda order: order.modified_at)

    def order(self, order_id: str) -> Order:
        """See :meth:`adapters.contract.ShopAdapter.order`."""
        order = map_order(self._reader.order(order_id), self._options)
        if order.id != order_id:
            raise UnreadableOrder(f"the shop gave order {order.id} for order {order_id}", path="id")
        return order

    def refunds(self, order: Order) -> tuple[Refund, ...]:
        """See :meth:`adapters.contract.ShopAdapter.refunds`; those that moved no money (yet) are left out."""
        ids, edited = self._reader.refund_ids(order.id)
        found = [map_refund(self._reader.refund(gid), order, self._options, edited=edited) for gid in ids]
        with_money = [refund for refund in found if refund.amount]
        return tuple(sorted(with_money, key=lambda refund: (refund.created_at, refund.id)))

    def changed_refunds(self, since: datetime | None) -> Iterator[RefundChange]:
        """See :meth:`adapters.contract.ShopAdapter.changed_refunds` and :mod:`adapters.shopify.changes`."""
        return changed_refunds(self._client, since)

    def publish(self, order_id: str, channel: Channel, message: Message) -> str:
        """See :meth:`adapters.contract.ShopAdapter.publish`; every remote id is the order's."""
        if channel not in self.channels:
            raise ShopRefused(f"this store does not publish by {channel.value}", code="CHANNEL")
        match channel:
            case Channel.METADATA:
                self._define()
                return publish_metadata(self._client, order_id, message)
            case Channel.TAG:
                return publish_tag(self._client, order_id, message)
            case Channel.PRIVATE_NOTE:
                return publish_note(self._client, order_id, message)
            case _:
                return publish_email(self._client, order_id, message)

    def tax_settings(self) -> tuple[TaxClass, ...]:
        """See :meth:`adapters.contract.TellsTaxes.tax_settings`; Shopify has no classes but these."""
        return TAX_CLASSES

    def check(self) -> list[CheckLine]:
        """See :meth:`adapters.contract.ShopAdapter.check`."""
        return check_store(self._client, self._webhooks)

    def close(self) -> None:
        """Give the connection back."""
        self._client.close()

    def _define(self) -> None:
        """Define the metafields once; where the shop refuses that, their values can be set all the same."""
        if self._defined:
            return
        # `store check` tells that buyers cannot see them
        with contextlib.suppress(ShopRefused):
            define_metafields(self._client)
        self._defined = True


def connect(
    config: Mapping[str, str],
    *,
    save_config: Callable[[Mapping[str, str]], None] | None = None,
    load_config: Callable[[], Mapping[str, str]] | None = None,
    guard: Callable[[], AbstractContextManager[None]] | None = None,
    limits: Limits | None = None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    jitter: Callable[[], float] = random.random,
) -> ShopifyAdapter:
    """Make an adapter from a store's configuration; nothing is contacted yet.

    Args:
        config: see :data:`~adapters.shopify.config.CONFIG_KEYS`; unknown keys are left to others.
        save_config: stores changed entries of the configuration durably before it returns; needed for
            rotating tokens.
        load_config: the configuration as it is stored now; lets several processes share rotating tokens.
        guard: keeps every other worker out while a token is renewed.
        limits: times and sizes of requests.
        sleep: waits the given seconds.
        clock: the time now, aware UTC.
        jitter: a number in [0, 1) that spreads the pauses.

    Raises:
        ShopError: a required value is missing or malformed.
    """
    if not config.get("url", "").strip():
        raise ShopError(
            Text("sklep Shopify nie ma adresu (url)", "the Shopify store has no url"),
            hint=f"url: {CONFIG_KEYS['url']}.",
        )
    options = mapping_options(config)
    transport = Transport(shop_url(config["url"]), limits=limits, clock=clock)
    tokens = _tokens(config, transport, save_config, load_config, guard or contextlib.nullcontext)
    client = GraphClient(transport, tokens, sleep=sleep, jitter=jitter)
    return ShopifyAdapter(
        client,
        options,
        order_email=is_on(config, "order_email"),
        knows_secret=bool(config.get("client_secret", "").strip()),
    )


def _tokens(
    config: Mapping[str, str],
    transport: Transport,
    save: Callable[[Mapping[str, str]], None] | None,
    load: Callable[[], Mapping[str, str]] | None,
    guard: Callable[[], AbstractContextManager[None]],
) -> TokenSource:
    """The kind of credentials that the configuration holds."""
    app = App(config.get("client_id", "").strip(), config.get("client_secret", "").strip())
    has_app = bool(app.client_id and app.secret)
    grant = grant_of(config)
    if grant.refresh_token:
        if not has_app or save is None:
            raise ShopError(
                Text(
                    "token, który się zmienia, wymaga client_id, client_secret i miejsca na następny",
                    "a rotating token needs client_id, client_secret and a place to store the next one",
                ),
                hint=Text("Połącz sklep jeszcze raz.", "Connect the shop again in the panel."),
            )
        return RotatingToken(transport, app, grant, save, load, guard)
    if grant.access_token:
        return StaticToken(grant.access_token)
    if has_app:
        return ClientCredentials(transport, app)
    raise ShopError(
        Text("sklep Shopify nie ma danych dostępu", "the Shopify store has no credentials"),
        hint=Text(
            "Podaj access_token albo client_id i client_secret.",
            "Give access_token, or client_id and client_secret.",
        ),
    )
