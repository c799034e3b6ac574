"""A WooCommerce shop on localhost that answers as a recorded WooCommerce 11 did.

:class:`~sandbox.woocommerce.server.WooSandbox` is a context manager for tests and demos,
:func:`~sandbox.woocommerce.server.serve` runs a shop until it is stopped.
"""

from sandbox.woocommerce.recordings import demo_orders
from sandbox.woocommerce.server import (
    DEMO_CONSUMER_KEY,
    DEMO_CONSUMER_SECRET,
    READ_ONLY_CONSUMER_KEY,
    READ_ONLY_CONSUMER_SECRET,
    WooSandbox,
    serve,
)

__all__ = [
    "DEMO_CONSUMER_KEY",
    "DEMO_CONSUMER_SECRET",
    "READ_ONLY_CONSUMER_KEY",
    "READ_ONLY_CONSUMER_SECRET",
    "WooSandbox",
    "demo_orders",
    "serve",
]
