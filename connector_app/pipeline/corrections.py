"""Corrections: a refund, or a cancellation, after the invoice becomes the next correcting invoice.

A correction names the KSeF number of what it corrects and states differences against the state after the
last correction. So it waits until the invoice is accepted and every earlier correction of the order is
settled, and the shop is asked for the refund's lines when it is about to be issued.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import joinedload

from adapters.contract import NotFound, ShopAdapter, ShopError, UnreadableOrder
from connector_app.byhand.plans import build_plan, sum_differs
from connector_app.pipeline import life, proposed
from connector_app.pipeline.buyers import correct_buyer, replace_invoice
from connector_app.pipeline.chain import Chain, chain_of, is_still_asked, read_document
from connector_app.pipeline.changes import zero_by_hand
from connector_app.pipeline.issue import ask_if_same, day_of_issue, freeze, issue
from connector_app.pipeline.offline import OfflinePlan
from connector_app.pipeline.purposes import (
    BUYER,
    PROPOSAL,
    REASONS,
    REFUND,
    WITHDRAWN,
    plain,
    undone_by,
)
from connector_app.pipeline.services import Services, dump_text
from connector_app.profiles import Profile
from connector_app.store.lanes import of_document
from connector_app.store.models import INVOICE, Document, DocumentState
from connector_app.store.snapshots import from_json, refund_from_json, refund_to_json
from core.findings import Finding, Severity, Text
from core.invoices.attention import NeedsAttention
from core.invoices.corrections.build import CorrectionDraft
from core.invoices.corrections.others import to_zero, undo
from core.invoices.corrections.proof import ProofSheet
from core.invoices.corrections.refunds import correct
from core.invoices.model import InvoiceKind
from core.money import ZERO
from core.orders import Order, Refund


def issue_due(
    services: Services,
    document_id: int,
    shop_of: Callable[[int], ShopAdapter | None],
    offline: OfflinePlan | None = None,
) -> None:
    """Issue one document that is ready, an order's first one or a correction.

    Args:
        services: the outside world.
        document_id: the document.
        shop_of: connects the store of a document; asked for corrections only.
        offline: how to issue it offline; None for online.
    """
    if issue(services, document_id, offline).purpose != INVOICE:
        issue_correction(services, document_id, shop_of(document_id), offline)


def issue_correction(
    services: Services, document_id: int, shop: ShopAdapter | None, offline: OfflinePlan | None = None
) -> Document:
    """Issue one correction that is ready.

    Args:
        services: the outside world.
        document_id: a correction; in any other state than ``ready`` nothing happens.
        shop: the connected store; ``None`` when it does not answer in this pass.
        offline: how to issue it offline; None for online.

    Returns:
        The document as committed: ``issued``, ``attention`` with every reason, ``cancelled`` when the refund
        was deleted before, ``waiting`` for what it corrects, or still ``ready`` when the shop does not
        answer.
    """
    now = services.clock()
    with services.database() as session:
        seen = session.get_one(Document, document_id, options=[joinedload(Document.order)])
        if seen.state != DocumentState.READY or seen.xml_sha256 or seen.purpose == INVOICE:
            return seen
        profile = services.profile(seen.seller)
        code = seen.order.store.code
        chain = chain_of(session, seen)
        order = proposed.order_of(session, seen.order)
        by_proposal = seen.purpose.startswith(PROPOSAL)
        asked = proposed.is_still_asked(session, seen) if by_proposal else is_still_asked(seen, chain.earlier)
    missing = chain.waits_for()
    if missing is not None or not asked:
        return _cancel(services, document_id) if missing is None else _wait(services, document_id, missing)
    refund: Refund | None = None
    if seen.purpose.startswith(REFUND) and seen.plan is None:
        found = _refund(seen, shop)
        if not isinstance(found, Refund):
            return _no_refund(services, document_id, found)
        refund = found
    try:
        prepared, proof = _prepare(seen, chain, refund, order, profile)
    except NeedsAttention as attention:
        return ask_if_same(services, seen, attention.reasons)
    if prepared is None:
        return replace_invoice(services, seen, chain.state())
    if refund is not None and proof is not None:
        _keep_source(services, document_id, refund, proof)
    series = profile.numbering.series(InvoiceKind.CORRECTION, day_of_issue(seen, now), code)
    return freeze(services, seen, prepared.issue, series, now, offline)


def _wait(services: Services, document_id: int, missing: Text) -> Document:
    """Put a correction aside until :func:`~connector_app.pipeline.life.wake` brings it back."""
    with services.database.begin(of_document(document_id)) as session:
        row = session.get_one(Document, document_id, options=[joinedload(Document.order)])
        # accepted in this very moment by somebody else: nothing would wake it
        if row.state == DocumentState.READY and chain_of(session, row).waits_for() is not None:
            life.move(row, DocumentState.WAITING, missing, services.clock())
            row.waiting_for = dump_text(missing)
    services.watch(row)
    return row


_GONE = Finding(
    "order-gone",
    Severity.ERROR,
    "",
    Text(
        "Tego zamówienia nie ma już w sklepie, a faktura jest w KSeF. Pozycji zwrotu nie ma skąd wziąć.",
        "The shop no longer has this order, and its invoice is in KSeF. The refund's lines cannot be read.",
    ),
    Text(
        "Przywróć zamówienie w sklepie i ponów, albo wystaw korektę ręcznie i zamknij dokument.",
        "Restore the order in the shop and retry, or issue the correction by hand and close the document.",
    ),
)


def _cancel(services: Services, document_id: int) -> Document:
    """End a correction that nothing asks for any more, and let those go on that wait for it."""

    def cancel(row: Document) -> None:
        if row.state == DocumentState.READY and row.xml_sha256 is None:
            life.drop(row, services.clock())

    return life.change(services, document_id, cancel)


def _refund(document: Document, shop: ShopAdapter | None) -> Refund | ShopError | None:
    """The refund with its lines; ``None`` when neither the order nor the shop names it any more."""
    if document.refund is not None:
        return refund_from_json(document.refund)
    snapshot = document.order.snapshot
    if shop is None or snapshot is None:
        return ShopError("the shop does not answer")
    wanted = document.purpose.removeprefix(REFUND)
    order = from_json(snapshot)
    try:
        found = next((refund for refund in shop.refunds(order) if refund.id == wanted), None)
    except ShopError as error:
        return error
    if found is None and any(refund.id == wanted for refund in order.refunds):
        # a list read from a cache or a copy that lags: the order itself decides, once it is read again
        return ShopError("the list of refunds lacks this one")
    return found


def _no_refund(services: Services, document_id: int, why: ShopError | None) -> Document:
    now = services.clock()
    if why is None:
        return _cancel(services, document_id)
    if isinstance(why, UnreadableOrder | NotFound):
        finding = _unreadable(why) if isinstance(why, UnreadableOrder) else _GONE
        return life.change(services, document_id, lambda row: life.ask(row, [finding], now))
    text = Text(f"Sklep nie podał zwrotu: {why}", f"The shop did not give the refund: {why}")
    return life.postpone_one(services, document_id, text)


def _unreadable(error: UnreadableOrder) -> Finding:
    return Finding(
        "refund-unreadable",
        Severity.ERROR,
        error.path,
        Text(
            f"Danych zwrotu ze sklepu nie da się odczytać ({error.path}): {error.message}",
            f"The refund's data from the shop cannot be read ({error.path}): {error.message}",
        ),
        Text(
            "Popraw zwrot w sklepie i ponów, albo wystaw korektę ręcznie.",
            "Correct the refund in the shop and retry, or issue the correction by hand.",
        ),
    )


def _prepare(
    document: Document, chain: Chain, refund: Refund | None, order: Order | None, profile: Profile
) -> tuple[CorrectionDraft | None, ProofSheet | None]:
    """Build what the document's purpose asks for; a refund comes with its proof.

    Returns:
        No draft when the invoice has to be replaced.

    Raises:
        NeedsAttention: with every reason.
    """
    policy = profile.corrections
    if document.plan is not None:
        return _planned(document, chain, profile), None
    if refund is not None:
        return correct(chain.state(), refund, policy)
    if document.purpose.startswith((BUYER, PROPOSAL)) and order is not None:
        made = correct_buyer(chain.state(), order, profile)
        if made is None and chain.hand_made:
            raise NeedsAttention([zero_by_hand()])
        return made, None
    if document.purpose.startswith(WITHDRAWN):
        undone = next(row for row in chain.earlier if row.purpose == undone_by(document.purpose))
        return undo(chain.state(), read_document(undone), "Zwrot cofnięty", policy), None
    if chain.hand_made:
        raise NeedsAttention([zero_by_hand()])
    return to_zero(chain.state(), REASONS[plain(document.purpose)], policy), None


def _planned(document: Document, chain: Chain, profile: Profile) -> CorrectionDraft | None:
    """What a person wrote; the correction of a refund takes off just what was given back."""
    order = from_json(document.order.snapshot) if document.order.snapshot is not None else None
    made = build_plan(document.plan or {}, chain.state(), order, profile)
    if made is None and chain.hand_made:
        raise NeedsAttention([zero_by_hand()])
    if made is not None and plain(document.purpose).startswith(REFUND):
        expected = document.total or ZERO
        if made.invoice.total != expected:
            raise NeedsAttention([sum_differs(expected, made.invoice.total, document.currency or "")])
    return made


def _keep_source(services: Services, document_id: int, refund: Refund, proof: ProofSheet) -> None:
    def keep(row: Document) -> None:
        row.refund, row.refund_proof = refund_to_json(refund), proof.as_json()

    life.change(services, document_id, keep, watch=False)
