"""Accounts as stored: made, found by e-mail and password."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from connector_app.store.people import Invitation, Membership, Role, User

SHORTEST_PASSWORD = 10
"""Characters."""
_FIRST_LINK = timedelta(days=7)
_hasher = PasswordHasher()
_NOBODY = _hasher.hash(secrets.token_urlsafe(16))


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


def first_invitation(session: Session, now: datetime) -> str | None:
    """A fresh one-time token for the first account; ``None`` when there is an account.

    The tokens of earlier starts end with it.
    """
    if has_users(session):
        return None
    for old in session.scalars(select(Invitation).where(Invitation.used_at.is_(None), Invitation.is_admin)):
        session.delete(old)
    token = secrets.token_urlsafe(24)
    session.add(
        Invitation(token_sha256=digest(token), is_admin=True, created_at=now, expires_at=now + _FIRST_LINK)
    )
    return token


def invitation(session: Session, token: str, now: datetime) -> Invitation | None:
    """An invitation that can still be used."""
    row = session.scalar(select(Invitation).where(Invitation.token_sha256 == digest(token)))
    return row if row is not None and row.used_at is None and row.expires_at > now else None
