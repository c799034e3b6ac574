"""Check digits: right numbers, each digit changed, wrong lengths."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core import checksums

RIGHT: list[tuple[Callable[[str], bool], str]] = [
    (checksums.is_pesel, "44051401359"),
    (checksums.is_pesel, "02070803628"),
    (checksums.is_regon, "000331501"),
    (checksums.is_regon, "12345678512347"),
    (checksums.is_nrb, "61109010140000071219812874"),
    (checksums.is_iban, "PL61109010140000071219812874"),
    (checksums.is_iban, "DE89370400440532013000"),
    (checksums.is_gln, "5901234123457"),
]
NAMES = [f"{check.__name__} {number}" for check, number in RIGHT]


@pytest.mark.parametrize(("check", "number"), RIGHT, ids=NAMES)
def test_right_numbers(check: Callable[[str], bool], number: str) -> None:
    """Published examples and numbers of public bodies."""
    assert check(number)


@pytest.mark.parametrize(("check", "number"), RIGHT, ids=NAMES)
def test_one_changed_digit_is_found(check: Callable[[str], bool], number: str) -> None:
    """The last digit changed in each of the nine ways."""
    for digit in "0123456789":
        if digit != number[-1]:
            assert not check(number[:-1] + digit)


@pytest.mark.parametrize(("check", "number"), RIGHT, ids=NAMES)
@pytest.mark.parametrize("change", ["", "x", "²", " "])
def test_other_forms_are_refused(check: Callable[[str], bool], number: str, change: str) -> None:
    """Too short, letters, digits of other scripts, spaces: refused, never an exception."""
    assert not check(number[:-1] + change)
    assert not check(change)


@pytest.mark.parametrize("number", ["44131401359", "44023001353", "44999901359"])
def test_a_pesel_names_a_day_that_exists(number: str) -> None:
    """No month 13 or 99, no 30 February."""
    assert not checksums.is_pesel(number)


def test_a_polish_iban_has_28_characters() -> None:
    """Right modulo 97 is not enough: a Polish number has 26 digits."""
    short = "PL" + next(f"{check:02}1090101400000" for check in range(2, 99) if _mod("PL", check) == 1)
    assert not checksums.is_iban(short)


def _mod(country: str, check: int) -> int:
    letters = "".join(str(ord(one) - 55) for one in country)
    return int(f"1090101400000{letters}{check:02}") % 97


@pytest.mark.parametrize(
    ("number", "is_right"), [("0000123456", True), ("0000000000", False), ("123456789", False)]
)
def test_krs(number: str, is_right: bool) -> None:
    """Ten digits; there is no check digit."""
    assert checksums.is_krs(number) is is_right


@pytest.mark.parametrize(
    ("number", "is_right"), [("PL526025027400000", True), ("DE1234567", True), ("5260250274", False)]
)
def test_eori(number: str, is_right: bool) -> None:
    """A country code and up to fifteen characters."""
    assert checksums.is_eori(number) is is_right
