"""What a merchant may say about their shop's data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class MoneyKind(StrEnum):
    """Which of the two currencies of an order its invoice is in; one invoice never mixes them."""

    PRESENTMENT = "presentment"
    """What the buyer saw and paid."""
    SHOP = "shop"
    """The shop's accounting currency, converted by Shopify."""


@dataclass(frozen=True, slots=True)
class MappingOptions:
    """What a merchant may say about their shop's data.

    Attributes:
        money: which currency is read; what the buyer paid unless the merchant says otherwise.
        tax_id_fields: names of order attributes (``NIP firmy``) or of metafields (``custom.nip``) with the
            buyer's tax number; they go before all known places.
        test_orders: orders of the test gateway count like others; without it they stay pending, so that
            nothing is invoiced.
    """

    money: MoneyKind = MoneyKind.PRESENTMENT
    tax_id_fields: tuple[str, ...] = ()
    test_orders: bool = False
