"""The merchant's page of what buyers proposed."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_login import login_required
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload
from werkzeug.wrappers import Response

from connector_app import proposals
from connector_app.proposals import Prospect
from connector_app.store.desk import BuyerProposal, ProposalState, RegisterAnswer
from connector_app.store.models import Document, ShopOrder
from connector_app.web import access
from connector_app.web.access import Right
from connector_app.web.buyer import sheet
from connector_app.web.here import here
from connector_app.web.language import say, t
from core.invoices.model import Buyer

proposing = Blueprint("proposals", __name__, template_folder="templates", url_prefix="/proposals")

_MOST = 50
_DECIDED = 20


@dataclass(frozen=True, slots=True)
class _Row:
    """A proposal beside what the invoice says.

    Attributes:
        proposal: as the buyer wrote it. document: the invoice.
        stated: Podmiot2 as it stands. prospect: what an approval would lead to.
        register: what the VAT-payer list said last of the proposed NIP, when it is known.
    """

    proposal: BuyerProposal
    document: Document
    stated: Buyer | None
    prospect: Prospect
    register: RegisterAnswer | None


@proposing.get("")
@login_required  # type: ignore[untyped-decorator]
def index() -> str:
    """What waits for a decision, oldest first, and what was decided last."""
    services = here().services
    with services.database() as session:
        if not access.may_anywhere(session, Right.OPERATE):
            abort(403)
        sellers = access.visible(session, Right.OPERATE)
        shown = (
            select(BuyerProposal)
            .join(Document, BuyerProposal.document_id == Document.id)
            .where(Document.seller_id.in_(sellers))
            .options(
                joinedload(BuyerProposal.document).joinedload(Document.order).joinedload(ShopOrder.store),
                joinedload(BuyerProposal.document).joinedload(Document.seller),
                joinedload(BuyerProposal.correction),
            )
        )
        is_new = BuyerProposal.state == ProposalState.NEW
        waiting = session.scalars(shown.where(is_new).order_by(BuyerProposal.created_at).limit(_MOST)).all()
        decided = session.scalars(
            shown.where(~is_new).order_by(BuyerProposal.decided_at.desc()).limit(_DECIDED)
        ).all()
        rows = [_row(session, one) for one in waiting]
        count = proposals.open_count(session, sellers)
        return render_template("proposals/index.html", rows=rows, decided=decided, count=count)


@proposing.post("/<int:proposal_id>/approve")
@login_required  # type: ignore[untyped-decorator]
def approve(proposal_id: int) -> Response:
    """Let a proposal be carried out."""
    place = here()
    try:
        with place.services.database.begin() as session:
            row = _the_proposal(session, proposal_id)
            correction = proposals.approve(place.services, session, row, access.me().id)
            _audit(session, "proposal.approved", row)
    except proposals.AlreadyDecided:
        flash(t("O tym zgłoszeniu już zdecydowano.", "This report was decided before."), "warning")
    except proposals.CannotApprove as error:
        for one in error.findings:
            flash(f"{say(one.message)} {say(one.hint)}", "danger")
    else:
        place.services.watch(correction)
        place.wake(correction.seller_id)
        flash(t("Zatwierdzono; korekta jest w drodze.", "Approved; the correction is on its way."), "success")
    return redirect(url_for("proposals.index"))


@proposing.post("/<int:proposal_id>/decline")
@login_required  # type: ignore[untyped-decorator]
def decline(proposal_id: int) -> Response:
    """Leave the invoice as it is."""
    services = here().services
    try:
        with services.database.begin() as session:
            row = _the_proposal(session, proposal_id)
            proposals.decline(session, row, access.me().id, services.clock())
            _audit(session, "proposal.declined", row)
    except proposals.AlreadyDecided:
        flash(t("O tym zgłoszeniu już zdecydowano.", "This report was decided before."), "warning")
    else:
        flash(t("Zgłoszenie odrzucono.", "The report was declined."), "success")
    return redirect(url_for("proposals.index"))


def _the_proposal(session: Session, proposal_id: int) -> BuyerProposal:
    row = session.get(BuyerProposal, proposal_id) if proposal_id < 2**63 else None
    if row is None:
        abort(404)
    access.the_document(session, row.document_id, Right.OPERATE)
    return row


def _audit(session: Session, action: str, row: BuyerProposal) -> None:
    details = {"document": row.document_id, "nip": row.nip}
    access.audit(session, action, f"proposal:{row.id}", row.document.seller_id, details)


def _row(session: Session, proposal: BuyerProposal) -> _Row:
    register = None
    if proposal.nip:
        register = session.scalar(
            select(RegisterAnswer).where(
                RegisterAnswer.register == "vat-list", RegisterAnswer.number == proposal.nip
            )
        )
    return _Row(
        proposal,
        proposal.document,
        sheet.buyer_now(session, proposal.document),
        proposals.weigh(here().services, session, proposal),
        register,
    )
