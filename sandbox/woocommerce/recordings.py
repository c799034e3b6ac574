"""Recorded answers of a WooCommerce 11 shop that ship with the sandbox."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

DEMO_ORDERS = (
    "order_full",
    "order_blocks_checkout_with_nip",
    "order_net_prices_round_at_subtotal",
    "order_net_prices_round_per_line",
    "order_eur_no_matching_rate",
)
"""Names of the recorded orders, in the order in which they were placed."""


def recorded(name: str) -> Any:
    """One recorded answer, parsed anew.

    Args:
        name: e.g. ``settings_tax``.
    """
    text = (files("sandbox.woocommerce.data") / f"{name}.json").read_text(encoding="utf-8")
    return json.loads(text)


def demo_orders() -> list[dict[str, Any]]:
    """Fresh copies of the orders that the demo takes in."""
    return [recorded(name) for name in DEMO_ORDERS]
