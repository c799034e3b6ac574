"""A seller's documents of a month, read from their stored XML a portion at a time.

Days of sale are not stored beside a document, so all are looked at that may be meant: issued at most sixty
days before the month, as an invoice may come before its sale (art. 106i ust. 7 of the VAT act), and
everything issued since, for one that comes too late still belongs to the month of its sale.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, undefer

from connector_app.accounting.register.markers import marker_of
from connector_app.accounting.register.money import NoRate, amounts_of, rate_of
from connector_app.accounting.register.rows import RegisterDocument, Scope, day_of
from connector_app.checks.period import Period
from connector_app.keeping.reading import ArchiveDamaged, xml_of
from connector_app.pipeline.services import Services
from connector_app.store.models import Document, DocumentState, ShopOrder, Store
from connector_app.words import state_text
from core.fa import brief
from core.fa.binding import UnreadableDocument
from core.fa.brief import Brief
from core.fa.registry import UnknownSchema
from core.fa.schema import MalformedXml
from core.findings import Finding, Severity, Text

_BEFORE: Final = timedelta(days=62)
_PORTION: Final = 500

Progress = Callable[[int, int], None]
"""Told how many documents were looked at, and of how many."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A document that cannot stand in a register.

    Attributes:
        document_id: which. finding: why, and what to do.
        day: as in :class:`~connector_app.accounting.register.rows.RegisterDocument`; of a file that cannot
            be read, the day on which it was issued.
    """

    document_id: int
    finding: Finding
    day: date


def read_month(
    services: Services,
    seller_id: int,
    period: Period,
    scope: Scope = Scope.EVERYTHING,
    progress: Progress = lambda _done, _total: None,
) -> Iterator[RegisterDocument | Trouble]:
    """A seller's documents whose day is in a period, in the order in which they were issued.

    Args:
        services: the installation.
        seller_id: the seller.
        period: Warsaw days, see :func:`~connector_app.accounting.register.rows.day_of`.
        scope: which of them.
        progress: see :data:`Progress`.

    Yields:
        Each document, or what is wrong with it. Documents that were withdrawn before KSeF had them are left
        out; what is refused, or not accepted yet, is a trouble.
    """
    wanted = _wanted(seller_id, period, scope)
    with services.database() as session:
        total = session.scalar(select(func.count()).select_from(Document).where(*wanted)) or 0
    done, after = 0, 0
    while True:
        with services.database() as session:
            rows = _portion(session, wanted, after)
            if not rows:
                break
            found = [_registered(row, store, number) for row, store, number in rows]
            after = rows[-1][0].id
        for one in found:
            done += 1
            if one.day in period:
                yield one
        progress(done, total)


def _wanted(seller_id: int, period: Period, scope: Scope) -> tuple[ColumnElement[bool], ...]:
    wanted = (
        Document.seller_id == seller_id,
        Document.issued_on >= period.first - _BEFORE,
        Document.xml_sha256.is_not(None),
        Document.state != DocumentState.CANCELLED,
    )
    return (*wanted, Document.ksef_number.is_(None)) if scope is Scope.OUTSIDE_KSEF else wanted


def _portion(
    session: Session, wanted: tuple[ColumnElement[bool], ...], after: int
) -> list[tuple[Document, str, str]]:
    rows = session.execute(
        select(Document, Store.code, ShopOrder.number)
        .join(ShopOrder, Document.order_id == ShopOrder.id)
        .join(Store, ShopOrder.store_id == Store.id)
        .where(*wanted, Document.id > after)
        .options(undefer(Document.xml))
        .order_by(Document.id)
        .limit(_PORTION)
    ).all()
    return [(document, store, number) for document, store, number in rows]


def _registered(document: Document, store: str, order_number: str) -> RegisterDocument | Trouble:
    said: Brief | None = None
    try:
        said = brief.read(xml_of(document))
        rate = rate_of(said)
    except ArchiveDamaged as damage:
        return _trouble(document, "damaged", damage.text, damage.hint)
    except (UnreadableDocument, UnknownSchema, MalformedXml) as error:
        text = Text(
            f"Pliku XML dokumentu {document.number} nie da się odczytać: {error}.",
            f"The XML of document {document.number} cannot be read: {error}.",
        )
        return _trouble(document, "unreadable", text, _TELL)
    except NoRate as error:
        return _trouble(document, "no-rate", error.text, _RATE, said)
    marker = marker_of(document.ksef_number, document.offline_mode)
    if document.ksef_number is None and (marker is None or document.state == DocumentState.REJECTED):
        stands = state_text(document.state)
        text = Text(
            f"KSeF nie przyjął dokumentu {document.number} ({stands.pl}), więc nie wiadomo, jak go oznaczyć.",
            f"KSeF has not accepted document {document.number} ({stands.en}), so its mark is not known.",
        )
        return _trouble(document, "undecided", text, _WAIT, said)
    return RegisterDocument(
        id=document.id,
        store=store,
        order_number=order_number,
        brief=said,
        amounts=amounts_of(said, rate),
        exchange_rate=rate,
        day=day_of(said),
        marker=marker,
        ksef_number=document.ksef_number or "",
        accepted_at=document.accepted_at,
        offline_mode=document.offline_mode or "",
        xml_sha256=document.xml_sha256 or "",
        has_upo=document.upo_sha256 is not None,
    )


_RATE = Text(
    "Taki dokument dopisz w programie księgowym ręcznie.", "Enter this document in the books by hand."
)
_TELL = Text("Sprawdź archiwum: ksef-connector verify-archive.", "Look at: ksef-connector verify-archive.")
_WAIT = Text(
    "Poczekaj na numer KSeF albo rozstrzygnij dokument na jego stronie i ponów eksport.",
    "Wait for its KSeF number, or settle the document on its page, and export again.",
)


def _trouble(document: Document, code: str, message: Text, hint: Text, said: Brief | None = None) -> Trouble:
    finding = Finding(f"register-{code}", Severity.ERROR, f"document:{document.id}", message, hint)
    assert document.issued_on is not None, "chosen by its day"
    return Trouble(document.id, finding, day_of(said) if said else document.issued_on)
