"""PrestaShop: its webservice (XML) to :mod:`core.orders`, notes, messages and an order state back."""

from adapters.prestashop.adapter import PrestaShopAdapter, connect
from adapters.prestashop.config import CONFIG_KEYS, ORDER_FILE, mapping_options, order_reader
from adapters.prestashop.connecting import CONNECTING
from adapters.prestashop.mapping import MappingOptions, map_order, map_refunds
from adapters.prestashop.mapping.bundle import Bundle
from adapters.prestashop.mapping.documents import read_bundle, write_bundle

__all__ = [
    "CONFIG_KEYS",
    "CONNECTING",
    "ORDER_FILE",
    "Bundle",
    "MappingOptions",
    "PrestaShopAdapter",
    "connect",
    "map_order",
    "map_refunds",
    "mapping_options",
    "order_reader",
    "read_bundle",
    "write_bundle",
]
