"""Issue: a due order gets its number, its XML and its hash, all in one transaction.

Nothing is sent here; what is issued is frozen (principle 4). A number is taken only when everything else
is known to be right, and the same transaction stores the document, so that a series has no gap.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from connector_app.pipeline import life
from connector_app.pipeline.services import Services
from connector_app.store.models import Document, DocumentState, NumberCounter, Seller
from connector_app.store.snapshots import from_json
from core.calendar import warsaw_day
from core.fa import registry
from core.fa.validate import check_built
from core.fa.write import write
from core.findings import Finding, Text, has_errors
from core.invoices.attention import NeedsAttention
from core.invoices.from_order import Draft, draft
from core.invoices.model import Invoice
from core.invoices.numbering import NumberPattern


class _Refused(Exception):
    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("the built document has errors")
        self.findings = findings


def issue(services: Services, document_id: int) -> Document:
    """Issue one document that is ready.

    Args:
        services: the outside world.
        document_id: a document; in any other state than ``ready`` nothing happens.

    Returns:
        The document as committed: ``issued``, or ``attention`` with every reason.
    """
    now = services.clock()
    with services.database.begin() as session:
        document = session.get_one(Document, document_id)
        if document.state != DocumentState.READY or document.xml_sha256:
            return document
        snapshot = document.order.snapshot
        if snapshot is None:
            raise ValueError(f"document {document.id} is ready without a readable order")
        profile = services.profile(document.seller)
        try:
            prepared = draft(from_json(snapshot), profile.seller, profile.policy)
            with session.begin_nested():
                _issue(session, document, prepared, profile.numbers, now, services.schema_dir)
        except NeedsAttention as attention:
            life.ask(document, attention.reasons, now)
        except _Refused as refused:
            life.ask(document, refused.findings, now)
    services.watch(document)
    return document


def _issue(
    session: Session,
    document: Document,
    prepared: Draft,
    numbers: NumberPattern,
    now: datetime,
    schema_dir: Path | None,
) -> None:
    day = warsaw_day(now)
    schema = registry.schema_for(document.seller.schema_version)
    number = take_number(session, document.seller, numbers, now, document.order.store.code)
    invoice = prepared.issue(number, day, now)
    data = write(invoice, schema)
    findings = check_built(invoice, data, schema, day, schema_dir)
    if has_errors(findings):
        raise _Refused(findings)
    _freeze(document, invoice, data, schema)
    life.move(
        document,
        DocumentState.ISSUED,
        Text(f"Wystawiono fakturę {number}.", f"Issued invoice {number}."),
        now,
    )


def _freeze(document: Document, invoice: Invoice, data: bytes, schema: registry.FaSchema) -> None:
    document.number = invoice.number
    document.issued_on = invoice.issued_on
    document.schema_version = schema.version.value
    document.xml = data
    document.xml_sha256 = hashlib.sha256(data).hexdigest()
    document.total = invoice.total
    document.currency = invoice.currency
    document.buyer_name = invoice.buyer.name


def take_number(session: Session, seller: Seller, numbers: NumberPattern, now: datetime, store: str) -> str:
    """Take the next number of a series inside the caller's transaction.

    The counter's row is locked until the transaction ends; undoing the transaction gives the number back.
    """
    day = warsaw_day(now)
    key = (seller.id, numbers.text, numbers.period(day))
    counter = session.scalar(
        select(NumberCounter)
        .where(
            NumberCounter.seller_id == key[0], NumberCounter.series == key[1], NumberCounter.period == key[2]
        )
        .with_for_update()
    )
    if counter is None:
        counter = NumberCounter(seller_id=key[0], series=key[1], period=key[2], last=0)
        session.add(counter)
    counter.last += 1
    session.flush()
    return numbers.format(counter.last, day, store)
