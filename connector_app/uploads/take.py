"""Taking one file: every check first, and only what passes them all becomes a document.

The bytes are stored as they came, with their hash, and go to KSeF as they are. Everything is one transaction,
and the same bytes never make a second document.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from connector_app.ksef_access import environment_of
from connector_app.pipeline import deciding, life
from connector_app.pipeline.claims import named_orders
from connector_app.pipeline.intake import decide_order
from connector_app.pipeline.purposes import UPLOADED, chapter
from connector_app.pipeline.services import Services
from connector_app.store.models import INVOICE, Document, DocumentState, Seller, ShopOrder, Store
from connector_app.store.recovered import IS_SHOP, NEVER
from connector_app.store.snapshots import from_json
from connector_app.store.uploaded import is_uploaded, order_for, store_of
from connector_app.uploads import reasons
from connector_app.uploads.archive import shown
from connector_app.uploads.result import Outcome, UploadResult
from core.calendar import offline24_deadline, warsaw_day
from core.fa import registry, schema
from core.fa.validate import validate
from core.findings import Finding, Text, has_errors
from core.invoices.model import Invoice
from core.invoices.numbering import Numbering
from core.ksef import environments
from core.rulebook import UPLOADED as RULE

_ENDED = (DocumentState.REJECTED, DocumentState.CANCELLED)
_MARK = 16
"""Characters of the SHA-256 that tell an order's uploaded corrections apart."""


@dataclass(frozen=True, slots=True)
class _File:
    """A file that was read as an invoice."""

    data: bytes
    sha256: str
    invoice: Invoice
    schema: registry.FaSchema


def take(
    services: Services,
    seller_id: int,
    data: bytes,
    name: str,
    *,
    store: bool,
    note: Callable[[Session, Document], None] | None = None,
) -> UploadResult:
    """Check one file and, when asked to, make it a document that the pipeline sends.

    Args:
        services: the installation.
        seller_id: whose invoice it has to be.
        data: the file's bytes; an archive is opened by :func:`~connector_app.uploads.archive.unpack` before.
        name: of the file, only to be shown.
        store: ``False`` only checks.
        note: called inside the transaction that stores, to write down who did it.

    Returns:
        What the file says and what was found; nothing is stored when there is an error. Sent again, the same
        bytes are :attr:`~connector_app.uploads.result.Outcome.KNOWN`.

    Raises:
        SQLAlchemyError: the database cannot be used, or there is no such seller.
    """
    try:
        return _take(services, seller_id, data, shown(name), store=store, note=note)
    except IntegrityError:
        # the same bytes or number were stored by somebody else in this very moment
        return _take(services, seller_id, data, shown(name), store=store, note=note)


def _take(
    services: Services,
    seller_id: int,
    data: bytes,
    name: str,
    *,
    store: bool,
    note: Callable[[Session, Document], None] | None,
) -> UploadResult:
    result = UploadResult(name, Outcome.REFUSED, hashlib.sha256(data).hexdigest())
    file, findings = _read(services, data, result.sha256)
    if file is None:
        return replace(result, findings=findings)
    result = _described(result, file.invoice)
    now, touched = services.clock(), []
    with services.database.begin() if store else services.database() as session:
        seller = session.get_one(Seller, seller_id)
        same = Document.xml_sha256 == file.sha256
        known = session.scalar(select(Document.id).where(Document.seller_id == seller_id, same))
        if known is not None:
            return replace(result, outcome=Outcome.KNOWN, document_id=known)
        before = _refused_before(session, seller_id, file.invoice.number)
        numbering = services.profile(seller).numbering
        found = (*findings, *_check(session, seller, file, numbering, warsaw_day(now), before))
        result = replace(result, findings=found)
        if has_errors(found) or not store:
            return result if has_errors(found) else replace(result, outcome=Outcome.GOOD)
        document = _keep(session, seller, file, before, now)
        if note is not None:
            note(session, document)
        touched = [document, *_ask_orders(session, seller, file.invoice, now)]
    for row in touched:
        services.watch(row)
    return replace(result, outcome=Outcome.STORED, document_id=document.id)


def _read(services: Services, data: bytes, sha256: str) -> tuple[_File | None, tuple[Finding, ...]]:
    """The file as an invoice, with what schema and rules say; no file when it cannot be one."""
    try:
        report = validate(data, warsaw_day(services.clock()), services.schema_dir)
    except schema.MalformedXml as error:
        return None, (reasons.no_xml(error.message, error.line),)
    except registry.UnknownSchema:
        return None, (reasons.no_fa(),)
    if report.invoice is None or report.schema is None:
        more = () if has_errors(report.findings) else (reasons.not_readable(),)
        return None, (*report.findings, *more)
    return _File(data, sha256, report.invoice, report.schema), report.findings


def _described(result: UploadResult, invoice: Invoice) -> UploadResult:
    return replace(
        result,
        number=invoice.number,
        issued_on=invoice.issued_on,
        kind=invoice.kind.value,
        buyer=invoice.buyer.name,
        total=invoice.total,
        currency=invoice.currency,
    )


def _refused_before(session: Session, seller_id: int, number: str) -> Document | None:
    """The uploaded document with a number that KSeF refused, whose place a corrected file takes."""
    row = session.scalar(select(Document).where(Document.seller_id == seller_id, Document.number == number))
    if row is None or row.ksef_number is not None or row.state not in _ENDED or not is_uploaded(row):
        return None
    return row


def _check(
    session: Session,
    seller: Seller,
    file: _File,
    numbering: Numbering,
    today: date,
    before: Document | None,
) -> list[Finding]:
    """What schema and rules do not know: the seller, the numbers here, the day, the orders here."""
    invoice, found = file.invoice, []
    if invoice.seller.nip != seller.nip:
        found.append(reasons.other_seller(invoice.seller.nip, seller.nip))
    if file.schema is registry.FA2 and environment_of(seller) == environments.PRODUCTION:
        found.append(reasons.old_schema())
    found += _check_number(session, seller, invoice, numbering, before)
    if invoice.issued_on < today:
        found.append(reasons.not_of_today(invoice.issued_on, offline24_deadline(invoice.issued_on), today))
    if invoice.correction is None:
        found += _check_orders(session, seller, invoice, before)
    elif _original(session, seller.id, invoice) is None:
        found.append(reasons.original_unknown(invoice.correction.originals[0].number))
    return found


def _check_number(
    session: Session, seller: Seller, invoice: Invoice, numbering: Numbering, before: Document | None
) -> list[Finding]:
    if before is not None:
        return [reasons.failed_before(before.id)]
    taken = session.scalar(
        select(Document.id).where(Document.seller_id == seller.id, Document.number == invoice.number)
    )
    if taken is not None:
        return [reasons.number_taken(invoice.number, taken)]
    for pattern in numbering.patterns.values():
        if pattern.read(invoice.number, invoice.issued_on) is not None:
            return [reasons.own_number(invoice.number, pattern.text)]
    return []


def _check_orders(
    session: Session, seller: Seller, invoice: Invoice, before: Document | None
) -> list[Finding]:
    """An order of a shop that the invoice names must not be invoiced twice; a refused file is no invoice."""
    found = []
    for number in named_orders(invoice):
        row = session.scalar(
            select(Document)
            .join(ShopOrder, Document.order_id == ShopOrder.id)
            .join(Store, ShopOrder.store_id == Store.id)
            .where(
                IS_SHOP,
                Document.seller_id == seller.id,
                Document.purpose == INVOICE,
                Document.xml_sha256.is_not(None),
                Document.id != (before.id if before is not None else 0),
                ShopOrder.number == number,
            )
        )
        if row is not None:
            found.append(reasons.order_invoiced(number, row.number or ""))
    return found


def _ask_orders(session: Session, seller: Seller, invoice: Invoice, now: datetime) -> list[Document]:
    """Orders of shops that the invoice names and that wait for theirs: a person is asked at once."""
    if invoice.correction is not None:
        return []
    rows = session.scalars(
        select(ShopOrder)
        .join(Store, ShopOrder.store_id == Store.id)
        .where(IS_SHOP, Store.seller_id == seller.id, ShopOrder.number.in_(named_orders(invoice)))
        .where(ShopOrder.snapshot.is_not(None))
    ).all()
    return [
        one
        for row in rows
        for one in decide_order(session, row.store, row, from_json(row.snapshot or {}), now)
    ]


def _original(session: Session, seller_id: int, correction: Invoice) -> Document | None:
    """The one invoice here that a correction corrects; ``None`` when there is none, or several."""
    numbers = [one.ksef_number for one in correction.correction.originals] if correction.correction else []
    if len(numbers) != 1 or not numbers[0]:
        return None
    return session.scalar(
        select(Document).where(Document.seller_id == seller_id, Document.ksef_number == numbers[0])
    )


def _keep(session: Session, seller: Seller, file: _File, before: Document | None, now: datetime) -> Document:
    document = before or _new(session, seller, file, now)
    invoice = file.invoice
    if before is not None:
        life.note(document, _replaced(before), now)
    document.kind, document.number, document.issued_on = invoice.kind.value, invoice.number, invoice.issued_on
    document.schema_version = file.schema.version.value
    document.xml, document.xml_sha256 = file.data, file.sha256
    document.total, document.currency = invoice.total, invoice.currency
    document.buyer_name = invoice.buyer.name or None
    document.issued_at = now
    document.session_reference = document.document_reference = document.closed_at = None
    document.attention = document.refusal_code = document.refusal_text = None
    deciding.keep_rule(document, RULE, warsaw_day(now))
    text = Text(
        f"Wgrano gotowy plik faktury {invoice.number} (SHA-256 {file.sha256}).",
        f"The ready file of invoice {invoice.number} was uploaded (SHA-256 {file.sha256}).",
    )
    life.move(document, DocumentState.ISSUED, text, now)
    return document


def _replaced(before: Document) -> Text:
    return Text(
        f"Plik, którego KSeF nie przyjął (SHA-256 {before.xml_sha256}), zastąpiono nowym.",
        f"The file that KSeF refused (SHA-256 {before.xml_sha256}) was replaced by a new one.",
    )


def _new(session: Session, seller: Seller, file: _File, now: datetime) -> Document:
    invoice = file.invoice
    original = _original(session, seller.id, invoice)
    order: ShopOrder
    if original is None:
        store = store_of(session, seller, now)
        named = named_orders(invoice)
        order = order_for(session, store, file.sha256, named[0] if named else invoice.number, now)
    else:
        order = original.order
    purpose = f"{UPLOADED}{file.sha256[:_MARK]}" if invoice.correction is not None else INVOICE
    document = Document(
        seller_id=seller.id,
        order=order,
        purpose=f"{chapter(original.purpose)}{purpose}" if original is not None else purpose,
        kind=invoice.kind.value,
        state=DocumentState.ISSUED.value,
        attempts=0,
        # the shop, if there is one, is not told of what KSeF refuses: the file is another program's
        tell_next_at=NEVER,
        created_at=now,
        updated_at=now,
    )
    session.add(document)
    session.flush()
    return document
