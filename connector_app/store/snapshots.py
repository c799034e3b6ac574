"""Neutral orders to JSON and back, so that a snapshot can be kept and compared."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from cattrs import Converter

from core.invoices.tax_ids import normalise
from core.orders import Order, Refund


def _converter() -> Converter:
    converter = Converter()
    converter.register_unstructure_hook(Decimal, lambda value: f"{value:f}")
    converter.register_structure_hook(Decimal, lambda value, _: Decimal(value))
    converter.register_unstructure_hook(datetime, datetime.isoformat)
    converter.register_structure_hook(datetime, lambda value, _: datetime.fromisoformat(value))
    return converter


_CONVERTER = _converter()


def to_json(order: Order) -> dict[str, Any]:
    """An order as JSON-ready values; amounts are texts."""
    values: dict[str, Any] = _CONVERTER.unstructure(order)
    return values


def from_json(values: dict[str, Any]) -> Order:
    """The order that :func:`to_json` gave."""
    return _CONVERTER.structure(values, Order)


def refund_to_json(refund: Refund) -> dict[str, Any]:
    """A refund as JSON-ready values; amounts are texts."""
    values: dict[str, Any] = _CONVERTER.unstructure(refund)
    return values


def refund_from_json(values: dict[str, Any]) -> Refund:
    """The refund that :func:`refund_to_json` gave."""
    return _CONVERTER.structure(values, Refund)


def content_hash(order: Order) -> str:
    """SHA-256 of what an order says, without the moment of its last change.

    Writing metadata to an order changes its modification time and nothing else; comparing this hash
    keeps our own write-back from looking like news.
    """
    values = to_json(order)
    values.pop("modified_at")
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def buyer_fingerprint(order: Order) -> str:
    """Short hash of what an invoice would say of the order's buyer: numbers, name and address.

    Contact data are left out: a new telephone number is no reason to correct an invoice.
    """
    buyer = order.buyer
    said = [
        sorted({normalise(candidate.value) for candidate in buyer.tax_ids}),
        buyer.company.strip(),
        buyer.person_name,
        _CONVERTER.unstructure(buyer.address),
    ]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]
