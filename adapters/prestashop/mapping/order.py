"""A PrestaShop order and the resources that explain it as :class:`core.orders.Order`."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal

from adapters.prestashop.mapping.bundle import Bundle
from adapters.prestashop.mapping.discounts import Reductions, reductions
from adapters.prestashop.mapping.lines import prices_include_tax, product_lines
from adapters.prestashop.mapping.options import MappingOptions
from adapters.prestashop.mapping.parties import read_buyer, read_recipient
from adapters.prestashop.mapping.payments import read_payments
from adapters.prestashop.mapping.rounding import Rounding
from adapters.prestashop.mapping.services import service_lines
from adapters.prestashop.mapping.slips import slip_amount, slips_of
from adapters.prestashop.mapping.states import History, read_history
from core.money import GROSZ, ZERO, grosz
from core.orders import Order, OrderState, Payment, RefundRef

PLATFORM = "prestashop"

_CURRENCY = re.compile(r"[A-Z]{3}")
_TOLERANCE = Decimal("0.02")
_PAID = frozenset({OrderState.PAID, OrderState.COMPLETED})


def map_order(bundle: Bundle, options: MappingOptions | None = None) -> Order:
    """Map one order.

    Args:
        bundle: the order's resources; without ``order_histories`` it is not known when it was paid and
            sent, without ``order_slips`` not what was given back.
        options: a merchant's options.

    Returns:
        The neutral order, with all amounts in the order's currency and all times in UTC.

    Raises:
        UnreadableOrder: a resource is missing, or the order contradicts itself; the path names the place.
    """
    options = options or MappingOptions()
    order = bundle.order
    rounding = Rounding.of(order)
    gross_prices = prices_include_tax(bundle, options.prices)
    products = product_lines(bundle, rounding, gross_prices=gross_prices)
    charged = (*products, *service_lines(bundle, rounding, products))
    if not charged:
        raise order.error("total_paid_tax_incl", "the order charges nothing")
    reduced = reductions(bundle, rounding, charged, gross_prices=gross_prices)
    # what a voucher of a credit slip paid is no part of the shop's totals
    voucher_net = sum((net for _, net, _ in reduced.vouchers), ZERO)
    voucher_tax = sum((tax for _, _, tax in reduced.vouchers), ZERO)
    gross, net = (rounding.money(order.number(f"total_paid_tax_{one}")) for one in ("incl", "excl"))
    if not 0 <= net <= gross:
        raise order.error("total_paid_tax_excl", f"{net} without and {gross} with tax make no sense")
    history = read_history(bundle, options)
    payments = read_payments(bundle, options, rounding, reduced.vouchers, history.paid_at)
    total = gross + voucher_net + voucher_tax
    currency, shop_currency = _currencies(bundle)
    return Order(
        platform=PLATFORM,
        id=order.identifier(),
        number=order.text("reference") or order.id,
        status=history.status,
        state=history.state,
        currency=currency,
        prices_include_tax=gross_prices,
        lines=reduced.lines,
        total=total,
        buyer=read_buyer(bundle, options),
        created_at=order.needed_moment("date_add", options.time_zone),
        modified_at=order.needed_moment("date_upd", options.time_zone),
        total_tax=_total_tax(rounding, reduced, gross - net + voucher_tax, gross_prices=gross_prices),
        discounts=reduced.discounts,
        coupons=reduced.coupons,
        payments=payments,
        recipient=read_recipient(bundle),
        paid_at=history.paid_at or _paid_by_payments(history, payments),
        completed_at=history.completed_at,
        refunds=_refund_refs(bundle),
        shop_currency=shop_currency,
        shop_total=_in_shop_currency(bundle, total) if shop_currency else None,
        status_history=history.changes,
        notes=(order.text("note"),) if order.text("note") else (),
        extra=_extra(bundle),
    )


def _total_tax(
    rounding: Rounding, reduced: Reductions, stated: Decimal, *, gross_prices: bool
) -> Decimal | None:
    """The shop's own sum of tax; ``None`` where only roundings keep it from the tax inside what was paid."""
    if not gross_prices:
        return stated
    taken = [share for one in reduced.discounts for share in one.shares]
    counted = sum((line.tax for line in reduced.lines), ZERO) - sum((share.tax for share in taken), ZERO)
    units = sum((line.quantity for line in reduced.lines), Decimal(0))
    roundings = units if rounding.per_unit else len(reduced.lines) + len(taken)
    return stated if not _TOLERANCE < abs(counted - stated) <= GROSZ * roundings else None


def _paid_by_payments(history: History, payments: tuple[Payment, ...]) -> datetime | None:
    """The last payment of an order in a paid state, where no history tells the moment."""
    moments = [one.paid_at for one in payments if one.paid_at is not None]
    return max(moments) if moments and history.state in _PAID else None


def _refund_refs(bundle: Bundle) -> tuple[RefundRef, ...]:
    refs = (RefundRef(id=slip.identifier(), amount=slip_amount(slip)) for slip in slips_of(bundle))
    return tuple(ref for ref in refs if ref.amount)


def _currencies(bundle: Bundle) -> tuple[str, str]:
    """The order's currency, and the shop's default one when it is another and the bundle holds it.

    Every other currency has a rate to the default one, whose own rate is 1.
    """
    currency = bundle.needed("currency", bundle.order.identifier("id_currency"))
    code = _code(currency.needed("iso_code"))
    if not code:
        raise currency.error("iso_code", "an ISO 4217 code was expected")
    defaults = {
        _code(one.text("iso_code"))
        for one in bundle.others["currency"].values()
        if one.number_or_zero("conversion_rate") == 1
    }
    return code, next(iter(defaults - {code}), "") if len(defaults) == 1 else ""


def _code(text: str) -> str:
    return text if _CURRENCY.fullmatch(text) else ""


def _in_shop_currency(bundle: Bundle, total: Decimal) -> Decimal:
    rate = bundle.order.number("conversion_rate")
    if rate <= 0:
        raise bundle.order.error("conversion_rate", f"{rate} is no exchange rate")
    return grosz(total / rate)


def _extra(bundle: Bundle) -> dict[str, str]:
    """Details for a person who looks at the order."""
    order = bundle.order
    carrier = bundle.find("carrier", order.reference("id_carrier"))
    shipments = bundle.of_order("order_carrier")
    rate = order.number_or_zero("conversion_rate")
    extra = {
        "shipping_method": carrier.text("name") if carrier else "",
        "tracking_number": ", ".join(filter(None, (one.text("tracking_number") for one in shipments))),
        "shop_invoice_number": order.reference("invoice_number"),
        "conversion_rate": f"{rate:f}" if rate not in {0, 1} else "",
        "shop_id": order.reference("id_shop"),
    }
    return {key: value for key, value in extra.items() if value}
