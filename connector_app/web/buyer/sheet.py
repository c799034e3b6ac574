"""What the buyer's page of a document shows, read from the store; nothing of other buyers' documents."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from connector_app import buyer_links, proposals
from connector_app.pipeline.chain import read_document
from connector_app.pipeline.messages import transfer_title
from connector_app.pipeline.publish import transfer_on, verification_link
from connector_app.pipeline.purposes import BUYER, PROPOSAL, WRONG_BUYER, chapter, is_invoice, plain
from connector_app.pipeline.services import Services
from connector_app.policies import StorePolicy
from connector_app.store.desk import ProposalState
from connector_app.store.models import INVOICE, Document, DocumentState
from core.fa.read import UnreadableDocument
from core.fa.registry import UnknownSchema
from core.invoices.model import Buyer, TaxIdKind
from core.visual import qr

_UNDER_WAY = (DocumentState.ISSUED, DocumentState.SENT)


@dataclass(frozen=True, slots=True)
class Code:
    """A QR code.

    Attributes:
        link: what it says. picture: the code as an address that holds its SVG.
    """

    link: str
    picture: str


@dataclass(frozen=True, slots=True)
class Other:
    """A document that belongs to the one that is shown.

    Attributes:
        key: of its own page. number, day, total, currency: as it states them.
        has_number: KSeF has given it its number. to_zero: takes the whole invoice back.
    """

    key: str
    number: str
    day: date | None
    total: Decimal | None
    currency: str | None
    has_number: bool
    to_zero: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page.

    Attributes:
        number, day, total, currency: P_2, P_1, P_15.
        seller, seller_nip: Podmiot1.
        buyer: Podmiot2; ``None`` when the document cannot be read.
        ksef_number, accepted_at: ``None`` while there is no number (issued offline).
        is_invoice: it corrects nothing.
        code: QR code I. certificate: QR code II of a document issued offline that has no number yet.
        transfer: a sentence about the title of a transfer; empty when there is nothing to transfer.
        invoice: what this document corrects. corrections: what corrects it, oldest first.
        is_replaced: another invoice takes its place. replacement: that invoice, once there is one.
        has_upo: the UPO may be downloaded.
        can_propose: the buyer may propose other data. proposal: state of the newest proposal.
        under_way: an approved proposal is being carried out.
    """

    number: str
    day: date | None
    total: Decimal | None
    currency: str | None
    seller: str
    seller_nip: str
    buyer: Buyer | None
    ksef_number: str | None
    accepted_at: datetime | None
    is_invoice: bool
    code: Code
    certificate: Code | None
    transfer: str
    invoice: Other | None
    corrections: list[Other]
    is_replaced: bool
    replacement: Other | None
    has_upo: bool
    can_propose: bool
    proposal: str
    under_way: bool

    @property
    def is_company(self) -> bool:
        """The buyer finds the invoice in KSeF by a NIP."""
        return self.buyer is not None and self.buyer.tax_id.kind is TaxIdKind.NIP


def is_shown(document: Document) -> bool:
    """Whether a buyer may see a document: KSeF has it, or it was issued offline and is on its way.

    A document that KSeF refused is none: a buyer is never told of a refusal.
    """
    if document.xml_sha256 is None:
        return False
    offline = document.certificate_link is not None and document.state in _UNDER_WAY
    return document.ksef_number is not None or offline


def find(services: Services, session: Session, key: str) -> Document | None:
    """The document that a key opens, ``None`` when there is nothing to show.

    Args:
        services: the installation.
        session: for reading; the document stays bound to it.
        key: as it stands in the address.
    """
    document = buyer_links.find(services.vault, session, key)
    return document if document is not None and is_shown(document) else None


def _buyer_of(document: Document, related: list[Document]) -> Buyer | None:
    """Podmiot2 as the last correction of the buyer's data left it; ``None`` when it cannot be read."""
    same = chapter(document.purpose)
    corrected = [
        row
        for row in related
        if row.ksef_number
        and chapter(row.purpose) == same
        and plain(row.purpose).startswith((BUYER, PROPOSAL))
    ]
    counts = corrected[-1] if corrected and is_invoice(document.purpose) else document
    try:
        return read_document(counts).buyer
    except (UnreadableDocument, UnknownSchema, ValueError):
        return None


def read(services: Services, session: Session, document: Document, language: str) -> Sheet:
    """Everything that the page of a document shows.

    Args:
        services: the installation.
        session: for reading.
        document: see :func:`find`.
        language: ``pl`` or ``en``.
    """
    related = _related(session, document)
    proposal = proposals.of_document(session, document.id)
    under_way = proposal is not None and _is_carried_out(proposal.state) and proposals.is_under_way(proposal)
    is_replaced = bool(chapter(document.purpose))
    pay_on = transfer_on(services, document) if document.ksef_number else None
    policy = StorePolicy.from_json(document.order.store.policy)
    link = document.certificate_link
    return Sheet(
        number=document.number or "",
        day=document.issued_on,
        total=document.total,
        currency=document.currency,
        seller=document.seller.name,
        seller_nip=document.seller.nip,
        buyer=_buyer_of(document, related),
        ksef_number=document.ksef_number,
        accepted_at=document.accepted_at,
        is_invoice=is_invoice(document.purpose),
        code=_code(verification_link(document)),
        certificate=_code(link) if link and document.ksef_number is None else None,
        transfer=transfer_title(document.ksef_number or "", pay_on, language) if pay_on else "",
        invoice=_invoice_of(services, related, document),
        corrections=_corrections_of(services, related, document),
        is_replaced=is_replaced,
        replacement=_replacement_of(services, related) if is_replaced else None,
        has_upo=policy.buyer_upo and document.upo_sha256 is not None,
        can_propose=proposals.is_open_to_proposals(session, document) and not under_way,
        proposal=proposal.state if proposal is not None else "",
        under_way=under_way,
    )


def buyer_now(session: Session, document: Document) -> Buyer | None:
    """Podmiot2 of an invoice as its last correction left it; ``None`` when it cannot be read.

    Args:
        session: for reading.
        document: shown, see :func:`is_shown`.
    """
    return _buyer_of(document, _related(session, document))


def _is_carried_out(state: str) -> bool:
    return state == ProposalState.APPROVED


def _related(session: Session, document: Document) -> list[Document]:
    """The documents of the same order that a buyer may see, oldest first."""
    rows = session.scalars(
        select(Document).where(Document.order_id == document.order_id).order_by(Document.id)
    )
    shown = [row for row in rows if row.number and is_shown(row)]
    return sorted(shown, key=lambda row: (row.accepted_at is None, row.accepted_at or row.created_at))


def _other(services: Services, row: Document) -> Other:
    return Other(
        buyer_links.key_of(services.vault, row),
        row.number or "",
        row.issued_on,
        row.total,
        row.currency,
        row.ksef_number is not None,
        plain(row.purpose) == WRONG_BUYER,
    )


def _invoice_of(services: Services, related: list[Document], document: Document) -> Other | None:
    if is_invoice(document.purpose):
        return None
    of = f"{chapter(document.purpose)}{INVOICE}"
    return next((_other(services, row) for row in related if row.purpose == of), None)


def _corrections_of(services: Services, related: list[Document], document: Document) -> list[Other]:
    if not is_invoice(document.purpose):
        return []
    same = chapter(document.purpose)
    return [
        _other(services, row)
        for row in related
        if row is not document and chapter(row.purpose) == same and not is_invoice(row.purpose)
    ]


def _replacement_of(services: Services, related: list[Document]) -> Other | None:
    return next((_other(services, row) for row in related if row.purpose == INVOICE), None)


def _code(link: str) -> Code:
    svg = base64.b64encode(qr.svg(link).encode()).decode("ascii")
    return Code(link, f"data:image/svg+xml;base64,{svg}")


def with_files(session: Session, document: Document) -> Document:
    """The same document with its XML and UPO read."""
    return session.scalars(
        select(Document)
        .where(Document.id == document.id)
        .options(undefer(Document.xml), undefer(Document.upo))
        .execution_options(populate_existing=True)
    ).one()
