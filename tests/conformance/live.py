"""Live shops that the environment names.

=====================================  =========================================================
``KSEF_TEST_WOOCOMMERCE_URL``          address of a shop for tests, with ``_KEY`` and ``_SECRET``
``KSEF_TEST_PRESTASHOP_URL``           address of a shop for tests, with ``_KEY``
``KSEF_TEST_SHOPIFY_URL``              ``name.myshopify.com``, with ``_ID`` and ``_SECRET`` of the app
=====================================  =========================================================
"""

from __future__ import annotations

import os

_SHOPS = {
    "woocommerce": {"url": "URL", "consumer_key": "KEY", "consumer_secret": "SECRET"},
    "prestashop": {"url": "URL", "key": "KEY"},
    "shopify": {"url": "URL", "client_id": "ID", "client_secret": "SECRET"},
}


def live_shops() -> dict[str, dict[str, str]]:
    """Platform to connection data, of the shops whose every variable is set."""
    found = {}
    for platform, names in _SHOPS.items():
        values = {
            key: os.environ.get(f"KSEF_TEST_{platform.upper()}_{name}", "") for key, name in names.items()
        }
        if all(values.values()):
            found[platform] = values
    return found
