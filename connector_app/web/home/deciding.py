"""The decisions that home offers for a document with one click."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from connector_app.documents.actions import Action, loading, possible
from connector_app.documents.wording import ActionName
from connector_app.store.models import Document
from connector_app.web import access
from connector_app.web.access import Right

_ONE_CLICK = (ActionName.ISSUE, ActionName.SEND_AGAIN, ActionName.WITHDRAW, ActionName.CLOSE)


def decisions(session: Session, ids: Collection[int]) -> dict[int, list[Action]]:
    """What the current person can decide about some documents at once, by document.

    Args:
        session: for reading.
        ids: of documents that the person may see.
    """
    rows = session.scalars(select(Document).where(Document.id.in_(ids)).options(*loading()))
    return {
        row.id: [one for one in possible(row) if one.allowed and one.name in _ONE_CLICK]
        for row in rows
        if access.may(session, row.seller_id, Right.OPERATE)
    }
