"""What KSeF has of a seller, against what is stored here, by KSeF's metadata query.

KSeF is asked for what it stored for good between the first day and some days after the last one, in windows
of at most 90 days whose ends belong to both; what comes twice is left out. What was accepted after the moment
up to which KSeF's data is complete is not compared yet. Of the answer's documents those count whose P_1 is
among the days.

A page of 250 is the most that one request gives, and 20 requests an hour are allowed: 5 000 documents an
hour, beside what the budget has left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from connector_app.checks.number_sets import NumberSet
from connector_app.checks.numbers import Foreign, add_foreign, finder_of, new_foreign
from connector_app.checks.period import Period
from connector_app.checks.report import Part, Report
from connector_app.checks.series import SeriesFinder
from connector_app.checks.wording import found
from connector_app.ksef_access import hash_text
from connector_app.pipeline.services import Services
from connector_app.recovery.run import Patient
from connector_app.store.archive import DeletedDocument
from connector_app.store.models import Document, Seller
from core.findings import Text
from core.invoices.model import InvoiceKind
from core.ksef.client import KsefClient
from core.ksef.errors import KsefError, OutsideData
from core.ksef.invoices import Ask, DateRange, InvoiceQuery, MetadataPage, pages
from core.ksef.metadata import InvoiceMetadata
from core.signing.keys import KeyMaterialError

AFTER = timedelta(days=14)
"""How long after the last day a document of it may be stored: offline modes allow days after an outage."""
_FRESH = timedelta(hours=1)
"""A document is stored for good, by which KSeF is asked, some time after it got its number."""
_WINDOW = timedelta(days=90)
_BEGAN = datetime(2022, 1, 1, tzinfo=UTC)
"""KSeF takes invoices since then; asking about days before it would only use up requests."""
_AT_ONCE = 500


@dataclass(slots=True)
class _Own:
    """What is stored of a document."""

    id: int
    number: str | None
    day: Any
    total: Any
    currency: str | None
    sha256: str | None
    ksef_number: str | None


class KsefCheck:
    """Compares one seller's documents with KSeF.

    Args:
        services: the outside world.
        seller: whose.
        period: days of issue.
        report: gets counts and findings.
    """

    def __init__(self, services: Services, seller: Seller, period: Period, report: Report) -> None:
        self._services, self._seller, self._period, self._report = services, seller, period, report
        self._looked = report.parts[Part.KSEF]
        self._counts = self._looked.counts
        self._seen = NumberSet()
        self._foreign: Foreign = new_foreign()
        self._complete_until: datetime | None = None
        with services.database() as session:
            self._finder: SeriesFinder = finder_of(session, seller.id, services.profile(seller).numbering)

    def look(
        self,
        tell: Callable[[int], None] = lambda _done: None,
        waiting: Callable[[float], None] = lambda _seconds: None,
    ) -> Foreign:
        """Ask KSeF and compare; what goes wrong is said in the report.

        Args:
            tell: told how many documents KSeF has shown.
            waiting: told the seconds of each pause that a limit asks for.

        Returns:
            Numbers of our series that KSeF has and we do not.
        """
        try:
            access = self._services.access(self._seller)
            ask = Patient(access, waiting)
            for page in self._pages(access.client, ask):
                self._compare(page.invoices)
                self._counts["in_ksef"] += len(page.invoices)
                tell(self._counts["in_ksef"])
        except (KsefError, KeyMaterialError) as error:
            hint = error.hint if isinstance(error, KsefError) else Text("", "")
            self._looked.why_not = Text(
                f"KSeF nie pozwolił porównać: {error}. {hint.pl}".strip(),
                f"KSeF could not be compared with: {error}. {hint.en}".strip(),
            )
            return self._foreign
        self._missing()
        return self._foreign

    def _pages(self, client: KsefClient, ask: Ask) -> Iterator[MetadataPage]:
        end = self._end()
        begin = max(self._period.begins, _BEGAN)
        edge: set[str] = set()
        while begin < end:
            until = min(begin + _WINDOW, end)
            query = InvoiceQuery(DateRange(begin, until, only_complete=True))
            at_end: set[str] = set()
            try:
                for number, page in enumerate(pages(client, ask, query)):
                    if number == 0 and page.complete_until is not None:
                        self._complete_until = page.complete_until
                    new = tuple(one for one in page.invoices if one.ksef_number not in edge)
                    at_end |= {one.ksef_number for one in new if one.permanent_storage_date >= until}
                    yield MetadataPage(new, page.has_more, page.is_truncated, page.complete_until)
            except OutsideData:
                # nothing is complete there yet
                self._complete_until = self._complete_until or begin
                return
            edge, begin = at_end, until

    def _end(self) -> datetime:
        """Late enough for all of ours: some were accepted long after their day."""
        with self._services.database() as session:
            last = session.scalar(select(func.max(Document.accepted_at)).where(*self._of_days()))
        wanted = self._period.ends + AFTER
        if last is not None:
            wanted = max(wanted, last + timedelta(days=1))
        return min(wanted, self._services.clock())

    def _of_days(self) -> tuple[Any, ...]:
        days = Document.issued_on.between(self._period.first, self._period.last)
        return (Document.seller_id == self._seller.id, days)

    def _compare(self, invoices: Sequence[InvoiceMetadata]) -> None:
        wanted = [one for one in invoices if one.issued_on in self._period]
        self._counts["of_other_days"] += len(invoices) - len(wanted)
        with self._services.database() as session:
            known = self._own(session, Document.ksef_number.in_([one.ksef_number for one in wanted]))
            by_ksef = {one.ksef_number: one for one in known}
            rest = [one for one in wanted if one.ksef_number not in by_ksef]
            named = self._own(session, Document.number.in_([one.number for one in rest])) if rest else []
            by_number = {one.number: one for one in named}
            deleted = self._deleted(session, [one.ksef_number for one in rest]) if rest else set()
        for one in wanted:
            self._counts["compared"] += 1
            own = by_ksef.get(one.ksef_number)
            if own is not None:
                self._seen.add(own.id)
                self._same(own, one)
            elif one.ksef_number in deleted:
                self._counts["deleted_here"] += 1
            else:
                self._unknown(one, by_number.get(one.number))

    def _own(self, session: Session, which: Any) -> list[_Own]:
        rows = session.execute(
            select(
                Document.id, Document.number, Document.issued_on, Document.total, Document.currency,
                Document.xml_sha256, Document.ksef_number,
            ).where(Document.seller_id == self._seller.id, which)
        )  # fmt: skip
        return [_Own(*row) for row in rows]

    def _deleted(self, session: Session, numbers: list[str]) -> set[str | None]:
        """Which of some KSeF numbers belong to documents that a person deleted after the legal time."""
        rows = session.scalars(
            select(DeletedDocument.ksef_number).where(
                DeletedDocument.seller_id == self._seller.id, DeletedDocument.ksef_number.in_(numbers)
            )
        )
        return set(rows)

    def _same(self, own: _Own, theirs: InvoiceMetadata) -> None:
        if own.sha256 is None or hash_text(own.sha256) != theirs.invoice_hash:
            self._counts["other_bytes"] += 1
            self._say(
                "ksef-other-bytes", own, f"ma w KSeF ({theirs.ksef_number}) inny skrót SHA-256",
                f"has another SHA-256 in KSeF ({theirs.ksef_number})",
            )  # fmt: skip
        for name, here, there in (
            ("P_2", own.number, theirs.number),
            ("P_1", own.day, theirs.issued_on),
            ("P_15", own.total, theirs.gross),
            ("KodWaluty", own.currency, theirs.currency),
            ("NIP", self._seller.nip, theirs.seller.value),
        ):
            if here != there:
                self._counts["differs"] += 1
                self._say(
                    "ksef-differs", own, f"ma {name} „{here}”, a w KSeF „{there}”",
                    f'has {name} "{here}", and "{there}" in KSeF',
                )  # fmt: skip

    def _unknown(self, theirs: InvoiceMetadata, named: _Own | None) -> None:
        """A document of KSeF whose KSeF number is not here."""
        label = (
            f"{theirs.number} ({theirs.ksef_number}, {theirs.issued_on}, {theirs.gross} {theirs.currency})"
        )
        if named is not None and named.ksef_number is not None:
            self._counts["number_twice"] += 1
            self._say(
                "ksef-number-twice", named,
                f"ma w KSeF {named.ksef_number}, a ten sam numer ma tam też {label}",
                f"is {named.ksef_number} in KSeF, and {label} has the same number there",
            )  # fmt: skip
            return
        if named is not None:
            same = named.sha256 is not None and hash_text(named.sha256) == theirs.invoice_hash
            self._counts["not_noticed" if same else "other_bytes"] += 1
            self._say(
                "ksef-not-noticed" if same else "ksef-other-bytes", named,
                f"jest w KSeF jako {label}" if same else f"nie jest przyjęty, a jego numer ma w KSeF {label}",
                f"is in KSeF as {label}" if same else f"is not accepted, and its number has {label} in KSeF",
            )  # fmt: skip
            return
        kinds = set(InvoiceKind)
        kind = InvoiceKind(theirs.schema_kind) if theirs.schema_kind in kinds else None
        place = self._finder.find(theirs.number, kind)
        self._counts["only_in_ksef"] += 1
        if place is None:
            self._counts["other_programs"] += 1
        else:
            add_foreign(self._foreign, place)
        text = Text(f"W KSeF, a nie u nas: {label}.", f"In KSeF and not here: {label}.")
        code = "ksef-other-program" if place is None else "ksef-only"
        self._report.add(found(code, f"ksef:{theirs.ksef_number}", text))

    def _missing(self) -> None:
        """Ours that KSeF did not show, but those that came after its data were complete."""
        until, last = self._complete_until, 0
        while True:
            with self._services.database() as session:
                rows = session.execute(
                    select(Document.id, Document.number, Document.ksef_number, Document.accepted_at)
                    .where(*self._of_days(), Document.ksef_number.is_not(None), Document.id > last)
                    .order_by(Document.id)
                    .limit(_AT_ONCE)
                ).all()
            for ident, number, ksef_number, accepted_at in rows:
                last = ident
                if ident in self._seen:
                    continue
                if until is None or accepted_at is None or accepted_at > until - _FRESH:
                    self._counts["too_fresh"] += 1
                    continue
                self._counts["missing_in_ksef"] += 1
                text = Text(
                    f"Dokument {ident} ({number}, {ksef_number}) jest u nas przyjęty, a w KSeF go nie ma.",
                    f"Document {ident} ({number}, {ksef_number}) is accepted here and not in KSeF.",
                )
                self._report.add(found("ksef-missing", f"document:{ident}", text))
            if len(rows) < _AT_ONCE:
                break
        if self._counts["too_fresh"]:
            count = self._counts["too_fresh"]
            self._looked.why_not = Text(
                f"Dokumentów tak nowych, że KSeF jeszcze ich nie pokazuje: {count}. Sprawdź ponownie za "
                "kilka minut.",
                f"Documents so fresh that KSeF does not show them yet: {count}. Check again in some minutes.",
            )

    def _say(self, code: str, own: _Own, pl: str, en: str) -> None:
        text = Text(f"Dokument {own.id} ({own.number}) {pl}.", f"Document {own.id} ({own.number}) {en}.")
        self._report.add(found(code, f"document:{own.id}", text))
