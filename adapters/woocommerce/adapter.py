"""The WooCommerce adapter: :class:`adapters.contract.ShopAdapter` over REST v3."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

from adapters.contract import (
    Channel,
    CheckLine,
    EventReader,
    Message,
    NotFound,
    OrderReader,
    RefundChange,
    ShopError,
    ShopRefused,
    TaxClass,
    UnreadableOrder,
    Webhooks,
)
from adapters.http import Limits, shop_url
from adapters.woocommerce.changes import ChangedOrders, changed_refunds, id_of
from adapters.woocommerce.checks import check_store
from adapters.woocommerce.client import (
    DEFAULT_USER_AGENT,
    Credentials,
    WooClient,
)
from adapters.woocommerce.events import WooEventReader
from adapters.woocommerce.mapping import MappingOptions, OrderFile, map_order, map_refund
from adapters.woocommerce.mapping.order import PLATFORM
from adapters.woocommerce.publish import publish_metadata, publish_note
from adapters.woocommerce.taxes import tax_classes
from adapters.woocommerce.webhooks import WooWebhooks
from core.findings import Text
from core.orders import Order, OrderState, Refund

CONFIG_KEYS: Mapping[str, str] = {
    "url": "address of the shop",
    "consumer_key": "REST API key, ck_...",
    "consumer_secret": "its secret, cs_...",
    "query_string_auth": "yes: keys in the query, for hosts that drop the Authorization header",
    "user_agent": "name that firewalls see",
    "tax_id_fields": "metadata keys with the buyer's tax number, separated by commas",
    "paid_statuses": "further statuses that mean paid, separated by commas",
    "completed_statuses": "further statuses that mean sent or handed over, separated by commas",
}
"""What a store's configuration may say; the first three are required."""

ORDER_FILE = Text(
    "Zapisz odpowiedź API sklepu dla jednego zamówienia, np. GET /wp-json/wc/v3/orders/15.",
    "Save the shop API's answer for one order, e.g. GET /wp-json/wc/v3/orders/15.",
)
"""How a person makes a file that :func:`order_reader` reads."""

_DRAFTS = frozenset({"checkout-draft", "auto-draft"})
_YES = frozenset({"1", "yes", "true", "on"})


class WooCommerceAdapter:
    """One connected WooCommerce store; not shared between threads.

    Args:
        client: requests to the shop.
        options: what the merchant said about their data.
        clock: the time now, aware UTC.
    """

    platform = PLATFORM
    channels = frozenset({Channel.PRIVATE_NOTE, Channel.CUSTOMER_NOTE, Channel.METADATA})

    def __init__(
        self,
        client: WooClient,
        options: MappingOptions | None = None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._options = options or MappingOptions()
        self._clock = clock
        self.webhooks: Webhooks | None = WooWebhooks(client)

    def changed_orders(self, since: datetime | None) -> Iterator[Order | UnreadableOrder]:
        """See :meth:`adapters.contract.ShopAdapter.changed_orders`; drafts are left out."""
        for data in ChangedOrders(self._client, since):
            order_id = id_of(data)
            if _is_draft(data):
                continue
            try:
                yield map_order(data, self._options)
            except UnreadableOrder as error:
                path = ".".join(part for part in (order_id, error.path) if part)
                yield UnreadableOrder(f"order {order_id or '?'}: {error.message}", path=path, hint=error.hint)

    def order(self, order_id: str) -> Order:
        """See :meth:`adapters.contract.ShopAdapter.order`; a draft is no order yet."""
        data = self._client.get(_endpoint(order_id), {"dp": 2}).data
        if _is_draft(data):
            raise NotFound(f"order {order_id} is a draft that nobody has placed yet")
        order = map_order(data, self._options)
        if order.id != order_id:
            raise UnreadableOrder(f"the shop gave order {order.id} for order {order_id}", path="id")
        return order

    def refunds(self, order: Order) -> tuple[Refund, ...]:
        """See :meth:`adapters.contract.ShopAdapter.refunds`."""
        endpoint = f"{_endpoint(order.id)}/refunds"
        found = [map_refund(data, order) for page in self._client.pages(endpoint, {"dp": 2}) for data in page]
        return tuple(sorted(found, key=lambda refund: (refund.created_at, int(refund.id))))

    def changed_refunds(self, since: datetime | None) -> Iterator[RefundChange]:
        """See :meth:`adapters.contract.ShopAdapter.changed_refunds`."""
        return changed_refunds(self._client, since)

    def publish(self, order_id: str, channel: Channel, message: Message) -> str:
        """See :meth:`adapters.contract.ShopAdapter.publish`; metadata's remote id is the order's."""
        _endpoint(order_id)
        if channel not in self.channels:
            raise ShopRefused(f"WooCommerce has no channel {channel}")
        if channel is Channel.METADATA:
            return publish_metadata(self._client, order_id, message)
        return publish_note(self._client, order_id, channel, message)

    def tax_settings(self) -> tuple[TaxClass, ...]:
        """See :meth:`adapters.contract.TellsTaxes.tax_settings`."""
        return tax_classes(self._client)

    def check(self) -> list[CheckLine]:
        """See :meth:`adapters.contract.ShopAdapter.check`."""
        return check_store(self._client, now=self._clock)

    def close(self) -> None:
        """Give the connection back."""
        self._client.close()


def _is_draft(item: object) -> bool:
    """A checkout that nobody finished, or an order that a merchant has begun and not filled yet."""
    if not isinstance(item, dict):
        return False
    empty = all(item.get(key) == [] for key in ("line_items", "shipping_lines", "fee_lines"))
    return item.get("status") in _DRAFTS or (empty and item.get("status") == "pending")


def _endpoint(order_id: str) -> str:
    """``orders/N``; anything else than a number would ask for something else."""
    if not (order_id.isascii() and order_id.isdigit()):
        raise NotFound(f"{order_id!r} is no id of a WooCommerce order")
    return f"orders/{order_id}"


def mapping_options(config: Mapping[str, str]) -> MappingOptions:
    """The merchant's options in a store's configuration; see :data:`CONFIG_KEYS`."""
    statuses = dict.fromkeys(_listed(config, "paid_statuses"), OrderState.PAID)
    statuses |= dict.fromkeys(_listed(config, "completed_statuses"), OrderState.COMPLETED)
    return MappingOptions(
        tax_id_fields=_listed(config, "tax_id_fields"),
        statuses={status.removeprefix("wc-"): state for status, state in statuses.items()},
    )


def connect(
    config: Mapping[str, str],
    *,
    limits: Limits | None = None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    jitter: Callable[[], float] = random.random,
) -> WooCommerceAdapter:
    """Make an adapter from a store's configuration; nothing is contacted yet.

    Args:
        config: see :data:`CONFIG_KEYS`; unknown keys are left to others.
        limits: times and sizes of requests.
        sleep: waits the given seconds between two attempts.
        clock: the time now, aware UTC.
        jitter: a number in [0, 1) that spreads the pauses.

    Raises:
        ShopError: a required value is missing or malformed.
    """
    for key in ("url", "consumer_key", "consumer_secret"):
        if not config.get(key, "").strip():
            raise ShopError(f"the WooCommerce store has no {key}", hint=f"{key}: {CONFIG_KEYS[key]}.")
    client = WooClient(
        shop_url(config["url"], "/wp-json"),
        Credentials(
            consumer_key=config["consumer_key"].strip(),
            consumer_secret=config["consumer_secret"].strip(),
            query_string_auth=config.get("query_string_auth", "").strip().lower() in _YES,
        ),
        user_agent=config.get("user_agent", "").strip() or DEFAULT_USER_AGENT,
        limits=limits,
        sleep=sleep,
        clock=clock,
        jitter=jitter,
    )
    return WooCommerceAdapter(client, mapping_options(config), clock=clock)


def order_reader(config: Mapping[str, str]) -> OrderReader:
    """A reader of order files (JSON) with the options of a store's configuration."""
    return OrderFile(mapping_options(config))


def event_reader(config: Mapping[str, str]) -> EventReader:  # noqa: ARG001  of the contract
    """The reader of this platform's webhooks; it needs no configuration."""
    return WooEventReader()


def _listed(config: Mapping[str, str], key: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in config.get(key, "").split(",") if part.strip())
