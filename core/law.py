"""Dates of the law: when a duty begins or a right ends. Decisions read this table, never a date of their own.

A date here is the law in force. An operator can change one by a setting when the law changes before the
program does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from core.findings import Text


@dataclass(frozen=True, slots=True)
class LegalDate:
    """One date of the law.

    Attributes:
        day: Warsaw day.
        basis: the act or regulation that says so.
        meaning: what the day is, for people.
    """

    day: date
    basis: str
    meaning: Text


TOKENS_END = LegalDate(
    day=date(2026, 12, 31),
    basis="Dz.U. 2025 poz. 1815",
    meaning=Text(
        "ostatni dzień logowania do KSeF tokenem", "the last day on which a KSeF token signs in to KSeF"
    ),
)
"""KSeF tokens authenticate until the end of this day; afterwards certificates, signatures and seals only."""

DATES = (TOKENS_END,)
"""Every date that the program knows of."""
