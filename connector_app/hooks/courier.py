"""The thread that finds and sends what hooks are to be told; nothing of the pipeline waits for it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy.exc import SQLAlchemyError

from connector_app.hooks import sending
from connector_app.hooks.happenings import Links
from connector_app.log_events import Said
from connector_app.logs import Log
from connector_app.measures import HOOKS
from connector_app.pipeline.services import Services
from connector_app.running import tasks

_log = Log(__name__)

_LANES = 4
"""Hooks that are sent to at a time: a slow receiver holds up its own messages."""
_EVERY = 5.0
"""Seconds between two looks when nobody wakes it; a look costs two small queries."""
_SHORTEST = 1.0
_REST = 0.5
"""Seconds of rest after each round: a burst of webhooks wakes it hundreds of times a second."""


class Courier:
    """Collects and delivers until it is stopped.

    Args:
        services: the installation.
        links: where receivers find more.
        allow_private: hooks may be in the local network.
    """

    def __init__(self, services: Services, links: Links, *, allow_private: bool) -> None:
        self._services = services
        self._links = links
        self._allow_private = allow_private
        self._awake = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="courier")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Something happened: look at once."""
        self._awake.set()

    def stop(self) -> None:
        """End after the tries under way; what was not tried is tried after the next start."""
        self._stopped.set()
        self._awake.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._awake.clear()
            try:
                self.one_round()
                pause = self._pause()
            except SQLAlchemyError as error:
                _log.warning(Said.DATABASE_FAILED, error)
                pause = _EVERY
            except Exception as error:
                _log.failed(Said.WORK_FAILED, error)
                pause = _EVERY
            self._stopped.wait(_REST)
            self._awake.wait(pause)

    def one_round(self) -> None:
        """Collect what happened and send what is due, each hook until its first failure.

        Raises:
            SQLAlchemyError: the database cannot be used.
        """
        due = tasks.collect_hooks(self._services, self._links)
        if due:
            with ThreadPoolExecutor(min(_LANES, len(due)), thread_name_prefix="hook") as lanes:
                for outcomes in lanes.map(self._send, due):
                    failed = sum(one.failure is not None for one in outcomes)
                    self._services.measures.count(HOOKS, "failed", times=failed)
                    self._services.measures.count(HOOKS, "delivered", times=len(outcomes) - failed)
        self._services.measures.mark("hooks", self._services.clock())

    def _send(self, hook_id: int) -> list[sending.Outcome]:
        return tasks.deliver(
            self._services,
            hook_id,
            allow_private=self._allow_private,
            go_on=lambda: not self._stopped.is_set(),
        )

    def _pause(self) -> float:
        due = sending.next_due(self._services)
        if due is None:
            return _EVERY
        return min(_EVERY, max(_SHORTEST, (due - self._services.clock()).total_seconds()))
