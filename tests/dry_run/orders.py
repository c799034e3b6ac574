"""Orders of shops that do not tax something."""

from __future__ import annotations

from typing import Any

from tests.pipeline.world import recorded


def untaxed_order(tax_class: str = "", **changes: Any) -> dict[str, Any]:
    """A WooCommerce order of one line to which the shop applied no tax.

    Args:
        tax_class: of the line, as the shop names it. changes: of the order.
    """
    order = recorded("order_eur_no_matching_rate", currency="PLN", **changes)
    line = order["line_items"][0]
    net = line["total"]
    untaxed = {"taxes": [], "subtotal_tax": "0.00", "total_tax": "0.00", "tax_class": tax_class}
    order["line_items"] = [line | untaxed | {"subtotal": net}]
    order |= {"tax_lines": [], "cart_tax": "0.00", "total_tax": "0.00", "total": net}
    return order
