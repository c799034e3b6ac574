"""What a person can do with a document, why not where it cannot be done, and doing it.

Each action changes one row inside the caller's transaction; the pipeline does the work in its next pass. All
of them are safe to repeat: what was done already is no longer possible.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, object_session, selectinload

from adapters.contract import Channel
from connector_app.documents import obstacles
from connector_app.documents.wording import WORDS, ActionName
from connector_app.pipeline import life, offline
from connector_app.pipeline.claims import NotLinkable, candidates, is_ended_upload, unlink
from connector_app.pipeline.intake import decide_order
from connector_app.recovery.linking import link_in
from connector_app.store.models import INVOICE, Document, DocumentState, MailState, ShopOrder
from connector_app.store.recovered import NO_SHOPS
from connector_app.store.snapshots import from_json
from core.findings import SaidError, Text

IN_BULK = (
    ActionName.ISSUE,
    ActionName.SEND_AGAIN,
    ActionName.PUBLISH_AGAIN,
    ActionName.MAIL_AGAIN,
    ActionName.WITHDRAW,
    ActionName.RESTORE,
    ActionName.CLOSE,
)
"""Actions that make sense for many documents at once."""

_REPEATABLE = frozenset({Channel.PRIVATE_NOTE, Channel.CUSTOMER_NOTE, Channel.METADATA, Channel.TAG})
"""Channels where an earlier copy is found; an order's state has moved on since, and an e-mail is gone."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do with one document.

    Attributes:
        name: see :class:`ActionName`. label: for a button. says: what happens when it is done.
        why_not: why it cannot be done now; ``None`` when it can.
    """

    name: ActionName
    label: Text
    says: Text
    why_not: Text | None

    @property
    def allowed(self) -> bool:
        """Whether it can be done now."""
        return self.why_not is None


class NotPossible(SaidError):
    """A document that an action cannot be done with.

    Attributes:
        text: why.
    """


def loading() -> tuple[Any, ...]:
    """What a query for documents loads so that :func:`possible` asks nothing more."""
    return (
        joinedload(Document.order).joinedload(ShopOrder.store),
        joinedload(Document.seller),
        selectinload(Document.mails),
    )


def possible(document: Document) -> list[Action]:
    """What can be done with a document, and what cannot and why; in the order of buttons.

    Args:
        document: loaded inside an open session.
    """
    return [_action(name, document) for name in ActionName]


def can(document: Document, name: ActionName) -> Action:
    """One of :func:`possible`."""
    return _action(name, document)


def _action(name: ActionName, document: Document) -> Action:
    label, says = WORDS[name]
    if name is ActionName.ISSUE and document.purpose != INVOICE:
        label = Text("Wystaw korektę", "Issue the correction")
    elif name is ActionName.ISSUE and document.state == DocumentState.ATTENTION:
        label = Text("Sprawdź ponownie i wystaw", "Check again and issue")
    return Action(name, label, says, _RULES[name](document))


def perform(document: Document, name: ActionName, now: datetime, *, recovered_id: int = 0) -> list[Document]:
    """Do something with a document.

    Args:
        document: loaded inside a writing transaction of the caller's.
        name: what.
        now: aware UTC.
        recovered_id: for ``link``, the recovered invoice.

    Returns:
        The documents that were changed.

    Raises:
        NotPossible: it cannot be done now.
    """
    why_not = _RULES[name](document)
    if why_not is not None:
        raise NotPossible(why_not)
    if name is ActionName.LINK:
        return _link(document, recovered_id, now)
    try:
        return _DOES[name](document, now) or [document]
    except (life.NothingToRetry, life.NothingToClose, offline.NothingToIssue):
        raise NotPossible(obstacles.in_state(document)) from None


def retry(document: Document, now: datetime) -> list[Document]:
    """Try a document again in whatever way its state asks for.

    Raises:
        NotPossible: another try cannot move it.
    """
    for name in (ActionName.ISSUE, ActionName.SEND_AGAIN, ActionName.PUBLISH_AGAIN):
        if can(document, name).allowed:
            return perform(document, name, now)
    raise NotPossible(obstacles.cannot_issue(document) or obstacles.in_state(document))


def choices_to_link(document: Document) -> list[Document]:
    """The recovered invoices that may be those of a document's order; loaded with the same session."""
    session = object_session(document)
    if session is None or obstacles.cannot_link(document) is not None:
        return []
    return candidates(session, document.seller_id, document.order.number)


def _issue(document: Document, now: datetime) -> list[Document] | None:
    if document.state != DocumentState.WAITING:
        life.again(document, now)
        return None
    document.issue_asked = True
    document.seller.hold = None
    return _decide(document, now)


def _decide(document: Document, now: datetime) -> list[Document] | None:
    """Decide an invoice anew by what the shop said last; it may have come back from KSeF meanwhile."""
    row = document.order
    if row.snapshot is None:
        life.move(document, DocumentState.READY, _READ_AGAIN, now)
        return None
    return decide_order(_session(document), row.store, row, from_json(row.snapshot), now)


def _publish(document: Document, now: datetime) -> None:
    if document.state != DocumentState.PUBLISHED:
        life.again(document, now)
        return
    for row in document.publications:
        if row.channel in _REPEATABLE:
            row.done_at = None
    life.move(document, DocumentState.ACCEPTED, _PUBLISH, now)


def _mail(document: Document, now: datetime) -> None:
    for row in document.mails:
        if row.state in obstacles.MAIL_ENDS:
            row.state, row.attempts, row.next_attempt_at = MailState.DUE.value, 0, None
            life.note(document, _MAIL, now)


def _withdraw(document: Document, now: datetime) -> None:
    document.attention = None
    document.issue_asked = document.offline_asked = False
    document.closed_at = now
    life.move(document, DocumentState.CANCELLED, _WITHDRAWN, now)


def _restore(document: Document, now: datetime) -> list[Document] | None:
    document.closed_at = None
    life.note(document, _RESTORED, now)
    return _decide(document, now)


def _close(document: Document, now: datetime) -> list[Document] | None:
    """A file that KSeF refused no longer keeps a shop's order from its invoice."""
    life.close(document, now)
    of_shop = document.order.store.platform not in NO_SHOPS
    if document.purpose != INVOICE or not of_shop or not is_ended_upload(document):
        return None
    session = _session(document)
    row = unlink(session, document, now)
    if row.snapshot is None:
        return None
    return [document, *decide_order(session, row.store, row, from_json(row.snapshot), now)]


def _link(document: Document, recovered_id: int, now: datetime) -> list[Document]:
    """What has to be true is looked at again: the list of candidates is from another moment."""
    session = _session(document)
    found = [one for one in choices_to_link(document) if one.id == recovered_id]
    if not found:
        raise NotPossible(_NOT_LINKABLE)
    try:
        return link_in(session, recovered_id, document.order_id, now)
    except NotLinkable:
        raise NotPossible(_NOT_LINKABLE) from None


def _session(document: Document) -> Session:
    session = object_session(document)
    assert session is not None, "a document is changed inside a transaction"
    return session


def load(session: Session, ids: list[int]) -> list[Document]:
    """Documents with what :func:`possible` looks at, newest first."""
    query = select(Document).where(Document.id.in_(ids)).options(*loading()).order_by(Document.id.desc())
    return list(session.scalars(query))


_READ_AGAIN = Text("Zamówienie zostanie odczytane ponownie.", "The order is read again.")
_PUBLISH = Text(
    "Człowiek polecił sprawdzić wpisy w sklepie i uzupełnić brakujące.",
    "A person asked to look at the shop's notes and to write what is missing.",
)
_MAIL = Text("E-mail ponowiono na prośbę człowieka.", "A person asked to send the e-mail again.")
_WITHDRAWN = Text(
    "Człowiek wycofał fakturę przed wystawieniem: zamówienie nie będzie fakturowane.",
    "A person withdrew the invoice before it was issued: the order is not invoiced.",
)
_RESTORED = Text("Człowiek cofnął wycofanie faktury.", "A person took the withdrawal back.")
_NOT_LINKABLE = Text(
    "Tej odzyskanej faktury nie da się połączyć z tym zamówieniem.",
    "This recovered invoice cannot be linked with this order.",
)

_RULES: Mapping[ActionName, Callable[[Document], Text | None]] = {
    ActionName.ISSUE: obstacles.cannot_issue,
    ActionName.ISSUE_OFFLINE: obstacles.cannot_issue_offline,
    ActionName.SEND_AGAIN: obstacles.cannot_send,
    ActionName.PUBLISH_AGAIN: obstacles.cannot_publish,
    ActionName.MAIL_AGAIN: obstacles.cannot_mail,
    ActionName.WITHDRAW: obstacles.cannot_withdraw,
    ActionName.RESTORE: obstacles.cannot_restore,
    ActionName.CLOSE: obstacles.cannot_close,
    ActionName.LINK: obstacles.cannot_link,
}
_DOES: Mapping[ActionName, Callable[[Document, datetime], list[Document] | None]] = {
    ActionName.ISSUE: _issue,
    ActionName.ISSUE_OFFLINE: offline.ask_for,
    ActionName.SEND_AGAIN: life.again,
    ActionName.PUBLISH_AGAIN: _publish,
    ActionName.MAIL_AGAIN: _mail,
    ActionName.WITHDRAW: _withdraw,
    ActionName.RESTORE: _restore,
    ActionName.CLOSE: _close,
}
