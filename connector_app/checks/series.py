"""Which series a number belongs to, told by the number itself: its counter, store and counting period.

A document that KSeF refused and that was made anew keeps its number and gets another day, so the day of issue
does not tell the period; the number does. Patterns of before are known by the counters they left behind.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from core.invoices.model import InvoiceKind
from core.invoices.numbering import FIELD, BadPattern, Numbering, NumberPattern, SeriesKind

_MONTH = "(?P<mm>0[1-9]|1[0-2])"
_FORMS = {"yyyy": r"(?P<yyyy>20\d{2})", "yy": r"(?P<yy>\d{2})", "mm": _MONTH, "n": "(?P<n>[0-9]{1,12})"}
_ANY_DAY = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class Place:
    """A number's place.

    Attributes:
        series: key of its counter: the pattern with the store's code in place.
        period: of counting: ``2026-11``, ``2026`` or empty.
        n: the counter.
        store: the store's code in the number; empty where the pattern has none.
        is_exact: it looks just as the pattern makes it; ``False``: a zero more or less.
    """

    series: str
    period: str
    n: int
    store: str
    is_exact: bool


class _Reader:
    """Reads numbers of one pattern."""

    def __init__(self, pattern: NumberPattern, stores: Collection[str]) -> None:
        self.pattern = pattern
        form, end = "", 0
        for match in FIELD.finditer(pattern.text):
            name = "n" if match[1].startswith("n") else match[1]
            codes = "|".join(re.escape(one) for one in sorted(stores, key=len, reverse=True))
            wanted = _FORMS.get(name) or f"(?P<store>{codes or '(?!)'})"
            if f"(?P<{name}>" in form:
                wanted = f"(?P={name})"
            form += re.escape(pattern.text[end : match.start()]) + wanted
            end = match.end()
        self._form = re.compile(form + re.escape(pattern.text[end:]), re.ASCII)

    def read(self, number: str) -> Place | None:
        found = self._form.fullmatch(number)
        if found is None:
            return None
        parts = found.groupdict()
        year = parts.get("yyyy") or (f"20{parts['yy']}" if parts.get("yy") else "")
        if parts.get("yy") and not year.endswith(parts["yy"]):
            return None
        period = f"{year}-{parts['mm']}" if parts.get("mm") else year
        n, store = int(parts["n"]), parts.get("store") or ""
        if not n:
            return None
        series = self.pattern.series(store)
        return Place(series, period, n, store, format_number(series, period, n) == number)


class SeriesFinder:
    """Finds the series of numbers.

    Args:
        numbering: the seller's patterns.
        counted: series that have a counter, among them those of patterns that were changed since.
        stores: codes of the seller's stores, removed ones too.
    """

    def __init__(self, numbering: Numbering, counted: Iterable[str], stores: Collection[str]) -> None:
        self._of_kind = {kind: _Reader(one, stores) for kind, one in numbering.patterns.items()}
        now = {one.series(store) for one in numbering.patterns.values() for store in ("", *stores)}
        self._before = []
        for key in counted:
            if key not in now:
                with suppress(BadPattern):  # no pattern makes such numbers any more
                    self._before.append(_Reader(NumberPattern(key), stores))

    def find(self, number: str, kind: InvoiceKind | None = None) -> Place | None:
        """Where a number belongs; ``None`` when no series makes it.

        Args:
            number: P_2.
            kind: RodzajFaktury; its own pattern is looked at first.
        """
        first = SeriesKind.of(kind) if kind is not None else SeriesKind.INVOICE
        others = [one for key, one in self._of_kind.items() if key is not first]
        for reader in (self._of_kind[first], *others, *self._before):
            place = reader.read(number)
            if place is not None:
                return place
        return None


def format_number(series: str, period: str, n: int) -> str:
    """The number that a series makes in a counting period.

    Args:
        series: key of the counter.
        period: ``2026-11``, ``2026`` or empty.
        n: the counter.
    """
    year, _, month = period.partition("-")
    day = date(int(year), int(month or 1), 1) if year else _ANY_DAY
    try:
        return _pattern(series).format(n, day)
    except BadPattern:
        return f"{series} {n}"


@lru_cache(maxsize=256)
def _pattern(series: str) -> NumberPattern:
    return NumberPattern(series)
