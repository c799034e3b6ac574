"""Who may see and do what: every page and every address asks here, never by itself.

What a person must not see does not exist for that person: the answer is 404, so that ids tell nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from functools import wraps
from typing import Any, TypeVar, cast

from flask import abort, g, request
from flask import session as cookie
from flask_login import current_user, login_required
from sqlalchemy import select
from sqlalchemy.orm import Session

from connector_app.people import trail
from connector_app.store.models import Document, Seller, ShopOrder, Store
from connector_app.store.people import Membership, Role, User
from connector_app.store.types import LARGEST_ID
from connector_app.web.here import here

View = TypeVar("View", bound=Callable[..., Any])


class Right(IntEnum):
    """What a view needs; a role has all rights up to its own."""

    READ = 1
    EXPORT = 2
    OPERATE = 3
    OWN = 4


_OF_ROLE = {
    Role.VIEWER: Right.READ,
    Role.ACCOUNTANT: Right.EXPORT,
    Role.OPERATOR: Right.OPERATE,
    Role.OWNER: Right.OWN,
}
_CHOSEN = "seller"


def me() -> User:
    """The account of whoever asks; views behind a sign-in only."""
    return cast(User, current_user.row)


def rights(session: Session) -> dict[int, Right]:
    """What the current person may do, by seller id; sellers that are not named do not exist for them."""
    if "rights" not in g:
        g.rights = rights_of(session, me())
    return dict(g.rights)


def rights_of(session: Session, user: User) -> dict[int, Right]:
    """What a person may do, by seller id."""
    if user.is_admin:
        return dict.fromkeys(session.scalars(select(Seller.id).order_by(Seller.id)), Right.OWN)
    rows = session.execute(select(Membership.seller_id, Membership.role).where(Membership.user_id == user.id))
    return {row[0]: _OF_ROLE[Role(row[1])] for row in rows}


def may(session: Session, seller_id: int, right: Right) -> bool:
    """Whether the current person has a right for a seller."""
    found = rights(session).get(seller_id)
    return found is not None and found >= right


def may_anywhere(session: Session, right: Right) -> bool:
    """Whether the current person has a right for any seller, or for the whole installation."""
    return me().is_admin or any(one >= right for one in rights(session).values())


def visible(session: Session, right: Right = Right.READ) -> list[int]:
    """Ids of the sellers whose data a page shows: all with the right, or the one that was chosen."""
    allowed = [one for one, has in rights(session).items() if has >= right]
    chosen = cookie.get(_CHOSEN)
    return [chosen] if chosen in allowed else allowed


def sellers(session: Session, right: Right) -> list[Seller]:
    """The sellers for whom the current person has a right, by name; only the chosen one if any."""
    ids = visible(session, right)
    return list(session.scalars(select(Seller).where(Seller.id.in_(ids)).order_by(Seller.name)))


def choose(seller_id: int | None) -> None:
    """Narrow all pages to one seller, or show all again."""
    if seller_id is None:
        cookie.pop(_CHOSEN, None)
    else:
        cookie[_CHOSEN] = seller_id


def chosen() -> int | None:
    """The seller that pages are narrowed to."""
    found = cookie.get(_CHOSEN)
    return found if isinstance(found, int) else None


def the_seller(session: Session, nip: str, right: Right) -> Seller:
    """A seller by NIP, or 404; 403 when the person sees it and may not do this."""
    row = session.scalar(select(Seller).where(Seller.nip == nip))
    return _allowed(session, row, row.id if row else None, right)


def the_store(session: Session, code: str, right: Right) -> Store:
    """A store by its code, or 404; 403 when the person sees it and may not do this."""
    row = session.scalar(select(Store).where(Store.code == code))
    return _allowed(session, row, row.seller_id if row else None, right)


def the_document(session: Session, document_id: int, right: Right) -> Document:
    """A document, or 404; 403 when the person sees it and may not do this."""
    row = session.get(Document, document_id) if 0 < document_id <= LARGEST_ID else None
    return _allowed(session, row, row.seller_id if row else None, right)


def the_order(session: Session, order_id: int, right: Right) -> ShopOrder:
    """An order of a shop, or 404; 403 when the person sees it and may not do this."""
    row = session.get(ShopOrder, order_id) if 0 < order_id <= LARGEST_ID else None
    return _allowed(session, row, row.store.seller_id if row else None, right)


_Row = TypeVar("_Row", Seller, Store, Document, ShopOrder)


def _allowed(session: Session, row: _Row | None, seller_id: int | None, right: Right) -> _Row:
    has = None if seller_id is None else rights(session).get(seller_id)
    if row is None or has is None:
        abort(404)
    if has < right:
        abort(403)
    return row


def admin_required(view: View) -> View:
    """A view for owners of the installation only; it does not exist for others."""

    @wraps(view)
    @login_required  # type: ignore[untyped-decorator]
    def checked(*args: Any, **kwargs: Any) -> Any:
        if not me().is_admin:
            abort(404)
        return view(*args, **kwargs)

    return cast(View, checked)


def audit(
    session: Session,
    action: str,
    subject: str,
    seller_id: int | None = None,
    details: dict[str, Any] | None = None,
    *,
    actor: str = "",
    user: User | None = None,
) -> None:
    """Write down who did what, in the transaction that does it.

    Args:
        session: of the transaction.
        action: a stable code such as ``document.retry``.
        subject: what it was done to, such as ``document:17``.
        seller_id: whose data it was.
        details: never a secret.
        actor: what acted when no account is signed in, such as ``api:NAME``.
        user: the account that acts and is not signed in yet.
    """
    if user is None and not actor and current_user and current_user.is_authenticated:
        user = me()
    trail.record(
        session,
        here().services.clock(),
        action,
        subject,
        actor=user.email if user else actor or "?",
        user_id=user.id if user else None,
        seller_id=seller_id,
        details=details,
        address=request.remote_addr or "",
    )
