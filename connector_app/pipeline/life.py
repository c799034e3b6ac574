"""Moves of a document between its states, each with its reason in the life line."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from connector_app.pipeline.services import Services, dump_text
from connector_app.store.models import Document, DocumentState, Event
from core.findings import Finding, Text

PAUSES = (2, 5, 15, 60, 300, 900, 3600)
"""Seconds before the next try after one, two, three ... failures."""

_JITTER = 0.2


def change(
    services: Services, document_id: int, apply: Callable[[Document], None], *, watch: bool = True
) -> Document:
    """Change one document in a transaction of its own and tell whoever watches.

    Args:
        services: the outside world.
        document_id: the document.
        apply: changes the row.
        watch: ``False`` for changes that mean nothing to a person.

    Returns:
        The document as committed.
    """
    with services.database.begin() as session:
        document = session.get_one(Document, document_id)
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
    """Add a line to the document's life without moving it."""
    document.updated_at = now
    document.events.append(Event(at=now, state=document.state, text=dump_text(reason)))


def ask(document: Document, findings: Sequence[Finding], now: datetime) -> None:
    """Hand a document to a person, with every reason."""
    document.attention = [finding.as_json() for finding in findings]
    move(
        document,
        DocumentState.ATTENTION,
        Text(" ".join(one.message.pl for one in findings), " ".join(one.message.en for one in findings)),
        now,
    )


def postpone(document: Document, why: Text, now: datetime, *, at_least: float = 0.0) -> None:
    """Try again later: pauses grow with every failure, and the state says what is waited for.

    Args:
        document: stays in its state.
        why: what is missing.
        now: aware UTC.
        at_least: seconds that the other side asked to wait (Retry-After).
    """
    # many documents that failed together must not all come back in the same second
    spread = 1 + random.uniform(0, _JITTER)  # noqa: S311  not a secret
    pause = PAUSES[min(document.attempts, len(PAUSES) - 1)] * spread
    document.attempts += 1
    document.next_attempt_at = now + timedelta(seconds=max(pause, at_least))
    document.waiting_for = dump_text(why)
    document.updated_at = now


def postpone_one(services: Services, document_id: int, why: Text, *, at_least: float = 0.0) -> Document:
    """:func:`postpone` in a transaction of its own."""
    return change(services, document_id, lambda row: postpone(row, why, services.clock(), at_least=at_least))


def poll_later(document: Document, now: datetime) -> None:
    """Ask again soon: nothing failed, the other side is still at work."""
    steps = (0.5, 1, 2, 4, 8, 15, 30, 60)
    document.next_attempt_at = now + timedelta(seconds=steps[min(document.attempts, len(steps) - 1)])
    document.attempts += 1
    document.waiting_for = dump_text(Text("KSeF przetwarza dokument.", "KSeF is processing the document."))
    document.updated_at = now


def again(document: Document, now: datetime) -> None:
    """Try a document again because a person asked: anew from its order, or the same bytes once more."""
    asked = Text("Ponowiono na prośbę człowieka.", "Retried because a person asked.")
    if document.state == DocumentState.ATTENTION and document.xml_sha256 is None:
        document.attention = None
        move(document, DocumentState.READY, asked, now)
    elif document.state == DocumentState.REJECTED:
        # the number was never accepted, so the same document may go again
        document.session_reference = document.document_reference = None
        document.refusal_code = document.refusal_text = None
        move(document, DocumentState.ISSUED, asked, now)
    else:
        document.attempts, document.next_attempt_at = 0, None
        note(document, asked, now)
