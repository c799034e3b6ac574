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

    def holds_on(self, day: date) -> bool:
        """Whether something that begins with this date holds on a Warsaw day."""
        return day >= self.day


TOKENS_END = LegalDate(
    day=date(2026, 12, 31),
    basis="Dz.U. 2025 poz. 1815",
    meaning=Text(
        "ostatni dzień logowania do KSeF tokenem", "the last day on which a KSeF token signs in to KSeF"
    ),
)
"""KSeF tokens authenticate until the end of this day; afterwards certificates, signatures and seals only."""

KSEF_NUMBER_IN_TRANSFERS = LegalDate(
    day=date(2027, 1, 1),
    basis="art. 108g VAT act",
    meaning=Text(
        "od tego dnia podatnicy VAT podają w przelewach numer KSeF",
        "from this day on VAT payers give the KSeF number in transfers",
    ),
)
"""An active VAT payer who pays another for structured invoices by transfer names the KSeF number, or a
collective identifier, in the transfer."""

DATES = (TOKENS_END, KSEF_NUMBER_IN_TRANSFERS)
"""Every date that the program knows of."""
