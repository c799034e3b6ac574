"""An installation whose alerts are looked at minute by minute, with a mail server and people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from connector_app.alerts import watch
from connector_app.alerts.condition import Archive
from connector_app.alerts.kinds import Kind, Options, set_options
from connector_app.alerts.server import set_installation_server
from connector_app.hooks.happenings import Links
from connector_app.mail.settings import MailSettings, Security
from connector_app.pipeline.services import Services
from connector_app.store.people import Role
from connector_app.store.watching import Alert, AlertLetter
from connector_app.web.accounts.people import add_user
from tests.mail.server import Postbox, mail_server
from tests.pipeline.world import World, recorded, world
from tests.web.conftest import hash_quickly

BASE = "https://ksef.example"
LONG = timedelta(hours=1)


@dataclass
class Desk:
    """The installation and what is looked at.

    Attributes:
        made: the world. services: of one process. box: the mail server. archive: what it tells.
    """

    made: World
    services: Services
    box: Postbox
    archive: Archive = field(default_factory=Archive)

    def look(self, after: timedelta = timedelta(minutes=1)) -> None:
        """Let time pass, and look."""
        self.made.clock.sleep(after.total_seconds())
        assert watch.look(self.services, Links(BASE), self.archive)

    def over(self) -> None:
        """Look as often as it takes for what is gone to be over."""
        self.look()
        self.look(timedelta(minutes=6))

    def alerts(self, *kinds: Kind) -> list[Alert]:
        """Open alerts, of some kinds when given."""
        with self.services.database() as session:
            rows = session.scalars(select(Alert).where(Alert.closed_at.is_(None)).order_by(Alert.id))
            return [one for one in rows if not kinds or one.kind in kinds]

    def kinds(self) -> list[str]:
        """Kinds of the open alerts."""
        return [one.kind for one in self.alerts()]

    def letters(self) -> list[AlertLetter]:
        """All letters."""
        with self.services.database() as session:
            return list(session.scalars(select(AlertLetter).order_by(AlertLetter.id)))

    def told(self, address: str) -> list[str]:
        """Texts that somebody got, oldest first."""
        return [
            f"{one['Subject']}\n{one.get_body(('plain',)).get_content()}"  # type: ignore[union-attr]
            for one, to in zip(self.box.messages, self.box.recipients, strict=True)
            if to == [address]
        ]

    def person(self, email: str, *, is_admin: bool = False, language: str = "pl", **roles: Role) -> int:
        """An account; roles by seller id, as ``seller_1=Role.OWNER``."""
        by_id = {int(name.removeprefix("seller_")): role for name, role in roles.items()}
        with self.services.database.begin() as session:
            row = add_user(
                session,
                email,
                "bardzo długie hasło",
                self.services.clock(),
                language=language,
                is_admin=is_admin,
                roles=by_id,
            )
            session.flush()
            return row.id

    def set(self, options: Options) -> None:
        """Set what an installation sets."""
        with self.services.database.begin() as session:
            set_options(session, options)

    def mail_by(self, port: int) -> None:
        """Write by a server on this machine."""
        settings = MailSettings("127.0.0.1", port, Security.NONE, "Alarmy <alarmy@ksef.example>")
        with self.services.database.begin() as session:
            set_installation_server(session, self.services.vault, settings)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """One seller with a shop of two orders, one of which needs a decision; an owner of the installation."""
    hash_quickly(monkeypatch)
    orders = [recorded("order_full"), recorded("order_eur_no_matching_rate")]
    with world(tmp_path, orders) as made, mail_server(Postbox()) as box:
        made.prepare()
        services = made.services()
        made.services = lambda: services  # type: ignore[method-assign]
        one = Desk(made, services, box)
        one.mail_by(box.port)
        one.person("szef@biuro.example", is_admin=True)
        yield one
