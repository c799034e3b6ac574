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
    "time_zone": "zone of the shop's clock, e.g. Europe/Warsaw",
    "prices": "gross or net: what the shop's prices are, when they do not show it",
    "tax_id_fields": "fields of the invoice address with the buyer's tax number, separated by commas",
    "paid_states": "ids of order states that mean paid, separated by commas",
    "completed_states": "ids of order states that mean sent or handed over, separated by commas",
    "cancelled_states": "ids of order states that mean cancelled, separated by commas",
    "refunded_states": "ids of order states that mean that all money was given back, separated by commas",
}
"""What a store's configuration may say; nothing is required."""

ORDER_FILE = Text(
    "Zbierz odpowiedzi webservice o jednym zamówieniu w jednym pliku XML, zob. docs/prestashop.pl.md.",
    "Put the webservice's answers about one order into one XML file, see docs/prestashop.md.",
)
"""How a person makes a file that :func:`order_reader` reads."""

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
    return MappingOptions(
        time_zone=_zone(config.get("time_zone", "").strip()),
        states=states,
        prices=_prices(config.get("prices", "").strip()),
        tax_id_fields=_listed(config, "tax_id_fields"),
    )


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name) if name else WARSAW
    except (OSError, ValueError, KeyError):  # unknown names are KeyErrors, folders OSErrors
        raise ShopError(f"time_zone: {name!r} is no time zone", hint="Europe/Warsaw") from None


def _prices(word: str) -> Prices | None:
    try:
        return Prices(word) if word else None
    except ValueError:
        raise ShopError(f"prices: {word!r} is neither gross nor net", hint=CONFIG_KEYS["prices"]) from None


def _listed(config: Mapping[str, str], key: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in config.get(key, "").split(",") if part.strip())
