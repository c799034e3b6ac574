"""Advance and settlement invoices: what was paid, what is left, and nothing twice."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D
from typing import Any

import pytest

from core.fa import registry
from core.fa.validate import check_built
from core.fa.write import write
from core.invoices.advances import IssuedAdvance, advance, settlement
from core.invoices.attention import NeedsAttention
from core.invoices.corrections.others import to_zero
from core.invoices.corrections.policy import CorrectionPolicy
from core.invoices.corrections.state import state_of
from core.invoices.from_order import draft
from core.invoices.model import Invoice, InvoiceKind, RateRow
from core.invoices.policy import ExchangeRate, InvoicePolicy
from core.orders import Order
from tests.invoices.orders import MOMENT, SELLER, line, order

DAY = date(2026, 11, 24)
POLICY = InvoicePolicy()
NUMBER = "5265877635-20250826-0100001AF629-AF"


def source(**changes: Any) -> Order:
    return order(line("100.00", "23.00", quantity="2"), line("50.00", "4.00", "8", id="2"), **changes)


def checked(invoice: Invoice) -> Invoice:
    for declared in registry.SCHEMAS:
        findings = check_built(invoice, write(invoice, declared), declared, DAY)
        assert [one for one in findings if one.severity == "error"] == []
    return invoice


def advance_of(paid: str, **changes: Any) -> Invoice:
    prepared = advance(source(**changes), D(paid), date(2026, 11, 20), SELLER, POLICY)
    return checked(prepared.issue("ZAL/1", DAY, MOMENT))


def test_an_advance_splits_what_was_paid_over_the_rates() -> None:
    """88.50 of 177.00: half of each rate, the day of receipt as P_6, the whole order in Zamowienie."""
    invoice = advance_of("88.50")
    assert invoice.kind is InvoiceKind.ADVANCE
    assert {rate.row: (rate.net, rate.vat) for rate in invoice.rates} == {
        RateRow.BASIC: (D("50.00"), D("11.50")),
        RateRow.REDUCED: (D("25.00"), D("2.00")),
    }
    assert invoice.sold_on == date(2026, 11, 20)
    assert invoice.order is not None
    assert invoice.order.total == D("177.00")
    assert [(one.net_amount, one.vat) for one in invoice.order.lines] == [
        (D("100.00"), D("23.00")),
        (D("50.00"), D("4.00")),
    ]
    assert invoice.lines == ()


def test_a_settlement_states_what_the_advances_left() -> None:
    """Lines are the whole delivery; the VAT table and P_15 are the rest; advances are named."""
    first, second = advance_of("50.00"), advance_of("27.00")
    prepared = settlement(source(), [IssuedAdvance(first, NUMBER), IssuedAdvance(second)], SELLER, POLICY)
    invoice = checked(prepared.issue("FV/2", DAY, MOMENT))
    assert invoice.kind is InvoiceKind.SETTLEMENT
    assert invoice.total == D("100.00") == sum(rate.gross for rate in invoice.rates)
    assert [(one.ksef_number, one.number) for one in invoice.advances] == [(NUMBER, ""), ("", "ZAL/1")]
    assert sum(one.amount or 0 for one in invoice.lines) == D("177.00")
    whole = draft(source(), SELLER, POLICY).issue("-", DAY, MOMENT)
    for rate in whole.rates:
        parts = [
            one for document in (first, second, invoice) for one in document.rates if one.row is rate.row
        ]
        assert sum(one.net for one in parts) == rate.net
        assert sum(one.vat or 0 for one in parts) == rate.vat


@pytest.mark.parametrize("paid", ["0.00", "-1.00", "177.01"])
def test_a_payment_that_does_not_fit_asks_a_person(paid: str) -> None:
    """Nothing, less than nothing, or more than the order."""
    with pytest.raises(NeedsAttention) as caught:
        advance_of(paid)
    assert [one.code for one in caught.value.reasons] == ["advances-do-not-fit"]


def test_nothing_left_needs_no_settlement() -> None:
    """The last advance closes the sale (art. 106f ust. 4)."""
    with pytest.raises(NeedsAttention):
        settlement(source(), [IssuedAdvance(advance_of("177.00"))], SELLER, POLICY)


def test_an_advance_in_a_foreign_currency_names_its_rate() -> None:
    """KursWalutyZ and the tax in PLN."""
    policy = InvoicePolicy(exchange_rates={"EUR": ExchangeRate("EUR", D("4.2617"))})
    prepared = advance(source(currency="EUR"), D("88.50"), DAY, SELLER, policy)
    invoice = checked(prepared.issue("ZAL/1", DAY, MOMENT))
    assert invoice.advance_exchange_rate == D("4.2617")
    assert invoice.rates[0].vat_pln == D("49.01")


def test_an_advance_given_back_is_corrected_to_zero() -> None:
    """KOR_ZAL takes the whole payment back."""
    state = state_of(advance_of("88.50"), NUMBER)
    correction = to_zero(state, "rezygnacja", CorrectionPolicy()).issue("KOR/1", DAY, MOMENT)
    assert correction.kind is InvoiceKind.ADVANCE_CORRECTION
    assert correction.total == D("-88.50")
    checked(correction)
