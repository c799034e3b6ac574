"""The products of an order: ``order_details`` with their amounts and rates.

A detail's amounts are after its own reductions and before the order's discounts. Its rate stands behind the
ids of ``associations.taxes``; a detail without taxes tells no rate at all.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from adapters.prestashop.mapping.bundle import Bundle
from adapters.prestashop.mapping.options import Prices
from adapters.prestashop.mapping.rates import tax_of
from adapters.prestashop.mapping.resource import Resource
from adapters.prestashop.mapping.rounding import Rounding
from core.money import grosz
from core.orders import LineKind, OrderLine, TaxShare

# six decimals of a net price leave less than this in the gross price
_DUST = Decimal("0.00001")


def product_lines(bundle: Bundle, rounding: Rounding, *, gross_prices: bool) -> tuple[OrderLine, ...]:
    """The products; those of no units and no money are left out.

    Args:
        bundle: the order.
        rounding: how it was rounded.
        gross_prices: what was paid is the gross amount, and the tax is inside it.

    Raises:
        UnreadableOrder: details that are missing, negative or contradict themselves.
    """
    details = bundle.details()
    order = bundle.order
    grosses = rounding.amounts(
        [_amount(one, "total_price_tax_incl") for one in details],
        rounding.money(order.number("total_products_wt")),
    )
    nets = rounding.amounts(
        [_amount(one, "total_price_tax_excl") for one in details],
        rounding.money(order.number("total_products")),
    )
    found = []
    for detail, gross, net in zip(details, grosses, nets, strict=True):
        quantity = detail.number("product_quantity")
        if quantity < 0 or (not quantity and gross):
            raise detail.error("product_quantity", f"{quantity} units at {gross} make no sense")
        if quantity:
            line = _line(bundle, detail, quantity, net, gross - net)
            found.append(_with_tax_inside(line, rounding) if gross_prices else line)
    return tuple(found)


def prices_include_tax(bundle: Bundle, prices: Prices | None) -> bool:
    """Whether the shop thinks in gross prices.

    The database keeps every price net, and no resource of an order says which one the merchant typed. The
    typed one is whole grosz: 49.99 gross is kept as 40.642276. So the prices before reductions are looked
    at: whole net prices of all products that are not whole with tax mean a net shop. Everything else,
    prices that are whole in neither way too (another currency), means gross.

    Args:
        bundle: the order.
        prices: the merchant's own word, which goes first.

    Raises:
        UnreadableOrder: prices or rates that cannot be read.
    """
    if prices is not None:
        return prices is Prices.GROSS
    nets, grosses = [], []
    for detail in bundle.details():
        net = detail.number_or_zero("original_product_price") or detail.number("unit_price_tax_excl")
        rate, _ = tax_of(bundle, detail)
        if rate:
            nets.append(_is_whole(net))
            grosses.append(_is_whole(net * (100 + rate) / 100))
    return all(grosses) or not all(nets)


def _with_tax_inside(line: OrderLine, rounding: Rounding) -> OrderLine:
    """A line of gross prices with the tax that its gross amount contains."""
    (share,) = line.shares
    tax = rounding.tax_inside(share.gross, share.tax, share.rate, line.quantity)
    return replace(line, shares=(replace(share, net=share.gross - tax, tax=tax),))


def _line(bundle: Bundle, detail: Resource, quantity: Decimal, net: Decimal, tax: Decimal) -> OrderLine:
    rate, country = tax_of(bundle, detail)
    if tax < 0:
        raise detail.error("total_price_tax_incl", "it is less than without tax")
    if tax and not rate:
        raise detail.error("associations.taxes", f"a tax of {tax} without a rate")
    return OrderLine(
        id=detail.identifier(),
        kind=LineKind.PRODUCT,
        name=detail.needed("product_name"),
        quantity=quantity,
        shares=(TaxShare(rate, net, tax, detail.reference("id_tax_rules_group"), country),),
        sku=detail.text("product_reference"),
        gtin=detail.text("product_ean13") or detail.text("product_upc") or detail.text("product_isbn"),
    )


def _amount(detail: Resource, name: str) -> Decimal:
    amount = detail.number(name)
    if amount < 0:
        raise detail.error(name, f"{amount} is negative")
    return amount


def _is_whole(price: Decimal) -> bool:
    return abs(price - grosz(price)) <= _DUST
