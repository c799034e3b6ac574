"""What gives turns out: takes what is due from the table and sends its tickets to the broker.

One dispatcher is enough; more wait until it ends. Should two work at once after all, each takes other rows.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from connector_app.log_events import Said
from connector_app.logs import Log
from connector_app.pipeline.services import Services
from connector_app.running import turns, workers
from connector_app.running.broker import BrokerDown
from connector_app.running.turns import Ticket
from connector_app.running.workers import Presence
from connector_app.store.locks import LockHeld, lock

_log = Log(__name__)

_TICK: Final = 0.25
"""Seconds between two looks at the table."""
_FILL: Final = 5.0
"""Seconds between two looks for new sellers, stores, hooks and workers."""
_STANDBY: Final = 2.0
_AHEAD: Final = 3
"""Messages for each working process: enough that none waits for work, so few that turns stay in order."""
_PAUSE: Final = 5.0
"""Seconds after a broker or database did not answer."""


class Dispatcher:
    """Gives turns out until it is stopped.

    Args:
        services: the installation.
        send: sends a ticket; raises :class:`BrokerDown`.
        stopped: whether to end.
        sleep: waits for so many seconds.
    """

    def __init__(
        self,
        services: Services,
        send: Callable[[Ticket], None],
        stopped: Callable[[], bool],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._services, self._send, self._stopped, self._sleep = services, send, stopped, sleep
        self._filled = 0.0
        self._processes = 0
        self._is_down = False

    def run(self) -> None:
        """Wait until no other dispatcher is at work, then give turns out; returns when it is stopped."""
        while not self._stopped():
            try:
                with (
                    lock(self._services.database, "beat", wait=False),
                    Presence(self._services, workers.DISPATCHER),
                ):
                    _log.info(Said.BEAT)
                    self._give_out()
            except LockHeld:
                self._sleep(_STANDBY)
            except SQLAlchemyError as error:
                _log.warning(Said.DATABASE_FAILED, error)
                self._sleep(_PAUSE)

    def _give_out(self) -> None:
        while not self._stopped():
            self._sleep(_TICK if self.one_round() else _PAUSE)

    def one_round(self) -> bool:
        """Give out what is due and what the workers have room for.

        Returns:
            Whether the broker takes messages.

        Raises:
            SQLAlchemyError: the database cannot be used.
        """
        if time.monotonic() - self._filled >= _FILL:
            turns.fill(self._services)
            self._processes = len(workers.alive(self._services, {workers.WORKER}))
            self._filled = time.monotonic()
        room = _AHEAD * self._processes - turns.under_way(self._services)
        taken = turns.claim(self._services, room) if room > 0 else []
        for place, ticket in enumerate(taken):
            try:
                self._send(ticket)
            except BrokerDown as down:
                turns.put_back(self._services, taken[place:])
                self._say(str(down))
                return False
        if taken:
            self._say("")
        return True

    def _say(self, down: str) -> None:
        """Tell once that the broker does not answer, and once that it is back."""
        if down and not self._is_down:
            _log.warning(Said.BROKER_DOWN, reason=down)
        if not down and self._is_down:
            _log.info(Said.BROKER_BACK)
        self._is_down = bool(down)
