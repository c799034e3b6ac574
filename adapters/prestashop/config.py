"""What a PrestaShop store's configuration may say, and the reader of order files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from adapters.contract import OrderReader, ShopError
from adapters.prestashop.mapping import MappingOptions, Prices, map_order
from adapters.prestashop.mapping.documents import read_bundle
from core.calendar import WARSAW
from core.findings import Text
from core.orders import Order, OrderState

CONFIG_KEYS: Mapping[str, str] = {
    "url": "address of the shop",
    "key": "key of the webservice, 32 characters",
    "query_string_auth": "yes: key in the query, for hosts that drop the Authorization header",
    "user_agent": "name that firewalls see",
    "private_note": "no: write nothing into the orders' own notes",
    "message_links": "yes: links in messages to buyers are live, where the theme shows HTML",
    "employee": "id of the employee in whose name messages are written, usually 1",
    "invoice_state": "id of an order state whose e-mail tells the buyer of the invoice",
    "time_zone": "zone of the shop's clock, e.g. Europe/Warsaw",
    "prices": "gross or net: what the shop's prices are, when they do not show it",
    "tax_id_fields": "fields of the invoice address with the buyer's tax number, separated by commas",
    "paid_states": "ids of order states that mean paid, separated by commas",
    "completed_states": "ids of order states that mean sent or handed over, separated by commas",
    "cancelled_states": "ids of order states that mean cancelled, separated by commas",
    "refunded_states": "ids of order states that mean that all money was given back, separated by commas",
}
"""What a store's configuration may say; a connected shop needs the first two, a file none."""

ORDER_FILE = Text(
    "Zbierz odpowiedzi webservice o jednym zamówieniu w jednym pliku XML, zob. docs/prestashop.pl.md.",
    "Put the webservice's answers about one order into one XML file, see docs/prestashop.md.",
)
"""How a person makes a file that :func:`order_reader` reads."""

TIME_ZONE_HINT = (
    "time_zone: name the zone of the shop's clock in the store's configuration, e.g. Europe/Warsaw."
)
"""What a person does about a time zone that is not known."""

_YES = frozenset({"1", "yes", "true", "on"})
_NO = frozenset({"0", "no", "false", "off"})
_STATES = (
    ("paid_states", OrderState.PAID),
    ("completed_states", OrderState.COMPLETED),
    ("cancelled_states", OrderState.CANCELLED),
    ("refunded_states", OrderState.REFUNDED),
)


@dataclass(frozen=True, slots=True)
class OrderFile:
    """An :class:`~adapters.contract.OrderReader` of XML with a merchant's options."""

    options: MappingOptions

    def __call__(self, data: bytes) -> Order:
        """See :meth:`adapters.contract.OrderReader.__call__`."""
        return map_order(read_bundle(data), self.options)


def order_reader(config: Mapping[str, str]) -> OrderReader:
    """A reader of order files with the options of a store's configuration.

    Raises:
        ShopError: an option is malformed.
    """
    return OrderFile(mapping_options(config))


def mapping_options(config: Mapping[str, str]) -> MappingOptions:
    """The merchant's options in a store's configuration; see :data:`CONFIG_KEYS`.

    Raises:
        ShopError: an option is malformed.
    """
    states: dict[str, OrderState] = {}
    for key, state in _STATES:
        for one in _listed(config, key):
            if not (one.isascii() and one.isdigit()):
                raise ShopError(f"{key}: {one!r} is no id of an order state", hint=CONFIG_KEYS[key])
            if states.setdefault(one, state) is not state:
                raise ShopError(f"{key}: order state {one} is there twice", hint=CONFIG_KEYS[key])
    zone = config.get("time_zone", "").strip()
    return MappingOptions(
        time_zone=zone_named(zone) if zone else WARSAW,
        states=states,
        prices=_prices(config.get("prices", "").strip()),
        tax_id_fields=_listed(config, "tax_id_fields"),
    )


def is_yes(config: Mapping[str, str], key: str, *, default: bool) -> bool:
    """Whether an entry says yes.

    Raises:
        ShopError: it says something else than yes or no.
    """
    word = config.get(key, "").strip().lower()
    if word and word not in _YES | _NO:
        raise ShopError(f"{key}: {word!r} is neither yes nor no", hint=f"{key}: {CONFIG_KEYS[key]}.")
    return word in _YES if word else default


def zone_named(name: str) -> ZoneInfo:
    """A time zone by its name.

    Raises:
        ShopError: there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # unknown names are KeyErrors, folders OSErrors
        raise ShopError(f"time_zone: {name!r} is no time zone", hint=TIME_ZONE_HINT) from None


def _prices(word: str) -> Prices | None:
    try:
        return Prices(word) if word else None
    except ValueError:
        raise ShopError(f"prices: {word!r} is neither gross nor net", hint=CONFIG_KEYS["prices"]) from None


def _listed(config: Mapping[str, str], key: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in config.get(key, "").split(",") if part.strip())
