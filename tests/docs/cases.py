"""The cases of docs/invoices.md, computed: each table in the document is what the engine gives today.

``python -m tests.docs.cases`` prints the tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal as D

from core.invoices.corrections.others import to_zero
from core.invoices.corrections.policy import AmountOnly, CorrectionPolicy, RowStyle
from core.invoices.corrections.refunds import correct
from core.invoices.corrections.state import state_of
from core.invoices.from_order import draft
from core.invoices.model import Invoice, InvoiceLine, MarginScheme, VatCategory
from core.invoices.policy import ExchangeRate, InvoicePolicy, ProductMarks
from core.orders import (
    Buyer,
    LineKind,
    Order,
    OrderDiscount,
    OrderLine,
    PostalAddress,
    RateTotal,
    Refund,
    TaxIdCandidate,
    TaxShare,
)
from tests.invoices.orders import CONSUMER, MOMENT, SELLER, line, order

_DAY = date(2026, 11, 24)
_BERLIN = PostalAddress("Unter den Linden 1", "", "10117", "Berlin", "", "DE")
_EU_COMPANY = Buyer(company="Käufer GmbH", address=_BERLIN, tax_ids=(TaxIdCandidate("DE136695976", "vat"),))
_DELIVERY = line("15.44", "3.55", id="2", kind=LineKind.SHIPPING, name="Kurier")
_MUGS = line("121.95", "28.05", name="Kubek", quantity="3", before=("146.34", "33.66"))


def tables() -> Iterator[tuple[str, str]]:
    """Each case's key and its Markdown table."""
    yield "gross", _invoice(order(_MUGS, _DELIVERY))
    discount = OrderDiscount("9", "Rabat", (TaxShare(D(23), D("10.00"), D("2.30")),))
    plain = line("121.95", "28.05", name="Kubek", quantity="3")
    yield "order discount", _invoice(order(plain, _DELIVERY, total="156.69", discounts=(discount,)))
    yield "net, rounded at the subtotal", _invoice(_screws("1.07", "0.20"))
    yield "net, rounded per line", _invoice(_screws("1.08", "0.21"))
    yield (
        "EU business",
        _invoice(
            order(line("100.00", "0.00", "0", name="Lampa"), buyer=_EU_COMPANY),
            InvoicePolicy(eu_goods=VatCategory.ZERO_WDT),
        ),
    )
    yield (
        "OSS",
        _invoice(
            order(
                _at(line("100.00", "19.00", "19", name="Lampa"), "DE"),
                buyer=replace(CONSUMER, address=_BERLIN),
            ),
            InvoicePolicy(oss=True),
        ),
    )
    used = replace(line("500.00", "0.00", None, name="Aparat używany"), sku="U-1")
    yield (
        "margin",
        _invoice(
            order(used, replace(_DELIVERY, id="3")),
            InvoicePolicy(products={"U-1": ProductMarks(margin=MarginScheme.USED_GOODS)}),
        ),
    )
    rate = ExchangeRate("EUR", D("4.2617"), "226/A/NBP/2026", date(2026, 11, 23))
    yield (
        "foreign currency",
        _invoice(
            order(line("30.10", "6.92", quantity="2", name="Lampa"), currency="EUR"),
            InvoicePolicy(exchange_rates={"EUR": rate}),
        ),
    )
    yield from _corrections()


def _corrections() -> Iterator[tuple[str, str]]:
    original = draft(order(_MUGS, _DELIVERY), SELLER, InvoicePolicy()).issue("FV/1", _DAY, MOMENT)
    piece = _refund("50.00", line("40.65", "9.35"), reason="Zwrot 1 szt.")
    price = _refund("20.00", line("16.26", "3.74", quantity="0"), reason="Rysa")
    delivery = _refund("18.99", _DELIVERY)
    amount = _refund("10.00")
    for name, refund in (("a piece back", piece), ("a lower price", price), ("delivery back", delivery)):
        for style in RowStyle:
            yield f"{name}, {style.value}", _correction(original, refund, CorrectionPolicy(style=style))
    yield (
        "an amount without lines",
        _correction(original, amount, CorrectionPolicy(amount_only=AmountOnly.SPREAD)),
    )
    zero = to_zero(state_of(original, "x"), "Anulowanie", CorrectionPolicy()).issue("KOR/1", _DAY, MOMENT)
    yield "to zero", _table(zero)


def _correction(original: Invoice, refund: Refund, policy: CorrectionPolicy) -> str:
    prepared, _ = correct(state_of(original, "x"), refund, policy)
    return _table(prepared.issue("KOR/1", _DAY, MOMENT))


def _refund(amount: str, *lines: OrderLine, reason: str = "") -> Refund:
    return Refund("test", "1", "1", D(amount), MOMENT, "PLN", lines, reason)


def _screws(total: str, tax: str) -> Order:
    lines = (
        line("0.37", "0.09", name="Śrubka"),
        line("0.13", "0.03", id="2", name="Nakrętka"),
        line("0.37", "0.09", id="3", name="Śrubka"),
    )
    return order(*lines, gross=False, total=total, rate_totals=(RateTotal(D(23), D(tax)),))


def _at(one: OrderLine, country: str) -> OrderLine:
    return replace(one, shares=tuple(replace(share, country=country) for share in one.shares))


def _invoice(source: Order, policy: InvoicePolicy | None = None) -> str:
    return _table(draft(source, SELLER, policy or InvoicePolicy()).issue("FV/1", _DAY, MOMENT))


def _table(invoice: Invoice) -> str:
    is_gross = any(one.gross_amount is not None for one in invoice.lines)
    price, amount = ("P_9B", "P_11A") if is_gross else ("P_9A", "P_11")
    rows = [f"| P_7 | P_8B | {price} | P_10 | {amount} | P_11Vat | P_12 |", "|---|--:|--:|--:|--:|--:|---|"]
    rows += [_row(one) for one in invoice.lines]
    sums = []
    for rate in invoice.rates:
        vat = f", {rate.row.value.replace('13', '14', 1)} = {rate.vat}" if rate.vat is not None else ""
        pln = (
            f", {rate.row.value.replace('13', '14', 1)}W = {rate.vat_pln}" if rate.vat_pln is not None else ""
        )
        sums.append(f"{rate.row.value} = {rate.net}{vat}{pln}")
    return "\n".join([*rows, "", f"{'; '.join(sums)}; **P_15 = {invoice.total} {invoice.currency}**"])


def _row(one: InvoiceLine) -> str:
    name = f"{one.name} *(StanPrzed)*" if one.before else one.name
    category = one.category.value if one.category else f"P_12_XII {one.oss_rate}" if one.oss_rate else ""
    cells = (name, one.quantity, one.unit_price, one.discount, one.amount, one.vat, category)
    return "| " + " | ".join("" if cell is None else str(cell) for cell in cells) + " |"


if __name__ == "__main__":
    for key, table in tables():
        print(f"## {key}\n\n{table}\n")
