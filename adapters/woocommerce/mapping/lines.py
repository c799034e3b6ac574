"""Charged lines: products, delivery and positive fees, with their amounts per tax rate.

WooCommerce keeps every line net with its tax beside it, whatever the shop's prices look like. The
percentage stands only in ``tax_lines``, joined by ``rate_id``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

from adapters.woocommerce.mapping.reader import Node
from core.money import GROSZ, ZERO, split
from core.orders import LineKind, OrderLine, RateTotal, TaxShare

_HUNDRED = Decimal(100)
_ONE = Decimal(1)
# half a grosz of rounding per tax entry
_HALF = Decimal("0.005")

_RATE_COUNTRY = re.compile(r"([A-Z]{2})-")

Rates = Mapping[str, Decimal]
"""``rate_id`` as text to percentage."""


def read_rates(order: Node) -> dict[str, Decimal]:
    """The percentage of every ``rate_id`` that ``tax_lines`` name.

    Args:
        order: an order or a refund.

    Raises:
        UnreadableOrder: a tax line without a usable percentage, or two that contradict each other.
    """
    rates: dict[str, Decimal] = {}
    for node in order.items("tax_lines"):
        rate_id = node.child("rate_id").identifier()
        percent = node.child("rate_percent").number()
        if not 0 <= percent <= _HUNDRED:
            raise node.child("rate_percent").error(f"{percent} % is no tax rate")
        if rates.setdefault(rate_id, percent) != percent:
            raise node.error(f"rate {rate_id} has two percentages")
    return rates


def rate_countries(order: Node) -> dict[Decimal, str]:
    """Whose rates the percentages of an order are, where the shop's tax table names one country for each.

    ``rate_code`` is built from country, state, name and priority of the tax table's row; the country is
    left out for a row that holds everywhere.
    """
    countries: dict[Decimal, set[str]] = {}
    for node in order.items("tax_lines"):
        found = _RATE_COUNTRY.match(node.text_of("rate_code"))
        countries.setdefault(node.child("rate_percent").number(), set()).add(found[1] if found else "")
    return {percent: next(iter(known)) for percent, known in countries.items() if len(known) == 1}


def with_countries(line: OrderLine, countries: Mapping[Decimal, str]) -> OrderLine:
    """A line whose shares name the country of their rate."""
    return replace(line, shares=located(line.shares, countries))


def located(shares: tuple[TaxShare, ...], countries: Mapping[Decimal, str]) -> tuple[TaxShare, ...]:
    """Shares that name the country of their rate."""
    return tuple(
        replace(share, country=countries.get(share.rate, "")) if share.rate is not None else share
        for share in shares
    )


def rate_totals(order: Node) -> tuple[RateTotal, ...]:
    """The shop's own tax per percentage, delivery included; the truth when lines round differently.

    Raises:
        UnreadableOrder: a tax line that cannot be read.
    """
    totals: dict[Decimal, Decimal] = {}
    for node in order.items("tax_lines"):
        percent = node.child("rate_percent").number()
        tax = node.child("tax_total").amount() + node.child("shipping_tax_total").amount()
        totals[percent] = totals.get(percent, ZERO) + tax
    return tuple(RateTotal(rate=rate, tax=tax) for rate, tax in totals.items())


def read_taxes(line: Node, rates: Rates) -> list[tuple[Decimal, Decimal]]:
    """The tax entries of a line as (percentage, tax), in the shop's order.

    An empty total means that the rate belongs to other lines of the order.

    Raises:
        UnreadableOrder: an entry whose ``rate_id`` no tax line explains.
    """
    entries: list[tuple[Decimal, Decimal]] = []
    for node in line.items("taxes"):
        total = node.maybe("total")
        if total is None or total.value == "":
            continue
        rate_id = node.child("id").identifier()
        if rate_id not in rates:
            raise node.child("id").error(f"rate {rate_id} is not among the order's tax lines")
        entries.append((rates[rate_id], total.amount()))
    return entries


def tax_shares(line: Node, rates: Rates, tax_class: str) -> tuple[TaxShare, ...]:
    """What a line charges, per rate.

    Args:
        line: an item of ``line_items``, ``shipping_lines`` or ``fee_lines``.
        rates: see :func:`read_rates`.
        tax_class: key that decides later what a missing rate means.

    Raises:
        UnreadableOrder: amounts that no split over the rates explains.
    """
    net, tax = line.child("total").amount(), line.child("total_tax").amount()
    entries = read_taxes(line, rates)
    if abs(sum((part for _, part in entries), ZERO) - tax) > GROSZ * max(len(entries), 1):
        raise line.child("total_tax").error(f"{tax} is not the sum of the line's taxes")
    if not entries:
        if tax:
            raise line.child("total_tax").error(f"a tax of {tax} without a rate")
        return (TaxShare(rate=None, net=net, tax=tax, tax_class=tax_class),)
    bearing = _bearing_entries(entries)
    if len(bearing) == 1:
        return (TaxShare(rate=bearing[0][0], net=net, tax=tax, tax_class=tax_class),)
    nets = _split_net(line, net, bearing)
    return tuple(
        TaxShare(rate=rate, net=part, tax=entry_tax, tax_class=tax_class)
        for (rate, entry_tax), part in zip(bearing, nets, strict=True)
    )


def _bearing_entries(entries: list[tuple[Decimal, Decimal]]) -> list[tuple[Decimal, Decimal]]:
    """Entries that bear a part of the net: those with tax, and those of a zero rate beside them."""
    taxed = [entry for entry in entries if entry[1] or not entry[0]]
    return taxed or entries[:1]


def _split_net(line: Node, net: Decimal, entries: list[tuple[Decimal, Decimal]]) -> list[Decimal]:
    """Split a line's net over several rates by the bases that their taxes imply.

    Rates that are charged one upon the other on the same base imply more than the net and are refused.
    """
    implied = [abs(tax) * _HUNDRED / rate if rate else ZERO for rate, tax in entries]
    slack = GROSZ + sum((_HALF * _HUNDRED / rate for rate, _ in entries if rate), ZERO)
    rest = abs(net) - sum(implied, ZERO)
    zero_rates = [index for index, (rate, _) in enumerate(entries) if not rate]
    if zero_rates:
        if rest < -slack:
            raise line.child("taxes").error("the taxes of this line imply more than its net amount")
        implied[zero_rates[0]] = max(rest, ZERO) if rest > slack else ZERO
    elif abs(rest) > slack:
        raise line.child("taxes").error("the taxes of this line do not explain its net amount")
    weights = [weight.quantize(Decimal("0.000001"), rounding=ROUND_HALF_UP) for weight in implied]
    return split(net, weights)


def product_lines(order: Node, rates: Rates) -> Iterator[OrderLine]:
    """The ``line_items``; lines of no units and no money are left out.

    Raises:
        UnreadableOrder: a line that is negative or cannot be read.
    """
    for node in order.items("line_items"):
        quantity = node.child("quantity").number()
        line = OrderLine(
            id=node.child("id").identifier(),
            kind=LineKind.PRODUCT,
            name=node.name_of("name"),
            quantity=quantity,
            shares=tax_shares(node, rates, node.text_of("tax_class")),
            net_before=node.child("subtotal").amount(),
            tax_before=node.child("subtotal_tax").amount(),
            sku=node.text_of("sku"),
            gtin=node.text_of("global_unique_id"),
        )
        _refuse_negative(node, line)
        if quantity > 0:
            yield line
        elif quantity < 0 or line.gross:
            raise node.child("quantity").error(f"{quantity} units at {line.gross} make no sense")


def shipping_lines(order: Node, rates: Rates) -> Iterator[OrderLine]:
    """The ``shipping_lines`` that cost something; free delivery is no line of an invoice.

    Raises:
        UnreadableOrder: a line that is negative or cannot be read.
    """
    for node in order.items("shipping_lines"):
        line = OrderLine(
            id=node.child("id").identifier(),
            kind=LineKind.SHIPPING,
            name=node.name_of("method_title"),
            quantity=_ONE,
            shares=tax_shares(node, rates, ""),
        )
        _refuse_negative(node, line)
        if line.gross:
            yield line


def fee_lines(order: Node, rates: Rates) -> Iterator[OrderLine]:
    """The ``fee_lines`` above zero; negative ones are discounts, see :mod:`.fees`.

    Raises:
        UnreadableOrder: a line that cannot be read.
    """
    for node in order.items("fee_lines"):
        if node.child("total").amount() < 0:
            continue
        line = OrderLine(
            id=node.child("id").identifier(),
            kind=LineKind.FEE,
            name=node.name_of("name"),
            quantity=_ONE,
            shares=tax_shares(node, rates, node.text_of("tax_class")),
        )
        _refuse_negative(node, line)
        if line.gross:
            yield line


def _refuse_negative(node: Node, line: OrderLine) -> None:
    if line.net < 0:
        raise node.child("total").error(f"{line.net} is negative")
    if line.tax < 0:
        raise node.child("total_tax").error(f"{line.tax} is negative")
