"""A few invented orders to begin with: what a Polish shop with gross prices sells in a day."""

from __future__ import annotations

from typing import Any

from sandbox.shopify import shapes
from sandbox.shopify.state import Json

_NIP = "5260250274"


def demo_orders() -> list[Json]:
    """Fresh copies: a company with a NIP, a consumer, one who asked for an invoice, and a refund."""
    return [_company(), _consumer(), _asking(), _refunded()]


def _company() -> Json:
    """Two rates, delivery, and a NIP among the order's attributes."""
    lines = [
        shapes.line(10010, "246.00", shapes.tax("23", "46.00"), quantity=2, name="Kubek ceramiczny"),
        shapes.line(10011, "52.50", shapes.tax("5", "2.50"), name="Książka"),
    ]
    return shapes.order(
        1001,
        lines,
        "313.40",
        "51.29",
        shippingLines=[_parcel(1001)],
        customAttributes=[{"key": "NIP", "value": _NIP}],
        billingAddress=shapes.address(company="Nabywca S.A."),
    )


def _consumer() -> Json:
    """One discounted product; delivered already."""
    item = shapes.line(
        10020,
        "100.00",
        shapes.tax("23", "16.83"),
        name="Torba bawełniana",
        discountAllocations=[shapes.discount("10.00")],
    )
    return shapes.order(
        1002,
        [item],
        "104.90",
        "19.62",
        shippingLines=[_parcel(1002)],
        displayFulfillmentStatus="FULFILLED",
    )


def _asking() -> Json:
    """A consumer who ticked that an invoice is wanted."""
    item = shapes.line(10030, "61.50", shapes.tax("23", "11.50"), name="Notes")
    wish: list[dict[str, Any]] = [{"key": "Faktura VAT", "value": "tak"}]
    return shapes.order(1003, [item], "61.50", "11.50", customAttributes=wish)


def _refunded() -> Json:
    """A company that gave one of two pieces back."""
    item = shapes.line(10040, "123.00", shapes.tax("23", "23.00"), quantity=2, name="Plakat")
    row = shapes.refund_line(item, 1, "61.50", "11.50")
    return shapes.order(
        1004,
        [item],
        "123.00",
        "23.00",
        customAttributes=[{"key": "NIP", "value": _NIP}],
        billingAddress=shapes.address(company="Nabywca S.A."),
        refunds=[shapes.refund(5001, "61.50", [row])],
        displayFinancialStatus="PARTIALLY_REFUNDED",
    )


def _parcel(number: int) -> Json:
    return shapes.shipping(number, "14.90", shapes.tax("23", "2.79"))
