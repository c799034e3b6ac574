"""Tokens of the interface: one seller's, shown once, kept as SHA-256."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from connector_app.pipeline.services import Services
from connector_app.store.machines import ApiToken
from connector_app.store.sessions import lane_of

PREFIX = "ksefc_"
"""So that a token that leaked can be recognised."""
_SEEN_EVERY = timedelta(minutes=1)


def digest(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def make(
    session: Session, seller_id: int, name: str, now: datetime, *, writes: bool, by: int | None
) -> tuple[ApiToken, str]:
    """Make a token.

    Args:
        session: of a writing transaction.
        seller_id: whose.
        name: for people.
        now: aware UTC.
        writes: it may change things.
        by: account that makes it.

    Returns:
        Its row, and the token, which cannot be shown again.
    """
    token = PREFIX + secrets.token_urlsafe(32)
    row = ApiToken(
        seller_id=seller_id,
        name=name,
        token_sha256=digest(token),
        writes=writes,
        created_by=by,
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row, token


def find(services: Services, token: str) -> ApiToken | None:
    """The token that somebody came with, if it is one and was not revoked; that it was used is kept."""
    with services.database() as session:
        row = session.scalar(select(ApiToken).where(ApiToken.token_sha256 == digest(token)))
    if row is None or row.revoked_at is not None:
        return None
    now = services.clock()
    if row.used_at is None or now - row.used_at >= _SEEN_EVERY:
        with services.database.begin(lane_of(f"token {row.id}")) as session:
            session.get_one(ApiToken, row.id).used_at = now
    return row


def revoke(row: ApiToken, now: datetime) -> None:
    """End a token at once; ending it again changes nothing."""
    row.revoked_at = row.revoked_at or now
