"""Follow: what became of a batch, and of each of its documents by the hash of its bytes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from connector_app.ksef_access import SellerAccess
from connector_app.pipeline import life
from connector_app.pipeline.services import Services, dump_text
from connector_app.pipeline.track import apply_fate, asks_for_search
from connector_app.store.lanes import of_batch
from connector_app.store.models import Batch, BatchState, Document, DocumentState, ShopOrder
from core.findings import Text
from core.ksef import status
from core.ksef.answers import DocumentState as KsefState
from core.ksef.answers import SessionStatus
from core.ksef.batch.package import Package
from core.ksef.batch.results import Result, results
from core.ksef.batch.session import OpenBatch
from core.ksef.errors import Expired, InvalidSession, ProofMismatch

_POLLS = (1, 2, 4, 8, 15, 30, 60)
_CHUNK = 50
PROCESSING = Text("KSeF przetwarza sesję wsadową.", "KSeF is processing the batch session.")
_TOLD_BY_DOCUMENT = frozenset({200, 445})
"""Codes of a session whose documents each have a status: processed, or no valid document at all."""


def follow(services: Services, batch: Batch, access: SellerAccess) -> Batch:
    """Ask KSeF for the result of a closed batch.

    Args:
        services: the outside world.
        batch: closed.
        access: the seller's sign-in.

    Returns:
        The batch as committed: still ``closed``, ``done``, or ``failed`` when KSeF took none of it.

    Raises:
        KsefError: KSeF does not answer or does not let us in.
    """
    opened = OpenBatch.from_dict(stored_in(services, batch))
    try:
        where = access.call(lambda token: status.session(access.client, token, opened.reference))
        if where.is_open or where.is_processing:
            return _poll_later(services, batch.id)
        if where.code not in _TOLD_BY_DOCUMENT:
            return _failed(services, batch, opened, where)
        told = access.call(lambda token: list(results(access.client, token, opened)))
    except (InvalidSession, Expired, ProofMismatch):
        # not to be looked into
        return end(services, batch, opened.package, BatchState.FAILED)
    for begin in range(0, len(told), _CHUNK):
        _settle(services, batch, told[begin : begin + _CHUNK])
    return end(services, batch, opened.package, BatchState.DONE)


def _poll_later(services: Services, batch_id: int) -> Batch:
    now = services.clock()
    with services.database.begin(of_batch(batch_id)) as session:
        row = session.get_one(Batch, batch_id)
        row.next_attempt_at = now + timedelta(seconds=_POLLS[min(row.attempts, len(_POLLS) - 1)])
        row.attempts += 1
        row.waiting_for, row.updated_at = dump_text(PROCESSING), now
    return row


def _settle(services: Services, batch: Batch, told: Sequence[Result]) -> None:
    """Note the fate of some documents in one transaction; what needs another look is tracked by itself."""
    now = services.clock()
    with services.database.begin(batch.seller_id) as session:
        query = (
            select(Document)
            .options(joinedload(Document.order).joinedload(ShopOrder.store))
            .where(Document.id.in_(int(one.document.key) for one in told), Document.batch_id == batch.id)
        )
        rows = {row.id: row for row in session.scalars(query)}
        for one in told:
            row, fate = rows.get(int(one.document.key)), one.status
            if row is None or fate is None:
                continue  # not listed: see end
            row.batch_id = None
            row.document_reference = fate.reference
            row.tried_sessions = [*(row.tried_sessions or []), batch.reference or ""]
            if fate.upo_url is not None:
                row.upo_address = services.vault.seal({"url": fate.upo_url})
            if fate.state is KsefState.PROCESSING or asks_for_search(row, fate):
                row.next_attempt_at, row.updated_at = None, now
            else:
                apply_fate(services, row, fate)
    for row in rows.values():
        services.watch(row)


def _failed(services: Services, batch: Batch, opened: OpenBatch, where: SessionStatus) -> Batch:
    """KSeF took nothing: the documents go again after a pause, singly when it fails again."""
    explained = where.explanation
    why = Text(
        f"KSeF odrzucił sesję wsadową ({where.code}): {explained.title.pl}. {explained.action.pl}".strip(),
        f"KSeF refused the batch session ({where.code}): {explained.title.en}. {explained.action.en}".strip(),
    )
    return end(services, batch, opened.package, BatchState.FAILED, why)


def end(
    services: Services, batch: Batch, package: Package, state: BatchState, why: Text | None = None
) -> Batch:
    """End a batch: delete its files, and let the documents without a result go again.

    Should KSeF have one of them after all, it answers the same bytes with 440, and the session is among
    those in which the original is looked for.

    Args:
        services: the outside world.
        batch: packed at the least.
        package: its files.
        state: ``done`` or ``failed``.
        why: for the documents that go again.

    Returns:
        The batch as committed.
    """
    now = services.clock()
    why = why or Text(
        "Wynik sesji wsadowej nie wymienia tego dokumentu; zostanie wysłany ponownie.",
        "The result of the batch session does not name this document; it is sent again.",
    )
    with services.database.begin(batch.seller_id) as session:
        left = list(session.scalars(select(Document).where(Document.batch_id == batch.id)))
        for document in left:
            _let_go(document, batch.reference or "", why, now)
            document.waiting_for = None
            if state is BatchState.FAILED:
                document.waiting_for = dump_text(why)
                document.next_attempt_at = now + life.pause_after(1)
        row = session.get_one(Batch, batch.id)
        row.state, row.updated_at, row.next_attempt_at = state.value, now, None
        row.package = None
        row.waiting_for = dump_text(why) if state is BatchState.FAILED else None
    package.remove_files()
    for document in left:
        services.watch(document)
    return row


def _let_go(document: Document, reference: str, why: Text, now: datetime) -> None:
    document.batch_id = None
    document.state = DocumentState.ISSUED.value
    document.session_reference = document.document_reference = None
    if reference:
        document.tried_sessions = [*(document.tried_sessions or []), reference]
    life.note(document, why, now)


def stored_in(services: Services, batch: Batch) -> dict[str, Any]:
    """What a batch keeps sealed: its package, or its open session.

    Raises:
        VaultLocked: it cannot be decrypted.
    """
    stored = services.vault.unseal(batch.package or "")
    if not isinstance(stored, dict):
        raise TypeError("a stored batch must be a table")
    return stored
