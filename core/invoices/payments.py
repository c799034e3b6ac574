"""From a shop's payments to Platnosc: paid or not, how, in parts, and where to pay."""

from __future__ import annotations

from datetime import date

from core.calendar import warsaw_day
from core.invoices.model import PartPayment, PaymentTerms
from core.invoices.policy import InvoicePolicy
from core.invoices.texts import TEXT_LIMIT, clean
from core.orders import CALLED_OFF, Order, OrderState, Payment, PaymentForm, PaymentKind

_SUBSTITUTES = {
    PaymentKind.GIFT_CARD: "karta podarunkowa",
    PaymentKind.STORE_CREDIT: "środki na koncie w sklepie",
}


def payment_of(order: Order, policy: InvoicePolicy) -> PaymentTerms | None:
    """Make Platnosc of an order's payments.

    Args:
        order: its payments, and when the shop saw the money.
        policy: forms of payment, methods paid on delivery, the account for transfers.

    Returns:
        The terms, ``None`` when the shop tells nothing.
    """
    gateways = [one for one in order.payments if one.kind is PaymentKind.GATEWAY]
    substitutes = [one for one in order.payments if one.kind is not PaymentKind.GATEWAY and one.amount]
    paid_on = _paid_on(order, gateways, policy)
    if substitutes and gateways:
        parts = _parts(order, gateways[0], substitutes, paid_on, policy)
        if parts:
            # the parts name their own forms; FormaPlatnosci of the whole would contradict them
            return PaymentTerms(part_payments=parts, paid_in_parts=paid_on is not None)
    main = next(iter(gateways or substitutes), None)
    form, text = _form(main, policy) if main is not None else (None, "")
    # an account number helps only a buyer who still has to transfer money
    account = policy.account if form is PaymentForm.TRANSFER and paid_on is None else None
    if paid_on is None and form is None and not text:
        return None
    return PaymentTerms(paid_on=paid_on, form=form, description=text, accounts=(account,) if account else ())


def awaits_transfer(order: Order, policy: InvoicePolicy) -> bool:
    """Whether the buyer still has to pay an order by bank transfer, so that a transfer title helps.

    Args:
        order: as the shop says it now.
        policy: forms of payment, methods paid on delivery.
    """
    terms = payment_of(order, policy)
    if terms is None or order.state in CALLED_OFF or order.state is OrderState.REFUNDED:
        return False
    return terms.paid_on is None and not terms.part_payments and terms.form is PaymentForm.TRANSFER


def _paid_on(order: Order, gateways: list[Payment], policy: InvoicePolicy) -> date | None:
    """DataZaplaty: the day on which the shop saw the money.

    Some shops call an order to be paid on delivery "paid" as soon as it is accepted; for the methods that
    the merchant named, only a completed order is paid.
    """
    if order.paid_at is None:
        return None
    on_delivery = any(one.method in policy.paid_on_delivery for one in gateways)
    if on_delivery and order.state is not OrderState.COMPLETED:
        return None
    return warsaw_day(order.paid_at)


def _form(payment: Payment, policy: InvoicePolicy) -> tuple[PaymentForm | None, str]:
    form = policy.payment_forms.get(payment.method, payment.form)
    if form is None and payment.kind is PaymentKind.GIFT_CARD:
        form = PaymentForm.VOUCHER
    if form is not None:
        return form, ""
    text = payment.title or _SUBSTITUTES.get(payment.kind, "") or payment.method
    return None, clean(text, TEXT_LIMIT)


def _parts(
    order: Order,
    gateway: Payment,
    substitutes: list[Payment],
    paid_on: date | None,
    policy: InvoicePolicy,
) -> tuple[PartPayment, ...]:
    """Gift cards and credit as part payments, and the rest of the total by the gateway when it is paid."""
    parts = []
    rest = order.total
    for payment in substitutes:
        form, text = _form(payment, policy)
        day = warsaw_day(payment.paid_at or order.paid_at or order.created_at)
        amount = payment.amount or rest
        parts.append(PartPayment(amount, day, form, text))
        rest -= amount
    if rest < 0:
        return ()
    if rest and paid_on is not None:
        form, text = _form(gateway, policy)
        parts.append(PartPayment(rest, paid_on, form, text))
    return tuple(parts)
