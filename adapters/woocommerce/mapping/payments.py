"""How the order was paid: the gateway, and gift cards that the shop's data names.

Gift cards lower WooCommerce's ``total`` below the sum of the lines although they are payments. They are
recognised only where the data names them: the ``gift_cards`` list of the Gift Cards extension and the
``_ywgc_applied_gift_cards`` metadata of YITH Gift Cards.
"""

from __future__ import annotations

from decimal import Decimal

from adapters.woocommerce.mapping.reader import Node
from adapters.woocommerce.mapping.tax_ids import metadata
from core.money import ZERO, grosz
from core.orders import Payment, PaymentForm, PaymentKind

# sums of a shop's rounded parts may miss its total by this much
_ROUNDING = Decimal("0.02")
_YITH = "_ywgc_applied_gift_cards"
_YITH_AS_FEE = "ywgc_gift_card_updated_as_fee"
# only WooCommerce's own gateways; what a plugin's gateway takes (card, BLIK, transfer) its key does not tell
_FORMS = {
    "bacs": PaymentForm.TRANSFER,
    "cheque": PaymentForm.CHEQUE,
}


def gift_card_amounts(order: Node) -> tuple[Decimal, ...]:
    """What each gift card paid, positive.

    Raises:
        UnreadableOrder: gift card data that cannot be read, or a gift card that was booked as a negative
            fee, where it would look like a discount.
    """
    amounts = [grosz(node.child("amount").number()) for node in order.items("gift_cards")]
    values = dict(metadata(order))
    applied = values.get(_YITH)
    if applied:
        if values.get(_YITH_AS_FEE) not in (None, "", "0", 0, False):
            raise order.child("meta_data").error("a gift card is booked as a negative fee")
        node = Node(applied, f"meta_data.{_YITH}")
        amounts += [grosz(node.child(code).number()) for code in node.fields()]
    if any(amount < 0 for amount in amounts):
        raise order.error("a gift card with a negative amount")
    return tuple(amount for amount in amounts if amount)


def charged_total(order: Node, sum_of_lines: Decimal, cards: tuple[Decimal, ...]) -> Decimal:
    """What the buyer was charged with tax, before gift cards.

    Args:
        order: the order.
        sum_of_lines: gross of all lines less discounts, with the tax of ``total_tax``.
        cards: see :func:`gift_card_amounts`.

    Raises:
        UnreadableOrder: the total is no amount, or the gift cards do not explain it.
    """
    total = order.child("total").charged_amount()
    by_card = sum(cards, ZERO)
    if not by_card or abs(sum_of_lines - total) <= _ROUNDING:
        return total
    if abs(sum_of_lines - total - by_card) <= _ROUNDING:
        return total + by_card
    raise order.child("total").error(f"{total} and gift cards of {by_card} do not give {sum_of_lines}")


def read_payments(order: Node, cards: tuple[Decimal, ...], total: Decimal) -> tuple[Payment, ...]:
    """Gift cards, then the gateway; empty when the shop names neither.

    Args:
        order: the order.
        cards: see :func:`gift_card_amounts`.
        total: see :func:`charged_total`.

    Raises:
        UnreadableOrder: payment data that cannot be read.
    """
    paid_at = order.moment_of("date_paid_gmt")
    payments = [
        Payment(
            kind=PaymentKind.GIFT_CARD,
            method="gift_card",
            amount=amount,
            paid_at=paid_at,
            form=PaymentForm.VOUCHER,
        )
        for amount in cards
    ]
    rest = total - sum(cards, ZERO)
    method, title = order.text_of("payment_method"), order.name_of("payment_method_title")
    transaction_id = order.text_of("transaction_id")
    named = bool(method or title or transaction_id or paid_at)
    if named and (rest > 0 or not cards):
        payments.append(
            Payment(
                kind=PaymentKind.GATEWAY,
                method=method,
                title=title,
                amount=rest if cards else None,
                paid_at=paid_at,
                transaction_id=transaction_id,
                form=_FORMS.get(method),
            )
        )
    return tuple(payments)
