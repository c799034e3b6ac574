"""The days that a check looks at: a month, a year, or a range."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Self

from core.calendar import WARSAW
from core.findings import SaidError, Text

_MONTH = re.compile(r"(20\d{2})-(0[1-9]|1[0-2])", re.ASCII)
_YEAR = re.compile(r"20\d{2}", re.ASCII)
_DAY = re.compile(r"20\d{2}-\d{2}-\d{2}", re.ASCII)
LONGEST = 3660
"""Days: ten years, as long as documents are kept."""


class BadPeriod(SaidError, ValueError):
    """Words that name no period.

    Attributes:
        text: why, for a person.
    """


@dataclass(frozen=True, slots=True)
class Period:
    """Warsaw days, both ends included.

    Attributes:
        first, last: the ends.
    """

    first: date
    last: date

    @classmethod
    def between(cls, begin: str, end: str) -> Self:
        """From one to another of ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``; the same twice is that one.

        Raises:
            BadPeriod: one is no such word, the end is before the begin, or it is longer than ten years.
        """
        found = cls(_ends(begin)[0], _ends(end)[1])
        if found.last < found.first:
            raise BadPeriod(
                Text(f"Okres {begin} – {end} kończy się przed początkiem.", f"{begin} – {end} ends early.")
            )
        if (found.last - found.first).days > LONGEST:
            raise BadPeriod(Text("Okres może mieć najwyżej 10 lat.", "A period has 10 years at the most."))
        return found

    @property
    def label(self) -> str:
        """``2026-11`` for a month, ``2026`` for a year, else both days."""
        whole = self.first.day == 1 and self.last.day == monthrange(self.last.year, self.last.month)[1]
        if whole and (self.first.year, self.first.month) == (self.last.year, self.last.month):
            return f"{self.first:%Y-%m}"
        if whole and self.first.month == 1 and self.last.month == 12 and self.first.year == self.last.year:
            return f"{self.first:%Y}"
        return f"{self.first} – {self.last}"

    @property
    def begins(self) -> datetime:
        """Its first moment, aware UTC."""
        return datetime.combine(self.first, time(), WARSAW).astimezone(UTC)

    @property
    def ends(self) -> datetime:
        """The first moment after it, aware UTC."""
        return datetime.combine(self.last + timedelta(days=1), time(), WARSAW).astimezone(UTC)

    def __contains__(self, day: date | None) -> bool:
        return day is not None and self.first <= day <= self.last


def counting_days(period: str) -> Period:
    """The days of a counting period of a series: ``2026-11``, ``2026``, or all for an empty one."""
    if not period:
        return Period(date.min, date.max)
    return Period(*_ends(period))


def _ends(word: str) -> tuple[date, date]:
    word = word.strip()
    if _YEAR.fullmatch(word):
        return date(int(word), 1, 1), date(int(word), 12, 31)
    found = _MONTH.fullmatch(word)
    if found is not None:
        year, month = int(found[1]), int(found[2])
        return date(year, month, 1), date(year, month, monthrange(year, month)[1])
    try:
        if _DAY.fullmatch(word):
            day = date.fromisoformat(word)
            return day, day
    except ValueError:
        pass
    raise BadPeriod(
        Text(
            f"„{word}” nie jest miesiącem (RRRR-MM), rokiem (RRRR) ani dniem (RRRR-MM-DD).",
            f'"{word}" is no month (YYYY-MM), year (YYYY) or day (YYYY-MM-DD).',
        )
    )
