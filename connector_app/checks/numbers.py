"""Series of numbers: gaps, doubles, order of issue, borders between stores and with other programs.

In each series and counting period the numbers from its begin (or, when some were issued on earlier days,
from the lowest of these days) to the counter (or to the one before the first of a later day) must be there,
so that the checks of neighbouring months leave nothing out between them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from connector_app.checks.number_sets import NumberSet
from connector_app.checks.period import Period, counting_days
from connector_app.checks.report import Part, Report, SeriesLine
from connector_app.checks.rows import Row, Trace, deleted, numbered
from connector_app.checks.series import Place, SeriesFinder, format_number
from connector_app.checks.wording import found
from connector_app.store.archive import DeletedDocument
from connector_app.store.models import Document, DocumentState, Event, NumberCounter, Store
from core.calendar import WARSAW, warsaw_day
from core.findings import Text
from core.invoices.model import InvoiceKind
from core.invoices.numbering import Numbering

Foreign = dict[tuple[str, str], NumberSet]
"""Numbers of our series that KSeF has and we do not, by series and counting period."""

_LOOKED_UP = 200
"""Numbers of a gap that are looked up one by one; a longer gap is told as a whole."""
_STEP = 2000


@dataclass(slots=True)
class _Line:
    """What was seen of a series in a counting period."""

    series: str
    period: str
    inside: NumberSet = field(default_factory=NumberSet)
    known: NumberSet = field(default_factory=NumberSet)
    lowest: int = 0
    highest: int = 0
    deleted: int = 0
    """Of those inside, documents that were deleted after the legal time."""
    before: int = 0
    """Highest of an earlier day."""
    later: list[int] = field(default_factory=list)
    """Lowest of a later day, and lowest of those above the highest inside."""
    own: int = 0
    """Highest that the counter gave."""
    top: int = 0
    tie_at: datetime | None = None
    tie_top: int = 0

    def is_behind(self, n: int, at: datetime) -> bool:
        """Whether a higher number was issued before; documents come in the order of issue."""
        if self.tie_at is None or at > self.tie_at:
            self.top, self.tie_at = max(self.top, self.tie_top), at
        self.tie_top = max(self.tie_top, n)
        return n < self.top


class SeriesCheck:
    """Looks at the series of one seller.

    Args:
        session: see :func:`~connector_app.checks.rows.snapshot`.
        seller_id: the seller.
        numbering: its patterns and start numbers.
        period: the days.
        report: gets findings and lines.
    """

    def __init__(
        self, session: Session, seller_id: int, numbering: Numbering, period: Period, report: Report
    ) -> None:
        self._session, self._seller_id, self._numbering = session, seller_id, numbering
        self._period, self._report = period, report
        rows = session.scalars(select(NumberCounter).where(NumberCounter.seller_id == seller_id))
        self._counters = {(one.series, one.period): one.last for one in rows}
        self._finder = finder_of(session, seller_id, numbering)
        self._lines: dict[tuple[str, str], _Line] = {}
        self._behind: list[tuple[Row, int]] = []
        self._counts = report.parts[Part.SERIES].counts

    def look(self, foreign: Foreign, tell: Callable[[int], None] = lambda _done: None) -> None:
        """Read the documents and say what is not in order.

        Args:
            foreign: what the part KSeF found.
            tell: told how many documents were read.
        """
        span = self._span()
        for trace in deleted(self._session, self._seller_id, span):
            self._take_trace(trace)
        for seen, row in enumerate(numbered(self._session, self._seller_id, span), 1):
            self._take(row)
            if seen % _STEP == 0:
                tell(seen)
        self._tell_behind()
        for key in self._counters:
            if _overlaps(key[1], self._period):
                self._line(key)
        for key in sorted(self._lines):
            line = self._lines[key]
            if _overlaps(line.period, self._period):
                self._tell_line(line, foreign.get(key, NumberSet()))

    def _span(self) -> Period:
        """All days of the counting periods that the check touches."""
        series = {one.text for one in self._numbering.patterns.values()} | {key[0] for key in self._counters}
        if any("{yy" not in one for one in series):
            return counting_days("")
        first, last = self._period.first, self._period.last
        if any("{mm}" not in one for one in series):
            return Period(first.replace(month=1, day=1), last.replace(month=12, day=31))
        return Period(first.replace(day=1), counting_days(f"{last:%Y-%m}").last)

    def _line(self, key: tuple[str, str]) -> _Line:
        return self._lines.setdefault(key, _Line(*key))

    def _take_trace(self, trace: Trace) -> None:
        """A deleted document has its place like any other; nothing else is known of it."""
        place = self._finder.find(trace.number, _kind(trace.kind))
        inside = trace.day in self._period
        self._counts["deleted"] += inside
        if place is None:
            return
        line = self._line((place.series, place.period))
        line.known.add(place.n)
        line.deleted += inside
        self._note(line, trace.day, place.n, most_later=_LOOKED_UP)

    def _take(self, row: Row) -> None:
        inside = row.day in self._period
        place = self._finder.find(row.number, _kind(row.kind))
        if inside:
            self._counts["numbers"] += 1
        if place is None:
            self._outside(row, inside=inside)
            return
        line = self._line((place.series, place.period))
        is_new = line.known.add(place.n)
        if inside and (not is_new or not place.is_exact):
            self._double(row, place, is_new=is_new)
        # beside those of deleted documents, which come first
        self._note(line, row.day, place.n, most_later=2 * _LOOKED_UP)
        if row.is_uploaded:
            if inside:
                self._say("number-of-other-program", row, "wgrano z pliku", "was uploaded as a file")
            return
        line.own = max(line.own, place.n)
        if line.is_behind(place.n, row.made_at) and inside:
            self._behind.append((row, line.top))
        if inside and place.store and row.store not in {place.store, ""} and not row.is_recovered:
            self._say(
                "number-of-other-store", row,
                f"należy do sklepu {row.store}", f"belongs to store {row.store}",
            )  # fmt: skip
        self._note_reserved(row, inside=inside)

    def _note(self, line: _Line, day: date | None, n: int, *, most_later: int) -> None:
        if day in self._period:
            line.inside.add(n)
            line.lowest, line.highest = min(line.lowest or n, n), max(line.highest, n)
        elif day is not None and day < self._period.first:
            line.before = max(line.before, n)
        elif day is not None and len(line.later) < most_later:
            # in the order of issue the first ones are the lowest, but for what was made anew
            line.later.append(n)

    def _note_reserved(self, row: Row, *, inside: bool) -> None:
        if row.is_used_up and (inside or row.day is None):
            when = f"{row.closed_at.astimezone(WARSAW):%Y-%m-%d %H:%M}" if row.closed_at else ""
            self._counts["used_up"] += 1
            self._say(
                "number-explained", row,
                f"zamknął człowiek {when}; KSeF go nie przyjął" if when else "sklep cofnął po odmowie KSeF",
                f"was closed by a person {when}; KSeF never took it"
                if when else "was taken back by the shop after KSeF's refusal",
            )  # fmt: skip
        elif not row.is_issued and row.day is None:
            self._counts["reserved"] += 1
            self._say(
                "number-reserved", row,
                "ma powstać od nowa po odmowie KSeF", "is to be made anew after KSeF's refusal",
            )  # fmt: skip

    def _outside(self, row: Row, *, inside: bool) -> None:
        if not inside:
            return
        self._counts["without_series"] += 1
        if not (row.is_uploaded or row.is_recovered):
            self._say("number-without-series", row, "nie pasuje do żadnej serii", "fits no series")

    def _double(self, row: Row, place: Place, *, is_new: bool) -> None:
        if is_new:
            pl, en = "wygląda inaczej, niż daje wzór", "looks otherwise than the pattern makes it"
            self._say("number-without-series", row, pl, en)
            return
        self._counts["doubles"] += 1
        pl, en = f"ma licznik {place.n}, który ma już inny", f"has counter {place.n}, which another one has"
        self._say("number-double", row, pl, en)

    def _say(self, code: str, row: Row, pl: str, en: str) -> None:
        text = Text(f"Dokument {row.id} ({row.number}) {pl}.", f"Document {row.id} ({row.number}) {en}.")
        self._report.add(found(code, f"document:{row.id}", text))

    def _tell_behind(self) -> None:
        """What was refused by KSeF and made anew keeps its number, and comes later by right."""
        for start in range(0, len(self._behind), 500):
            some = self._behind[start : start + 500]
            refused = set(
                self._session.scalars(
                    select(Event.document_id).where(
                        Event.document_id.in_([row.id for row, _ in some]),
                        Event.state == DocumentState.REJECTED,
                    )
                )
            )
            for row, top in some:
                self._counts["out_of_order"] += row.id not in refused
                self._counts["made_anew"] += row.id in refused
                self._say(
                    "number-made-anew" if row.id in refused else "number-out-of-order", row,
                    f"wystawiono po numerze z licznikiem {top}", f"was issued after the number {top}",
                )  # fmt: skip

    def _tell_line(self, line: _Line, foreign: NumberSet) -> None:
        counter = self._counters.get((line.series, line.period), 0)
        low, high = self._range(line, counter)
        shown = SeriesLine(
            line.series,
            line.period,
            count=len(line.inside) - line.deleted,
            deleted=line.deleted,
            explained=line.deleted,
        )
        if line.inside:
            shown.first = format_number(line.series, line.period, line.lowest)
            shown.last = format_number(line.series, line.period, line.highest)
        if low <= high:
            shown.expected_from = format_number(line.series, line.period, low)
            shown.expected_to = format_number(line.series, line.period, high)
        if not line.inside and low > high:
            return
        self._report.series.append(shown)
        self._counts["series"] += 1
        if line.deleted:
            text = Text(
                f"Seria {line.series} {line.period}: dokumenty usunięte przez człowieka po ustawowym czasie: "
                f"{line.deleted}.",
                f"Series {line.series} {line.period}: documents that a person deleted after the legal time: "
                f"{line.deleted}.",
            )
            self._report.add(found("number-explained", f"series:{line.series}", text))
        if line.own > counter:
            text = Text(
                f"Seria {line.series} {line.period}: licznik {counter}, a jest dokument z {line.own}.",
                f"Series {line.series} {line.period}: counter {counter}, and there is a document with "
                f"{line.own}.",
            )
            self._report.add(found("counter-behind", f"series:{line.series}", text))
        for first, last in line.known.missing(low, high):
            self._tell_gap(line, shown, first, last, counter, foreign)

    def _range(self, line: _Line, counter: int) -> tuple[int, int]:
        """The numbers that have to be there; see the module's begin."""
        days = counting_days(line.period)
        start = next(
            (
                one.next
                for one in self._numbering.starts
                if (self._numbering.patterns[one.kind].series(one.store), one.period)
                == (line.series, line.period)
            ),
            1,
        )
        if line.before:
            # up to the first of a later day is the earlier days' own matter
            low = line.lowest or max(counter, line.highest) + 1
        else:
            low = min(start, line.lowest) if line.lowest else start
        later = [one for one in line.later if one > max(line.highest, line.before)]
        ends_here = days.last <= self._period.last or not later
        high = max(counter, line.highest) if ends_here else min(later) - 1
        return low, high

    def _tell_gap(
        self, line: _Line, shown: SeriesLine, first: int, last: int, counter: int, foreign: NumberSet
    ) -> None:
        """Say what is known of the numbers of a gap; neighbours with nothing known make one finding."""
        looked = range(first, min(last, first + _LOOKED_UP - 1) + 1)
        numbers = [format_number(line.series, line.period, n) for n in looked]
        others, deleted = self._elsewhere(numbers), self._deleted(numbers)
        unknown = NumberSet()
        for n in looked:
            number = format_number(line.series, line.period, n)
            if number in others:
                ident, day, store = others[number]
                shown.explained += 1
                text = Text(
                    f"Numer {number} ma dokument {ident} sklepu {store} (dzień {day or '-'}).",
                    f"Number {number} belongs to document {ident} of store {store} (day {day or '-'}).",
                )
                self._report.add(found("number-explained", f"document:{ident}", text))
            elif number in deleted:
                shown.explained += 1
                text = Text(
                    f"Dokument o numerze {number} usunął człowiek po ustawowym czasie ({deleted[number]}).",
                    f"A person deleted document {number} after the legal time ({deleted[number]}).",
                )
                self._report.add(found("number-explained", f"series:{line.series}", text))
            elif n in foreign:
                shown.missing += 1
                self._counts["missing"] += 1
                text = Text(
                    f"Brakuje numeru {number}: w KSeF ma go dokument, którego tu nie ma.",
                    f"Number {number} is missing: in KSeF a document has it that is not here.",
                )
                self._report.add(found("number-missing", f"series:{line.series}", text))
            else:
                unknown.add(n)
        for begin, end in _runs(unknown, first, looked[-1], last):
            shown.missing += end - begin + 1
            self._counts["missing"] += end - begin + 1
            self._report.add(
                found("number-missing", f"series:{line.series}", _gap(line, begin, end, counter))
            )

    def _elsewhere(self, numbers: list[str]) -> dict[str, tuple[int, object, str]]:
        """Documents of the seller that have some of the numbers, whatever their day and series."""
        rows = self._session.execute(
            select(Document.number, Document.id, Document.issued_on, Store.code)
            .outerjoin(Store, Document.store_id == Store.id)
            .where(Document.seller_id == self._seller_id, Document.number.in_(numbers))
        )
        return {number or "": (ident, day, code or "?") for number, ident, day, code in rows}

    def _deleted(self, numbers: list[str]) -> dict[str, date]:
        """Days on which documents with some of the numbers were deleted."""
        rows = self._session.execute(
            select(DeletedDocument.number, DeletedDocument.deleted_at).where(
                DeletedDocument.seller_id == self._seller_id, DeletedDocument.number.in_(numbers)
            )
        )
        return {number: warsaw_day(deleted_at) for number, deleted_at in rows}


def finder_of(session: Session, seller_id: int, numbering: Numbering) -> SeriesFinder:
    """Finds the series of a seller's numbers, those of changed patterns among them."""
    counted = session.scalars(
        select(NumberCounter.series).where(NumberCounter.seller_id == seller_id).distinct()
    ).all()
    stores = session.scalars(select(Store.code).where(Store.seller_id == seller_id)).all()
    return SeriesFinder(numbering, counted, stores)


def add_foreign(foreign: Foreign, place: Place) -> None:
    """Remember a number of our series that somebody else has in KSeF."""
    foreign.setdefault((place.series, place.period), NumberSet()).add(place.n)


def new_foreign() -> Foreign:
    """Nothing yet."""
    return defaultdict(NumberSet)


def _runs(unknown: NumberSet, first: int, looked: int, last: int) -> Iterable[tuple[int, int]]:
    """Neighbours among the unknown; what was not looked up belongs to the last ones."""
    known = NumberSet()
    for n in range(first, looked + 1):
        if n not in unknown:
            known.add(n)
    return known.missing(first, last)


def _gap(line: _Line, begin: int, end: int, counter: int) -> Text:
    one = format_number(line.series, line.period, begin)
    both = f"{one} – {format_number(line.series, line.period, end)} ({end - begin + 1})"
    named = one if begin == end else both
    if begin <= counter:
        why = Text(
            f"licznik serii (dziś {counter}) już go wydał, a nie ma go żaden dokument",
            f"the series' counter ({counter} today) has given it, and no document has it",
        )
    else:
        why = Text(
            f"licznik serii stoi na {counter} i go nie wydał", f"the series' counter stands at {counter}"
        )
    return Text(f"Brakuje numeru {named}: {why.pl}.", f"Number {named} is missing: {why.en}.")


def _kind(raw: str) -> InvoiceKind | None:
    return InvoiceKind(raw) if raw in set(InvoiceKind) else None


def _overlaps(period: str, days: Period) -> bool:
    counted = counting_days(period)
    return counted.first <= days.last and counted.last >= days.first
