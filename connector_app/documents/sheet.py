"""Everything about one document, read in a few queries, for its page and for other programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from connector_app.documents import actions, files
from connector_app.documents.actions import Action
from connector_app.pipeline.publish import verification_link
from connector_app.pipeline.purposes import chapter
from connector_app.store.models import Document, Event, Mail, Publication
from connector_app.store.proofs import SessionUpo, SessionUpoPage, UpoCertificate
from connector_app.store.snapshots import from_json
from core.findings import Text
from core.ksef.explanations import CodeKind, Explanation, explain
from core.orders import Order

_EVENTS = 300
_CHAIN = 100


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a document's life.

    Attributes:
        at: aware UTC. state: after it. text: JSON with both languages.
    """

    at: datetime
    state: str
    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """One document of the order's chain.

    Attributes:
        id, purpose, state, number, ksef_number, total, currency, day: as stored.
        chapter: which replaced invoice it belongs to; empty for the one that counts.
    """

    id: int
    purpose: str
    state: str
    number: str | None
    ksef_number: str | None
    total: Decimal | None
    currency: str | None
    day: date | None
    chapter: str


@dataclass(frozen=True, slots=True)
class SessionProof:
    """What is known of the session in which a document was sent.

    Attributes:
        reference: of the session. pages: of its collective UPO that are stored. waits_for: why there is
            none (JSON with both languages).
    """

    reference: str
    pages: int
    waits_for: str | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything about one document.

    Attributes:
        row: with its files, order, store and seller.
        steps: its life, oldest first. chain: all documents of its order. order: what the shop said last;
            ``None`` when that cannot be read.
        publications, mails: where it was told of.
        link: of QR code I; empty while it is not issued, and when KSeF refused it.
        session: ``None`` when it was not sent. signer: who signed its UPO; ``None`` when that is not known.
        refusal: KSeF's code in words; ``None`` when nothing was refused.
        damages: what is wrong with its stored files.
        actions: what can be done, and what cannot and why.
        to_link: recovered invoices that may be the order's.
    """

    row: Document
    steps: Sequence[Step]
    chain: Sequence[Link]
    order: Order | None
    publications: Sequence[Publication]
    mails: Sequence[Mail]
    link: str
    session: SessionProof | None
    signer: UpoCertificate | None
    refusal: Explanation | None
    damages: Sequence[Text]
    actions: Sequence[Action]
    to_link: Sequence[Document] = field(default_factory=list)


def read(session: Session, document_id: int) -> Sheet | None:
    """Read one document with all that belongs to it.

    Args:
        session: open for reading.
        document_id: its id.

    Returns:
        ``None`` when there is no such document.
    """
    row = files.load(session, document_id)
    if row is None:
        return None
    refused = row.refusal_code is not None and row.ksef_number is None
    return Sheet(
        row=row,
        steps=_steps(session, document_id),
        chain=_chain(session, row.order_id),
        order=_order(row),
        publications=list(row.publications),
        mails=list(row.mails),
        # KSeF knows nothing of what it refused, so there is nothing to verify
        link=verification_link(row) if row.xml_sha256 and row.issued_on and not refused else "",
        session=_session_proof(session, row),
        signer=session.get(UpoCertificate, row.upo_certificate) if row.upo_certificate else None,
        refusal=explain(row.refusal_code, CodeKind.DOCUMENT) if refused and row.refusal_code else None,
        damages=[one for one in (files.damage(row), files.upo_damage(row)) if one is not None],
        actions=actions.possible(row),
        to_link=actions.choices_to_link(row),
    )


def _steps(session: Session, document_id: int) -> list[Step]:
    query = select(Event.at, Event.state, Event.text).where(Event.document_id == document_id)
    rows = session.execute(query.order_by(Event.id.desc()).limit(_EVENTS)).all()
    return [Step(*row) for row in reversed(rows)]


def _chain(session: Session, order_id: int) -> list[Link]:
    query = select(
        Document.id, Document.purpose, Document.state, Document.number, Document.ksef_number,
        Document.total, Document.currency, Document.day,
    ).where(Document.order_id == order_id)  # fmt: skip
    rows = session.execute(query.order_by(Document.id).limit(_CHAIN))
    return [Link(*row, chapter=chapter(row.purpose)) for row in rows]


def _order(row: Document) -> Order | None:
    if row.order.snapshot is None:
        return None
    try:
        return from_json(row.order.snapshot)
    except Exception:
        return None  # of an earlier version of the program; the page shows the rest all the same


def _session_proof(session: Session, row: Document) -> SessionProof | None:
    if row.session_reference is None:
        return None
    key = (row.seller_id, row.session_reference)
    known = session.get(SessionUpo, key)
    pages = session.scalar(
        select(func.count())
        .select_from(SessionUpoPage)
        .where(SessionUpoPage.seller_id == key[0], SessionUpoPage.session_reference == key[1])
    )
    return SessionProof(row.session_reference, pages or 0, known.waits_for if known else None)
