"""Dates of the law: one dated table, never in code paths (principle 12).

Each entry says from when or until when something holds and where that is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class LegalDate:
    """A date that a law sets.

    Attributes:
        day: Warsaw day from which it holds.
        source: article.
    """

    day: date
    source: str

    def holds_on(self, day: date) -> bool:
        """Whether it holds on a Warsaw day."""
        return day >= self.day


KSEF_NUMBER_IN_TRANSFERS = LegalDate(date(2027, 1, 1), "art. 108g VAT act")
"""An active VAT payer who pays another for structured invoices by transfer names the KSeF number, or a
collective identifier, in the transfer."""
