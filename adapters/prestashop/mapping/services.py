"""Delivery and gift wrapping, which stand in the order's own totals.

Neither has an id of its own; the ids :data:`SHIPPING_ID` and :data:`WRAPPING_ID` stand for them, because a
credit slip names the delivery by its amount only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from adapters.prestashop.mapping.bundle import Bundle
from adapters.prestashop.mapping.rates import bases, country_of, explained
from adapters.prestashop.mapping.rounding import Rounding
from core.money import ZERO, split
from core.orders import LineKind, OrderLine, TaxShare

SHIPPING_ID = "shipping"
WRAPPING_ID = "wrapping"

_SHIPPING_NAME = "Dostawa"
_WRAPPING_NAME = "Pakowanie na prezent"
_NAMELESS = frozenset({"", "0"})
_ONE = Decimal(1)
_TOLERANCE = Decimal("0.02")


def service_lines(bundle: Bundle, rounding: Rounding, products: Sequence[OrderLine]) -> Iterator[OrderLine]:
    """Delivery and wrapping that cost something.

    Args:
        bundle: the order.
        rounding: how it was rounded.
        products: their rates explain a tax that no rate of its own explains (``PS_ATCP_SHIPWRAP``).

    Raises:
        UnreadableOrder: amounts that cannot be read, or are negative.
    """
    order = bundle.order
    net, tax = _amounts(bundle, rounding, "total_shipping")
    if net or tax:
        carrier = bundle.find("carrier", order.reference("id_carrier"))
        name = carrier.text("name") if carrier else ""
        tax_class = carrier.reference("id_tax_rules_group") if carrier else ""
        # a rate of zero is what the shop writes for a delivery without tax rule too, so it tells nothing
        rate = order.percentage("carrier_tax_rate") if order.text("carrier_tax_rate") else None
        yield OrderLine(
            id=SHIPPING_ID,
            kind=LineKind.SHIPPING,
            name=_SHIPPING_NAME if name in _NAMELESS else name,
            quantity=_ONE,
            shares=_shares(bundle, net, tax, [rate] if rate else [], tax_class, products),
        )
    net, tax = _amounts(bundle, rounding, "total_wrapping")
    if net or tax:
        yield OrderLine(
            id=WRAPPING_ID,
            kind=LineKind.WRAPPING,
            name=_WRAPPING_NAME,
            quantity=_ONE,
            shares=_shares(bundle, net, tax, _candidates(bundle), "", products),
        )


def _amounts(bundle: Bundle, rounding: Rounding, prefix: str) -> tuple[Decimal, Decimal]:
    order = bundle.order
    net = rounding.money(order.number_or_zero(f"{prefix}_tax_excl"))
    gross = rounding.money(order.number_or_zero(f"{prefix}_tax_incl"))
    if not 0 <= net <= gross:
        raise order.error(f"{prefix}_tax_excl", f"{net} without and {gross} with tax make no sense")
    return net, gross - net


def _candidates(bundle: Bundle) -> list[Decimal]:
    """All known rates: the rate of wrapping is told nowhere."""
    rates = {one.percentage("rate") for one in bundle.others.get("tax", {}).values()}
    return sorted((rate for rate in rates if rate), reverse=True)


def _shares(
    bundle: Bundle,
    net: Decimal,
    tax: Decimal,
    rates: Sequence[Decimal],
    tax_class: str,
    products: Sequence[OrderLine],
) -> tuple[TaxShare, ...]:
    """One share at the known rate that explains the tax best, else the goods' rates, else what is stated.

    The average of the goods' rates is stated as a rate too, so a rate counts when it is one of the shop's
    taxes. A tax that nothing explains stays as it is; the sums of an invoice then ask a person.
    """
    if not tax:
        return (TaxShare(None, net, tax, tax_class),)
    known = _candidates(bundle)
    fitting = [rate for rate in rates if rate in known and explained(net, tax, rate)]
    if fitting:
        rate = min(fitting, key=lambda one: abs(net * one / 100 - tax))
        return (TaxShare(rate, net, tax, tax_class, country_of(bundle, rate, products)),)
    split_up = _by_goods(net, tax, products)
    if split_up or len(rates) != 1:
        return split_up or (TaxShare(None, net, tax, tax_class),)
    return (TaxShare(rates[0], net, tax, tax_class, country_of(bundle, rates[0], products)),)


def _by_goods(net: Decimal, tax: Decimal, products: Sequence[OrderLine]) -> tuple[TaxShare, ...]:
    """A service in the proportion of the goods that it goes with; empty when its tax contradicts that."""
    goods = bases(products)
    whole = sum((share.net for share in goods), ZERO)
    if not whole:
        return ()
    nets = split(net, [share.net for share in goods])
    weights = [net * share.net / whole * (share.rate or 0) / 100 for share in goods]
    if not any(weights) or abs(sum(weights, ZERO) - tax) > _TOLERANCE:
        return ()
    taxes = split(tax, weights)
    return tuple(
        replace(share, net=part, tax=part_tax)
        for share, part, part_tax in zip(goods, nets, taxes, strict=True)
        if part or part_tax
    )
