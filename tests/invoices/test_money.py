"""Rounding and splitting: every grosz is accounted for."""

from __future__ import annotations

from decimal import Decimal as D
from decimal import localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.money import GROSZ, ZERO, grosz, split

STEADY = settings(deadline=None, derandomize=True)
cents = st.one_of(st.integers(-(10**7), 10**7), st.integers(-(10**17), 10**17)).map(lambda n: D(n) / 100)
weights = st.lists(
    st.one_of(
        st.integers(0, 10**6).map(lambda n: D(n) / 100),
        st.decimals(0, 10**15, places=8, allow_nan=False, allow_infinity=False),
    ),
    min_size=1,
    max_size=30,
)


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        ("0.005", "0.01"),
        ("0.00499999999", "0.00"),
        ("-0.005", "-0.01"),
        ("2.675", "2.68"),
        ("0.125", "0.13"),
        ("0.135", "0.14"),
        ("1E+3", "1000.00"),
        ("1234567890123456789012.345", "1234567890123456789012.35"),
        ("-0", "0.00"),
        ("-0.004", "0.00"),
    ],
)
def test_half_a_grosz_goes_up(amount: str, expected: str) -> None:
    """Art. 106e ust. 11: below half a grosz is dropped, from half up counts as one; never minus zero."""
    assert str(grosz(D(amount))) == expected


def test_the_callers_rounding_does_not_matter() -> None:
    """A program that rounds half even elsewhere does not change an invoice."""
    with localcontext() as context:
        context.rounding = "ROUND_HALF_EVEN"
        assert str(grosz(D("0.125"))) == "0.13"
        assert split(D("0.01"), [D(1), D(1)]) == [D("0.00"), D("0.01")]


@STEADY
@given(cents)
def test_whole_grosz_stay_as_they_are(amount: D) -> None:
    """Rounding is idempotent and gives exactly two decimals."""
    assert grosz(amount) == amount
    assert grosz(amount).as_tuple().exponent == -2


@STEADY
@given(st.decimals(-(10**12), 10**12, places=6, allow_nan=False, allow_infinity=False))
def test_rounding_moves_by_at_most_half_a_grosz(amount: D) -> None:
    """The nearest grosz, for every sign."""
    assert abs(grosz(amount) - amount) <= GROSZ / 2


@STEADY
@given(cents, weights)
def test_parts_add_up(amount: D, shares: list[D]) -> None:
    """One part per weight, each of whole grosz, together exactly the amount."""
    parts = split(amount, shares)
    assert len(parts) == len(shares)
    assert sum(parts, ZERO) == amount
    assert all(part == grosz(part) for part in parts)


@STEADY
@given(cents, weights)
def test_each_part_is_within_a_grosz_of_its_share(amount: D, shares: list[D]) -> None:
    """Nobody carries more than the rounding of a grosz for the others."""
    whole = sum(shares, D(0))
    for part, weight in zip(split(amount, shares), shares, strict=True):
        exact = amount * weight / whole if whole else amount / len(shares)
        assert abs(part - exact) <= GROSZ


@STEADY
@given(cents.map(abs), weights)
def test_parts_have_the_sign_of_the_amount(amount: D, shares: list[D]) -> None:
    """A positive discount never becomes a surcharge on one of its lines."""
    assert all(part >= 0 for part in split(amount, shares))


@STEADY
@given(cents, weights)
def test_splitting_a_negative_amount_mirrors_the_positive(amount: D, shares: list[D]) -> None:
    """A refund is split as its sale was."""
    assert split(-amount, shares) == [-part for part in split(amount, shares)]


@STEADY
@given(cents.map(abs), weights)
def test_a_weight_of_zero_gets_nothing(amount: D, shares: list[D]) -> None:
    """A free line bears no part of a discount while another line can."""
    if any(shares):
        for part, weight in zip(split(amount, shares), shares, strict=True):
            assert weight or not part


@STEADY
@given(cents.map(abs), weights)
def test_a_discount_within_its_lines_leaves_none_below_zero(amount: D, shares: list[D]) -> None:
    """Splitting at most the sum of whole-grosz weights takes at most its weight from each."""
    lines = [grosz(weight) for weight in shares]
    amount = min(amount, sum(lines, ZERO))
    assert all(part <= line for part, line in zip(split(amount, lines), lines, strict=True) if any(lines))


@pytest.mark.parametrize(
    ("amount", "shares", "expected"),
    [
        ("0.02", ["1", "1", "1"], ["0.00", "0.01", "0.01"]),
        ("10.00", ["1", "1", "1"], ["3.34", "3.33", "3.33"]),
        ("0.01", ["1", "2"], ["0.00", "0.01"]),
        ("5.00", ["0", "0"], ["2.50", "2.50"]),
        ("0.00", ["3", "4"], ["0.00", "0.00"]),
        ("-0.05", ["2", "2", "1"], ["-0.02", "-0.02", "-0.01"]),
    ],
)
def test_known_splits(amount: str, shares: list[str], expected: list[str]) -> None:
    """Missing grosz go to the parts that rounding cut most; surplus ones come off those that it raised."""
    assert [str(part) for part in split(D(amount), [D(one) for one in shares])] == expected


@pytest.mark.parametrize("shares", [[], ["-1"], ["1", "-0.01"]])
def test_bad_weights_are_refused(shares: list[str]) -> None:
    """Nothing to split over, or a negative weight, is a mistake of the caller."""
    with pytest.raises(ValueError, match=r"split over nothing|negative"):
        split(D("1.00"), [D(one) for one in shares])
