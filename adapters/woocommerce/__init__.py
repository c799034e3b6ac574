"""WooCommerce: REST v3 over signed HTTP, JSON to :mod:`core.orders`, notes and metadata back."""

from adapters.woocommerce.adapter import CONFIG_KEYS, WooCommerceAdapter, connect, order_mapper
from adapters.woocommerce.mapping import MappingOptions, map_order, map_refund

__all__ = [
    "CONFIG_KEYS",
    "MappingOptions",
    "WooCommerceAdapter",
    "connect",
    "map_order",
    "map_refund",
    "order_mapper",
]
