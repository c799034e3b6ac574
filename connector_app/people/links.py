"""One-time links: an invitation to an account or a role, and a new password for who lost theirs."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from connector_app.people import accounts
from connector_app.people.roles import grant
from connector_app.store.people import Invitation, Membership, Role, User

INVITATION = timedelta(days=7)
"""How long an invitation works."""
RESET = timedelta(days=1)
"""How long a link to a new password works."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What an invitation gives.

    Attributes:
        seller_id: for one seller, with role. is_admin: the whole installation instead.
    """

    seller_id: int | None = None
    role: Role | None = None
    is_admin: bool = False


def invite(session: Session, email: str, offer: Offer, now: datetime, by: int | None) -> str:
    """Make an invitation; an earlier one of the same person to the same ends.

    Args:
        session: of a writing transaction.
        email: whom; nothing tells whether there is an account.
        offer: to what.
        now: aware UTC.
        by: account that invites; ``None``: the command line.

    Returns:
        The secret of the link, shown once.
    """
    address = email.strip().lower()
    session.execute(
        delete(Invitation).where(
            Invitation.email == address,
            Invitation.seller_id.is_not_distinct_from(offer.seller_id),
            Invitation.user_id.is_(None),
            Invitation.used_at.is_(None),
        )
    )
    return _add(
        session,
        Invitation(
            email=address,
            seller_id=offer.seller_id,
            role=offer.role.value if offer.role else None,
            is_admin=offer.is_admin,
            invited_by=by,
            created_at=now,
            expires_at=now + INVITATION,
        ),
    )


def new_password(session: Session, user: User, now: datetime, by: int | None) -> str:
    """Make a link that sets a new password; an earlier one ends.

    Returns:
        The secret of the link, shown once.
    """
    session.execute(delete(Invitation).where(Invitation.user_id == user.id, Invitation.used_at.is_(None)))
    return _add(
        session,
        Invitation(user_id=user.id, invited_by=by, created_at=now, expires_at=now + RESET),
    )


def find(session: Session, token: str, now: datetime) -> Invitation | None:
    """A link that works: not used, not over, and whoever made it may still do so.

    Links to the first account are another page's.
    """
    row = accounts.invitation(session, token, now)
    if row is None or (row.email is None and row.user_id is None) or not _still_offered(session, row):
        return None
    return row


def accept(session: Session, row: Invitation, name: str, password: str, language: str, now: datetime) -> User:
    """Make the account that an invitation is for.

    Raises:
        NotPossible: there is one already, so its person signs in first.
    """
    assert row.email is not None, "invitations name whom they invite"
    row.used_at = now
    user = accounts.add_user(
        session, row.email, password, now, name=name, language=language, is_admin=row.is_admin
    )
    _give(session, row, user)
    return user


def accept_as(session: Session, row: Invitation, user: User, now: datetime) -> None:
    """Give an account what an invitation to its address offers; a higher role stays."""
    assert user.email == row.email, "the page looks at whom the link is for"
    row.used_at = now
    user.is_admin = user.is_admin or row.is_admin
    _give(session, row, user)


def set_new_password(session: Session, row: Invitation, password: str, now: datetime) -> User:
    """Use a link to a new password: sessions and locks of before end, a second factor stays."""
    assert row.user_id is not None, "the page looks at what the link is for"
    row.used_at = now
    user = session.get_one(User, row.user_id)
    accounts.set_password(user, password)
    user.failures, user.locked_until = 0, None
    accounts.end_browsers(session, user.id, now)
    return user


def _give(session: Session, row: Invitation, user: User) -> None:
    if row.seller_id is not None and row.role is not None:
        grant(session, user, row.seller_id, Role(row.role), at_least=True)


def _add(session: Session, row: Invitation) -> str:
    token = secrets.token_urlsafe(24)
    row.token_sha256 = accounts.digest(token)
    session.add(row)
    return token


def _still_offered(session: Session, row: Invitation) -> bool:
    """Whoever lost their own rights meanwhile gives none away by a link of before."""
    if row.user_id is not None:
        target = session.get(User, row.user_id)
        if target is None or target.disabled_at is not None:
            return False
    if row.invited_by is None:
        return True
    inviter = session.get(User, row.invited_by)
    if inviter is None or inviter.disabled_at is not None:
        return False
    if inviter.is_admin:
        return True
    owns = select(Membership.id).where(
        Membership.user_id == inviter.id,
        Membership.seller_id == row.seller_id,
        Membership.role == Role.OWNER,
    )
    return row.seller_id is not None and session.scalar(owns) is not None
