"""What the pages of people show, by what whoever asks may see of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import abort
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from connector_app.store.models import Seller
from connector_app.store.people import Invitation, Membership, Role, User, WebSession
from connector_app.web import access
from connector_app.web.access import Right


@dataclass(frozen=True, slots=True)
class Held:
    """A role that a person has.

    Attributes:
        seller: of which seller. role: what.
    """

    seller: Seller
    role: Role


@dataclass(frozen=True, slots=True)
class Person:
    """One account, as far as the current person may see it.

    Attributes:
        row: the account. roles: for sellers that the current person owns. seen: last use, for owners of the
            installation only.
    """

    row: User
    roles: list[Held]
    seen: datetime | None = None


def people(session: Session) -> list[Person]:
    """All accounts for an owner of the installation, people of the own sellers for others."""
    everything = access.me().is_admin
    sellers = owned(session)
    held = _roles(session, [one.id for one in sellers])
    query = select(User).order_by(User.disabled_at.is_not(None), User.name)
    if not everything:
        query = query.where(User.id.in_(held))
    seen: dict[int, datetime] = {}
    if everything:
        found = session.execute(
            select(WebSession.user_id, func.max(WebSession.seen_at)).group_by(WebSession.user_id)
        )
        seen = {row[0]: row[1] for row in found}
    return [Person(row, held.get(row.id, []), seen.get(row.id)) for row in session.scalars(query)]


def owned(session: Session) -> Sequence[Seller]:
    """Sellers whose people the current page is about."""
    ids = access.visible(session, Right.OWN)
    return session.scalars(select(Seller).where(Seller.id.in_(ids)).order_by(Seller.name)).all()


def all_owned(session: Session) -> Sequence[Seller]:
    """Sellers that the current person owns, whichever one the pages are narrowed to."""
    ids = [one for one, has in access.rights(session).items() if has >= Right.OWN]
    return session.scalars(select(Seller).where(Seller.id.in_(ids)).order_by(Seller.name)).all()


def the_person(session: Session, user_id: int) -> Person:
    """A person that the current one may see, or 404."""
    row = session.get(User, user_id) if 0 < user_id < 2**63 else None
    held = _roles(session, [one.id for one in all_owned(session)]).get(user_id, [])
    if row is None or not (held or access.me().is_admin):
        abort(404)
    return Person(row, held)


def invitations(session: Session, now: datetime) -> list[tuple[Invitation, Seller | None]]:
    """Invitations that can still be used, and their sellers."""
    query = (
        select(Invitation, Seller)
        .outerjoin(Seller, Seller.id == Invitation.seller_id)
        .where(Invitation.used_at.is_(None), Invitation.expires_at > now, Invitation.email.is_not(None))
        .order_by(Invitation.created_at.desc())
    )
    if not access.me().is_admin:
        query = query.where(Invitation.seller_id.in_([one.id for one in owned(session)]))
    return [(row[0], row[1]) for row in session.execute(query)]


def the_invitation(session: Session, invitation_id: int) -> Invitation:
    """An open invitation that the current person may take back, or 404."""
    row = session.get(Invitation, invitation_id) if 0 < invitation_id < 2**63 else None
    if row is None or row.used_at is not None or row.email is None:
        abort(404)
    own = row.seller_id is not None and access.may(session, row.seller_id, Right.OWN)
    if not (own or access.me().is_admin):
        abort(404)
    return row


def _roles(session: Session, sellers: list[int]) -> dict[int, list[Held]]:
    found: dict[int, list[Held]] = {}
    rows = session.execute(
        select(Membership, Seller)
        .join(Seller, Seller.id == Membership.seller_id)
        .where(Membership.seller_id.in_(sellers))
        .order_by(Seller.name)
    )
    for membership, seller in rows:
        found.setdefault(membership.user_id, []).append(Held(seller, Role(membership.role)))
    return found
