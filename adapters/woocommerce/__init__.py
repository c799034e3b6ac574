"""WooCommerce: REST v3 over signed HTTP, JSON to :mod:`core.orders`, notes and metadata back."""

from adapters.woocommerce.adapter import (
    CONFIG_KEYS,
    ORDER_FILE,
    WooCommerceAdapter,
    connect,
    event_reader,
    order_reader,
)
from adapters.woocommerce.connecting import CONNECTING, CONSENT
from adapters.woocommerce.mapping import MappingOptions, map_order, map_refund

__all__ = [
    "CONFIG_KEYS",
    "CONNECTING",
    "CONSENT",
    "ORDER_FILE",
    "MappingOptions",
    "WooCommerceAdapter",
    "connect",
    "event_reader",
    "map_order",
    "map_refund",
    "order_reader",
]
