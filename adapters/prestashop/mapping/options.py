"""What a merchant may say about their shop's data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from zoneinfo import ZoneInfo

from core.calendar import WARSAW
from core.orders import OrderState


class Prices(StrEnum):
    """What a shop's prices are."""

    GROSS = "gross"
    NET = "net"


@dataclass(frozen=True, slots=True)
class MappingOptions:
    """What a merchant may say about their shop's data.

    Attributes:
        time_zone: the shop's zone (``PS_TIMEZONE``); the webservice writes times without one.
        states: ids of order states to their neutral state; they go before the states' own flags.
        prices: whether prices are gross or net; ``None`` looks at the products' prices, see
            :func:`~adapters.prestashop.mapping.lines.prices_include_tax`.
        tax_id_fields: fields of the invoice address with the buyer's tax number; they go before
            ``vat_number`` and ``dni``.
        calls_refunded: the state *Refunded* is told as such, so that a person is asked what it means; a file
            leaves such an order waiting. ``states`` go before it.
        untold_states: ids of states that say nothing of the order; the one before them counts.
    """

    time_zone: ZoneInfo = WARSAW
    states: Mapping[str, OrderState] = field(default_factory=dict)
    prices: Prices | None = None
    tax_id_fields: tuple[str, ...] = ()
    calls_refunded: bool = False
    untold_states: frozenset[str] = frozenset()
