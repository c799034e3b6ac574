"""How the order was paid: vouchers of credit slips, then what ``order_payments`` or the order tell."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from adapters.prestashop.mapping.bundle import Bundle
from adapters.prestashop.mapping.options import MappingOptions
from adapters.prestashop.mapping.rounding import Rounding
from core.orders import Payment, PaymentForm, PaymentKind

# only the shop's own modules; what a gateway's module takes (card, BLIK, transfer) its name does not tell
_FORMS = {
    "ps_wirepayment": PaymentForm.TRANSFER,
    "bankwire": PaymentForm.TRANSFER,
    "ps_checkpayment": PaymentForm.CHEQUE,
    "cheque": PaymentForm.CHEQUE,
}


def read_payments(
    bundle: Bundle,
    options: MappingOptions,
    rounding: Rounding,
    vouchers: Sequence[tuple[str, Decimal, Decimal]],
    paid_at: datetime | None,
) -> tuple[Payment, ...]:
    """Vouchers, then payments in the shop's order; the order's own method when no payment is known.

    Args:
        bundle: the order.
        options: the shop's time zone.
        rounding: how the order was rounded.
        vouchers: names, net and tax of vouchers of credit slips.
        paid_at: when the order reached a paid state.

    Raises:
        UnreadableOrder: payments that cannot be read.
    """
    order = bundle.order
    method, title = order.text("module"), order.text("payment")
    paid = [
        Payment(
            kind=PaymentKind.STORE_CREDIT,
            method="credit_slip",
            title=name,
            amount=net + tax,
            paid_at=paid_at,
            form=PaymentForm.VOUCHER,
        )
        for name, net, tax in vouchers
    ]
    gateways = []
    for one in bundle.payments():
        amount = rounding.money(one.number("amount"))
        if amount <= 0:
            continue
        same_currency = one.reference("id_currency") == order.reference("id_currency")
        gateways.append(
            Payment(
                kind=PaymentKind.GATEWAY,
                method=method,
                title=one.text("payment_method") or title,
                amount=amount if same_currency else None,
                paid_at=one.moment("date_add", options.time_zone),
                transaction_id=one.text("transaction_id"),
                form=_FORMS.get(method),
            )
        )
    is_by_voucher_alone = bool(paid) and not rounding.money(order.number("total_paid_tax_incl"))
    if not gateways and (method or title) and not is_by_voucher_alone:
        gateways.append(
            Payment(
                kind=PaymentKind.GATEWAY,
                method=method,
                title=title,
                paid_at=paid_at,
                form=_FORMS.get(method),
            )
        )
    return (*paid, *gateways)
