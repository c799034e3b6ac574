"""Waking from a web process: what a webhook or a click made due is given out at once; nobody waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, Queue
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from connector_app.log_events import Said
from connector_app.logs import Log
from connector_app.pipeline.services import Services
from connector_app.running import turns
from connector_app.running.broker import BrokerDown
from connector_app.running.turns import Ticket
from connector_app.store.running import Kind

_log = Log(__name__)

_IDLE: Final = 30.0
"""Seconds after which a thread without work ends; the next wake starts another."""


class Waking:
    """Makes turns due and sends their tickets from a thread of its own.

    The thread begins with the first ticket, in whatever process that is: a server may fork before it.

    Args:
        services: the installation.
        send: sends a ticket; raises :class:`BrokerDown`.
    """

    def __init__(self, services: Services, send: Callable[[Ticket], None]) -> None:
        self._services, self._send = services, send
        self._waiting: Queue[Ticket] = Queue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def __call__(self, seller_id: int | None = None) -> None:
        """There is something new of this seller, or of the installation; never raises.

        What cannot be woken now is found when its own time comes.
        """
        try:
            if seller_id is None:
                turns.wake_all(self._services, Kind.LANE)
            else:
                ticket = turns.wake(self._services, Kind.LANE, seller_id)
                if ticket is not None:
                    self._give(ticket)
            turns.wake(self._services, Kind.HOOKS, turns.INSTALLATION, give_out=False)
        except SQLAlchemyError as error:
            _log.warning(Said.DATABASE_FAILED, error)

    def _give(self, ticket: Ticket) -> None:
        with self._lock:
            self._waiting.put(ticket)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="waking", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                ticket = self._waiting.get(timeout=_IDLE)
            except Empty:
                with self._lock:
                    if self._waiting.empty():
                        self._thread = None
                        return
                continue
            try:
                self._send(ticket)
            except BrokerDown as down:
                _log.warning(Said.BROKER_DOWN, reason=str(down))
                self._put_back(ticket)

    def _put_back(self, ticket: Ticket) -> None:
        try:
            turns.put_back(self._services, [ticket])
        except SQLAlchemyError as error:
            _log.warning(Said.DATABASE_FAILED, error)
