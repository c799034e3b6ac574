"""Tax lines of a charge as shares of :mod:`core.orders`.

Shopify names the percentage and the tax of each tax line. Whether an amount has the tax inside is said
once for the whole order (``taxesIncluded``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from adapters.contract import TaxClass
from adapters.json_node import Node
from adapters.shopify.mapping.values import Purse, flag_of
from adapters.values import plain
from core.findings import Text
from core.money import ZERO, grosz
from core.orders import TaxShare

NOT_TAXABLE = "not-taxable"
"""Tax class of goods that the merchant marked as not taxed ("Charge tax on this product" off)."""

CHANNEL_LIABLE = "channel-liable"
"""Tax class of what a marketplace pays the tax of; it has no rate here, so that a person decides."""

TAX_CLASSES = tuple(
    TaxClass(key, name, tells_rates=False)
    for key, name in (
        (NOT_TAXABLE, Text("Produkt bez podatku („Charge tax” wyłączone)", 'Product with "Charge tax" off')),
        ("tip", Text("Napiwek", "Tip")),
        ("fee", Text("Opłata dodatkowa", "Fee")),
        ("duty", Text("Cło", "Duty")),
    )
)
"""What Shopify may leave untaxed; its rates come from the places that goods are sent to, not from classes."""

_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Tax:
    """One tax line.

    Attributes:
        rate: percentage.
        amount: tax in the order's currency.
        channel_liable: the sales channel pays it to the tax office, not the seller.
    """

    rate: Decimal
    amount: Decimal
    channel_liable: bool = False


def read_tax(node: Node, amount: Decimal) -> Tax:
    """A tax line with its amount.

    Args:
        node: a ``TaxLine``.
        amount: its tax; sales of the ledger keep it beside the line.

    Raises:
        UnreadableOrder: it has no sane percentage.
    """
    percentage = node.maybe("ratePercentage")
    if percentage is None:
        rate, place = plain(node.child("rate").number() * _HUNDRED), node.child("rate")
    else:
        rate, place = percentage.number(), percentage
    if not 0 <= rate <= _HUNDRED:
        raise place.error(f"{rate} % is no tax rate")
    return Tax(rate, amount, flag_of(node, "channelLiable"))


def read_taxes(charge: Node, purse: Purse) -> list[Tax]:
    """The ``taxLines`` of a charge.

    Raises:
        UnreadableOrder: one that cannot be read.
    """
    return [read_tax(node, purse.amount(node.child("priceSet"))) for node in charge.items("taxLines")]


def share_of(
    place: Node, amount: Decimal, taxes: Sequence[Tax], *, included: bool, tax_class: str = ""
) -> TaxShare:
    """What a charge costs without tax, and its tax.

    Args:
        place: the charge, for errors.
        amount: after discounts; with tax when ``included``.
        taxes: its tax lines.
        included: the order's ``taxesIncluded``.
        tax_class: key for the merchant's word on what no rate means.

    Raises:
        UnreadableOrder: several different taxes on one base, which no Polish invoice has a row for.
    """
    tax = sum((one.amount for one in taxes), ZERO)
    net = amount - tax if included else amount
    if any(one.channel_liable for one in taxes):
        return TaxShare(None, net, tax, CHANNEL_LIABLE)
    bearing = {one.rate for one in taxes if one.amount} or {one.rate for one in taxes}
    if len(bearing) > 1:
        listed = ", ".join(f"{rate} %" for rate in sorted(bearing))
        raise place.error(f"several taxes lie on one amount: {listed}")
    rate = next(iter(bearing), None)
    if tax and not rate:
        raise place.error(f"a tax of {tax} at no rate")
    return TaxShare(rate, net, tax, tax_class)


def before_discounts(share: TaxShare, amount: Decimal, *, included: bool) -> tuple[Decimal, Decimal]:
    """Net and tax of a charge before its discounts; the tax is counted, Shopify tells only the later one.

    Args:
        share: the charge after discounts.
        amount: before discounts; with tax when ``included``.
        included: the order's ``taxesIncluded``.
    """
    if amount == (share.gross if included else share.net):
        return share.net, share.tax
    rate = share.rate or Decimal(0)
    if included:
        tax = grosz(amount * rate / (_HUNDRED + rate))
        return amount - tax, tax
    return amount, grosz(amount * rate / _HUNDRED)
