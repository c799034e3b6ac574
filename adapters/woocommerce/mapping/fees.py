"""Negative fees: order-level discounts that WooCommerce spreads over the tax classes.

WooCommerce splits a negative fee by the net of products, delivery and positive fees per tax class
(``WC_Order_Item_Fee::calculate_taxes``) but returns only the tax of each part. The net parts are
computed again here by the same proportion, and the tax that the shop charged proves them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from adapters.woocommerce.mapping.lines import Rates, read_taxes
from adapters.woocommerce.mapping.reader import Node
from core.money import GROSZ, ZERO, split
from core.orders import OrderDiscount, OrderLine, TaxShare

_HUNDRED = Decimal(100)
_Key = tuple[Decimal | None, str]
_Entries = list[tuple[Decimal, Decimal]]


def discounts(order: Node, rates: Rates, lines: Sequence[OrderLine]) -> Iterator[OrderDiscount]:
    """The negative ``fee_lines`` as discounts with positive amounts per rate.

    Args:
        order: the order.
        rates: percentage per ``rate_id``.
        lines: every charged line of the order (products, delivery, positive fees).

    Raises:
        UnreadableOrder: a negative fee whose taxes no proportion explains.
    """
    for node in order.items("fee_lines"):
        net = -node.child("total").amount()
        if net <= 0:
            continue
        tax = -node.child("total_tax").amount()
        entries = [(rate, -part) for rate, part in read_taxes(node, rates)]
        if abs(sum((part for _, part in entries), ZERO) - tax) > GROSZ * max(len(entries), 1):
            raise node.child("total_tax").error(f"{-tax} is not the sum of the fee's taxes")
        shares = _by_proportion(net, entries, lines) or _by_one_rate(net, entries) or _untaxed(net, tax)
        if not shares:
            raise node.error("the taxes of this negative fee cannot be explained")
        yield OrderDiscount(id=node.child("id").identifier(), name=node.name_of("name"), shares=shares)


def _by_proportion(net: Decimal, entries: _Entries, lines: Sequence[OrderLine]) -> tuple[TaxShare, ...]:
    """The split that the core makes; empty when the charged taxes contradict it."""
    bases = _bases(lines)
    whole = sum(bases.values(), ZERO)
    if not whole:
        return ()
    taxes: dict[Decimal, Decimal] = {}
    for percent, tax in entries:
        taxes[percent] = taxes.get(percent, ZERO) + tax
    if any(tax and (percent, "") not in bases for percent, tax in taxes.items()):
        return ()
    shares: list[TaxShare] = []
    parts = split(net, list(bases.values()))
    for ((rate, tax_class), base), part in zip(bases.items(), parts, strict=True):
        charged = taxes.get(rate, ZERO) if rate else ZERO
        if rate and abs(net * base / whole * rate / _HUNDRED - charged) > GROSZ:
            return ()
        if part or charged:
            shares.append(TaxShare(rate=rate, net=part, tax=charged, tax_class=tax_class))
    return tuple(shares)


def _bases(lines: Sequence[OrderLine]) -> dict[_Key, Decimal]:
    """Net charged per rate; what bears no tax is kept apart by tax class, which decides its meaning."""
    bases: dict[_Key, Decimal] = {}
    for line in lines:
        for share in line.shares:
            key: _Key = (share.rate, "" if share.rate else share.tax_class)
            bases[key] = bases.get(key, ZERO) + share.net
    return {key: base for key, base in bases.items() if base}


def _untaxed(net: Decimal, tax: Decimal) -> tuple[TaxShare, ...]:
    """A fee without any tax, as loyalty plugins book it; whether it lowers the tax base is not told."""
    return () if tax else (TaxShare(rate=None, net=net, tax=ZERO),)


def _by_one_rate(net: Decimal, entries: _Entries) -> tuple[TaxShare, ...]:
    """The whole fee at one rate, as some plugins book it; empty when the tax contradicts it."""
    taxed = [entry for entry in entries if entry[1]]
    if len(taxed) != 1:
        return ()
    rate, tax = taxed[0]
    if abs(net * rate / _HUNDRED - tax) > GROSZ:
        return ()
    return (TaxShare(rate=rate, net=net, tax=tax),)
