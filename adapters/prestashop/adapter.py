"""The PrestaShop adapter: :class:`adapters.contract.ShopAdapter` over the shop's webservice."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

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
from adapters.http import Limits, shop_url
from adapters.prestashop.checks import Wishes, check_store
from adapters.prestashop.client import DEFAULT_USER_AGENT, Credentials, PrestaClient
from adapters.prestashop.config import CONFIG_KEYS, is_yes, mapping_options
from adapters.prestashop.listing import PER_PAGE, Changes
from adapters.prestashop.loading import Loader
from adapters.prestashop.mapping import MappingOptions, map_order, map_refunds
from adapters.prestashop.mapping.bundle import Bundle
from adapters.prestashop.mapping.order import PLATFORM
from adapters.prestashop.publish import Voice, publish_message, publish_note, publish_state
from adapters.prestashop.taxes import tax_classes
from adapters.prestashop.times import wall_time, zone_of
from core.orders import Order, Refund


@dataclass(frozen=True, slots=True)
class Settings:
    """How one store is used.

    Attributes:
        mapping: the merchant's options; their time zone counts when ``time_zone`` names one.
        time_zone: named by the store's configuration; empty for what the shop itself says.
        notes: the order's own note is written.
        state: id of an order state that tells the buyer of the invoice by e-mail; empty for none.
        voice: in whose name messages are written.
    """

    mapping: MappingOptions = field(default_factory=MappingOptions)
    time_zone: str = ""
    notes: bool = True
    state: str = ""
    voice: Voice = field(default_factory=lambda: Voice("1", live_links=False, token=_token))


class PrestaShopAdapter:
    """One connected PrestaShop store; not shared between threads.

    Args:
        client: requests to the shop.
        settings: how the store is used.
        clock: the time now, aware UTC.
    """

    platform = PLATFORM
    # the shop's core sends none
    webhooks: Webhooks | None = None

    def __init__(
        self,
        client: PrestaClient,
        settings: Settings | None = None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._settings = settings or Settings()
        self._clock = clock
        self._loader = Loader(client)
        self._zone: ZoneInfo | None = None
        offered = {Channel.CUSTOMER_NOTE}
        offered |= {Channel.PRIVATE_NOTE} if self._settings.notes else set()
        offered |= {Channel.ORDER_STATE} if self._settings.state else set()
        self.channels = frozenset(offered)

    def changed_orders(self, since: datetime | None) -> Iterator[Order | UnreadableOrder]:
        """See :meth:`adapters.contract.ShopAdapter.changed_orders`."""
        waiting: list[str] = []
        for row in Changes(self._client, "orders", (), self._shop_time(since)):
            waiting.append(row.identifier())
            if len(waiting) >= PER_PAGE:
                yield from self._mapped(waiting)
                waiting = []
        yield from self._mapped(waiting)

    def order(self, order_id: str) -> Order:
        """See :meth:`adapters.contract.ShopAdapter.order`."""
        _check_id(order_id)
        options = self._options()
        for key, found in self._loader.bundles([order_id]):
            if isinstance(found, UnreadableOrder):
                raise found
            if key == order_id:
                return map_order(found, options)
        raise NotFound(f"the shop has no order {order_id}", status=404)

    def refunds(self, order: Order) -> tuple[Refund, ...]:
        """See :meth:`adapters.contract.ShopAdapter.refunds`."""
        _check_id(order.id)
        found = map_refunds(self._loader.slips(order.id), order, self._options())
        return tuple(sorted(found, key=lambda refund: (refund.created_at, int(refund.id))))

    def changed_refunds(self, since: datetime | None) -> Iterator[RefundChange]:
        """See :meth:`adapters.contract.ShopAdapter.changed_refunds`; slips leave their orders' times."""
        zone = self._options().time_zone
        for row in Changes(self._client, "order_slip", ("id_order",), self._shop_time(since)):
            yield RefundChange(
                order_id=row.identifier("id_order"),
                refund_id=row.identifier(),
                changed_at=row.needed_moment("date_upd", zone),
            )

    def publish(self, order_id: str, channel: Channel, message: Message) -> str:
        """See :meth:`adapters.contract.ShopAdapter.publish`; a note's remote id is the order's."""
        _check_id(order_id)
        if channel not in self.channels:
            raise ShopRefused(
                f"this PrestaShop store does not offer {channel.value}",
                hint="docs/prestashop.md says what it offers.",
            )
        if channel is Channel.PRIVATE_NOTE:
            return publish_note(self._client, order_id, message)
        if channel is Channel.ORDER_STATE:
            settings = self._settings
            return publish_state(self._client, order_id, settings.state, settings.voice.employee)
        return publish_message(self._client, order_id, message, self._settings.voice)

    def tax_settings(self) -> tuple[TaxClass, ...]:
        """See :meth:`adapters.contract.TellsTaxes.tax_settings`."""
        return tax_classes(self._client)

    def check(self) -> list[CheckLine]:
        """See :meth:`adapters.contract.ShopAdapter.check`."""
        settings = self._settings
        wishes = Wishes(settings.notes, settings.state, settings.time_zone)
        return check_store(self._client, wishes, now=self._clock)

    def close(self) -> None:
        """Give the connection back."""
        self._client.close()

    def _mapped(self, ids: list[str]) -> Iterator[Order | UnreadableOrder]:
        options = self._options()
        for key, found in self._loader.bundles(ids):
            try:
                yield map_order(_readable(found), options)
            except UnreadableOrder as error:
                path = ".".join(part for part in (key, error.path) if part)
                yield UnreadableOrder(f"order {key}: {error.message}", path=path, hint=error.hint)

    def _shop_time(self, moment: datetime | None) -> str | None:
        return None if moment is None else wall_time(moment, self._options().time_zone)

    def _options(self) -> MappingOptions:
        """The mapping's options with the shop's time zone, which is asked for once."""
        if self._settings.time_zone:
            return self._settings.mapping
        if self._zone is None:
            self._zone = zone_of(self._client)
        return replace(self._settings.mapping, time_zone=self._zone)


def _readable(found: Bundle | UnreadableOrder) -> Bundle:
    if isinstance(found, UnreadableOrder):
        raise found
    return found


def _check_id(order_id: str) -> None:
    """Anything else than a number would ask for something else."""
    if not (order_id.isascii() and order_id.isdigit()):
        raise NotFound(f"{order_id!r} is no id of a PrestaShop order")


def _token() -> str:
    return secrets.token_hex(6)


def connect(
    config: Mapping[str, str],
    *,
    limits: Limits | None = None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    jitter: Callable[[], float] = random.random,
    token: Callable[[], str] = _token,
) -> PrestaShopAdapter:
    """Make an adapter from a store's configuration; nothing is contacted yet.

    Args:
        config: see :data:`~adapters.prestashop.config.CONFIG_KEYS`; unknown keys are left to others.
        limits: times and sizes of requests.
        sleep: waits the given seconds between two attempts.
        clock: the time now, aware UTC.
        jitter: a number in [0, 1) that spreads the pauses.
        token: makes the token of a new thread of messages.

    Raises:
        ShopError: a required value is missing or malformed.
    """
    for name in ("url", "key"):
        if not config.get(name, "").strip():
            raise ShopError(f"the PrestaShop store has no {name}", hint=f"{name}: {CONFIG_KEYS[name]}.")
    credentials = Credentials(
        key=config["key"].strip(), query_string_auth=is_yes(config, "query_string_auth", default=False)
    )
    client = PrestaClient(
        shop_url(config["url"], "/api"),
        credentials,
        user_agent=config.get("user_agent", "").strip() or DEFAULT_USER_AGENT,
        limits=limits,
        sleep=sleep,
        clock=clock,
        jitter=jitter,
    )
    return PrestaShopAdapter(client, _settings(config, token), clock=clock)


def _settings(config: Mapping[str, str], token: Callable[[], str]) -> Settings:
    mapping = mapping_options(config)
    state = _number(config, "invoice_state")
    untold = frozenset({state}) if state else frozenset()
    return Settings(
        mapping=replace(mapping, calls_refunded=True, untold_states=untold),
        time_zone=config.get("time_zone", "").strip(),
        notes=is_yes(config, "private_note", default=True),
        state=state,
        voice=Voice(
            employee=_number(config, "employee") or "1",
            live_links=is_yes(config, "message_links", default=False),
            token=token,
        ),
    )


def _number(config: Mapping[str, str], name: str) -> str:
    text = config.get(name, "").strip()
    if text and not (text.isascii() and text.isdigit()):
        raise ShopError(f"{name}: {text!r} is no id", hint=f"{name}: {CONFIG_KEYS[name]}.")
    return text
