"""What a Shopify store's configuration may say."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.contract import OrderReader, ShopError
from adapters.shopify.mapping import MappingOptions, MoneyKind, OrderFile
from core.findings import Text

CONFIG_KEYS: Mapping[str, str] = {
    "url": "address of the shop, name.myshopify.com",
    "access_token": "access token without an end, shpat_...; or the one that rotates",
    "client_id": "client id of the app in the Dev Dashboard",
    "client_secret": "its secret; also signs webhooks",
    "previous_client_secret": "the secret before a rotation, for as long as it may still sign",
    "refresh_token": "rotating refresh token of an installation; changed by the connector itself",
    "access_token_expires_at": "when the rotating access token ends; changed by the connector itself",
    "money": "presentment (what the buyer paid, default) or shop (the shop's accounting currency)",
    "tax_id_fields": "order attributes or metafields with the buyer's tax number, separated by commas",
    "test_orders": "yes: orders of the test gateway count like others",
    "order_email": "yes: Shopify's own order e-mail can be sent with our text",
}
"""What a store's configuration may say; ``url`` and one kind of credentials are required."""

ORDER_FILE = Text(
    "Zapisz odpowiedź GraphQL sklepu na zapytanie OrderFull o jedno zamówienie, zob. docs/shopify.pl.md.",
    "Save the shop's GraphQL answer to the query OrderFull about one order, see docs/shopify.md.",
)
"""How a person makes a file that :func:`order_reader` reads."""

_YES = frozenset({"1", "yes", "true", "on"})


def is_on(config: Mapping[str, str], key: str) -> bool:
    """Whether a switch of the configuration is on."""
    return config.get(key, "").strip().lower() in _YES


def mapping_options(config: Mapping[str, str]) -> MappingOptions:
    """The merchant's options in a store's configuration; see :data:`CONFIG_KEYS`.

    Raises:
        ShopError: an option is malformed.
    """
    word = config.get("money", "").strip() or MoneyKind.PRESENTMENT.value
    try:
        money = MoneyKind(word)
    except ValueError:
        raise ShopError(
            f"money: {word!r} is neither presentment nor shop", hint=CONFIG_KEYS["money"]
        ) from None
    fields = tuple(part.strip() for part in config.get("tax_id_fields", "").split(",") if part.strip())
    return MappingOptions(money=money, tax_id_fields=fields, test_orders=is_on(config, "test_orders"))


def order_reader(config: Mapping[str, str]) -> OrderReader:
    """A reader of order files (JSON) with the options of a store's configuration.

    Raises:
        ShopError: an option is malformed.
    """
    return OrderFile(mapping_options(config))
