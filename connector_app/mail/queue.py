"""The list of messages to buyers: each document and occasion once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import object_session

from connector_app.pipeline.messages import occasion_of
from connector_app.policies import StorePolicy
from connector_app.store.models import Document, Mail, MailState


def queue(document: Document, now: datetime, *, offline: bool = False) -> None:
    """Put the message about a document on the list, if its store sends e-mails.

    Args:
        document: accepted, or issued offline; inside the transaction that says so.
        now: aware UTC.
        offline: it has no KSeF number yet.
    """
    if not StorePolicy.from_json(document.order.store.policy).mail:
        return
    session = object_session(document)
    assert session is not None, "a document is changed inside a transaction"
    occasion = occasion_of(document, offline=offline).value
    known = select(Mail.id).where(Mail.document_id == document.id, Mail.occasion == occasion)
    if session.scalar(known) is None:
        state = MailState.DUE.value
        session.add(Mail(document_id=document.id, occasion=occasion, state=state, attempts=0, created_at=now))
