"""Numbers as they will be: examples of patterns, what was issued, where counting goes on."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from connector_app.profiles import BadProfile, Profile, parse
from connector_app.store.models import Document, NumberCounter, Seller, Store
from connector_app.store.recovered import IS_OPEN
from core.findings import Text
from core.invoices.model import InvoiceKind
from core.invoices.numbering import BadPattern, SeriesKind, check_patterns

KINDS = {
    SeriesKind.INVOICE: (InvoiceKind.VAT, Text("Faktura", "Invoice")),
    SeriesKind.CORRECTION: (InvoiceKind.CORRECTION, Text("Korekta", "Correction")),
    SeriesKind.ADVANCE: (InvoiceKind.ADVANCE, Text("Faktura zaliczkowa", "Advance invoice")),
    SeriesKind.SETTLEMENT: (InvoiceKind.SETTLEMENT, Text("Faktura końcowa", "Settlement invoice")),
}


@dataclass(frozen=True, slots=True)
class Example:
    """The next number of a series.

    Attributes:
        kind: in words. store: its code where each store counts on its own.
        number: as it would be today. fault: why there is none.
        last: counter of the last number that was taken in the period.
        start: where counting was told to begin; what was taken already goes before it.
    """

    kind: Text
    store: str
    number: str
    fault: Text | None
    last: int
    start: int

    @property
    def start_is_over(self) -> bool:
        """Whether a start was named that counting has passed already."""
        return 1 < self.start <= self.last


def examples(session: Session, seller: Seller, profile: Profile, day: date) -> list[Example]:
    """The next number of each kind, of each store where a pattern names it.

    Args:
        session: for reading.
        seller: whose counters.
        profile: the patterns to show, kept or only typed.
        day: Warsaw day.
    """
    found = []
    codes = stores_of(session, seller) or ["sklep"]
    for kind, (document_kind, words) in KINDS.items():
        pattern = profile.numbering.patterns[kind]
        for code in codes if pattern.is_per_store else codes[:1]:
            series = profile.numbering.series(document_kind, day, code)
            counter = session.get(NumberCounter, (seller.id, series.key, series.period))
            last = counter.last if counter else 0
            number, fault = "", None
            try:
                number = series.number(series.following(last))
            except BadPattern as error:
                fault = error.text
            shown = code if pattern.is_per_store else ""
            found.append(Example(words, shown, number, fault, last, series.first))
    return found


def typed_profile(values: Mapping[str, Any]) -> Profile | None:
    """The profile of values that are not kept yet; ``None`` when they have faults."""
    with suppress(BadProfile):
        return parse(values)
    return None


def stores_of(session: Session, seller: Seller) -> list[str]:
    """Codes of a seller's stores."""
    return list(
        session.scalars(select(Store.code).where(Store.seller_id == seller.id, IS_OPEN).order_by(Store.id))
    )


def issued(session: Session, seller: Seller) -> int:
    """How many numbers the seller has used."""
    count = session.scalar(
        select(func.count()).where(Document.seller_id == seller.id, Document.number.is_not(None))
    )
    return count or 0


def collisions(session: Session, seller: Seller, profile: Profile) -> list[Text]:
    """Why patterns cannot be used with the stores that there are."""
    try:
        check_patterns(profile.numbering.patterns, stores_of(session, seller))
    except BadPattern as error:
        return [Text(f"invoices: {error.text.pl}", f"invoices: {error.text.en}")]
    return []


def start_rows(values: Mapping[str, Any]) -> list[dict[str, str]]:
    """Start numbers as texts, with an empty row for another."""
    stored = values.get("numbering", {}).get("start", [])
    rows = [{name: str(one.get(name, "")) for name in ("kind", "period", "next", "store")} for one in stored]
    return [*rows, {"kind": "", "period": "", "next": "", "store": ""}]


def put_starts(form: Mapping[str, str], values: dict[str, Any], day: date) -> None:
    """Write the start numbers of a form into a seller's values; rows without a number are taken out.

    A period that is left empty is the present one of the kind's pattern.
    """
    starts = []
    for place in range(_MOST_STARTS):
        typed = form.get(f"start-{place}-next", "").strip()
        kind = form.get(f"start-{place}-kind", "")
        if not typed or not kind:
            continue
        period = form.get(f"start-{place}-period", "").strip() or _period(values, kind, day)
        row: dict[str, Any] = {"kind": kind, "next": int(typed) if _is_number(typed) else typed}
        row |= {"period": period} if period else {}
        store = form.get(f"start-{place}-store", "").strip()
        starts.append(row | ({"store": store} if store else {}))
    if starts:
        values["numbering"] = {"start": starts}
    else:
        values.pop("numbering", None)


_MOST_STARTS = 100
_MOST_DIGITS = 12


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS


def _period(values: Mapping[str, Any], kind: str, day: date) -> str:
    """The present period of a kind's pattern; empty when the patterns have faults, which are told then."""
    without = {name: value for name, value in values.items() if name != "numbering"}
    profile = typed_profile(without)
    if profile is None or kind not in set(SeriesKind):
        return ""
    return profile.numbering.patterns[SeriesKind(kind)].period(day)
