"""Numbers of invoices from patterns such as ``FV/{yyyy}/{mm}/{n:04}``, one pattern per kind of document.

A pattern says both how a number looks and when counting starts anew: with ``{mm}`` each month, with a
year alone each year, without either never. A *series* is a pattern with a store's code in place: where a
pattern has ``{store}``, each store counts on its own. The counter itself lives where it can be locked (the
store); this module is pure.

P_2 takes up to 256 characters without line ends or double spaces (TZnakowy, ``/`` is fine); art. 106e
ust. 1 pkt 2 of the VAT act asks for a consecutive number in one or more series that identifies the invoice
uniquely. KSeF refuses the same number of the same seller and RodzajFaktury for ten years (440).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from itertools import combinations
from types import MappingProxyType
from typing import Final, Self

from core.findings import Text
from core.invoices.model import InvoiceKind
from core.invoices.number_collisions import common_number
from core.invoices.texts import TEXT_LIMIT, clean

FIELD: Final = re.compile(r"\{(yyyy|yy|mm|store|n(?::0?(\d{1,2}))?)\}", re.ASCII)
"""A field of a pattern; the second group is the width of the counter."""

_PERIODS = (
    ("{mm}", re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII), "2026-11"),
    ("{yy", re.compile(r"\d{4}", re.ASCII), "2026"),
    ("", re.compile(""), ""),
)


class BadPattern(ValueError):
    """A pattern that cannot make unique numbers, or a number that does not fit.

    Attributes:
        text: the pattern and what is wrong with it; the exception's message is the English one.
    """

    def __init__(self, shown: str, why: Text) -> None:
        super().__init__(f"{shown!r}: {why.en}")
        self.text = Text(f"{shown!r}: {why.pl}", f"{shown!r}: {why.en}")


class BadStart(ValueError):
    """A start number that fits no series.

    Attributes:
        text: the start and what is wrong with it; the exception's message is the English one.
    """

    def __init__(self, start: StartNumber, why: Text) -> None:
        shown = f"{start.kind.value} {start.store} {start.period} {start.next}".replace("  ", " ")
        super().__init__(f"{shown!r}: {why.en}")
        self.text = Text(f"{shown!r}: {why.pl}", f"{shown!r}: {why.en}")


class SeriesKind(StrEnum):
    """The kinds of documents that a seller numbers by a pattern of their own."""

    INVOICE = "invoice"
    CORRECTION = "correction"
    ADVANCE = "advance"
    SETTLEMENT = "settlement"

    @classmethod
    def of(cls, kind: InvoiceKind) -> SeriesKind:
        """The kind that numbers a RodzajFaktury: every correction is a correction, UPR an invoice."""
        if kind.is_correction:
            return cls.CORRECTION
        return {InvoiceKind.ADVANCE: cls.ADVANCE, InvoiceKind.SETTLEMENT: cls.SETTLEMENT}.get(
            kind, cls.INVOICE
        )


_NO_TOKEN = Text(
    "spacje na końcach, podwójne spacje, końce wierszy i znaki sterujące są niedozwolone",
    "spaces at the ends, double spaces, line ends and control characters do not fit",
)


def _fault(text: str) -> Text | None:
    """What is wrong with a pattern."""
    fields = [match[1] for match in FIELD.finditer(text)]
    rest = FIELD.sub("", text)
    if "{" in rest or "}" in rest:
        return Text(
            "znane pola to {yyyy} {yy} {mm} {store} {n}",
            "only {yyyy} {yy} {mm} {store} {n} are known fields",
        )
    if sum(name.startswith("n") for name in fields) != 1:
        return Text(
            "potrzebny jest dokładnie jeden licznik {n} lub {n:04}",
            "exactly one counter {n} or {n:04} is needed",
        )
    if "mm" in fields and not {"yyyy", "yy"} & set(fields):
        return Text("miesiąc bez roku powtarza się co rok", "a month without a year repeats every year")
    if clean(text) != text:
        return _NO_TOKEN
    if _runs_into_counter(text):
        return Text(
            "między {store} a licznikiem musi stać znak, który nie jest cyfrą, bo numery dwóch sklepów "
            "mogłyby się powtórzyć",
            "a character that is no digit must stand between {store} and the counter, or numbers of two "
            "stores could be the same",
        )
    return None


def _runs_into_counter(text: str) -> bool:
    """Whether a code that ends or begins with digits could be taken for a part of the counter."""
    counter = next(match for match in FIELD.finditer(text) if match[1].startswith("n"))
    before, after = text[: counter.start()], text[counter.end() :]
    _, code_before, left = before.rpartition("{store}")
    right, code_after, _ = after.partition("{store}")
    return any(
        code and not re.search(r"[^0-9]", FIELD.sub("", between))
        for code, between in ((code_before, left), (code_after, right))
    )


@dataclass(frozen=True, slots=True)
class NumberPattern:
    """A checked pattern.

    Attributes:
        text: the pattern as the seller wrote it. Fields: ``{yyyy}``, ``{yy}``, ``{mm}`` of the issue
            day, ``{store}`` the store's code, ``{n}`` or ``{n:04}`` the counter.
    """

    text: str

    def __post_init__(self) -> None:
        why = _fault(self.text)
        if why is not None:
            raise BadPattern(self.text, why)

    @property
    def is_per_store(self) -> bool:
        """Whether each store counts on its own."""
        return "{store}" in self.text

    def period(self, day: date) -> str:
        """The key of the counting period that a Warsaw day falls into: ``2026-11``, ``2026`` or ``""``."""
        if "{mm}" in self.text:
            return f"{day:%Y-%m}"
        return f"{day:%Y}" if "{yy" in self.text else ""

    def series(self, store: str = "") -> str:
        """The key of the series: the pattern with the store's code in place.

        Args:
            store: the store's code; without effect on a pattern that has no ``{store}``.
        """
        return self.text.replace("{store}", store)

    def format(self, n: int, day: date, store: str = "") -> str:
        """The number with counter ``n`` (from 1) on a Warsaw day.

        Raises:
            BadPattern: the result is longer than P_2 takes, or no ``xsd:token`` because of the code.
        """
        values = {"yyyy": f"{day.year:04}", "yy": f"{day:%y}", "mm": f"{day:%m}", "store": store}

        def fill(match: re.Match[str]) -> str:
            if not match[1].startswith("n"):
                return values[match[1]]
            return str(n).zfill(int(match[2])) if match[2] else str(n)

        number = FIELD.sub(fill, self.text)
        if len(number) > TEXT_LIMIT:
            why = Text(
                f"numer ma więcej niż {TEXT_LIMIT} znaków",
                f"the number has more than {TEXT_LIMIT} characters",
            )
            raise BadPattern(number, why)
        if clean(number) != number:
            raise BadPattern(number, _NO_TOKEN)
        return number

    def read(self, number: str, day: date) -> tuple[int, str] | None:
        """The counter and the store's code in a number, as :meth:`format` put them there.

        Args:
            number: P_2 of any document.
            day: its P_1, Warsaw day.

        Returns:
            ``None`` when the pattern does not make this number on that day.
        """
        values = {"yyyy": f"{day.year:04}", "yy": f"{day:%y}", "mm": f"{day:%m}", "store": "(?P<store>.+)"}
        form, end = "", 0
        for match in FIELD.finditer(self.text):
            field_form = r"(?P<n>[0-9]+)" if match[1].startswith("n") else values[match[1]]
            if match[1] == "store" and "(?P<store>" in form:
                field_form = "(?P=store)"
            form += re.escape(self.text[end : match.start()]) + field_form
            end = match.end()
        found = re.fullmatch(form + re.escape(self.text[end:]), number)
        if found is None:
            return None
        n, store = int(found["n"]), found.groupdict().get("store", "")
        return (n, store) if n and self.format(n, day, store) == number else None


@dataclass(frozen=True, slots=True)
class StartNumber:
    """Where counting goes on when a seller moves in: good for one period of one series.

    Attributes:
        kind: whose pattern.
        period: ``2026-11``, ``2026`` or ``""``, as the pattern counts.
        next: the counter of the next document, from 1.
        store: the store's code where the pattern has ``{store}``, else empty.
    """

    kind: SeriesKind
    period: str
    next: int
    store: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """Where one document's number is taken from.

    Attributes:
        pattern: how the number looks.
        day: P_1, Warsaw day.
        store: the store's code.
        first: counter of the first document of the period.
    """

    pattern: NumberPattern
    day: date
    store: str = ""
    first: int = 1

    @property
    def key(self) -> str:
        """Name of the counter within the seller."""
        return self.pattern.series(self.store)

    @property
    def period(self) -> str:
        """Name of the counter within the series."""
        return self.pattern.period(self.day)

    def following(self, last: int) -> int:
        """The counter after ``last`` (0 when none was taken): never back, and never below the start."""
        return max(last + 1, self.first)

    def number(self, n: int) -> str:
        """P_2 with counter ``n``; see :meth:`NumberPattern.format`."""
        return self.pattern.format(n, self.day, self.store)


DEFAULT_PATTERNS: Final[Mapping[SeriesKind, NumberPattern]] = MappingProxyType(
    {
        SeriesKind.INVOICE: NumberPattern("FV/{yyyy}/{mm}/{n:04}"),
        SeriesKind.CORRECTION: NumberPattern("KOR/{yyyy}/{mm}/{n:04}"),
        SeriesKind.ADVANCE: NumberPattern("ZAL/{yyyy}/{mm}/{n:04}"),
        SeriesKind.SETTLEMENT: NumberPattern("ROZ/{yyyy}/{mm}/{n:04}"),
    }
)


@dataclass(frozen=True, slots=True)
class Numbering:
    """All that a seller decided about numbers, checked as a whole.

    Attributes:
        patterns: by kind; kinds that are left out get :data:`DEFAULT_PATTERNS`.
        starts: start numbers.
    """

    patterns: Mapping[SeriesKind, NumberPattern] = field(default_factory=dict)
    starts: tuple[StartNumber, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "patterns", MappingProxyType({**DEFAULT_PATTERNS, **self.patterns}))
        check_patterns(self.patterns)
        known: set[tuple[str, str]] = set()
        for start in self.starts:
            pattern = self.patterns[start.kind]
            _check_start(start, pattern)
            place = (pattern.series(start.store), start.period)
            if place in known:
                raise BadStart(start, Text("seria ma już początek", "the series has a start already"))
            known.add(place)

    @classmethod
    def of(cls, texts: Mapping[SeriesKind, str], starts: Collection[StartNumber] = ()) -> Self:
        """Make it from patterns as a seller writes them.

        Raises:
            BadPattern: a pattern is wrong, or two can make the same number.
            BadStart: a start number fits no series.
        """
        return cls({kind: NumberPattern(text) for kind, text in texts.items()}, tuple(starts))

    def series(self, kind: InvoiceKind, day: date, store: str = "") -> Series:
        """Where the number of a document is taken from.

        Args:
            kind: RodzajFaktury.
            day: P_1, Warsaw day.
            store: the store's code.
        """
        pattern = self.patterns[SeriesKind.of(kind)]
        place = (pattern.series(store), pattern.period(day))
        # kinds with one pattern share its counter, so a start of either counts
        starts = ((self.patterns[one.kind].series(one.store), one.period, one.next) for one in self.starts)
        first = next((n for key, period, n in starts if (key, period) == place), 1)
        return Series(pattern, day, store, first)


def check_patterns(patterns: Mapping[SeriesKind, NumberPattern], stores: Collection[str] = ()) -> None:
    """Check that no two patterns of a seller can make the same number.

    KSeF would take the same number on an invoice and on a correction (it compares RodzajFaktury too), but
    nobody could tell them apart. Invoices, advances and settlements may share one pattern: they share its
    counter then, so their numbers differ.

    Args:
        patterns: by kind.
        stores: codes of the seller's stores; without any, every possible code is reckoned with.

    Raises:
        BadPattern: names the two patterns and a number that both can make.
    """
    for (kind, one), (other_kind, other) in combinations(patterns.items(), 2):
        if one.text == other.text and SeriesKind.CORRECTION not in {kind, other_kind}:
            continue
        number = common_number(_filled(one, stores), _filled(other, stores))
        if number is not None:
            why = Text(
                f"wzór dla {other_kind.value} ({other.text!r}) może dać ten sam numer co wzór dla "
                f"{kind.value}, np. {number!r}",
                f"the pattern of {other_kind.value} ({other.text!r}) can make the same number as the one "
                f"of {kind.value}, e.g. {number!r}",
            )
            raise BadPattern(one.text, why)


def _filled(pattern: NumberPattern, stores: Collection[str]) -> list[str]:
    return [pattern.series(code) for code in stores] or [pattern.text]


def _check_start(start: StartNumber, pattern: NumberPattern) -> None:
    if start.next < 1:
        raise BadStart(start, Text("licznik zaczyna się od 1", "counters begin at 1"))
    form, example = next((form, example) for mark, form, example in _PERIODS if mark in pattern.text)
    if form.fullmatch(start.period) is None:
        why = Text(
            f"okres wzoru {pattern.text!r} ma postać {example!r}",
            f"the period of {pattern.text!r} looks like {example!r}",
        )
        raise BadStart(start, why)
    if pattern.is_per_store != bool(start.store):
        why = (
            Text(
                "wzór liczy każdy sklep osobno: podaj jego kod", "the pattern counts per store: name its code"
            )
            if pattern.is_per_store
            else Text("wzór nie zawiera {store}", "the pattern has no {store}")
        )
        raise BadStart(start, why)
