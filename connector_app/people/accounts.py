"""Accounts as stored: made, found by e-mail and password; browsers that are signed in are ended here."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from connector_app.store.people import Invitation, Membership, Role, User, WebSession
from core.findings import SaidError, Text

SHORTEST_PASSWORD = 10
"""Characters."""
LONGEST_PASSWORD = 1024
"""Characters."""
_FIRST_LINK = timedelta(days=7)
_hasher = PasswordHasher()
_NOBODY = _hasher.hash(secrets.token_urlsafe(16))


class NotPossible(SaidError, ValueError):
    """A change of accounts that would do harm.

    Attributes:
        text: why, for a person. hint: what to do instead.
    """

    def __init__(self, text: Text, hint: Text) -> None:
        super().__init__(text)
        self.hint = hint


def digest(token: str) -> str:
    """What is stored of a secret that only its holder knows: SHA-256 in hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()


def has_users(session: Session) -> bool:
    """Whether the installation has an account already."""
    return session.scalar(select(User.id).limit(1)) is not None


def add_user(
    session: Session,
    email: str,
    password: str,
    now: datetime,
    *,
    name: str = "",
    language: str = "pl",
    is_admin: bool = False,
    roles: dict[int, Role] | None = None,
) -> User:
    """Make an account.

    Args:
        session: of a writing transaction.
        email: unique, any case.
        password: in the clear; only its Argon2id hash is kept.
        now: aware UTC.
        name: shown to others.
        language: ``pl`` or ``en``.
        is_admin: owner of the installation.
        roles: what the person may do, by seller id.
    """
    user = User(
        email=email.strip().lower(),
        name=name.strip() or email.strip(),
        password_hash=_hasher.hash(password),
        language=language,
        is_admin=is_admin,
        failures=0,
        created_at=now,
    )
    user.memberships = [
        Membership(seller_id=seller, role=role.value) for seller, role in (roles or {}).items()
    ]
    session.add(user)
    session.flush()
    return user


def by_email(session: Session, email: str) -> User | None:
    """The account of an e-mail address in any case."""
    return session.scalar(select(User).where(User.email == email.strip().lower()))


def is_password(user: User | None, password: str) -> bool:
    """Whether a password is the account's; takes the same time when there is no account."""
    try:
        return _hasher.verify(user.password_hash if user else _NOBODY, password) and user is not None
    except (VerificationError, InvalidHashError):
        return False


def set_password(user: User, password: str) -> None:
    """Keep the hash of a new password."""
    user.password_hash = _hasher.hash(password)


def refresh_hash(user: User, password: str) -> bool:
    """Hash a right password anew when the library's parameters have grown since; says whether it did."""
    if not _hasher.check_needs_rehash(user.password_hash):
        return False
    set_password(user, password)
    return True


def end_browsers(session: Session, user_id: int, now: datetime, *, but: int | None = None) -> int:
    """Sign an account out everywhere.

    Args:
        session: of a writing transaction.
        user_id: of the account.
        now: aware UTC.
        but: id of the one browser that stays signed in.

    Returns:
        How many browsers were signed out.
    """
    open_ones = [WebSession.user_id == user_id, WebSession.ended_at.is_(None), WebSession.expires_at > now]
    if but is not None:
        open_ones.append(WebSession.id != but)
    ids = list(session.scalars(select(WebSession.id).where(*open_ones)))
    session.execute(update(WebSession).where(WebSession.id.in_(ids)).values(ended_at=now))
    return len(ids)


def first_invitation(session: Session, now: datetime) -> str | None:
    """A fresh one-time token for the first account; ``None`` when there is an account.

    The tokens of earlier starts end with it.
    """
    if has_users(session):
        return None
    old = select(Invitation).where(
        Invitation.used_at.is_(None), Invitation.is_admin, Invitation.email.is_(None)
    )
    for one in session.scalars(old):
        session.delete(one)
    token = secrets.token_urlsafe(24)
    session.add(
        Invitation(token_sha256=digest(token), is_admin=True, created_at=now, expires_at=now + _FIRST_LINK)
    )
    return token


def invitation(session: Session, token: str, now: datetime) -> Invitation | None:
    """A link that can still be used, by its token."""
    row = session.scalar(select(Invitation).where(Invitation.token_sha256 == digest(token)))
    return row if row is not None and row.used_at is None and row.expires_at > now else None
