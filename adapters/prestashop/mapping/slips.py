"""What a credit slip (``order_slip``) really gave back.

A slip states the sums of its goods with and without tax, the delivery, and ``amount``. They agree only in the
plain case:

* a slip "excluding the voucher" (type 1) takes the order's discount off one of the two sums only, and
  leaves the other and ``amount`` as they were; its printed form takes the discount off;
* a slip over a chosen amount (type 2) has that amount in ``amount`` and leaves both sums as they were.

The smallest of what the slip states is what the buyer is taken to have got; where the slip's lines say more,
the two differ and a person decides. ``partial`` is 0 for partial refunds too and is not looked at.
"""

from __future__ import annotations

from decimal import Decimal

from adapters.prestashop.mapping.bundle import Bundle
from adapters.prestashop.mapping.resource import Resource
from adapters.prestashop.mapping.rounding import Rounding
from core.money import GROSZ, ZERO

MONEY = Rounding()
"""Slips are stated in whole grosz; only dust has to go."""

_CHOSEN_AMOUNT = "2"


def slips_of(bundle: Bundle) -> tuple[Resource, ...]:
    """The credit slips of an order, oldest first."""
    return bundle.of_order("order_slip")


def money_of(resource: Resource, name: str) -> Decimal:
    """A non-negative amount in whole grosz; zero when it is absent.

    Raises:
        UnreadableOrder: it is negative or no amount.
    """
    amount = MONEY.money(resource.number_or_zero(name))
    if amount < 0:
        raise resource.error(name, f"{amount} is negative")
    return amount


def slip_amount(slip: Resource) -> Decimal:
    """The money given back, with tax.

    Raises:
        UnreadableOrder: a slip that cannot be read, or that gives back less than nothing.
    """
    goods = money_of(slip, "total_products_tax_incl")
    goods_net = money_of(slip, "total_products_tax_excl")
    chosen = money_of(slip, "amount")
    rows = slip.rows.get("order_slip_details", ())
    taken_off = sum((money_of(row, "amount_tax_excl") for row in rows), ZERO) - goods_net
    if slip.text("order_slip_type") == _CHOSEN_AMOUNT and chosen and not _is_one_of(chosen, goods, goods_net):
        goods = chosen
    elif taken_off > GROSZ * len(rows) and _is_one_of(
        goods, sum((money_of(row, "amount_tax_incl") for row in rows), ZERO)
    ):
        goods -= taken_off
    if goods < 0:
        raise slip.error("total_products_tax_excl", "more was taken off than the goods cost")
    return goods + money_of(slip, "total_shipping_tax_incl")


def _is_one_of(amount: Decimal, *others: Decimal) -> bool:
    return any(abs(amount - other) <= GROSZ for other in others)
