"""Guessing passwords and codes: counted before they are looked at, and locked for longer and longer.

A try is counted first and taken back when it was right, so that many tries at the same moment are all
counted. Nobody is told that an account is locked: the answer is that of a wrong password, for addresses
without an account too.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from connector_app.people.accounts import by_email
from connector_app.store.desk import InstallationSetting
from connector_app.store.people import User

FREE_TRIES = 5
"""Wrong passwords or codes in a row before the first lock."""
LONGEST_LOCK = timedelta(minutes=60)
"""With it, at most about thirty guesses a day reach an account."""
_FIRST_LOCK = timedelta(minutes=1)
_UNKNOWN = "sign-in.unknown"


def lock_after(failures: int) -> timedelta | None:
    """How long an account is locked after so many failures in a row; ``None``: not at all."""
    if failures < FREE_TRIES:
        return None
    doubled = min(failures - FREE_TRIES, 10)  # 2**10 minutes is beyond the longest already
    return min(_FIRST_LOCK * (1 << doubled), LONGEST_LOCK)


def is_locked(user: User, now: datetime) -> bool:
    """Whether tries are refused unseen."""
    return user.locked_until is not None and user.locked_until > now


def begin_try(session: Session, email: str, now: datetime) -> tuple[User | None, bool]:
    """Count a try before its password is looked at.

    Args:
        session: of a writing transaction.
        email: as typed.
        now: aware UTC.

    Returns:
        The account, and whether the try counts: not for an unknown, disabled or locked one, whose password
        is to be looked at for the time that it takes, and refused.
    """
    user = by_email(session, email)
    if user is None:
        _count_unknown(session)
        return None, False
    if user.disabled_at is not None or is_locked(user, now):
        _count_unknown(session)
        return user, False
    count(user, now)
    return user, True


def count(user: User, now: datetime) -> bool:
    """Count one try as wrong until it is known to be right; says whether it locked the account."""
    user.failures += 1
    pause = lock_after(user.failures)
    user.locked_until = now + pause if pause else None
    return pause is not None


def was_right(user: User, *, finished: bool) -> None:
    """Take a counted try back.

    Args:
        user: of the current transaction.
        finished: the sign-in is complete, so that earlier failures are forgotten; otherwise the second
            factor is still to come, and whoever knows the password alone must not win new tries by it.
    """
    user.failures = 0 if finished else max(user.failures - 1, 0)
    user.locked_until = None


def _count_unknown(session: Session) -> None:
    """Write as much as for an account, so that the time of an answer does not tell one from the other."""
    row = session.get(InstallationSetting, _UNKNOWN)
    if row is None:
        session.add(InstallationSetting(name=_UNKNOWN, value={"tries": 1}))
    else:
        row.value = {"tries": int(row.value.get("tries", 0)) + 1}
