"""Correcting an invoice because a person says so: look at it first, then the pipeline issues it, once.

A correction by hand is a document like any other: of a purpose of its own (``hand:1``), or the very document
that asked a person (a changed order, a refund without lines). It stands in the invoice's chain, so later
refunds are counted against what it left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from connector_app.byhand.orders import NotPossible
from connector_app.byhand.plans import BUYER, build_plan, sum_differs
from connector_app.pipeline import deciding, life
from connector_app.pipeline.chain import chain_of
from connector_app.pipeline.purposes import HAND, REFUND, REPLACED, UNREADABLE, UPLOADED, chapter, plain
from connector_app.pipeline.services import Services
from connector_app.store.documents import document_for
from connector_app.store.models import INVOICE, Document, DocumentState
from connector_app.store.snapshots import from_json
from core.calendar import warsaw_day
from core.fa import registry
from core.fa.validate import check_built
from core.fa.write import write
from core.findings import Finding, Text
from core.invoices.attention import NeedsAttention
from core.invoices.corrections.state import InvoiceState
from core.invoices.model import Invoice, InvoiceKind
from core.rulebook import CORRECTION_ASKED

PREVIEW_NUMBER = "PODGLAD"
"""P_2 of a correction that is only looked at."""
_ANOTHER = Text(
    "Inna korekta tej faktury czeka na wystawienie. Poczekaj, aż powstanie, albo ją wycofaj.",
    "Another correction of this invoice is about to be issued. Wait for it, or withdraw it.",
)
_IN_KSEF = (DocumentState.ACCEPTED, DocumentState.PUBLISHED, DocumentState.ATTENTION)


@dataclass(frozen=True, slots=True)
class Preview:
    """A correction as it would be.

    Attributes:
        invoice: ``None`` when it cannot be, or when the invoice is replaced.
        xml: as it would be issued, with :data:`PREVIEW_NUMBER`; empty without an invoice.
        findings: everything found; errors keep it from being issued.
        replaces: the tax number is wrong, so the invoice is corrected to zero and a new one issued.
        change: what it changes in the total.
    """

    invoice: Invoice | None
    xml: bytes
    findings: tuple[Finding, ...]
    replaces: bool
    change: Decimal


def original_of(session: Session, document: Document) -> Document | None:
    """The invoice that a document is, or corrects, when it can be corrected; else ``None``."""
    if chapter(document.purpose):
        return None
    found = session.scalar(
        select(Document).where(Document.order_id == document.order_id, Document.purpose == INVOICE)
    )
    ready = found is not None and found.ksef_number is not None and found.state in _IN_KSEF
    return found if ready else None


def may_solve(document: Document) -> bool:
    """Whether a document asks a person for a correction that can be written here."""
    purpose = plain(document.purpose)
    return (
        document.state == DocumentState.ATTENTION
        and document.xml_sha256 is None
        and not chapter(document.purpose)
        and purpose not in {INVOICE, UNREADABLE}
        and not purpose.startswith(UPLOADED)
    )


def state_for(
    session: Session, original: Document, solves: Document | None = None
) -> tuple[InvoiceState | None, Text | None]:
    """The invoice as it stands, or what has to happen before it can be corrected.

    Args:
        session: for reading.
        original: the invoice.
        solves: the document that asks for the correction.
    """
    due = session.scalar(
        select(Document.id).where(
            Document.order_id == original.order_id,
            Document.purpose != INVOICE,
            Document.purpose.not_like(f"{REPLACED}%"),
            Document.state.in_((DocumentState.READY, DocumentState.WAITING)),
            Document.id != (solves.id if solves else 0),
        )
    )
    if due is not None:
        return None, _ANOTHER
    chain = chain_of(session, _stand_in(original))
    missing = chain.waits_for()
    return (None, missing) if missing is not None else (chain.state(), None)


def next_number(session: Session, order_id: int) -> int:
    """The number of an order's next correction by hand."""
    purposes = session.scalars(select(Document.purpose).where(Document.order_id == order_id))
    return 1 + sum(plain(one).startswith(HAND) for one in purposes)


def preview(
    services: Services,
    session: Session,
    original: Document,
    plan: Mapping[str, Any],
    solves: Document | None = None,
) -> Preview:
    """What a plan would issue; changes nothing.

    Args:
        services: the installation.
        session: for reading.
        original: the invoice, see :func:`original_of`.
        plan: see :mod:`connector_app.byhand.plans`.
        solves: the document that asks.
    """
    profile, now = services.profile(original.seller), services.clock()
    snapshot = original.order.snapshot
    order = from_json(snapshot) if snapshot is not None else None
    chain = chain_of(session, solves or _stand_in(original))
    try:
        made = build_plan(plan, chain.state(), order, profile)
    except NeedsAttention as attention:
        return Preview(None, b"", tuple(attention.reasons), replaces=False, change=Decimal(0))
    if made is None:
        return Preview(None, b"", (), replaces=True, change=Decimal(0))
    invoice = made.issue(PREVIEW_NUMBER, warsaw_day(now), now)
    schema = registry.schema_for(original.seller.schema_version)
    data = write(invoice, schema)
    findings = check_built(invoice, data, schema, warsaw_day(now), services.schema_dir)
    if solves is not None and plain(solves.purpose).startswith(REFUND) and invoice.total != solves.total:
        findings.append(sum_differs(solves.total or Decimal(0), invoice.total, invoice.currency))
    return Preview(invoice, data, tuple(findings), replaces=False, change=invoice.total)


def order_correction(
    session: Session,
    original: Document,
    plan: Mapping[str, Any],
    change: Decimal,
    by: str,
    now: datetime,
    *,
    n: int,
    solves: Document | None = None,
) -> Document:
    """Let the pipeline issue what a plan says.

    Args:
        session: inside a transaction.
        original: the invoice, see :func:`original_of`.
        plan: previewed without errors.
        change: of the total, as previewed.
        by: who.
        now: aware UTC.
        n: see :func:`next_number`, as the form was opened with: sent twice, it stays one correction.
        solves: the document that asks, which becomes the correction.

    Returns:
        The document, ready; or the one that the same form made before.

    Raises:
        NotPossible: the document no longer asks, or the number is not the next one.
    """
    if solves is not None:
        if not may_solve(solves):
            raise NotPossible("Ten dokument już nie czeka na decyzję.", "This document no longer asks.")
        row = solves
    else:
        known = session.scalar(
            select(Document).where(Document.order_id == original.order_id, Document.purpose == f"{HAND}{n}")
        )
        if known is not None:
            return known
        if n != next_number(session, original.order_id):
            raise NotPossible("Otwórz formularz jeszcze raz.", "Open the form once more.")
        store, order = original.order.store, original.order
        row = document_for(session, store, order, f"{HAND}{n}", InvoiceKind.CORRECTION, now)
        row.total = change
    row.plan = {**plan, "by": by, "at": now.isoformat(), "asked": row.attention}
    row.currency = original.currency
    row.buyer_name = plan["buyer"]["name"] if plan["kind"] == BUYER else original.buyer_name
    row.attention = row.closed_at = None
    text = Text("Korektę zlecił człowiek.", "A person ordered the correction.")
    life.move(row, DocumentState.READY, text, now)
    deciding.keep_rule(row, CORRECTION_ASKED, warsaw_day(now))
    return row


def may_withdraw(document: Document) -> bool:
    """Whether a correction by hand was not issued yet."""
    return (
        document.plan is not None
        and document.xml_sha256 is None
        and document.corrected_sha256 is None
        and document.state in life.UNDECIDED
    )


def withdraw_correction(document: Document, now: datetime) -> None:
    """Take a correction by hand back before it is issued; a document that asked asks again.

    Raises:
        NotPossible: it was issued meanwhile.
    """
    if not may_withdraw(document):
        raise NotPossible("Korekta już powstała.", "The correction was issued already.")
    asked = (document.plan or {}).get("asked")
    document.plan = document.attention = None
    text = Text("Wycofano korektę przed wystawieniem.", "The correction was withdrawn before it was issued.")
    if asked is None:
        document.closed_at = now
        life.move(document, DocumentState.CANCELLED, text, now)
    else:
        life.move(document, DocumentState.ATTENTION, text, now)
        document.attention = asked
    life.wake(document, now)


def _stand_in(original: Document) -> Document:
    """A correction that is not stored, for looking at the chain."""
    return Document(id=0, order_id=original.order_id, purpose=f"{HAND}0")
