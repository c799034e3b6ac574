"""Issue: a due order gets its number, its XML and its hash, all in one transaction.

Nothing is sent here; what is issued is frozen (principle 4). A number is taken only when everything else
is known to be right, and the same transaction stores the document, so that a series has no gap.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from connector_app.decisions import Decision
from connector_app.mail.queue import queue
from connector_app.numbering import bad_pattern, take_number
from connector_app.pipeline import deciding, life, proposed
from connector_app.pipeline.offline import OfflinePlan
from connector_app.pipeline.purposes import REFUND
from connector_app.pipeline.services import Services
from connector_app.store.models import INVOICE, Document, DocumentState, ShopOrder
from connector_app.store.overrides import buyer_conflict
from connector_app.store.snapshots import buyer_fingerprint, from_json
from core.calendar import warsaw_day
from core.fa import registry
from core.fa.validate import check_built
from core.fa.write import write
from core.findings import Finding, Severity, Text, has_errors
from core.invoices.attention import NeedsAttention
from core.invoices.exchange import RateError, draft_at_rate
from core.invoices.model import Invoice, InvoiceKind
from core.invoices.numbering import BadPattern, Series
from core.orders import Order

_WITH_ORDER = (joinedload(Document.order), joinedload(Document.seller))
_WITH_ALL = (joinedload(Document.order).joinedload(ShopOrder.store), joinedload(Document.seller))


class _Refused(Exception):
    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("the built document has errors")
        self.findings = findings


def issue(services: Services, document_id: int, offline: OfflinePlan | None = None) -> Document:
    """Issue one document that is ready.

    Args:
        services: the outside world.
        document_id: an order's first document; in any other state than ``ready``, or while its order cannot
            be read, nothing happens.
        offline: how to issue it offline; None for online.

    Returns:
        The document as committed: ``issued``, ``attention`` with every reason, what the store's rules decide
        when the order is not due, or still ``ready`` while an exchange rate cannot be had.
    """
    now = services.clock()
    with services.database() as session:
        document = session.get_one(Document, document_id, options=_WITH_ALL)
        seller, store = document.seller, document.order.store
        snapshot = document.order.snapshot
        due = document.state == DocumentState.READY and document.purpose == INVOICE
        if not due or document.xml_sha256 or snapshot is None:
            return document
        order = proposed.invoice_order_of(session, document.order)
        order = _without_refunds_to_come(session, document, order)
        changed = buyer_conflict(document.order)
        decision = deciding.look(session, document, order, warsaw_day(now))
    if decision.state != DocumentState.READY and document.corrected_sha256 is None:
        # made due by a person's retry; the order may have been cancelled since its invoice was refused

        def decided(row: Document) -> None:
            if is_same(row, document):
                deciding.settle(row, decision, now)

        return life.change(services, document_id, decided)
    if changed is not None:
        return ask_if_same(services, document, [changed])
    profile = services.profile(seller)
    day = day_of_issue(document, now)
    try:
        # before the transaction: asking for an exchange rate may take its time
        prepared = draft_at_rate(order, profile.issuer, profile.policy, day, services.rates)
    except NeedsAttention as attention:
        return ask_if_same(services, document, attention.reasons)
    except RateError as error:
        return life.postpone_one(services, document_id, error.finding().message)
    series = profile.numbering.series(InvoiceKind.VAT, day, store.code)
    return freeze(services, document, prepared.issue, series, now, offline, decision)


def _without_refunds_to_come(session: Session, document: Document, order: Order) -> Order:
    """The order without refunds whose corrections wait for this very invoice.

    Such there are only when it takes the place of another one: it is about the whole order then, and each
    refund corrects it afterwards as it corrected the old one.
    """
    if not order.refunds:
        return order
    waiting = session.scalars(
        select(Document.purpose).where(
            Document.order_id == document.order_id,
            Document.purpose.startswith(REFUND),
            Document.state.in_(life.UNDECIDED),
            Document.xml_sha256.is_(None),
        )
    ).all()
    return replace(order, refunds=tuple(one for one in order.refunds if f"{REFUND}{one.id}" not in waiting))


def day_of_issue(document: Document, now: datetime) -> date:
    """P_1: today in Warsaw; a technical correction keeps the day of what it stands for."""
    return document.issued_on or warsaw_day(now)


def ask_if_same(services: Services, seen: Document, reasons: Sequence[Finding]) -> Document:
    """Hand a document to a person, unless it changed since the work on it began."""
    now = services.clock()

    def ask(row: Document) -> None:
        if is_same(row, seen):
            life.ask(row, reasons, now)

    return life.change(services, seen.id, ask)


def is_same(row: Document, seen: Document) -> bool:
    """Whether a document and its order are still as they were when the work on them began."""
    return (
        row.state == seen.state
        and row.xml_sha256 == seen.xml_sha256
        and row.order.content_hash == seen.order.content_hash
        and row.order.ordered == seen.order.ordered
        and row.order.buyer_override == seen.order.buyer_override
        and row.plan == seen.plan
    )


def freeze(
    services: Services,
    seen: Document,
    complete: Callable[[str, date, datetime], Invoice],
    series: Series,
    now: datetime,
    offline: OfflinePlan | None = None,
    decision: Decision | None = None,
) -> Document:
    """Take a number, write, check and store, all in one transaction.

    Args:
        services: the outside world.
        seen: the document as it was when the work began; if it changed meanwhile, nothing happens.
        complete: makes the invoice from number, P_1 and time.
        series: where the number is taken from.
        now: aware UTC.
        offline: how it is issued offline; None for online.
        decision: what the rule book says, kept with an invoice; a correction keeps what it has.

    Returns:
        The document as committed: ``issued``, or ``attention`` with every reason.
    """
    with services.database.begin(seen.seller_id) as session:
        document = session.get_one(Document, seen.id, options=_WITH_ORDER)
        if not is_same(document, seen):
            return document
        schema = registry.schema_for(document.seller.schema_version)
        try:
            with session.begin_nested():
                # what KSeF refused keeps its number (see life.again)
                number = document.number or take_number(session, document.seller_id, series)
                invoice = complete(number, day_of_issue(document, now), now)
                data = write(invoice, schema)
                findings = check_built(invoice, data, schema, warsaw_day(now), services.schema_dir)
                findings += _check_technical(document, invoice)
                if has_errors(findings):
                    raise _Refused(findings)
                _freeze(document, invoice, data, schema)
                mode = offline.apply(document, now) if offline else Text("", "")
                document.issued_at = document.issued_at or now
                if decision is not None:
                    deciding.keep(document, decision)
        except _Refused as refused:
            life.ask(document, refused.findings, now)
        except BadPattern as error:
            life.ask(document, [bad_pattern(error)], now)
        else:
            what = Text(
                f"Wystawiono dokument {number}. {mode.pl}".strip(),
                f"Issued document {number}. {mode.en}".strip(),
            )
            life.move(document, DocumentState.ISSUED, what, now)
            if document.certificate_link is not None:
                queue(document, now, offline=True)
    services.watch(document)
    return document


def _check_technical(document: Document, invoice: Invoice) -> list[Finding]:
    """A technical correction repeats what the buyer was given; other amounts need a correcting invoice."""
    given = (document.total, document.currency, document.buyer_name)
    if document.corrected_sha256 is None or given == (invoice.total, invoice.currency, invoice.buyer.name):
        return []
    return [
        Finding(
            "technical-correction-changes-content",
            Severity.ERROR,
            "",
            Text(
                f"Korekta techniczna faktury {document.number} miałaby inną kwotę, walutę albo nabywcę niż "
                "faktura offline, którą dostał nabywca.",
                f"The technical correction of invoice {document.number} would have another amount, currency "
                "or buyer than the offline invoice that the buyer was given.",
            ),
            Text(
                "Przywróć w sklepie dane z dnia wystawienia i ponów; zmiany popraw potem fakturą korygującą.",
                "Restore the data of the day of issue in the shop and retry; correct changes afterwards by a "
                "correcting invoice.",
            ),
            "KSeF documentation, technical correction",
        )
    ]


def _freeze(document: Document, invoice: Invoice, data: bytes, schema: registry.FaSchema) -> None:
    document.closed_at = None
    document.number = invoice.number
    document.issued_on = invoice.issued_on
    document.schema_version = schema.version.value
    document.xml = data
    document.xml_sha256 = hashlib.sha256(data).hexdigest()
    document.total = invoice.total
    document.currency = invoice.currency
    document.buyer_name = invoice.buyer.name
    if document.purpose == INVOICE and document.order.snapshot is not None:
        document.buyer_fingerprint = buyer_fingerprint(from_json(document.order.snapshot))
