"""A Shopify shop on localhost that executes operations on the Admin API's schema (needs graphql-core).

:class:`~sandbox.shopify.server.ShopifySandbox` is a context manager for tests;
:func:`~sandbox.shopify.demo.demo_orders` gives a few orders to begin with, and
:func:`~sandbox.shopify.generator.shop_of` makes as many varied orders with refunds as wanted.
"""

from sandbox.shopify.demo import demo_orders
from sandbox.shopify.generator import shop_of
from sandbox.shopify.server import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, DEMO_TOKEN, ShopifySandbox

__all__ = [
    "DEMO_CLIENT_ID",
    "DEMO_CLIENT_SECRET",
    "DEMO_TOKEN",
    "ShopifySandbox",
    "demo_orders",
    "shop_of",
]
