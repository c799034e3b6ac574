"""Keeping: one invoice that KSeF gave back becomes a document again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from connector_app.numbering import note_taken
from connector_app.pipeline import life
from connector_app.pipeline.claims import name_corrections
from connector_app.pipeline.purposes import RECOVERED, REFUND, TO_ZERO, WRONG_BUYER, chapter, plain
from connector_app.recovery.report import Outcome
from connector_app.store.models import (
    INVOICE,
    Document,
    DocumentState,
    Event,
    Seller,
    ShopOrder,
    Store,
)
from connector_app.store.recovered import NEVER, order_for
from connector_app.store.snapshots import from_json
from core.fa import registry, schema
from core.fa.read import ReadResult, UnreadableDocument, read
from core.findings import Finding, Severity, Text
from core.invoices.from_order import SYSTEM
from core.invoices.model import Invoice
from core.invoices.numbering import Numbering
from core.ksef.package import ExportedInvoice

NO_REASON = Text("", "")

_ISSUED_BY_US = (REFUND, *TO_ZERO, WRONG_BUYER)
"""Begins of purposes whose corrections the connector issues by itself or when told to."""


class _Unusable(Exception):
    """An invoice that cannot be taken.

    Attributes:
        why: for a person.
    """

    def __init__(self, why: Text) -> None:
        super().__init__(why.en)
        self.why = why


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of one invoice.

    Attributes:
        outcome: see :class:`~connector_app.recovery.report.Outcome`.
        reason: why it cannot be taken, or which program made it; empty texts otherwise.
    """

    outcome: Outcome
    reason: Text = NO_REASON


@dataclass(frozen=True, slots=True)
class Keeper:
    """Keeps the invoices of one seller.

    Attributes:
        seller: whose they have to be.
        numbering: counting goes on after every number that fits one of its patterns.
        store: where documents stand whose order is not known, see :mod:`connector_app.store.recovered`.
    """

    seller: Seller
    numbering: Numbering
    store: Store

    def keep(self, session: Session, exported: ExportedInvoice, now: datetime) -> Kept:
        """Store one invoice unless it is here; safe to repeat.

        Args:
            session: inside a transaction.
            exported: from KSeF.
            now: aware UTC.
        """
        metadata = exported.metadata
        # whoever made it: KSeF takes no second document with its number
        note_taken(session, self.seller.id, self.numbering, metadata.number, metadata.issued_on)
        here = select(Document.id).where(Document.ksef_number == metadata.ksef_number)
        if session.scalar(here) is not None:
            return Kept(Outcome.KNOWN)
        if metadata.form_value != "FA":
            return Kept(Outcome.FOREIGN, Text(metadata.system_code, metadata.system_code))
        try:
            result = self._read(exported)
            if result.invoice.system != SYSTEM:
                program = result.invoice.system
                return Kept(Outcome.FOREIGN, Text(program, program))
            self._store(session, exported, result, now)
        except _Unusable as error:
            return Kept(Outcome.UNREADABLE, error.why)
        return Kept(Outcome.NEW)

    def _read(self, exported: ExportedInvoice) -> ReadResult:
        metadata = exported.metadata
        if not exported.is_genuine:
            why = Text(
                "bajty różnią się od skrótu, który podaje KSeF",
                "the bytes differ from the hash that KSeF tells",
            )
            raise _Unusable(why)
        try:
            result = read(schema.parse(exported.content))
        except (schema.MalformedXml, registry.UnknownSchema, UnreadableDocument) as error:
            why = Text(f"pliku nie da się odczytać: {error}", f"the file cannot be read: {error}")
            raise _Unusable(why) from None
        if result.invoice.seller.nip != self.seller.nip or result.invoice.number != metadata.number:
            why = Text(
                "sprzedawca lub numer są inne, niż podaje KSeF",
                "seller or number are not those that KSeF tells",
            )
            raise _Unusable(why)
        return result

    def _store(self, session: Session, exported: ExportedInvoice, result: ReadResult, now: datetime) -> None:
        metadata, invoice = exported.metadata, result.invoice
        fingerprint = hashlib.sha256(exported.content).hexdigest()
        of_seller = Document.seller_id == self.seller.id
        same = session.scalar(
            select(Document).where(
                of_seller, Document.xml_sha256 == fingerprint, Document.ksef_number.is_(None)
            )
        )
        if same is not None:
            _accept(same, metadata.ksef_number, metadata.acquisition_date, now)
            return
        taken = session.scalar(select(Document).where(of_seller, Document.number == invoice.number))
        if taken is not None:
            if taken.ksef_number is not None:
                why = Text(
                    f"dokument {taken.id} ma ten sam numer, a w KSeF jest to {taken.ksef_number}",
                    f"document {taken.id} has the same number and is {taken.ksef_number} in KSeF",
                )
                raise _Unusable(why)
            _displace(taken, metadata.ksef_number, now)
            session.flush()
        original = invoice.correction.originals[0].ksef_number if invoice.correction else ""
        order = self._order(session, original or metadata.ksef_number, invoice, now)
        is_of_shop = order.store_id != self.store.id
        document = Document(
            seller_id=self.seller.id,
            order=order,
            purpose=INVOICE
            if invoice.correction is None
            else f"{_chapter_of(session, original)}{RECOVERED}{metadata.ksef_number}",
            kind=invoice.kind.value,
            state=DocumentState.ACCEPTED.value,
            number=invoice.number,
            issued_on=invoice.issued_on,
            schema_version=result.schema.version.value,
            xml=exported.content,
            xml_sha256=fingerprint,
            total=invoice.total,
            currency=invoice.currency,
            buyer_name=invoice.buyer.name or None,
            ksef_number=metadata.ksef_number,
            accepted_at=metadata.acquisition_date,
            attempts=0,
            next_attempt_at=None if is_of_shop else NEVER,
            created_at=invoice.created_at,
            updated_at=now,
        )
        session.add(document)
        session.flush()
        life.note(document, Text("Odzyskano z KSeF.", "Recovered from KSeF."), now)
        if is_of_shop and document.purpose != INVOICE:
            _find_purpose(session, document)

    def _order(self, session: Session, ksef_number: str, invoice: Invoice, now: datetime) -> ShopOrder:
        """Where a document stands: a correction under the order of what it corrects."""
        order = order_for(session, self.store, ksef_number, now)
        named = next((one.number for one in invoice.terms.orders if one.number), "") if invoice.terms else ""
        if order.store_id == self.store.id and named:
            order.number = named[:64]
        return order


def _chapter_of(session: Session, ksef_number: str | None) -> str:
    """The chapter of what a correction corrects: that invoice may have been replaced."""
    purpose = session.scalar(select(Document.purpose).where(Document.ksef_number == ksef_number))
    return chapter(purpose or "")


def _find_purpose(session: Session, correction: Document) -> None:
    """Say what a recovered correction of a shop's order was for.

    A database that was restored from a backup may be about to issue the same correction: the recovered one
    takes its place.
    """
    order = correction.order
    found = session.scalars(select(Document).where(Document.order_id == order.id))
    rows = {row.purpose: row for row in found if chapter(row.purpose) == chapter(correction.purpose)}
    for row in rows.values():
        is_open = row.xml_sha256 is None and row.number is None and row.state in life.UNDECIDED
        is_same = row.total == correction.total and plain(row.purpose).startswith(_ISSUED_BY_US)
        if is_open and is_same:
            session.execute(delete(Event).where(Event.document_id == row.id))
            session.delete(row)
            session.flush()
            correction.purpose = row.purpose
            return
    if order.snapshot is not None and not chapter(correction.purpose):
        name_corrections(rows, from_json(order.snapshot))


def _accept(document: Document, ksef_number: str, accepted_at: datetime, now: datetime) -> None:
    """Our stored bytes are in KSeF, and we did not know."""
    document.batch_id = None
    document.ksef_number, document.accepted_at = ksef_number, accepted_at
    document.attention = document.refusal_code = document.refusal_text = None
    text = Text(f"KSeF ma ten dokument: {ksef_number}.", f"KSeF has this document: {ksef_number}.")
    life.move(document, DocumentState.ACCEPTED, text, now)
    life.wake(document, now)


def _displace(document: Document, ksef_number: str, now: datetime) -> None:
    """A document that KSeF never accepted has the number of one that it did: it loses number and bytes."""
    number, document.batch_id = document.number, None
    if document.xml_sha256 is not None:
        life.begin_anew(document, now)
    document.number = None
    document.refusal_code = document.refusal_text = None
    finding = Finding(
        "number-belongs-to-recovered",
        Severity.ERROR,
        "Faktura/Fa/P_2",
        Text(
            f"Numer {number} ma w KSeF wcześniejsza faktura ({ksef_number}), odzyskana teraz do bazy.",
            f"In KSeF number {number} belongs to an earlier invoice ({ksef_number}), which is recovered now.",
        ),
        Text(
            "Jeśli to zamówienie nie ma jeszcze faktury, ponów: dostanie następny wolny numer.",
            "If this order has no invoice yet, retry: it gets the next free number.",
        ),
    )
    life.ask(document, [finding], now)
