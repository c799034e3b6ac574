"""What buyers propose instead of their data on an invoice: kept, weighed, approved or declined.

Approving changes nothing that was issued: it makes a document that the pipeline carries out, a correction to
zero and a new invoice when the tax number differs, a correction of the buyer's data otherwise (description of
Podmiot2K in the schemas).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from connector_app.pipeline import deciding, life
from connector_app.pipeline.buyers import correct_buyer
from connector_app.pipeline.chain import chain_of
from connector_app.pipeline.proposed import with_buyer
from connector_app.pipeline.purposes import BUYER, PROPOSAL, TO_ZERO
from connector_app.pipeline.services import Services
from connector_app.profiles import BadProfile, Profile
from connector_app.store.desk import BuyerProposal, ProposalState
from connector_app.store.documents import document_for
from connector_app.store.models import INVOICE, Document, DocumentState
from connector_app.store.overrides import invoice_order
from connector_app.store.snapshots import buyer_fingerprint, from_json
from core.calendar import warsaw_day
from core.findings import Finding, Severity, Text
from core.invoices.attention import NeedsAttention
from core.invoices.from_order import draft
from core.invoices.model import InvoiceKind
from core.money import ZERO
from core.orders import Order
from core.rulebook import CORRECTION_ASKED


class AlreadyDecided(Exception):
    """A proposal that somebody approved or declined before."""


class CannotApprove(Exception):
    """A proposal that the connector cannot carry out.

    Attributes:
        findings: every reason.
    """

    def __init__(self, findings: Collection[Finding]) -> None:
        super().__init__("; ".join(one.message.en for one in findings))
        self.findings = tuple(findings)


@dataclass(frozen=True, slots=True)
class Said:
    """What a buyer says is right.

    Attributes:
        nip: ten digits with a right check digit; empty to keep the number that the invoice has.
        name: of the buyer.
        line1, line2: street and number; postcode and town. country: ISO 3166-1 alpha-2.
        contact: e-mail of whoever says so.
        remark: free text for the merchant.
    """

    nip: str
    name: str
    line1: str
    line2: str
    country: str
    contact: str
    remark: str


@dataclass(frozen=True, slots=True)
class Prospect:
    """What would follow an approval.

    Attributes:
        replaces: a correction to zero and a new invoice; otherwise a correction of the buyer's data.
        findings: why it cannot be approved; empty when it can.
    """

    replaces: bool = False
    findings: tuple[Finding, ...] = ()


def is_open_to_proposals(session: Session, document: Document) -> bool:
    """Whether a buyer may propose other data on a document: an invoice in KSeF that still counts."""
    if document.purpose != INVOICE or document.ksef_number is None:
        return False
    zeroed = select(Document.id).where(
        Document.order_id == document.order_id,
        Document.purpose.in_(TO_ZERO),
        Document.xml_sha256.is_not(None),
        Document.state.not_in((DocumentState.REJECTED, DocumentState.CANCELLED)),
    )
    return session.scalar(zeroed.limit(1)) is None


def of_document(session: Session, document_id: int) -> BuyerProposal | None:
    """The newest proposal about a document."""
    return session.scalar(
        select(BuyerProposal)
        .where(BuyerProposal.document_id == document_id)
        .order_by(BuyerProposal.id.desc())
        .limit(1)
    )


def propose(session: Session, document: Document, said: Said, now: datetime) -> BuyerProposal:
    """Keep what a buyer proposes; while nobody decided, it replaces what was proposed before.

    Args:
        session: inside a transaction.
        document: see :func:`is_open_to_proposals`.
        said: checked.
        now: aware UTC.

    Raises:
        AlreadyDecided: one was approved and is being carried out.
    """
    row = of_document(session, document.id)
    if row is not None and row.state == ProposalState.APPROVED and is_under_way(row):
        raise AlreadyDecided
    if row is None or row.state != ProposalState.NEW:
        row = BuyerProposal(document_id=document.id, state=ProposalState.NEW.value)
        session.add(row)
        text = Text("Nabywca zgłosił inne dane na fakturze.", "The buyer proposed other data on the invoice.")
        life.note(document, text, now)
    row.nip, row.name, row.contact, row.remark = said.nip, said.name, said.contact, said.remark
    row.address = {"line1": said.line1, "line2": said.line2, "country": said.country}
    row.created_at = now
    session.flush()
    return row


def is_under_way(proposal: BuyerProposal) -> bool:
    """Whether an approved proposal is being carried out: its correction is neither in KSeF nor called off."""
    correction = proposal.correction
    return (
        correction is not None
        and correction.ksef_number is None
        and correction.state != DocumentState.CANCELLED
    )


def open_count(session: Session, seller_ids: Collection[int]) -> int:
    """How many proposals about documents of some sellers wait for a decision."""
    return (
        session.scalar(
            select(func.count())
            .select_from(BuyerProposal)
            .join(Document, BuyerProposal.document_id == Document.id)
            .where(BuyerProposal.state == ProposalState.NEW, Document.seller_id.in_(seller_ids))
        )
        or 0
    )


def weigh(services: Services, session: Session, proposal: BuyerProposal) -> Prospect:
    """What would follow if a proposal was approved now; changes nothing.

    Args:
        services: the outside world; nobody is asked.
        session: for reading.
        proposal: open.
    """
    invoice = proposal.document
    if not is_open_to_proposals(session, invoice):
        return Prospect(findings=(_NOT_CURRENT,))
    if invoice.order.snapshot is None:
        return Prospect(findings=(_NO_ORDER,))
    try:
        return _weigh(services, session, invoice, with_buyer(invoice_order(invoice.order), proposal))
    except NeedsAttention as attention:
        return Prospect(findings=attention.reasons)
    except BadProfile as error:
        return Prospect(findings=tuple(_bad_profile(one) for one in error.faults))


def _weigh(services: Services, session: Session, invoice: Document, order: Order) -> Prospect:
    profile = services.profile(invoice.seller)
    chain = chain_of(session, invoice)
    if chain.waits_for() is not None:
        return Prospect(findings=(_CORRECTION_UNDER_WAY,))
    if correct_buyer(chain.state(), order, profile) is not None:
        return Prospect()
    findings: tuple[Finding, ...] = (_HAND_MADE,) if chain.hand_made else ()
    day = warsaw_day(services.clock())
    decision = deciding.look(session, invoice, order, day)
    if decision.state != DocumentState.READY:
        findings += (_not_due(decision.reason),)
    return Prospect(replaces=True, findings=(*findings, *_why_not_anew(order, profile)))


def _why_not_anew(order: Order, profile: Profile) -> tuple[Finding, ...]:
    """Why the order would not become an invoice again, so that nothing is corrected to zero for nothing."""
    if order.currency != "PLN":  # an exchange rate would have to be asked for
        return ()
    try:
        # refunds are corrected after the new invoice
        draft(replace(order, refunds=()), profile.issuer, profile.policy)
    except NeedsAttention as attention:
        return (_NOT_ANEW, *attention.reasons)
    return ()


def approve(services: Services, session: Session, proposal: BuyerProposal, user_id: int | None) -> Document:
    """Let a proposal be carried out, once.

    Args:
        services: the outside world.
        session: inside a transaction that writes.
        proposal: read in the same transaction.
        user_id: who approves.

    Returns:
        The document that carries it out, ready.

    Raises:
        AlreadyDecided: somebody was faster.
        CannotApprove: with every reason.
    """
    if proposal.state != ProposalState.NEW:
        raise AlreadyDecided
    prospect = weigh(services, session, proposal)
    if prospect.findings:
        raise CannotApprove(prospect.findings)
    now = services.clock()
    invoice, order = proposal.document, proposal.document.order
    correction = document_for(
        session, order.store, order, f"{PROPOSAL}{proposal.id}", InvoiceKind.CORRECTION, now
    )
    correction.total, correction.currency, correction.buyer_name = ZERO, invoice.currency, proposal.name
    correction.buyer_fingerprint = buyer_fingerprint(from_json(order.snapshot or {}))
    text = Text(
        "Zatwierdzono dane zgłoszone przez nabywcę.", "The data that the buyer proposed are approved."
    )
    life.move(correction, DocumentState.READY, text, now)
    deciding.keep_rule(correction, CORRECTION_ASKED, warsaw_day(now))
    life.note(invoice, text, now)
    _settle(proposal, ProposalState.APPROVED, user_id, now)
    proposal.instead_of, proposal.correction_id = correction.buyer_fingerprint, correction.id
    _answer_the_shops_question(session, correction, now)
    session.flush()
    return correction


def decline(session: Session, proposal: BuyerProposal, user_id: int | None, now: datetime) -> None:
    """Leave the invoice as it is.

    Args:
        session: inside a transaction that writes.
        proposal: read in the same transaction.
        user_id: who declines.
        now: aware UTC.

    Raises:
        AlreadyDecided: somebody was faster.
    """
    if proposal.state != ProposalState.NEW:
        raise AlreadyDecided
    _settle(proposal, ProposalState.DECLINED, user_id, now)
    text = Text("Zgłoszenie danych przez nabywcę odrzucono.", "The buyer's proposal was declined.")
    life.note(proposal.document, text, now)
    session.flush()


def _settle(proposal: BuyerProposal, state: ProposalState, user_id: int | None, now: datetime) -> None:
    proposal.state, proposal.decided_by, proposal.decided_at = state.value, user_id, now


def _answer_the_shops_question(session: Session, correction: Document, now: datetime) -> None:
    """Whoever approves the buyer's own words answers what the shop asked about the buyer before."""
    rows = session.scalars(
        select(Document).where(
            Document.order_id == correction.order_id,
            Document.purpose.startswith(BUYER),
            Document.state == DocumentState.ATTENTION,
            Document.xml_sha256.is_(None),
        )
    )
    said = Text(
        "Zatwierdzono dane zgłoszone przez nabywcę.", "The data that the buyer proposed are approved."
    )
    for row in rows:
        row.attention = None
        life.move(row, DocumentState.CANCELLED, said, now)


def _cannot(code: str, message: Text, hint: Text) -> Finding:
    return Finding(code, Severity.ERROR, "buyer", message, hint)


_BY_HAND = Text(
    "Popraw fakturę ręcznie, np. w Aplikacji Podatnika KSeF, a zgłoszenie odrzuć.",
    "Correct the invoice by hand, e.g. in the KSeF Taxpayer's Application, and decline the proposal.",
)
_NOT_CURRENT = _cannot(
    "proposal-outdated",
    Text(
        "Ta faktura już nie obowiązuje: skorygowano ją do zera albo zastąpiła ją nowa.",
        "This invoice no longer counts: it was corrected to zero, or a new one replaced it.",
    ),
    Text("Odrzuć zgłoszenie.", "Decline the proposal."),
)
_NO_ORDER = _cannot(
    "proposal-without-order",
    Text(
        "Nie ma danych zamówienia, z którego powstała ta faktura.",
        "The data of this invoice's order are missing.",
    ),
    _BY_HAND,
)
_CORRECTION_UNDER_WAY = _cannot(
    "proposal-correction-under-way",
    Text(
        "Inna korekta tej faktury nie ma jeszcze numeru KSeF.",
        "Another correction of this invoice has no KSeF number yet.",
    ),
    Text("Zatwierdź zgłoszenie, gdy go dostanie.", "Approve the proposal once it has one."),
)
_HAND_MADE = _cannot(
    "proposal-hand-made",
    Text(
        "Zamówienie korygowano też poza łącznikiem, więc łącznik nie wie, ile zostaje do zera.",
        "The order was also corrected outside the connector, so it does not know what is left to zero.",
    ),
    _BY_HAND,
)

_NOT_ANEW = _cannot(
    "proposal-no-new-invoice",
    Text(
        "Po korekcie do zera nowa faktura nie powstałaby z danych tego zamówienia:",
        "After the correction to zero no new invoice could be made from this order's data:",
    ),
    _BY_HAND,
)


def _not_due(reason: Text) -> Finding:
    return _cannot(
        "proposal-not-due",
        Text(
            f"Według zasad sklepu nowa faktura z tymi danymi nie powstałaby w KSeF: {reason.pl}",
            f"By the store's policy no new invoice with these data would be made in KSeF: {reason.en}",
        ),
        _BY_HAND,
    )


def _bad_profile(fault: Text) -> Finding:
    return _cannot(
        "seller-settings-wrong",
        fault,
        Text("Popraw ustawienia sprzedawcy.", "Correct the seller's settings."),
    )
