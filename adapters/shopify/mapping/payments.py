"""Transactions of an order as payments; gift cards and store credit are payments, never discounts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from adapters.json_node import Node
from adapters.shopify.mapping.values import Purse, tail
from core.money import ZERO
from core.orders import Payment, PaymentForm, PaymentKind

_CHARGES = frozenset({"SALE", "CAPTURE"})
_OPEN = frozenset({"PENDING", "AWAITING_RESPONSE"})
_SUCCESS = "SUCCESS"
_KINDS = {
    "gift_card": PaymentKind.GIFT_CARD,
    "shopify_store_credit": PaymentKind.STORE_CREDIT,
    "store_credit": PaymentKind.STORE_CREDIT,
}
# what a gateway for several methods took (card, BLIK, transfer) its name does not tell
_FORMS = {
    "gift_card": PaymentForm.VOUCHER,
    "cash": PaymentForm.CASH,
    "bank deposit": PaymentForm.TRANSFER,
    "bank_deposit": PaymentForm.TRANSFER,
}


@dataclass(frozen=True, slots=True)
class Receipts:
    """What came in.

    Attributes:
        payments: in time order; open ones (cash on delivery, a transfer that is awaited) have no time.
        paid_at: when the order's total was reached; ``None`` while it is not.
    """

    payments: tuple[Payment, ...]
    paid_at: datetime | None


def read_receipts(order: Node, purse: Purse, total: Decimal, *, paid: bool) -> Receipts:
    """The payments of an order, and when they made it paid.

    Args:
        order: the order.
        purse: reads its money.
        total: what the buyer was charged.
        paid: Shopify calls the order paid, also when money was given back since.

    Raises:
        UnreadableOrder: transactions that cannot be read.
    """
    done = sorted(_done(order, purse), key=_moment)
    payments = list(done)
    if not any(one.kind is PaymentKind.GATEWAY for one in done):
        payments += list(_awaited(order, purse))
    if not payments:
        payments = [
            Payment(PaymentKind.GATEWAY, node.text(), title=node.text(), form=_form(node.text()))
            for node in order.items("paymentGatewayNames")
        ]
    return Receipts(tuple(payments), _paid_at(order, done, total) if paid else None)


def _moment(payment: Payment) -> datetime:
    assert payment.paid_at is not None, "only finished payments are sorted"
    return payment.paid_at


def _paid_at(order: Node, done: list[Payment], total: Decimal) -> datetime:
    """When the sum of payments reached the total; when the order was placed if Shopify alone knows it."""
    came_in = ZERO
    for payment in done:
        came_in += payment.amount or ZERO
        if came_in >= total:
            return _moment(payment)
    return max((_moment(one) for one in done), default=order.child("processedAt").moment())


def _done(order: Node, purse: Purse) -> Iterator[Payment]:
    """Money that came in, without what only was reserved (AUTHORIZATION)."""
    for node in order.items("transactions"):
        if node.child("kind").text() in _CHARGES and node.child("status").text() == _SUCCESS:
            moment = node.moment_of("processedAt") or order.child("processedAt").moment()
            yield _payment(node, purse.amount(node.child("amountSet")), moment)


def _awaited(order: Node, purse: Purse) -> Iterator[Payment]:
    """The newest payment that is reserved or awaited."""
    waiting = [
        node
        for node in order.items("transactions")
        if node.child("status").text() in _OPEN
        or (node.child("kind").text() == "AUTHORIZATION" and node.child("status").text() == _SUCCESS)
    ]
    for node in waiting[-1:]:
        if node.child("kind").text() in _CHARGES | {"AUTHORIZATION"}:
            yield _payment(node, purse.amount(node.child("amountSet")), None)


def _payment(node: Node, amount: Decimal, paid_at: datetime | None) -> Payment:
    method = node.text_of("gateway")
    return Payment(
        kind=_KINDS.get(method.casefold(), PaymentKind.GATEWAY),
        method=method,
        title=node.name_of("formattedGateway"),
        amount=amount,
        paid_at=paid_at,
        transaction_id=node.text_of("paymentId") or tail(node.child("id")),
        form=_form(method),
    )


def _form(method: str) -> PaymentForm | None:
    return _FORMS.get(method.casefold())


def money_back(purse: Purse, transactions: Iterable[Node]) -> tuple[Decimal, bool]:
    """What a refund's transactions gave back, and whether there are any.

    Args:
        purse: reads its money.
        transactions: its transactions; those that are pending or failed gave nothing back (yet).

    Raises:
        UnreadableOrder: a transaction that cannot be read.
    """
    whole, any_there = ZERO, False
    for node in transactions:
        if node.child("kind").text() != "REFUND":
            continue
        any_there = True
        if node.child("status").text() == _SUCCESS:
            whole += abs(purse.amount(node.child("amountSet")))
    return whole, any_there
