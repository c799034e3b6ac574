"""Taking numbers: the counters of a seller's series, without gaps and without doubles."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from connector_app.store.models import Document, NumberCounter, Seller
from core.findings import Finding, Severity, Text
from core.invoices.numbering import BadPattern, Numbering, Series


def take_number(session: Session, seller_id: int, series: Series) -> str:
    """Take the next free number of a series inside the caller's transaction.

    The seller's row is locked until the transaction ends, so that also the first number of a period, whose
    counter does not exist yet, is taken by one at a time. Undoing the transaction gives the number back.

    Args:
        session: a transaction that writes (``database.begin()``); it also stores the document.
        seller_id: the seller's row.
        series: where to take it from.

    Returns:
        P_2; no document of the seller has it.

    Raises:
        BadPattern: the number does not fit P_2.
    """
    # FOR NO KEY UPDATE: rows that refer to the seller can still be added meanwhile
    session.execute(select(Seller.id).where(Seller.id == seller_id).with_for_update(key_share=True))
    counter = session.get(NumberCounter, (seller_id, series.key, series.period), populate_existing=True)
    if counter is None:
        counter = NumberCounter(seller_id=seller_id, series=series.key, period=series.period, last=0)
        session.add(counter)
    while True:
        counter.last = series.following(counter.last)
        number = series.number(counter.last)
        # a pattern that was changed can meet numbers of the one before
        taken = select(Document.id).where(Document.seller_id == seller_id, Document.number == number)
        if session.scalar(taken) is None:
            session.flush()
            return number


def note_taken(session: Session, seller_id: int, numbering: Numbering, number: str, day: date) -> bool:
    """Let counting go on after a number that is in KSeF, whoever made it.

    Args:
        session: a transaction that writes.
        seller_id: the seller's row.
        numbering: the seller's patterns.
        number: P_2.
        day: P_1, Warsaw day.

    Returns:
        Whether any of the seller's patterns makes this number.
    """
    places = set()
    for pattern in numbering.patterns.values():
        found = pattern.read(number, day)
        if found is not None:
            n, store = found
            places.add((pattern.series(store), pattern.period(day), n))
    for series, period, n in places:
        counter = session.get(NumberCounter, (seller_id, series, period), populate_existing=True)
        if counter is None:
            session.add(NumberCounter(seller_id=seller_id, series=series, period=period, last=n))
        else:
            counter.last = max(counter.last, n)
        session.flush()
    return bool(places)


def bad_pattern(error: BadPattern) -> Finding:
    """A pattern that makes no number, as a finding of the document that was to get one.

    Args:
        error: why.
    """
    return Finding(
        "number-pattern-unusable",
        Severity.ERROR,
        "Faktura/Fa/P_2",
        error.text,
        Text("Popraw wzór numeracji sprzedawcy.", "Correct the seller's number pattern."),
        "P_2",
    )
