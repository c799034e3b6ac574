"""The blueprint that the views of stores share, and what several of them need."""

from __future__ import annotations

from flask import Blueprint, abort
from sqlalchemy.orm import Session

from connector_app.store.models import Store
from connector_app.store.recovered import PLATFORM as RECOVERED
from connector_app.web import access
from connector_app.web.access import Right

stores = Blueprint("stores", __name__, template_folder="templates")


def the_shop(session: Session, code: str, right: Right, *, closed: bool = False) -> Store:
    """A store that is a real shop, or 404; 403 when the person sees it and may not do this.

    Args:
        session: to read with.
        code: of the store.
        right: what is needed.
        closed: one that was removed will do too.
    """
    row = access.the_store(session, code, right)
    if row.platform == RECOVERED or (row.closed_at is not None and not closed):
        abort(404)
    return row
