"""Roles of people: given, changed, taken away; nothing loses its last owner by it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from connector_app.people.accounts import NotPossible, end_browsers
from connector_app.store.people import Membership, Role, User
from core.findings import Text

ROLE_NAMES = {
    Role.OWNER: Text("właściciel", "owner"),
    Role.OPERATOR: Text("operator", "operator"),
    Role.ACCOUNTANT: Text("księgowość", "accountant"),
    Role.VIEWER: Text("podgląd", "viewer"),
}
ROLE_MEANINGS = {
    Role.OWNER: Text(
        "ustawienia, hasła do sklepów i KSeF, ludzie", "settings, access to shops and KSeF, people"
    ),
    Role.OPERATOR: Text(
        "wystawia, koryguje, wysyła ponownie, decyduje", "issues, corrects, sends again, decides"
    ),
    Role.ACCOUNTANT: Text("ogląda i eksportuje", "looks and exports"),
    Role.VIEWER: Text("tylko ogląda", "only looks"),
}
_ORDER = [Role.VIEWER, Role.ACCOUNTANT, Role.OPERATOR, Role.OWNER]
_LAST_ADMIN = Text(
    "To ostatni właściciel instalacji: bez niego nikt nie mógłby nią zarządzać.",
    "This is the last owner of the installation: without one nobody could run it.",
)
_LAST_ADMIN_HINT = Text(
    "Najpierw zrób właścicielem instalacji kogoś innego.", "First make somebody else an owner of it."
)
_LAST_OWNER = Text("To ostatni właściciel tego sprzedawcy.", "This is the last owner of this seller.")
_LAST_OWNER_HINT = Text(
    "Najpierw daj tę rolę komuś innemu albo poproś właściciela instalacji.",
    "First give this role to somebody else, or ask an owner of the installation.",
)


def membership(session: Session, user_id: int, seller_id: int) -> Membership | None:
    """What a person may do for a seller."""
    return session.scalar(
        select(Membership).where(Membership.user_id == user_id, Membership.seller_id == seller_id)
    )


def grant(session: Session, user: User, seller_id: int, role: Role, *, at_least: bool = False) -> None:
    """Give a person a role for a seller instead of the one they have.

    Args:
        session: of a writing transaction.
        user: of that transaction.
        seller_id: of the seller.
        role: the new one.
        at_least: a higher role stays as it is.
    """
    found = membership(session, user.id, seller_id)
    if found is None:
        session.add(Membership(user_id=user.id, seller_id=seller_id, role=role.value))
        session.flush()
    elif not at_least or _ORDER.index(role) > _ORDER.index(Role(found.role)):
        found.role = role.value


def change(session: Session, user: User, seller_id: int, role: Role | None, *, by_admin: bool) -> Role | None:
    """Change or take away a role.

    Args:
        session: of a writing transaction.
        user: of that transaction.
        seller_id: of the seller.
        role: the new one; ``None`` takes it away.
        by_admin: an owner of the installation does it, who may leave a seller without an owner.

    Returns:
        The role of before.

    Raises:
        NotPossible: the seller would lose its last owner.
    """
    found = membership(session, user.id, seller_id)
    before = Role(found.role) if found else None
    if before is Role.OWNER and role is not Role.OWNER and not by_admin:
        others = (
            select(func.count())
            .select_from(Membership)
            .join(User, User.id == Membership.user_id)
            .where(
                Membership.seller_id == seller_id,
                Membership.role == Role.OWNER,
                Membership.user_id != user.id,
                User.disabled_at.is_(None),
            )
        )
        if not session.scalar(others):
            raise NotPossible(_LAST_OWNER, _LAST_OWNER_HINT)
    if role is not None:
        grant(session, user, seller_id, role)
    elif found is not None:
        session.delete(found)
    return before


def set_admin(session: Session, user: User, *, value: bool) -> None:
    """Make a person an owner of the installation, or no longer.

    Raises:
        NotPossible: nobody would be left.
    """
    if user.is_admin and not value:
        _keep_an_admin(session, user)
    user.is_admin = value


def disable(session: Session, user: User, now: datetime) -> None:
    """Close an account: its browsers are signed out, its links end; what it did stays written down.

    Raises:
        NotPossible: it is the last owner of the installation.
    """
    if user.is_admin:
        _keep_an_admin(session, user)
    user.disabled_at = user.disabled_at or now
    end_browsers(session, user.id, now)


def enable(user: User) -> None:
    """Open a closed account again, with its roles and password of before."""
    user.disabled_at, user.failures, user.locked_until = None, 0, None


def _keep_an_admin(session: Session, user: User) -> None:
    others = (
        select(func.count())
        .select_from(User)
        .where(User.is_admin, User.disabled_at.is_(None), User.id != user.id)
    )
    if not session.scalar(others):
        raise NotPossible(_LAST_ADMIN, _LAST_ADMIN_HINT)
