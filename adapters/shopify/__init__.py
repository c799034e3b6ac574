"""Shopify: Admin GraphQL to :mod:`core.orders`; metafields, tag, note and e-mail back."""

from adapters.shopify.adapter import ShopifyAdapter, connect
from adapters.shopify.config import CONFIG_KEYS, ORDER_FILE, mapping_options, order_reader
from adapters.shopify.connecting import CONNECTING, CONSENT
from adapters.shopify.events import event_reader
from adapters.shopify.mapping import MappingOptions, MoneyKind, map_order, map_refund

SAVES_CONFIG = True
"""``connect`` takes ``save_config`` and ``load_config``, because tokens rotate."""

__all__ = [
    "CONFIG_KEYS",
    "CONNECTING",
    "CONSENT",
    "ORDER_FILE",
    "SAVES_CONFIG",
    "MappingOptions",
    "MoneyKind",
    "ShopifyAdapter",
    "connect",
    "event_reader",
    "map_order",
    "map_refund",
    "mapping_options",
    "order_reader",
]
