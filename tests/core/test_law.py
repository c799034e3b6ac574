"""Dates of the law are complete: each has its basis and says what it is in both languages."""

from __future__ import annotations

from core.law import DATES


def test_every_date_names_its_basis_and_meaning() -> None:
    """A date without a source could not be checked by anybody."""
    for one in DATES:
        assert one.basis
        assert one.meaning.pl
        assert one.meaning.en
