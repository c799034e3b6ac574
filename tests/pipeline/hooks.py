"""An installation's web address as a shop reaches it, for tests of webhooks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sqlalchemy import select
from werkzeug.serving import make_server

from connector_app import subscriptions
from connector_app.pipeline.runner import Pass, Runner
from connector_app.store.models import Store, WebhookEvent
from connector_app.web.app import Pulse, create_app
from tests.pipeline.world import PATIENCE, Installation

Made = TypeVar("Made", bound=Installation)


@dataclass
class Door(Generic[Made]):
    """The running address.

    Attributes:
        made: the installation with its shop. base: public address. woken: how often a webhook asked for work.
    """

    made: Made
    base: str
    woken: list[bool] = field(default_factory=list)

    def open(self) -> None:
        """Register the store's webhooks."""
        subscriptions.register(self.made.services(), 1, self.base)

    @property
    def address(self) -> str:
        """Of the store's webhooks."""
        services = self.made.services()
        door = subscriptions.door_of(services, self.store())
        assert door is not None
        return door.address("test")

    @property
    def secret(self) -> str:
        """That deliveries are signed with."""
        door = subscriptions.door_of(self.made.services(), self.store())
        assert door is not None
        return door.secrets[0]

    def store(self) -> Store:
        """The store's row."""
        with self.made.services().database() as session:
            return session.get_one(Store, 1)

    def events(self) -> list[WebhookEvent]:
        """What was received."""
        with self.made.services().database() as session:
            return list(session.scalars(select(WebhookEvent).order_by(WebhookEvent.id)))

    def work(self) -> Pass:
        """Work without asking any shop what changed; waiting costs no real time."""
        return self._runner().work_until_idle(PATIENCE)

    def one_pass(self) -> Pass:
        """One pass over what is due now."""
        return self._runner().work()

    def _runner(self) -> Runner:
        clock = self.made.clock
        return Runner(self.made.services(), sleep=clock.sleep, monotonic=clock.seconds)


@contextmanager
def reachable(made: Made) -> Iterator[Door[Made]]:
    """The installation's web application on a localhost port."""
    door = Door(made, "")
    services = made.services()
    app = create_app(
        services, Pulse(started=made.clock()), lambda _seller_id=None, /: door.woken.append(True)
    )
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    door.base = f"http://127.0.0.1:{server.server_port}"
    try:
        yield door
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
