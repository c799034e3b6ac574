"""What a buyer proposed and a person approved stands for what the shop still says of the buyer.

The shop's order is not touched. The approved data count as long as the shop says of the buyer what it said
when they were approved, or the very same as they do; when the shop says something new, that is news.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from connector_app.pipeline.purposes import PROPOSAL
from connector_app.store.desk import BuyerProposal, ProposalState
from connector_app.store.models import Document, DocumentState, ShopOrder
from connector_app.store.overrides import invoice_order
from connector_app.store.snapshots import buyer_fingerprint, from_json
from core.invoices.tax_ids import as_nip
from core.orders import CALLED_OFF, Buyer, Order, PostalAddress, TaxIdCandidate

_SOURCE = "zgłoszenie nabywcy"


def latest(session: Session, order_id: int) -> BuyerProposal | None:
    """The approved proposal that counts for an order: the last one that nobody called off.

    Args:
        session: for reading.
        order_id: row of the order.
    """
    correction = BuyerProposal.correction.of_type(Document)
    called_off = (Document.state == DocumentState.CANCELLED) & Document.purpose.startswith(PROPOSAL)
    return session.scalar(
        select(BuyerProposal)
        .join(correction)
        .where(
            Document.order_id == order_id,
            BuyerProposal.state == ProposalState.APPROVED,
            or_(~called_off, Document.closed_at.is_(None)),
        )
        .order_by(BuyerProposal.decided_at.desc(), BuyerProposal.id.desc())
        .limit(1)
    )


def applied(session: Session, order_id: int, order: Order) -> Order:
    """An order with the buyer as an invoice has to name it now.

    Args:
        session: for reading.
        order_id: row of the order.
        order: what the shop says.
    """
    found = latest(session, order_id)
    if found is None or found.instead_of != buyer_fingerprint(order):
        return order
    return with_buyer(order, found)


def invoice_order_of(session: Session, row: ShopOrder) -> Order:
    """A stored order as its invoice is made from it now.

    A buyer that a person entered is the last word: carrying out a proposal takes back what was entered before
    it (:func:`connector_app.pipeline.buyers.replace_invoice`).

    Args:
        session: for reading.
        row: with a snapshot.
    """
    order = invoice_order(row)
    return order if row.buyer_override is not None else applied(session, row.id, order)


def with_buyer(order: Order, proposal: BuyerProposal) -> Order:
    """An order with the buyer that a proposal names.

    Args:
        order: what the shop says.
        proposal: without a NIP it leaves the shop's numbers as they are.
    """
    shop = order.buyer
    tax_ids = (TaxIdCandidate(proposal.nip, _SOURCE),) if proposal.nip else shop.tax_ids
    # a person without a number stays a person: a company would be asked for its number
    is_person = not proposal.nip and not shop.company.strip()
    address = PostalAddress(
        line1=proposal.address["line1"],
        city=proposal.address["line2"],
        country=proposal.address["country"],
    )
    named = replace(
        shop,
        tax_ids=tax_ids,
        address=address,
        company="" if is_person else proposal.name,
        first_name="",
        last_name=proposal.name if is_person else "",
    )
    return replace(order, buyer=named)


def still_holds(order: Order, proposal: BuyerProposal) -> bool:
    """Whether an order still asks for an approved proposal.

    Args:
        order: what the shop says now.
        proposal: approved.
    """
    if order.state in CALLED_OFF:
        return False
    return proposal.instead_of == buyer_fingerprint(order) or says_the_same(order.buyer, proposal)


def says_the_same(shop: Buyer, proposal: BuyerProposal) -> bool:
    """Whether the shop meanwhile says of the buyer what the proposal does.

    Args:
        shop: the buyer as the shop has it.
        proposal: approved.
    """
    numbers = {as_nip(one.value) for one in shop.tax_ids} - {None}
    if proposal.nip and numbers != {proposal.nip}:
        return False
    where = shop.address
    lines = _bare(where.line1, where.line2, where.postcode, where.city)
    said = _bare(proposal.address["line1"], proposal.address["line2"])
    return (
        _bare(shop.company or shop.person_name) == _bare(proposal.name)
        and lines == said
        and where.country.upper() == proposal.address["country"]
    )


def is_still_asked(session: Session, correction: Document) -> bool:
    """Whether a correction that was not issued is still what its approved proposal asks for.

    Args:
        session: for reading.
        correction: with a purpose that begins with :data:`PROPOSAL`.
    """
    found = latest(session, correction.order_id)
    if found is None or found.correction_id != correction.id:
        return False
    snapshot = correction.order.snapshot
    return snapshot is None or still_holds(from_json(snapshot), found)


def order_of(session: Session, row: ShopOrder) -> Order | None:
    """The order as it was read last, with the buyer as an invoice has to name it; None when unreadable.

    A proposal changes what the invoice says, where a person may have entered another buyer than the shop's.
    """
    if row.snapshot is None:
        return None
    order, found = from_json(row.snapshot), latest(session, row.id)
    if found is None or found.instead_of != buyer_fingerprint(order):
        return order
    return with_buyer(invoice_order(row), found)


def _bare(*parts: str) -> str:
    return " ".join(" ".join(parts).split()).casefold()
