"""Charged lines of an edited order, from its ledger of agreements.

After an edit the line items no longer tell what is owed: quantities, taxes and discounts of an item
include removed units. The ledger (``agreements``) books every sale and its reversal with all discounts
and taxes. The sum of what the order and its edits agreed on is the order as it stands; agreements of
refunds and returns are left out, because refunds become corrections.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from adapters.contract import UnreadableOrder
from adapters.json_node import Node
from adapters.shopify.mapping.lines import tax_class_of
from adapters.shopify.mapping.taxes import Tax, read_tax, share_of
from adapters.shopify.mapping.values import Purse, nodes, tail
from core.money import GROSZ, ZERO
from core.orders import LineKind, OrderLine

_AGREED = frozenset({"ORDER", "ORDER_EDIT"})
_KINDS = {
    "PRODUCT": LineKind.PRODUCT,
    "GIFT_CARD": LineKind.GIFT_CARD_SOLD,
    "TIP": LineKind.TIP,
    "SHIPPING": LineKind.SHIPPING,
    "DUTY": LineKind.DUTY,
    "ADDITIONAL_FEE": LineKind.FEE,
}
_MEMBERS = {
    LineKind.PRODUCT: "lineItem",
    LineKind.GIFT_CARD_SOLD: "lineItem",
    LineKind.TIP: "lineItem",
    LineKind.SHIPPING: "shippingLine",
    LineKind.DUTY: "duty",
    LineKind.FEE: "additionalFee",
}
_CLASSES = {LineKind.TIP: "tip", LineKind.DUTY: "duty", LineKind.FEE: "fee"}
_BY_UNIT = frozenset({LineKind.PRODUCT, LineKind.GIFT_CARD_SOLD})


@dataclass(slots=True)
class _Account:
    """Everything that the ledger says about one line."""

    place: Node
    name: str
    sku: str
    quantity: Decimal = Decimal(0)
    gross: Decimal = ZERO
    tax: Decimal = ZERO
    taxes: dict[tuple[Decimal, bool], Decimal] = field(default_factory=dict)


def agreed_lines(order: Node, purse: Purse) -> tuple[OrderLine, ...]:
    """The lines of an edited order as they were agreed on last.

    Args:
        order: holds the whole ledger in ``agreements``.
        purse: reads its money.

    Raises:
        UnreadableOrder: no ledger, a part of it, or a sale that cannot be read.
    """
    if order.maybe("agreements") is None:
        raise UnreadableOrder(
            "the order was edited and its agreements are missing",
            path="agreements",
            hint="A connected store reads them by itself; a file of such an order needs them too.",
        )
    accounts: dict[tuple[LineKind, str], _Account] = {}
    for agreement in nodes(order, "agreements"):
        if agreement.child("reason").text() in _AGREED:
            for sale in nodes(agreement, "sales"):
                _book(accounts, sale, purse)
    classes = {tail(node.child("id")): tax_class_of(node) for node in _items(order)}
    return tuple(
        _line(kind, key, account, classes.get(key, ""))
        for (kind, key), account in accounts.items()
        if account.gross or account.tax or (account.quantity and kind in _BY_UNIT)
    )


def _items(order: Node) -> Iterator[Node]:
    return nodes(order, "lineItems")


def _book(accounts: dict[tuple[LineKind, str], _Account], sale: Node, purse: Purse) -> None:
    gross, tax = purse.amount(sale.child("totalAmount")), purse.amount(sale.child("totalTaxAmount"))
    word = sale.child("lineType").text()
    kind = _KINDS.get(word)
    if kind is None:
        if gross or tax:
            raise sale.child("lineType").error(f"{gross} of the kind {word} belongs to no line")
        return
    thing = sale.child(_MEMBERS[kind])
    key = tail(thing.child("id"))
    name = thing.name_of("name") or thing.name_of("title") or key
    account = accounts.setdefault((kind, key), _Account(sale, name, thing.text_of("sku")))
    action = sale.child("actionType").text()
    back = action == "RETURN"
    account.gross += -abs(gross) if back else gross
    account.tax += -abs(tax) if back else tax
    units = sale.maybe("quantity")
    if units is not None and action != "UPDATE":
        number = units.number()
        account.quantity += -abs(number) if back else number
    for one in _taxes(sale, purse):
        where = (one.rate, one.channel_liable)
        account.taxes[where] = account.taxes.get(where, ZERO) + (-abs(one.amount) if back else one.amount)


def _taxes(sale: Node, purse: Purse) -> Iterator[Tax]:
    for node in sale.items("taxes"):
        yield read_tax(node.child("taxLine"), purse.amount(node.child("amount")))


def _line(kind: LineKind, key: str, account: _Account, tax_class: str) -> OrderLine:
    if account.gross < 0 or account.tax < 0 or account.quantity < 0:
        raise account.place.error(f"the ledger leaves {account.quantity} units at {account.gross}")
    taxes = [Tax(rate, amount, liable) for (rate, liable), amount in account.taxes.items()]
    booked = sum((one.amount for one in taxes), ZERO)
    if abs(booked - account.tax) > GROSZ * 2:
        raise account.place.error(f"a tax of {account.tax} is not the sum of its taxes {booked}")
    if kind in _BY_UNIT and not account.quantity:
        raise account.place.error(f"the ledger leaves {account.gross} for no units")
    share = share_of(
        account.place, account.gross, taxes, included=True, tax_class=_CLASSES.get(kind, tax_class)
    )
    return OrderLine(
        id=key,
        kind=kind,
        name=account.name,
        quantity=account.quantity if kind in _BY_UNIT else Decimal(1),
        shares=(share,),
        sku=account.sku,
    )
