"""Lines restated by a person: differences per rate, to the grosz, valid by schema and rules."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.fa import registry
from core.fa.validate import check_built
from core.fa.write import write
from core.findings import Severity
from core.invoices.attention import NeedsAttention
from core.invoices.corrections.policy import CorrectionPolicy, RowStyle
from core.invoices.corrections.restated import Added, Restated, restate
from core.invoices.corrections.state import InvoiceState, key_of, state_of
from core.invoices.from_order import draft
from core.invoices.model import Invoice, InvoiceKind, RateRow, VatCategory
from core.invoices.policy import InvoicePolicy
from tests.invoices.orders import MOMENT, SELLER, line, order

DAY = date(2026, 11, 24)
KSEF_NUMBER = "5265877635-20261124-0100001AF629-00"
STYLES = list(RowStyle)


def state(*, gross: bool = True) -> InvoiceState:
    """Three lines of two rates: 2 x 61.50, 10.80, 6.15 with tax."""
    made = order(
        line("100.00", "23.00", quantity="2", name="Kubek"),
        line("10.00", "0.80", "8", id="2", name="Herbata"),
        line("5.00", "1.15", id="3", name="Dostawa"),
        gross=gross,
    )
    return state_of(draft(made, SELLER, InvoicePolicy()).issue("FV/1", DAY, MOMENT), KSEF_NUMBER)


def restated(
    before: InvoiceState, *wanted: tuple[int, str, str], style: RowStyle = RowStyle.PAIRS
) -> Invoice:
    """The correction that sets lines (by place) to quantity and amount; it must be valid."""
    lines = {}
    for place, quantity, amount in wanted:
        one = before.lines[place]
        lines[key_of(one)] = Restated(one.quantity or D(0), one.amount or D(0), D(quantity), D(amount))
    made = restate(before, lines, "Zmiana ceny", CorrectionPolicy(style=style)).issue("KOR/1", DAY, MOMENT)
    for declared in registry.SCHEMAS:
        found = check_built(made, write(made, declared), declared, DAY)
        assert [one.code for one in found if one.severity is Severity.ERROR] == []
    return made


@pytest.mark.parametrize("style", STYLES)
def test_goods_returned_a_discount_and_another_price(style: RowStyle) -> None:
    """Each row of the VAT table has its own difference, and the state after it is what was entered."""
    before = state()
    made = restated(before, (0, "1", "61.50"), (1, "1", "8.64"), (2, "1", "12.30"), style=style)
    assert made.kind is InvoiceKind.CORRECTION
    rates = {rate.row: (rate.net, rate.vat) for rate in made.rates}
    assert rates == {RateRow.BASIC: (D("-45.00"), D("-10.35")), RateRow.REDUCED: (D("-2.00"), D("-0.16"))}
    assert made.total == D("-57.51")
    after = state_of(before.original, KSEF_NUMBER, [made])
    assert after.total == before.total + made.total
    assert [one.amount for one in after.lines] == [D("61.50"), D("8.64"), D("12.30")]


@pytest.mark.parametrize("gross", [True, False])
def test_a_dearer_line_is_another_price_and_no_discount_below_zero(gross: bool) -> None:
    """Gross and net invoices, each in its own prices."""
    before = state(gross=gross)
    amount = "246.00" if gross else "200.00"
    made = restated(before, (0, "2", amount))
    (after,) = [one for one in made.lines if not one.before]
    assert after.discount is None
    assert after.unit_price == D(amount) / 2
    assert made.total == D("123.00")


def test_what_is_left_of_a_rate_becomes_exactly_zero() -> None:
    """Whatever the rounding of the shop was."""
    before = state()
    made = restated(before, (1, "0", "0"))
    after = state_of(before.original, KSEF_NUMBER, [made])
    rate = after.rates[RateRow.REDUCED]
    assert (rate.net, rate.vat) == (D(0), D(0))
    assert after.lines[1].quantity == 0


def test_back_from_zero() -> None:
    """An order that goes on again gets its lines back."""
    before = state()
    emptied = restated(before, (0, "0", "0"), (1, "0", "0"), (2, "0", "0"))
    zero = state_of(before.original, KSEF_NUMBER, [emptied])
    assert zero.total == 0
    back = restated(zero, (0, "2", "123.00"), (1, "1", "10.80"), (2, "1", "6.15"))
    again = state_of(before.original, KSEF_NUMBER, [emptied, back])
    assert again.total == before.total
    assert again.rates == before.rates


@pytest.mark.parametrize(
    "wanted",
    [
        Restated(D(2), D("123.00"), D(0), D("1.00")),
        Restated(D(2), D("123.00"), D(-1), D("1.00")),
        Restated(D(2), D("123.00"), D(1), D("-1.00")),
        Restated(D(2), D("123.00"), D(1), D("1.001")),
        Restated(D(1), D("123.00"), D(1), D("1.00")),
        Restated(D(2), D("122.00"), D(1), D("1.00")),
        Restated(D(2), D("123.00"), D(2), D("123.00")),
    ],
)
def test_what_cannot_be_or_is_stale_or_nothing_asks(wanted: Restated) -> None:
    """No correction is made."""
    before = state()
    with pytest.raises(NeedsAttention):
        restate(before, {key_of(before.lines[0]): wanted}, "Powód", CorrectionPolicy())
    with pytest.raises(NeedsAttention):
        restate(before, {"#77": wanted}, "Powód", CorrectionPolicy())


@pytest.mark.parametrize("gross", [True, False])
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("rate", [VatCategory.R23, VatCategory.R5])
def test_a_line_is_added(gross: bool, style: RowStyle, rate: VatCategory) -> None:
    """Of a rate that the invoice has, and of one that it lacks; it can be corrected further."""
    before = state(gross=gross)
    policy = CorrectionPolicy(style=style)
    new = Added("Dodatkowy kubek", D(2), D("50.00"), rate)
    made = restate(before, {}, "Dodano towar", policy, [new]).issue("KOR/1", DAY, MOMENT)
    for declared in registry.SCHEMAS:
        found = check_built(made, write(made, declared), declared, DAY)
        assert [one.code for one in found if one.severity is Severity.ERROR] == []
    expected = D("50.00") if gross else D("50.00") + D("50.00") * rate.rate / 100
    assert made.total == expected
    after = state_of(before.original, KSEF_NUMBER, [made])
    assert after.lines[-1].amount == D("50.00")
    back = restated(after, (3, "0", "0"), style=style)
    assert state_of(before.original, KSEF_NUMBER, [made, back]).total == before.total


_AMOUNTS = st.integers(0, 30_000).map(lambda grosze: D(grosze) / 100)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(_AMOUNTS, st.integers(1, 5)), min_size=3, max_size=3), st.booleans(), st.booleans())
def test_any_restatement_is_valid_and_adds_up(wanted: list[tuple[D, int]], gross: bool, pairs: bool) -> None:
    """The invoice's total after it is the sum that was entered, for gross prices; and no rule objects."""
    before = state(gross=gross)
    entered = [(place, str(quantity), f"{amount:.2f}") for place, (amount, quantity) in enumerate(wanted)]
    current = [(one.quantity, one.amount) for one in before.lines]
    if [(D(quantity), D(amount)) for _, quantity, amount in entered] == current:
        return
    made = restated(before, *entered, style=RowStyle.PAIRS if pairs else RowStyle.DIFFERENCES)
    after = state_of(before.original, KSEF_NUMBER, [made])
    if gross:
        assert after.total == sum((amount for amount, _ in wanted), D(0))
    assert [one.amount for one in after.lines] == [amount for amount, _ in wanted]
