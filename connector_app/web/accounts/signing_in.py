"""Browsers that are signed in: a secret in the cookie, its hash and end in the database."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

from flask import Flask, redirect, request, url_for
from flask import session as cookie
from flask_login import LoginManager, UserMixin, login_user, logout_user
from sqlalchemy import delete, select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response

from connector_app.people.accounts import digest
from connector_app.store.people import User, WebSession
from connector_app.store.sessions import lane_of
from connector_app.web.here import here
from connector_app.web.language import language, remember, t

LIFETIME = timedelta(days=14)
"""How long a browser stays signed in without coming back."""
_SEEN_EVERY = timedelta(minutes=5)
_HALF = "half"
_HALF_LASTS = 300
"""Seconds between the password and the second factor."""
_KEPT = timedelta(days=90)
"""How long it is remembered that a browser was signed in."""


@dataclass(slots=True)
class SignedIn(UserMixin):  # type: ignore[misc]  # the library ships no types
    """Who is asking, for Flask-Login.

    Attributes:
        row: the account. token: secret of the browser. session_id: its row.
    """

    row: User
    token: str
    session_id: int

    @property
    def id(self) -> int:
        """The account's id."""
        return self.row.id

    @property
    def language(self) -> str:
        """The account's language."""
        return self.row.language

    def get_id(self) -> str:
        """What the cookie holds."""
        return self.token


def add_signing_in(app: Flask) -> None:
    """Let an application know who asks."""
    manager = LoginManager(app)

    @manager.user_loader  # type: ignore[untyped-decorator]
    def load(token: str) -> SignedIn | None:
        return _load(token)

    @manager.unauthorized_handler  # type: ignore[untyped-decorator]
    def unauthorized() -> Response:
        # a page to come back to is one that can be opened; what only takes forms leads home
        back = request.full_path.rstrip("?") if request.method == "GET" else None
        return redirect(url_for("accounts.sign_in", next=back))

    manager.needs_refresh_message = lambda: t("Zaloguj się ponownie.", "Sign in again.")


def half(user: User) -> None:
    """Remember for a few minutes, in this browser's signed cookie, whose password was right."""
    cookie.clear()
    cookie[_HALF] = [user.id, int(here().services.clock().timestamp())]


def half_id() -> int | None:
    """The account whose password was right a moment ago in this browser."""
    found = cookie.get(_HALF)
    if not isinstance(found, list) or len(found) != 2:
        return None
    age = here().services.clock().timestamp() - int(found[1])
    return int(found[0]) if age <= _HALF_LASTS else None


def start(user: User) -> None:
    """Sign the current browser in, with a new secret."""
    services = here().services
    now = services.clock()
    token = secrets.token_urlsafe(32)
    with services.database.begin(lane_of(f"user {user.id}")) as session:
        session.execute(
            delete(WebSession).where(WebSession.user_id == user.id, WebSession.expires_at < now - _KEPT)
        )
        row = WebSession(
            user_id=user.id,
            token_sha256=digest(token),
            created_at=now,
            seen_at=now,
            expires_at=now + LIFETIME,
            address=(request.remote_addr or "")[:64],
            agent=(request.user_agent.string or "")[:200],
        )
        session.add(row)
        session.flush()
        session_id = row.id
    cookie.clear()
    cookie.permanent = True
    login_user(SignedIn(user, token, session_id))


def end() -> None:
    """Sign the current browser out."""
    token = cookie.get("_user_id")
    services = here().services
    if token:
        with services.database.begin() as session:
            row = session.scalar(select(WebSession).where(WebSession.token_sha256 == digest(str(token))))
            if row is not None and row.ended_at is None:
                row.ended_at = services.clock()
    chosen = language()
    logout_user()
    cookie.clear()
    remember(chosen)


def _load(token: str) -> SignedIn | None:
    """The account behind a secret, unless it ended."""
    services = here().services
    now = services.clock()
    with services.database() as session:
        row = session.scalar(
            select(WebSession)
            .where(WebSession.token_sha256 == digest(token))
            .options(joinedload(WebSession.user))
        )
    if row is None or row.ended_at is not None or row.expires_at <= now or row.user.disabled_at is not None:
        return None
    if now - row.seen_at > _SEEN_EVERY:
        with services.database.begin(lane_of(f"user {row.user_id}")) as session:
            kept = session.get_one(WebSession, row.id)
            kept.seen_at, kept.expires_at = now, now + LIFETIME
    return SignedIn(row.user, token, row.id)
