"""Discounts of the order: ``order_cart_rules``, spread over the tax rates.

The lines are before these discounts. A rule says what it took off with and without tax (``value``,
``value_tax_excl``), in parts of a grosz; the order states their rounded sum. Which goods a rule was for is
not told, so its net amount has to prove where it went:

* a rule with free delivery first takes off the delivery (it stays charged in the order),
* the rest is spread over the goods by their gross amounts, as the shop does for percentages and amounts,
* or, where only that explains its net amount, over the goods of one rate;
* anything else stays without a rate, and a person decides.

Vouchers that the shop made of a credit slip are no discounts: they pay, with money that was owed to the
buyer, and the refund behind them has lowered an earlier sale already.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from adapters.prestashop.mapping.bundle import Bundle
from adapters.prestashop.mapping.rates import bases
from adapters.prestashop.mapping.rounding import Rounding
from core.money import GROSZ, ZERO, grosz, split
from core.orders import Coupon, LineKind, OrderDiscount, OrderLine, TaxShare

_SLIP_VOUCHER = re.compile(r"V[0-9]+C[0-9]+O[0-9]+", re.ASCII)
_TOLERANCE = Decimal("0.02")


@dataclass(frozen=True, slots=True)
class Reductions:
    """What the rules of an order come to.

    Attributes:
        lines: all lines, the delivery lowered by rules with free delivery.
        discounts: what is taken off the whole order.
        coupons: rules whose whole effect is inside the delivery.
        vouchers: names and amounts (net, tax) of what was paid by vouchers of credit slips.
    """

    lines: tuple[OrderLine, ...]
    discounts: tuple[OrderDiscount, ...] = ()
    coupons: tuple[Coupon, ...] = ()
    vouchers: tuple[tuple[str, Decimal, Decimal], ...] = ()


@dataclass(frozen=True, slots=True)
class _Rule:
    id: str
    name: str
    gross: Decimal
    net: Decimal
    free_shipping: bool


def reductions(
    bundle: Bundle, rounding: Rounding, lines: Sequence[OrderLine], *, gross_prices: bool
) -> Reductions:
    """Apply an order's rules to its lines.

    Args:
        bundle: the order.
        rounding: how it was rounded.
        lines: products, delivery and wrapping as charged.
        gross_prices: what was paid is the gross amount, and the tax is inside it.

    Raises:
        UnreadableOrder: rules that cannot be read, or are negative.
    """
    left = list(lines)
    discounts: list[OrderDiscount] = []
    coupons: list[Coupon] = []
    vouchers: list[tuple[str, Decimal, Decimal]] = []
    average = _average(bundle) if gross_prices and not rounding.by_line else None
    for rule in _rules(bundle, rounding):
        if _SLIP_VOUCHER.fullmatch(rule.name):
            vouchers.append((rule.name, rule.net, rule.gross - rule.net))
            continue
        rest = rule
        if rule.free_shipping:
            left, rest = _off_delivery(left, rule)
            if not rest.gross:
                coupons.append(Coupon(rule.name, rule.gross))
                continue
        discounts.append(OrderDiscount(rest.id, rest.name, _spread(rest, left, average)))
    if gross_prices:
        _settle(left, discounts)
    return Reductions(tuple(left), tuple(discounts), tuple(coupons), tuple(vouchers))


def _settle(lines: Sequence[OrderLine], discounts: list[OrderDiscount]) -> None:
    """Let the tax that discounts leave of a rate be the tax inside the gross amount that they leave.

    Each rounded share misses its part by up to half a grosz, and several on one rate would leave a tax that
    no way of counting gives (art. 29a ust. 7 and art. 106e ust. 7 of the VAT act). The last share of the
    rate takes the difference.
    """
    charged = {share.rate: share for share in bases(lines) if share.rate}
    for rate, base in charged.items():
        own = [
            (index, place)
            for index, one in enumerate(discounts)
            for place, share in enumerate(one.shares)
            if share.rate == rate
        ]
        if rate is None or not own:
            continue
        off = [discounts[index].shares[place] for index, place in own]
        left = base.gross - sum((share.gross for share in off), ZERO)
        tax = base.tax - sum((share.tax for share in off), ZERO)
        difference = tax - grosz(left * rate / (100 + rate))
        last = off[-1]
        if (
            0 < abs(difference) <= GROSZ * (len(lines) + len(off))
            and 0 <= last.tax + difference <= last.gross
        ):
            index, place = own[-1]
            shares = list(discounts[index].shares)
            shares[place] = replace(last, net=last.net - difference, tax=last.tax + difference)
            discounts[index] = replace(discounts[index], shares=tuple(shares))


def _rules(bundle: Bundle, rounding: Rounding) -> list[_Rule]:
    """The rules that took something off, in whole grosz that add up to the order's own sums."""
    order = bundle.order
    gross = rounding.money(order.number_or_zero("total_discounts_tax_incl"))
    net = rounding.money(order.number_or_zero("total_discounts_tax_excl"))
    if not 0 <= net <= gross:
        raise order.error("total_discounts_tax_excl", f"{net} without and {gross} with tax make no sense")
    own = [one for one in bundle.of_order("order_cart_rule") if not one.flag("deleted")]
    exact = [(one.number("value"), one.number("value_tax_excl")) for one in own]
    for rule, (value, value_net) in zip(own, exact, strict=True):
        if not 0 <= value_net <= value:
            raise rule.error("value", f"{value_net} without and {value} with tax make no sense")
    if not any(value for value, _ in exact):
        # the order says that there was a discount, and no rule explains it
        return [_Rule("discounts", "", gross, net, False)] if gross else []
    grosses = _whole([value for value, _ in exact], gross)
    nets = _whole([value_net for _, value_net in exact], net)
    return [
        _Rule(rule.identifier(), rule.text("name"), part, min(part_net, part), rule.flag("free_shipping"))
        for rule, part, part_net in zip(own, grosses, nets, strict=True)
        if part
    ]


def _whole(exact: list[Decimal], total: Decimal) -> list[Decimal]:
    """Parts in whole grosz with the order's sum; contradicting sums stay apart, for a person to see."""
    if abs(sum(exact, ZERO) - total) <= _TOLERANCE:
        return split(total, exact)
    return [grosz(value) for value in exact]


def _off_delivery(lines: Sequence[OrderLine], rule: _Rule) -> tuple[list[OrderLine], _Rule]:
    """The delivery less what a rule gives free of it, and what is left of the rule."""
    changed = list(lines)
    for index, line in enumerate(lines):
        part = min(rule.gross, line.gross)
        if line.kind is not LineKind.SHIPPING or not part:
            continue
        parts = split(part, [share.gross for share in line.shares])
        off = [
            share if gross == share.gross else _at_rate(share, gross)
            for share, gross in zip(line.shares, parts, strict=True)
        ]
        changed[index] = replace(
            line,
            shares=tuple(
                replace(share, net=share.net - less.net, tax=share.tax - less.tax)
                for share, less in zip(line.shares, off, strict=True)
            ),
            net_before=line.net if line.net_before is None else line.net_before,
            tax_before=line.tax if line.tax_before is None else line.tax_before,
        )
        net = sum((less.net for less in off), ZERO)
        gross_left = rule.gross - part
        rule = replace(rule, gross=gross_left, net=min(max(rule.net - net, ZERO), gross_left))
    return changed, rule


def _average(bundle: Bundle) -> Decimal | None:
    """The shop's own net part of its goods, by which it counts the net amounts of rules."""
    gross = bundle.order.number("total_products_wt")
    return bundle.order.number("total_products") / gross if gross > 0 else None


def _spread(rule: _Rule, lines: Sequence[OrderLine], average: Decimal | None) -> tuple[TaxShare, ...]:
    """What a rule takes off per rate.

    Args:
        rule: what it takes off.
        lines: what it may be taken off.
        average: the net part of the goods where roundings moved it away from their rates.
    """
    goods = [line for line in lines if line.kind is LineKind.PRODUCT]
    for chosen in (goods, list(lines)):
        shares = bases(chosen)
        if sum((share.gross for share in shares), ZERO) < rule.gross:
            continue
        found = _by_gross(rule, shares, average) or _at_one_rate(rule, shares)
        if found:
            return found
    return (TaxShare(None, rule.net, rule.gross - rule.net),)


def _by_gross(rule: _Rule, shares: Sequence[TaxShare], average: Decimal | None) -> tuple[TaxShare, ...]:
    """In proportion to gross amounts; empty when the rule's net amount contradicts it."""
    parts = split(rule.gross, [share.gross for share in shares])
    spread = [_at_rate(share, part) for share, part in zip(shares, parts, strict=True)]
    kept = [share for share in spread if share.gross]
    if average is not None and abs(rule.gross * average - rule.net) <= _TOLERANCE:
        return tuple(kept)
    return _fitted(rule, kept)


def _at_one_rate(rule: _Rule, shares: Sequence[TaxShare]) -> tuple[TaxShare, ...]:
    """The whole rule at the one rate that explains its net amount; empty when none or several do."""
    found = [
        fitted
        for share in shares
        if share.gross >= rule.gross and (fitted := _fitted(rule, [_at_rate(share, rule.gross)]))
    ]
    return found[0] if len(found) == 1 else ()


def _fitted(rule: _Rule, spread: list[TaxShare]) -> tuple[TaxShare, ...]:
    """Shares whose net amounts add up to the rule's, when they miss it by roundings only; else empty."""
    difference = rule.net - sum((share.net for share in spread), ZERO)
    if abs(difference) > GROSZ * len(spread):
        return ()
    if difference:
        largest = max(range(len(spread)), key=lambda i: spread[i].tax)
        moved = spread[largest]
        if moved.tax >= difference and moved.rate:
            spread[largest] = replace(moved, net=moved.net + difference, tax=moved.tax - difference)
    return tuple(spread)


def _at_rate(share: TaxShare, gross: Decimal) -> TaxShare:
    """A gross amount at the rate of a share."""
    tax = grosz(gross * (share.rate or 0) / (100 + (share.rate or 0)))
    return replace(share, net=gross - tax, tax=tax)
