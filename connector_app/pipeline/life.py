"""Moves of a document between its states, each with its reason in the life line."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, object_session

from connector_app.log_events import Said
from connector_app.logs import Fact, Log
from connector_app.pipeline.purposes import BY_HAND, HAND, WRONG_BUYER, chapter, plain
from connector_app.pipeline.services import Services, dump_text
from connector_app.store.lanes import of_document
from connector_app.store.models import INVOICE, Batch, Document, DocumentState, Event
from connector_app.store.recovered import NEVER
from connector_app.store.sessions import after_commit
from connector_app.store.uploaded import is_uploaded
from core.findings import Finding, Text

_log = Log(__name__)

PAUSES = (2, 5, 15, 60, 300, 900, 3600)
"""Seconds before the next try after one, two, three ... failures."""

UNDECIDED = frozenset({DocumentState.WAITING, DocumentState.READY, DocumentState.ATTENTION})
"""States of a document that was not issued and may still be."""

_WRONG_CONTENT = frozenset({415, 430, 450})
"""Refusals (status of a document) that the same bytes would meet again."""
_POLLS = (0.5, 1, 2, 4, 8, 15, 30, 60)
_JITTER = 0.2
_LONGEST_PAUSE = 86_400.0
_PROOF_TRIES = 30
"""Tries for a proof, over a day, before it is asked for once a day only."""


Change = Callable[[Document], None]
"""Changes a document inside a transaction."""


class NothingToRetry(Exception):
    """A document that another try cannot move: a change corrected by hand, or of a replaced invoice."""


class NothingToClose(Exception):
    """A document that cannot be closed: an invoice, or one that KSeF may have or that needs nobody."""


def change(services: Services, document_id: int, apply: Change, *, watch: bool = True) -> Document:
    """Change one document in a transaction of its own and tell whoever watches.

    Args:
        services: the outside world.
        document_id: the document.
        apply: changes the row.
        watch: ``False`` for changes that mean nothing to a person.

    Returns:
        The document as committed.
    """
    with services.database.begin(of_document(document_id)) as session:
        document = session.get_one(Document, document_id, options=[joinedload(Document.order)])
        apply(document)
    if watch:
        services.watch(document)
    return document


def move(document: Document, state: DocumentState, reason: Text, now: datetime) -> None:
    """Put a document into a state and write down why; what it waited for is over."""
    document.state = state.value
    document.attempts = 0
    document.next_attempt_at = None
    document.waiting_for = None
    note(document, reason, now)


def note(document: Document, reason: Text, now: datetime) -> None:
    """Add a line to the life of a stored document without moving it."""
    document.updated_at = now
    session = _session_of(document)
    _log_later(session, document)
    # not through the relationship, which would read the whole life first
    session.add(Event(document_id=document.id, at=now, state=document.state, text=dump_text(reason)))


def _log_later(session: Session, document: Document) -> None:
    """A line of the log for a line of life, once it is committed; the state is taken as it is now."""
    ids: dict[str, Fact] = {
        "document_id": document.id,
        "seller_id": document.seller_id,
        "store_id": document.store_id,
        "order_id": document.order_id,
        "state": document.state,
        "session": document.session_reference,
    }
    after_commit(session, lambda: _log.info(Said.DOCUMENT_LIFE, **ids))


def ask(document: Document, findings: Sequence[Finding], now: datetime) -> None:
    """Hand a document to a person, with every reason."""
    document.attention = [finding.as_json() for finding in findings]
    move(
        document,
        DocumentState.ATTENTION,
        Text(" ".join(one.message.pl for one in findings), " ".join(one.message.en for one in findings)),
        now,
    )


def pause_after(attempts: int, *, at_least: float = 0.0) -> timedelta:
    """How long to wait after so many failures before this one.

    Args:
        attempts: failures before.
        at_least: seconds that the other side asked to wait (Retry-After); a day at the most.
    """
    # many documents that failed together must not all come back in the same second
    spread = 1 + random.uniform(0, _JITTER)  # noqa: S311  not a secret
    pause = PAUSES[min(attempts, len(PAUSES) - 1)] * spread
    return timedelta(seconds=max(pause, min(at_least, _LONGEST_PAUSE)))


def pause_for_proof(attempts: int) -> timedelta:
    """How long to wait for a proof that did not come: at the end once a day, for a proof is never given up.

    Args:
        attempts: tries before.
    """
    return pause_after(attempts, at_least=_LONGEST_PAUSE if attempts >= _PROOF_TRIES else 0.0)


def postpone(document: Document, why: Text, now: datetime, *, at_least: float = 0.0) -> None:
    """Try again later: pauses grow with every failure, and the state says what is waited for.

    Args:
        document: stays in its state.
        why: what is missing.
        now: aware UTC.
        at_least: seconds that the other side asked to wait (Retry-After).
    """
    document.next_attempt_at = now + pause_after(document.attempts, at_least=at_least)
    document.attempts += 1
    document.waiting_for = dump_text(why)
    document.updated_at = now


def postpone_one(services: Services, document_id: int, why: Text, *, at_least: float = 0.0) -> Document:
    """:func:`postpone` in a transaction of its own."""
    return change(services, document_id, lambda row: postpone(row, why, services.clock(), at_least=at_least))


def tries(document: Document, why: Text) -> int:
    """How many tries in a row ended for this very reason."""
    return document.attempts if document.waiting_for == dump_text(why) else 0


def poll_later(document: Document, why: Text, now: datetime) -> None:
    """Ask again soon: nothing failed, the other side is still at work."""
    tried = tries(document, why)
    document.next_attempt_at = now + timedelta(seconds=_POLLS[min(tried, len(_POLLS) - 1)])
    document.attempts = tried + 1
    document.waiting_for = dump_text(why)
    document.updated_at = now


def is_idle(document: Document) -> bool:
    """Whether nothing of a document is under way or broken that another try could move."""
    idle = {DocumentState.PUBLISHED, DocumentState.WAITING}
    if document.purpose == INVOICE or (chapter(document.purpose) and plain(document.purpose) != WRONG_BUYER):
        idle.add(DocumentState.CANCELLED)
    return document.state in idle or document.next_attempt_at == NEVER


def is_final_upload(document: Document) -> bool:
    """Whether a document is an uploaded file that nothing but another file helps: its bytes are not ours."""
    if not is_uploaded(document):
        return False
    refused = document.state == DocumentState.REJECTED and document.refusal_code in _WRONG_CONTENT
    return document.xml_sha256 is None or document.state == DocumentState.CANCELLED or refused


def again(document: Document, now: datetime) -> None:
    """Try a document again because a person asked, at once even when the seller's lane waits.

    Without XML it is decided anew from its order, and so is what KSeF refused for its content, under the
    number it has: a refused document was never an invoice. Other XML goes again as the very same bytes,
    which KSeF answers with 440 when it has them; with a KSeF number only the shop is written to.

    Raises:
        NothingToRetry: a changed order, whose correction a person makes by hand, what was cancelled with
            an invoice that was replaced, or an uploaded file that KSeF refused for its content.
    """
    if document.purpose.startswith((*BY_HAND, HAND)) and document.plan is None:
        raise NothingToRetry(f"document {document.id} stands for a change that is corrected by hand")
    if is_final_upload(document):
        raise NothingToRetry(f"document {document.id} was uploaded: a corrected file takes its place")
    of_replaced = chapter(document.purpose) and plain(document.purpose) != WRONG_BUYER
    if of_replaced and document.state == DocumentState.CANCELLED:
        raise NothingToRetry(f"document {document.id} belongs to an invoice that was replaced")
    asked = Text("Ponowiono na prośbę człowieka.", "Retried because a person asked.")
    document.seller.hold = None
    document.proof_attempts, document.proof_next_at = 0, None
    if document.state == DocumentState.CANCELLED and document.purpose != INVOICE:
        # closed or dropped before: whether it is still asked for is found out when it is issued
        document.closed_at = None
        if document.xml_sha256 is not None:
            begin_anew(document, now)
        move(document, DocumentState.READY, asked, now)
        return
    if document.state not in {DocumentState.ATTENTION, DocumentState.REJECTED}:
        document.attempts, document.next_attempt_at = 0, None
        if document.batch_id is not None:
            _session_of(document).get_one(Batch, document.batch_id).next_attempt_at = None
        note(document, asked, now)
        return
    is_wrong = document.state == DocumentState.REJECTED and document.refusal_code in _WRONG_CONTENT
    document.attention = document.refusal_code = document.refusal_text = None
    if is_wrong:
        begin_anew(document, now)
    if document.ksef_number is not None:
        move(document, DocumentState.ACCEPTED, asked, now)
    elif document.xml_sha256 is not None:
        document.session_reference = document.document_reference = None
        move(document, DocumentState.ISSUED, asked, now)
    else:
        move(document, DocumentState.READY, asked, now)


def begin_anew(document: Document, now: datetime) -> None:
    """Take the bytes that KSeF refused out of a document; its number stays, so the series has no gap.

    An offline document keeps its day and mode too: the buyer has it already, and what is made anew is its
    technical correction (``hashOfCorrectedInvoice``).

    Corrections that wait for an invoice that is made anew are cancelled: it says what the order says now.

    Args:
        document: stored, refused by KSeF.
        now: aware UTC.
    """
    text = Text(
        f"Odrzucony plik (SHA-256 {document.xml_sha256}) nie jest fakturą; dokument powstanie od nowa pod "
        f"numerem {document.number}.",
        f"The refused file (SHA-256 {document.xml_sha256}) is no invoice; the document is made anew under "
        f"number {document.number}.",
    )
    note(document, text, now)
    if document.offline_mode is not None:
        document.corrected_sha256 = document.corrected_sha256 or document.xml_sha256
    else:
        document.issued_on = document.issued_at = None
    document.xml = document.xml_sha256 = None
    document.session_reference = document.document_reference = None
    if document.purpose != INVOICE:
        return
    anew = Text("Faktura powstaje od nowa.", "The invoice is made anew.")
    for row in _of_order(document, *UNDECIDED):
        row.attention = None
        move(row, DocumentState.CANCELLED, anew, now)


def close(document: Document, now: datetime) -> None:
    """End a correction that no KSeF has, because a person says so.

    Raises:
        NothingToClose: an invoice, or a document that neither waits for a person nor was refused by KSeF.
    """
    asks = document.state == DocumentState.ATTENTION and document.xml_sha256 is None
    kept = document.purpose == INVOICE and not is_uploaded(document)
    if kept or not (asks or document.state == DocumentState.REJECTED):
        raise NothingToClose(f"document {document.id} cannot be closed")
    document.attention = None
    document.closed_at = now
    move(
        document, DocumentState.CANCELLED, Text("Zamknięto na prośbę człowieka.", "Closed by a person."), now
    )
    wake(document, now)


def is_withdrawn(document: Document) -> bool:
    """Whether a person took an invoice back before it was issued: what the shop says changes nothing then.

    An uploaded file that was closed is another thing: KSeF refused it, and only another file helps.
    """
    return (
        document.purpose == INVOICE
        and document.state == DocumentState.CANCELLED
        and document.closed_at is not None
        and not is_uploaded(document)
    )


def drop(document: Document, now: datetime) -> None:
    """Cancel a correction that KSeF does not have and the shop no longer asks for; others may go on.

    Args:
        document: stored, inside a transaction.
        now: aware UTC.
    """
    document.attention = None
    text = Text("W sklepie nie ma już tej zmiany.", "The shop no longer says this.")
    move(document, DocumentState.CANCELLED, text, now)
    wake(document, now)


def wake(settled: Document, now: datetime) -> None:
    """Let the corrections of an order go on that waited for this document of it.

    Args:
        settled: KSeF accepted it, or it will never come about; inside the transaction that says so.
        now: aware UTC.
    """
    text = Text("Korekta może powstać.", "The correction can be issued.")
    for row in _of_order(settled, DocumentState.WAITING):
        move(row, DocumentState.READY, text, now)


def _of_order(document: Document, *states: DocumentState) -> list[Document]:
    """The corrections of a stored document's invoice that stand in one of the states."""
    query = select(Document).where(
        Document.order_id == document.order_id, Document.purpose != INVOICE, Document.state.in_(states)
    )
    same = chapter(document.purpose)
    return [
        row
        for row in _session_of(document).scalars(query)
        if row.id != document.id and chapter(row.purpose) == same
    ]


def _session_of(document: Document) -> Session:
    session = object_session(document)
    assert session is not None, "a document is changed inside a transaction"
    return session
