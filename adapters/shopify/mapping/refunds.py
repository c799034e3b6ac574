"""A Shopify refund (GraphQL ``Refund``) as :class:`core.orders.Refund`.

Money counts, not intentions: the amount is what successful transactions gave back. Goods that were
put back without money are lines with a balancing adjustment and give an amount of zero. Only where
nobody has paid yet, goods that are taken off lower what is owed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from adapters.json_node import Node
from adapters.shopify.mapping.options import MappingOptions
from adapters.shopify.mapping.order import PLATFORM
from adapters.shopify.mapping.payments import money_back
from adapters.shopify.mapping.taxes import read_taxes
from adapters.shopify.mapping.values import MEMBERS, Purse, nodes, tail
from core.money import ZERO, grosz
from core.orders import LineKind, Order, OrderLine, Refund, TaxShare

_ONE = Decimal(1)


def map_refund(
    data: Any, order: Order, options: MappingOptions | None = None, *, edited: bool = False
) -> Refund:
    """Map one parsed refund.

    Args:
        data: what :data:`~adapters.shopify.operations.REFUND` answers under ``refund``, all lines in it.
        order: the order it belongs to; gives rates and whether prices hold the tax.
        options: the same as the order was read with.
        edited: the order was edited. A refund without any transaction is then the record of an edit, which
            is in the order's lines already.

    Returns:
        The refund with positive quantities and amounts. Its amount is zero when no money went back (yet).
        A refund without lines, or whose lines an adjustment contradicts, is left to the rules for
        corrections.

    Raises:
        UnreadableOrder: it is no refund, or belongs to another order.
    """
    options = options or MappingOptions()
    node = Node(data)
    owner = node.maybe("order")
    if owner is not None and tail(owner.child("id")) != order.id:
        raise owner.error(f"the refund belongs to another order than {order.id}")
    purse = Purse(MEMBERS[options.money], order.currency)
    lines = (*_goods(node, order, purse), *_delivery(node, order, purse), *_duties(node, order, purse))
    amount, moved = money_back(purse, nodes(node, "transactions"))
    if not moved and not edited and not order.is_paid:
        amount = _given_up(node, purse, lines)
    return Refund(
        platform=PLATFORM,
        id=tail(node.child("id")),
        order_id=order.id,
        amount=amount,
        created_at=node.moment_of("createdAt") or node.child("processedAt").moment(),
        currency=order.currency,
        lines=lines,
        reason=node.text_of("note"),
        modified_at=node.moment_of("updatedAt"),
    )


def _given_up(node: Node, purse: Purse, lines: tuple[OrderLine, ...]) -> Decimal:
    """What an order that nobody paid was lowered by: its lines, less what an adjustment keeps."""
    kept = ZERO
    for item in nodes(node, "orderAdjustments"):
        kept += purse.amount(item.child("amountSet")) + purse.of_member(item, "taxAmountSet")
    return max(sum((line.gross for line in lines), ZERO) - abs(kept), ZERO)


def _goods(node: Node, order: Order, purse: Purse) -> Iterator[OrderLine]:
    sold = {line.id: line for line in order.lines if line.kind is not LineKind.SHIPPING}
    for item in nodes(node, "refundLineItems"):
        thing = item.child("lineItem")
        key = tail(thing.child("id"))
        line = sold.get(key)
        quantity = item.child("quantity").number()
        if quantity < 0:
            raise item.child("quantity").error(f"{quantity} units make no sense")
        share = _share(item, thing, line, order, purse, ("subtotalSet", "totalTaxSet"))
        yield OrderLine(
            id=key,
            kind=line.kind if line is not None else LineKind.PRODUCT,
            name=line.name if line is not None else thing.name_of("name"),
            quantity=quantity,
            shares=(share,),
        )


def _delivery(node: Node, order: Order, purse: Purse) -> Iterator[OrderLine]:
    charged = [line for line in order.lines if line.kind is LineKind.SHIPPING]
    for item in nodes(node, "refundShippingLines"):
        thing = item.child("shippingLine")
        known = thing.maybe("id")
        key = tail(known) if known is not None else ""
        line = next((one for one in charged if one.id == key), charged[0] if len(charged) == 1 else None)
        share = _share(item, thing, line, order, purse, ("subtotalAmountSet", "taxAmountSet"))
        if share.net or share.tax:
            yield OrderLine(
                id=line.id if line is not None else key,
                kind=LineKind.SHIPPING,
                name=thing.name_of("title"),
                quantity=_ONE,
                shares=(share,),
            )


def _duties(node: Node, order: Order, purse: Purse) -> Iterator[OrderLine]:
    """Duties given back; only their whole amount is told, so the tax is as it was charged."""
    charged = {line.id: line for line in order.lines if line.kind is LineKind.DUTY}
    for item in node.items("duties"):
        amount = abs(purse.amount(item.child("amountSet")))
        original = item.maybe("originalDuty")
        line = charged.get(tail(original.child("id"))) if original is not None else None
        if not amount:
            continue
        if line is None:
            yield OrderLine("duty", LineKind.DUTY, "Cło", _ONE, (TaxShare(None, amount, ZERO, "duty"),))
            continue
        share = line.shares[0]
        base = share.gross if order.prices_include_tax else share.net
        tax = grosz(amount * share.tax / base) if base else ZERO
        net = amount - tax if order.prices_include_tax else amount
        yield replace(line, shares=(replace(share, net=net, tax=tax),), net_before=None, tax_before=None)


def _share(
    item: Node, thing: Node, line: OrderLine | None, order: Order, purse: Purse, keys: tuple[str, str]
) -> TaxShare:
    """Net and tax given back, at the rate at which they were charged."""
    amount, tax = (abs(purse.amount(item.child(key))) for key in keys)
    net = amount - tax if order.prices_include_tax else amount
    if net < 0:
        raise item.child(keys[0]).error(f"{amount} is less than its tax {tax}")
    if line is not None:
        return replace(line.shares[0], net=net, tax=tax)
    taxes = read_taxes(thing, purse)
    return TaxShare(taxes[0].rate if taxes else None, net, tax)
