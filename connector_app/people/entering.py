"""Signing in, and proving once more that it is still the same person: counted, locked, written down."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from sqlalchemy.orm import Session

from connector_app.people import accounts, lockout, second_factor, trail
from connector_app.store.people import User
from connector_app.store.sessions import Sessions
from connector_app.vault import Vault


class Outcome(Enum):
    """What a try came to."""

    WRONG = "wrong"
    """Wrong, unknown, disabled or locked: nobody is told which."""
    CODE = "code"
    """The password is right; the second factor is still to come."""
    IN = "in"


def by_password(
    database: Sessions, email: str, password: str, now: datetime, address: str
) -> tuple[Outcome, User | None]:
    """Try an e-mail address and a password.

    Args:
        database: the installation's.
        email: as typed.
        password: as typed.
        now: aware UTC.
        address: IP address of whoever tries.

    Returns:
        What it came to, and the account unless it is wrong.
    """
    with database.begin() as session:
        user, counts = lockout.begin_try(session, email, now)
    # slow on purpose, so outside of every transaction; looked at even when it does not count
    right = accounts.is_password(user, password)
    if user is None or not counts:
        return Outcome.WRONG, None
    if not right:
        if user.locked_until is not None:
            with database.begin() as session:
                _tell_lock(session, user, now, address)
        return Outcome.WRONG, None
    with database.begin() as session:
        kept = session.get_one(User, user.id)
        if kept.disabled_at is not None or kept.password_hash != user.password_hash:
            return Outcome.WRONG, None  # it changed at this very moment
        accounts.refresh_hash(kept, password)
        lockout.was_right(kept, finished=kept.totp is None)
        if kept.totp is not None:
            return Outcome.CODE, kept
        _tell_sign_in(session, kept, now, address, "password")
    return Outcome.IN, kept


def by_code(
    database: Sessions, vault: Vault, user_id: int, code: str, now: datetime, address: str
) -> tuple[Outcome, User | None]:
    """Try a code of the second factor, after the password.

    Args:
        database: the installation's.
        vault: knows the account's secret.
        user_id: whose password was right.
        code: as typed: of the phone, or a recovery code.
        now: aware UTC.
        address: IP address of whoever tries.

    Raises:
        VaultLocked: the installation's key is another one than it was.
    """
    with database.begin() as session:
        user = session.get(User, user_id)
        if user is None or user.totp is None or user.disabled_at is not None or lockout.is_locked(user, now):
            return Outcome.WRONG, None
        locks = lockout.count(user, now)
        used = second_factor.use(session, vault, user, code, now)
        if used is None:
            if locks:
                _tell_lock(session, user, now, address)
            return Outcome.WRONG, None
        lockout.was_right(user, finished=True)
        _tell_sign_in(session, user, now, address, used)
    return Outcome.IN, user


def is_still(database: Sessions, user: User, password: str, now: datetime, address: str) -> bool:
    """Whether whoever uses a signed-in browser knows the password; counted like a sign-in.

    Args:
        database: the installation's.
        user: who is signed in.
        password: as typed.
        now: aware UTC.
        address: IP address of whoever tries.
    """
    with database.begin() as session:
        kept, counts = lockout.begin_try(session, user.email, now)
    right = accounts.is_password(kept, password)
    if kept is None or not counts:
        return False
    with database.begin() as session:
        row = session.get_one(User, kept.id)
        if right:
            # what a second factor refused before stays counted
            lockout.was_right(row, finished=row.totp is None)
        elif row.locked_until is not None:
            _tell_lock(session, row, now, address)
    return right


def _tell_sign_in(session: Session, user: User, now: datetime, address: str, how: str) -> None:
    trail.record(
        session,
        now,
        "account.sign-in",
        f"user:{user.id}",
        actor=user.email,
        user_id=user.id,
        details={"by": how},
        address=address,
    )


def _tell_lock(session: Session, user: User, now: datetime, address: str) -> None:
    trail.record(
        session,
        now,
        "account.locked",
        f"user:{user.id}",
        actor="?",
        details={"tries": user.failures, "until": user.locked_until and user.locked_until.isoformat()},
        address=address,
    )
