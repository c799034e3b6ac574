"""The application with its accounts, as tests of pages use it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from connector_app.pipeline.services import Services
from connector_app.store.people import AuditEntry, Role
from connector_app.web.accounts.people import add_user
from connector_app.web.app import Pulse, WebOptions, create_app

EMAIL = "wlasciciel@sklep.example"
PASSWORD = "bardzo długie hasło"
WORK = select(AuditEntry.action).where(AuditEntry.action.not_like("account.%"))
"""What people did, without their signing in."""
_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


@dataclass
class Browser:
    """A browser that fills in forms: it reads a page's form token before it posts.

    Attributes:
        client: Flask's client, with cookies.
    """

    client: FlaskClient

    def get(self, path: str, status: int = 200) -> str:
        """The text of a page; redirects are followed."""
        answer = self.client.get(path, follow_redirects=True)
        assert answer.status_code == status, (path, answer.status_code, answer.text[:2000])
        return answer.text

    def post(self, path: str, status: int = 200, *, page: str | None = None, **values: object) -> str:
        """Send a form; redirects are followed.

        Args:
            path: where the form goes. status: expected of the last answer.
            page: the page that has the form; the form's own path when not given.
            values: of the form; files as ``(stream, name)``.
        """
        answer = self.client.post(
            path, data={"csrf_token": self.token(page or path)} | values, follow_redirects=True
        )
        assert answer.status_code == status, (path, answer.status_code, answer.text[:2000])
        return answer.text

    def token(self, page: str = "/") -> str:
        """A form token of this browser's session."""
        found = _TOKEN.search(self.client.get(page, follow_redirects=True).text)
        assert found is not None, f"no form on {page}"
        return found[1]

    def sign_in(self, email: str = EMAIL, password: str = PASSWORD) -> Browser:
        """Sign in by the form."""
        page = self.post("/sign-in", email=email, password=password)
        assert 'type="password"' not in page, page
        return self


@dataclass
class Site:
    """A running application.

    Attributes:
        services: the installation. app: Flask's. woken: how often a page asked for work.
    """

    services: Services
    app: Flask
    woken: list[bool] = field(default_factory=list)

    def browser(self) -> Browser:
        """A browser that nobody signed in with."""
        return Browser(self.app.test_client())

    def user(
        self, email: str = EMAIL, *, is_admin: bool = True, language: str = "pl", **roles: Role
    ) -> Browser:
        """Make an account and sign in with it.

        Args:
            email: of the account. is_admin: owner of the installation. language: of its pages.
            roles: by seller id, written as ``seller_1=Role.VIEWER``.
        """
        by_id = {int(name.removeprefix("seller_")): role for name, role in roles.items()}
        with self.services.database.begin() as session:
            add_user(
                session,
                email,
                PASSWORD,
                self.services.clock(),
                language=language,
                is_admin=is_admin,
                roles=by_id,
            )
        return self.browser().sign_in(email)


def site(services: Services, options: WebOptions | None = None, pulse: Pulse | None = None) -> Site:
    """The application of an installation; requests are not counted."""
    woken: list[bool] = []

    def wake(_seller_id: int | None = None, /) -> None:
        woken.append(True)

    app = create_app(
        services, pulse or Pulse(started=services.clock()), wake, options or WebOptions(limits=False)
    )
    return Site(services, app, woken)
