"""A buyer changed in the shop after the invoice: their data are corrected, or the invoice is replaced.

A wrong name or address is corrected with Podmiot2K. A wrong tax number cannot be: the invoice is corrected
to zero and a new one is issued (description of Podmiot2K in the schemas).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from connector_app.byhand.plans import planned_buyer
from connector_app.pipeline import deciding, life
from connector_app.pipeline.after_issue import after_issue
from connector_app.pipeline.changes import is_in_ksef_or_under_way
from connector_app.pipeline.issue import is_same
from connector_app.pipeline.purposes import (
    HAND,
    PROPOSAL,
    REASONS,
    REPLACED,
    WRONG_BUYER,
    chapter,
    is_invoice,
    plain,
)
from connector_app.pipeline.services import Services
from connector_app.profiles import Profile
from connector_app.store.documents import document_for
from connector_app.store.models import INVOICE, Document, DocumentState
from connector_app.store.overrides import kept
from connector_app.store.snapshots import from_json
from core.calendar import warsaw_day
from core.findings import Finding, Severity, Text
from core.invoices.attention import NeedsAttention
from core.invoices.buyers import buyer_of
from core.invoices.corrections.build import CorrectionDraft
from core.invoices.corrections.others import buyer_data, to_zero
from core.invoices.corrections.state import InvoiceState
from core.invoices.model import InvoiceKind
from core.money import ZERO
from core.orders import Order
from core.rulebook import CORRECTION_ASKED

_REASON = "Zmiana danych nabywcy"

_SAME = Finding(
    "buyer-unchanged",
    Severity.ERROR,
    "buyer",
    Text(
        "Faktura ma już te dane nabywcy: nie ma czego korygować.",
        "The invoice already has these data of the buyer: there is nothing to correct.",
    ),
    Text("Zamknij dokument (documents close).", "Close the document (documents close)."),
)


def correct_buyer(state: InvoiceState, order: Order, profile: Profile) -> CorrectionDraft | None:
    """The correction of a buyer's name or address, as the shop has them now.

    Args:
        state: the invoice as it stands, with its number in KSeF.
        order: as it is now.
        profile: the seller's settings.

    Returns:
        The correction, or ``None`` when the tax number differs, so that the invoice has to be replaced.

    Raises:
        NeedsAttention: the buyer's data cannot be used, the invoice has them already, or nothing is left of
            an invoice that would have to be replaced.
    """
    reasons: list[Finding] = []
    buyer, _ = buyer_of(order, profile.seller, profile.policy, reasons)
    if reasons:
        raise NeedsAttention(reasons)
    if buyer.tax_id != state.buyer.tax_id:
        # what the replacement begins with must be possible
        to_zero(state, REASONS[WRONG_BUYER], profile.corrections)
        return None
    if (buyer.name, buyer.address) == (state.buyer.name, state.buyer.address):
        raise NeedsAttention([_SAME])
    return buyer_data(state, buyer, _REASON)


def replace_invoice(services: Services, seen: Document, state: InvoiceState) -> Document:
    """Let a new invoice take the place of one with a wrong tax number, all in one transaction.

    The document that asked becomes the correction to zero. What belongs to the old invoice goes into a
    chapter of its own, and what of it KSeF does not have is cancelled. The new invoice is about the whole
    order, and the refunds that the shop names are corrected after it once more. What a person corrected by
    hand the shop's order does not say, so a person is asked whether the new invoice needs it too.

    Args:
        services: the outside world.
        seen: the document about the changed buyer, ready, as it was when the work began.
        state: the old invoice as it stands.

    Returns:
        The correction to zero, ready.
    """
    now = services.clock()
    with services.database.begin(seen.seller_id) as session:
        document = session.get_one(Document, seen.id)
        if not is_same(document, seen):
            return document
        order, store = document.order, document.order.store
        rows = list(session.scalars(select(Document).where(Document.order_id == order.id)))
        before = sum(is_invoice(row.purpose) and bool(chapter(row.purpose)) for row in rows)
        head = f"{REPLACED}{before + 1}/"
        current = [row for row in rows if not chapter(row.purpose)]
        by_hand = [row for row in current if row is not document and _is_wanted_by_hand(row)]
        gone = Text("Fakturę zastępuje nowa.", "The invoice is replaced by a new one.")
        for row in current:
            if row is not document and row.state in {*life.UNDECIDED, DocumentState.REJECTED}:
                row.attention = None
                life.move(row, DocumentState.CANCELLED, gone, now)
            row.purpose = f"{head}{WRONG_BUYER if row is document else row.purpose}"
        # the buyer that a person entered, else the shop's, whatever was entered before
        shop_order = from_json(order.snapshot or {})
        right = planned_buyer(document.plan)
        order.buyer_override = None if right is None else kept(right, shop_order)
        document.plan = None
        is_proposal = seen.purpose.startswith(PROPOSAL)
        document.total, document.currency = -state.total, state.original.currency
        session.flush()
        new = document_for(session, store, order, INVOICE, InvoiceKind.VAT, now)
        new.total, new.currency = state.original.total, state.original.currency
        new.buyer_name = right.name if right is not None else document.buyer_name
        if is_proposal:
            # what was approved stands for this buyer of the shop's, also while the new invoice waits
            new.buyer_fingerprint = document.buyer_fingerprint
        because = Text(
            f"Zastępuje fakturę {state.original.number} z błędnym numerem podatkowym.",
            f"Replaces invoice {state.original.number}, which has a wrong tax number.",
        )
        life.move(new, DocumentState.READY, because, now)
        more = _refunds_once_more(session, new, now)
        if by_hand:
            written = sum(plain(row.purpose).startswith(HAND) for row in rows)
            more.append(_ask_about(session, new, by_hand, f"{HAND}{written + 1}", now))
    for one in (document, new, *more):
        services.watch(one)
    return document


def _is_wanted_by_hand(row: Document) -> bool:
    """Whether a person wrote a correction of amounts that counts, or that was about to be issued."""
    counts = is_in_ksef_or_under_way(row) or row.state in life.UNDECIDED
    return row.purpose.startswith(HAND) and counts and bool(row.total)


def _ask_about(
    session: Session, new: Document, by_hand: Sequence[Document], purpose: str, now: datetime
) -> Document:
    row = document_for(session, new.order.store, new.order, purpose, InvoiceKind.CORRECTION, now)
    row.total = sum((one.total or ZERO for one in by_hand), ZERO)
    row.currency, row.buyer_name = new.currency, new.buyer_name
    life.ask(row, [_once_more(row)], now)
    deciding.keep_rule(row, CORRECTION_ASKED, warsaw_day(now))
    return row


def _once_more(row: Document) -> Finding:
    return Finding(
        "hand-made-once-more",
        Severity.ERROR,
        "",
        Text(
            f"Fakturę z ręczną korektą o {row.total} {row.currency} zastępuje nowa, na całe zamówienie ze "
            "sklepu: bez tej korekty.",
            f"An invoice that was corrected by hand by {row.total} {row.currency} is replaced by a new one, "
            "about the whole order of the shop: without that correction.",
        ),
        Text(
            "Gdy nowa faktura dostanie numer KSeF, wystaw tę korektę do niej („Wystaw korektę”) albo, jeśli "
            "jest zbędna, zamknij ten dokument.",
            "Once the new invoice has its KSeF number, issue that correction of it (Issue correction), or "
            "close this document if none is needed.",
        ),
        "art. 106j VAT act",
    )


def _refunds_once_more(session: Session, new: Document, now: datetime) -> list[Document]:
    """Let the corrections of an order's refunds wait for the invoice that takes the old one's place."""
    order = new.order
    found = from_json(order.snapshot) if order.snapshot is not None else None
    return after_issue(session, order.store, new, found, now) if found is not None and found.refunds else []
