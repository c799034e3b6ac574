"""Orders whose numbers no invoice can hold, found before anything is counted.

Sources: TKwotowy (16 integer digits, two decimals), TKwotowy2 (14 integer digits), TIlosci (16 integer
digits) and ``maxOccurs`` of FaWiersz in the schemas.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

from core.calendar import warsaw_day
from core.findings import Finding
from core.invoices import attention
from core.money import grosz
from core.orders import Order

MOST_LINES = 10_000
_MOST = Decimal(10) ** 13
"""A price that may still grow by rounding and by one more digit of quantity."""
_FIRST_DAY, _LAST_DAY = date(2016, 7, 1), date(2049, 12, 31)
"""The narrowest of the schema's types of days (TData)."""
_LEAST_QUANTITY = Decimal("0.000001")


def check_bounds(order: Order) -> list[Finding]:
    """Everything about an order's numbers that does not fit.

    Returns:
        Reasons for Attention; none when the order can be counted.
    """
    reasons: list[Finding] = []
    if len(order.lines) > MOST_LINES:
        reasons.append(attention.too_many_lines(len(order.lines)))
    for what, value, path in _amounts(order):
        if not value.is_finite() or abs(value) >= _MOST:
            reasons.append(attention.out_of_range(what, _shown(value), path))
    for moment, path in _moments(order):
        if not _FIRST_DAY <= warsaw_day(moment) <= _LAST_DAY:
            reasons.append(attention.out_of_range("date", f"{moment:%Y-%m-%d}", path))
    if reasons:
        return reasons
    if order.total < 0 or order.total != grosz(order.total):
        reasons.append(attention.out_of_range("total", _shown(order.total), "total"))
    for index, line in enumerate(order.lines):
        whole = max(abs(line.gross), abs((line.net_before or line.net) + (line.tax_before or line.tax)))
        small = 0 < line.quantity < _LEAST_QUANTITY
        if small or (line.quantity > 0 and whole / line.quantity >= _MOST):
            path = f"lines[{index}].quantity"
            reasons.append(attention.out_of_range("quantity", _shown(line.quantity), path))
    return reasons


def _amounts(order: Order) -> Iterator[tuple[str, Decimal, str]]:
    yield "total", order.total, "total"
    if order.total_tax is not None:
        yield "total_tax", order.total_tax, "total_tax"
    for total in order.rate_totals:
        yield "tax", total.tax, "rate_totals"
    for index, line in enumerate(order.lines):
        path = f"lines[{index}]"
        yield "quantity", line.quantity, f"{path}.quantity"
        for amount in (line.net_before, line.tax_before):
            if amount is not None:
                yield "amount", amount, path
        for share in line.shares:
            yield from (("net", share.net, path), ("tax", share.tax, path))
            if share.rate is not None:
                yield "rate", share.rate, path
    for discount in order.discounts:
        for share in discount.shares:
            yield from (("net", share.net, "discounts"), ("tax", share.tax, "discounts"))
            if share.rate is not None:
                yield "rate", share.rate, "discounts"


def _moments(order: Order) -> Iterator[tuple[datetime, str]]:
    yield order.created_at, "created_at"
    for moment, path in ((order.paid_at, "paid_at"), (order.completed_at, "completed_at")):
        if moment is not None:
            yield moment, path


def _shown(value: Decimal) -> str:
    text = str(value)
    return text if len(text) <= 30 else f"{text[:29]}…"
