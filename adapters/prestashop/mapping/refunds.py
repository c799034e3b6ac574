"""A PrestaShop credit slip (``order_slip``) as :class:`core.orders.Refund`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from adapters.prestashop.mapping.bundle import Bundle
from adapters.prestashop.mapping.options import MappingOptions
from adapters.prestashop.mapping.resource import Resource
from adapters.prestashop.mapping.rounding import Rounding
from adapters.prestashop.mapping.services import SHIPPING_ID
from adapters.prestashop.mapping.slips import money_of, slip_amount, slips_of
from core.money import GROSZ, split
from core.orders import LineKind, Order, OrderLine, Refund, TaxShare


def map_refunds(bundle: Bundle, order: Order, options: MappingOptions | None = None) -> tuple[Refund, ...]:
    """All credit slips of an order, oldest first.

    Args:
        bundle: holds the slips.
        order: the same order mapped; gives currency, rates and prices.
        options: the shop's time zone.

    Raises:
        UnreadableOrder: a slip that cannot be read.
    """
    options = options or MappingOptions()
    rounding = Rounding.of(bundle.order)
    return tuple(_refund(slip, order, options, rounding) for slip in slips_of(bundle))


def _refund(slip: Resource, order: Order, options: MappingOptions, rounding: Rounding) -> Refund:
    return Refund(
        platform=order.platform,
        id=slip.identifier(),
        order_id=order.id,
        amount=slip_amount(slip),
        created_at=slip.needed_moment("date_add", options.time_zone),
        currency=order.currency,
        lines=(*_goods(slip, order, rounding), *_delivery(slip, order)),
        modified_at=slip.moment("date_upd", options.time_zone),
    )


def _goods(slip: Resource, order: Order, rounding: Rounding) -> Iterator[OrderLine]:
    sold = {line.id: line for line in order.lines if line.kind is LineKind.PRODUCT}
    for row in slip.rows.get("order_slip_details", ()):
        net, gross = money_of(row, "amount_tax_excl"), money_of(row, "amount_tax_incl")
        if net > gross:
            raise slip.error("associations.order_slip_details", f"{net} without and {gross} with tax")
        key = row.identifier("id_order_detail")
        line = sold.get(key)
        share = line.shares[0] if line is not None else TaxShare(None, net, gross)
        units = row.number("product_quantity")
        tax = gross - net
        if order.prices_include_tax:
            tax = rounding.tax_inside(gross, tax, share.rate, units)
        yield OrderLine(
            id=key,
            kind=LineKind.PRODUCT,
            name=line.name if line is not None else f"order_detail {key}",
            quantity=_returned(units, gross, line),
            shares=(replace(share, net=gross - tax, tax=tax),),
        )


def _returned(stated: Decimal, gross: Decimal, line: OrderLine | None) -> Decimal:
    """Units that came back.

    The shop refuses a slip of no units, so a price cut comes with a unit as well. Units are believed only
    when the amount is their whole price.
    """
    if line is None or not 0 < stated <= line.quantity:
        return Decimal(0)
    price = line.gross * stated / line.quantity
    return stated if gross and abs(price - gross) <= GROSZ else Decimal(0)


def _delivery(slip: Resource, order: Order) -> Iterator[OrderLine]:
    net, gross = money_of(slip, "total_shipping_tax_excl"), money_of(slip, "total_shipping_tax_incl")
    if net > gross:
        raise slip.error("total_shipping_tax_excl", f"{net} without and {gross} with tax make no sense")
    if not gross:
        return
    line = next((one for one in order.lines if one.kind is LineKind.SHIPPING), None)
    shares = line.shares if line is not None else (TaxShare(None, net, gross - net),)
    weights = [share.gross for share in shares]
    nets = split(net, weights)
    taxes = split(gross - net, [share.tax for share in shares])
    yield OrderLine(
        id=SHIPPING_ID,
        kind=LineKind.SHIPPING,
        name=line.name if line is not None else SHIPPING_ID,
        quantity=Decimal(1),
        shares=tuple(
            replace(share, net=part, tax=tax) for share, part, tax in zip(shares, nets, taxes, strict=True)
        ),
    )
