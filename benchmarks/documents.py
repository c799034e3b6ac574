"""Orders to measure with: a recorded WooCommerce order whose lines are multiplied, three VAT rates."""

from __future__ import annotations

import copy
import functools
import json
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from adapters import registry as platforms
from core.invoices.from_order import draft
from core.invoices.model import Address, Invoice, Issuer, Seller
from core.invoices.policy import InvoicePolicy
from core.orders import Order
from sandbox.woocommerce.recordings import recorded

SIZES = (5, 100)
"""Lines of the documents that are measured."""

NIP = "5265877635"
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
DAY = date(2026, 11, 24)
SELLER = Seller(NIP, "Sklep Testowy sp. z o.o.", Address("PL", "ul. Przykładowa 1", "00-001 Warszawa"))
ISSUER = Issuer(SELLER)
POLICY = InvoicePolicy()

_GROSZ = Decimal("0.01")
_RATES = (("23", 1, ""), ("8", 2, "reduced-rate"), ("5", 3, "super-reduced"))
_NAMES = ("Kubek żółty „Łódź”", "Książka & zakładka <2 szt.>", "Herbata jaśminowa 100 g", "Świeca sojowa Ćma")


def order_json(lines: int, number: int = 1) -> dict[str, Any]:
    """A paid order with net prices as the shop's API gives it.

    Args:
        lines: number of products.
        number: its id and number; names and prices differ with it.
    """
    order: dict[str, Any] = copy.deepcopy(_template())
    items = [_item(index, number) for index in range(1, lines + 1)]
    taxes = [_tax_line(items, *rate) for rate in _RATES]
    used = [one for one in taxes if one["tax_total"] != "0.00"]
    tax = sum((Decimal(one["tax_total"]) for one in used), Decimal("0.00"))
    net = sum((Decimal(one["total"]) for one in items), Decimal("0.00"))
    order |= {
        "id": 100_000 + number,
        "number": str(100_000 + number),
        "prices_include_tax": False,
        "line_items": items,
        "tax_lines": used,
        "cart_tax": str(tax),
        "total_tax": str(tax),
        "total": str(net + tax),
        "discount_total": "0.00",
        "discount_tax": "0.00",
        "shipping_total": "0.00",
        "shipping_tax": "0.00",
    }
    return order | {"shipping_lines": [], "fee_lines": [], "coupon_lines": []}


@functools.cache
def _template() -> dict[str, Any]:
    order: dict[str, Any] = recorded("order_full")
    return order


def _item(index: int, number: int) -> dict[str, Any]:
    rate, rate_id, tax_class = _RATES[index % len(_RATES)]
    quantity = 1 + index % 4
    # whole złotys, whose tax needs no rounding: every way of counting gives the same total
    net = Decimal(f"{(10 + index + number % 90) * quantity}.00")
    tax = str((net * Decimal(rate) / 100).quantize(_GROSZ, ROUND_HALF_UP))
    return {
        "id": index,
        "name": f"{_NAMES[(index + number) % len(_NAMES)]} nr {index}",
        "product_id": 10 + index,
        "variation_id": 0,
        "quantity": quantity,
        "tax_class": tax_class,
        "subtotal": str(net),
        "subtotal_tax": tax,
        "total": str(net),
        "total_tax": tax,
        "taxes": [{"id": rate_id, "total": tax, "subtotal": tax}],
        "meta_data": [],
        "sku": f"SKU-{index}",
        "global_unique_id": "",
        "price": float(net / quantity),
    }


def _tax_line(items: list[dict[str, Any]], rate: str, rate_id: int, _tax_class: str) -> dict[str, Any]:
    """The tax of a rate, rounded once on its sum, as a shop that rounds at the subtotal has it."""
    own = (Decimal(one["total"]) for one in items if one["taxes"][0]["id"] == rate_id)
    tax = (sum(own, Decimal("0.00")) * Decimal(rate) / 100).quantize(_GROSZ, ROUND_HALF_UP)
    return {
        "id": 900 + rate_id,
        "rate_code": f"PL-VAT {rate}%-1",
        "rate_id": rate_id,
        "label": f"VAT {rate}%",
        "compound": False,
        "tax_total": str(tax),
        "shipping_tax_total": "0.00",
        "rate_percent": int(rate),
        "meta_data": [],
    }


def order_text(lines: int, number: int = 1) -> str:
    """The same as JSON text."""
    return json.dumps(order_json(lines, number), ensure_ascii=False)


def order_of(text: str) -> Order:
    """An order's JSON text as the neutral order."""
    return platforms.order_reader("woocommerce")(text.encode())


def issue(order: Order, number: int = 1) -> Invoice:
    """The invoice of an order."""
    return draft(order, ISSUER, POLICY).issue(f"FV/2026/11/{number:04}", DAY, NOW)


@functools.cache
def invoices(lines: int, count: int) -> tuple[Invoice, ...]:
    """Different invoices of one size."""
    return tuple(issue(order_of(order_text(lines, number)), number) for number in range(1, count + 1))


def for_peers(made: tuple[Invoice, ...]) -> list[dict[str, Any]]:
    """The same invoices as plain values, for programs that do not know this project's model."""
    return [
        {
            "number": one.number,
            "issued_on": one.issued_on.isoformat(),
            "created_at": one.created_at.isoformat(),
            "system": one.system,
            "seller": _party(one.seller.nip, one.seller.name, one.seller.address),
            "buyer": _party(one.buyer.tax_id.value, one.buyer.name, one.buyer.address),
            "lines": [
                {
                    "name": line.name,
                    "quantity": str(line.quantity),
                    "unit": line.unit,
                    "unit_price": str(line.net_price),
                    "rate": line.category.value if line.category else "",
                    "amount": str(line.net_amount),
                    "id": line.line_id,
                    "sku": line.sku,
                }
                for line in one.lines
            ],
            "total": str(one.total),
        }
        for one in made
    ]


def _party(nip: str, name: str, address: Address | None) -> dict[str, str]:
    place = address or Address("PL", "")
    return {"nip": nip, "name": name, "line1": place.line1, "line2": place.line2}
