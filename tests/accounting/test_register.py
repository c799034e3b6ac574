"""Marks of JPK_V7M and amounts in PLN, for every way in which a document can have been issued."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal as D

import pytest

from connector_app.accounting.register.markers import Marker, marker_of
from connector_app.accounting.register.money import NoRate, amounts_of, rate_of
from connector_app.accounting.register.rows import day_of
from core.fa.brief import Brief, BriefBuyer
from core.invoices.model import InvoiceKind, RateRow, RateSummary, TaxId

INVOICE = Brief(
    kind=InvoiceKind.VAT,
    number="FV/1",
    issued_on=date(2026, 12, 1),
    currency="PLN",
    total=D("123.00"),
    seller_nip="5265877635",
    seller_name="Sklep",
    buyer=BriefBuyer(TaxId.none()),
    rates=(RateSummary(RateRow.BASIC, D("100.00"), D("23.00")),),
)


@pytest.mark.parametrize(
    ("number", "mode", "marker"),
    [
        ("5265877635-20261124-0100A0B1C2D3-3C", None, Marker.KSEF),
        ("5265877635-20261124-0100A0B1C2D3-3C", "offline24", Marker.KSEF),
        ("5265877635-20261124-0100A0B1C2D3-3C", "emergency", Marker.KSEF),
        (None, "emergency", Marker.OFF),
        (None, "offline24", Marker.DI),
        (None, "maintenance", Marker.DI),
        (None, "total-failure", Marker.BFK),
        (None, None, None),
    ],
)
def test_the_mark_follows_mode_and_number(
    number: str | None, mode: str | None, marker: Marker | None
) -> None:
    """That there is no number does not mean OFF; only DI asks for a correction later."""
    assert marker_of(number, mode) is marker
    assert marker is None or marker.asks_for_correction == (marker is Marker.DI)


def test_zlotys_stay_what_they_are() -> None:
    """No rate, no rounding."""
    assert rate_of(INVOICE) is None
    (amount,) = amounts_of(INVOICE, None)
    assert (amount.rate, amount.net_pln, amount.vat_pln) == ("23", D("100.00"), D("23.00"))


def test_a_foreign_currency_takes_the_documents_own_rate_and_tax() -> None:
    """The net is counted by KursWaluty, the tax is the one that the document states in PLN."""
    table = (
        RateSummary(RateRow.BASIC, D("10.01"), D("2.30"), D("9.81")),
        RateSummary(RateRow.ZERO_EXPORT, D("-1.00")),
    )
    one = replace(INVOICE, currency="EUR", rates=table, exchange_rates=(D("4.2637"),))
    rate = rate_of(one)
    assert rate == D("4.2637")
    basic, export = amounts_of(one, rate)
    assert (basic.net, basic.net_pln, basic.vat_pln) == (D("10.01"), D("42.68"), D("9.81"))
    assert (export.rate, export.net_pln, export.vat_pln) == ("0", D("-4.26"), D("0.00"))


@pytest.mark.parametrize("rates", [(), (D("4.2"), D("4.3"))])
def test_no_rate_is_guessed(rates: tuple[D, ...]) -> None:
    """None at all, and several."""
    with pytest.raises(NoRate, match="EUR"):
        rate_of(replace(INVOICE, currency="EUR", exchange_rates=rates))


def test_rates_that_share_a_row_are_told_apart_by_the_lines() -> None:
    """22 % stands in the row of 23 %."""
    (older,) = amounts_of(replace(INVOICE, line_rates=("22",)), None)
    (both,) = amounts_of(replace(INVOICE, line_rates=("22", "23")), None)
    assert (older.rate, both.rate) == ("22", "23")


def test_an_invoice_belongs_to_its_sale_and_a_correction_to_its_issue() -> None:
    """The tax of a sale of November is of November, though the invoice comes in December."""
    sold = replace(INVOICE, sold_on=date(2026, 11, 30))
    assert day_of(INVOICE) == date(2026, 12, 1)
    assert day_of(sold) == date(2026, 11, 30)
    assert day_of(replace(sold, kind=InvoiceKind.CORRECTION)) == date(2026, 12, 1)
