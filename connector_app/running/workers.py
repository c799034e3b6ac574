"""Who works on an installation: a row for each process, with a heartbeat; rows of the dead are removed."""

from __future__ import annotations

import os
import secrets
import socket
import threading
from collections.abc import Callable, Collection
from datetime import timedelta
from types import TracebackType
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.exc import SQLAlchemyError

from connector_app.log_events import Said
from connector_app.logs import Log
from connector_app.pipeline.services import Services, dump_text
from connector_app.store.desk import Job, JobState
from connector_app.store.running import Worker
from connector_app.store.sessions import lane_of
from core.calendar import WARSAW
from core.findings import Text

_log = Log(__name__)

BEAT: Final = 10.0
"""Seconds between two heartbeats."""
DEAD_AFTER: Final = timedelta(seconds=60)
"""A worker that was not heard of for so long counts as dead; machines' clocks must differ by much less."""

SERVE: Final = "serve"
WEB: Final = "web"
WORKER: Final = "worker"
DISPATCHER: Final = "beat"

_LANE = lane_of("workers")
_CUT = Text(
    "Program zakończył się w trakcie. Zacznij jeszcze raz.", "The program ended meanwhile. Start again."
)


class Presence:
    """Says that this process works on an installation, for the length of a ``with`` block.

    A heartbeat that cannot be written is tried again; nothing else of the process notices.

    Args:
        services: the installation.
        role: one of this module's roles, or the command that runs.
        every: seconds between two heartbeats.
        on_beat: called with each heartbeat.

    Attributes:
        name: of this process among all workers, never used twice.
    """

    def __init__(
        self,
        services: Services,
        role: str,
        every: float = BEAT,
        on_beat: Callable[[], object] = lambda: None,
    ) -> None:
        self._services, self._role, self._every, self._on_beat = services, role, every, on_beat
        self._host, self._pid = socket.gethostname()[:128], os.getpid()
        self.name = f"{self._host}-{self._pid}-{secrets.token_hex(4)}"
        self._started = services.clock()
        self._doing: str | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def __enter__(self) -> Presence:
        self.beat()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join()
        try:
            with self._services.database.begin(_LANE) as session:
                session.execute(delete(Worker).where(Worker.name == self.name))
        except SQLAlchemyError as trouble:
            # the row stays until others remove it
            _log.warning(Said.DATABASE_FAILED, trouble)

    def doing(self, what: str | None) -> None:
        """What it does from now on; told with the next heartbeat."""
        self._doing = what

    def _run(self) -> None:
        while not self._stopped.wait(self._every):
            try:
                self.beat()
                self._on_beat()
                sweep(self._services)
            except SQLAlchemyError as error:
                _log.warning(Said.DATABASE_FAILED, error)

    def beat(self) -> None:
        """Say now that it is alive.

        Raises:
            SQLAlchemyError: the database cannot be used.
        """
        now = self._services.clock()
        with self._services.database.begin(_LANE) as session:
            row = session.get(Worker, self.name)
            if row is None:
                # new, or removed by others while this process was halted
                row = Worker(name=self.name, host=self._host, pid=self._pid, role=self._role)
                row.started_at = self._started
                session.add(row)
            row.seen_at, row.doing = now, self._doing


def alive(services: Services, roles: Collection[str] | None = None) -> list[Worker]:
    """The workers that were heard of lately, the oldest first.

    Args:
        services: the installation.
        roles: only these; ``None``: all.
    """
    query = select(Worker).where(Worker.seen_at > services.clock() - DEAD_AFTER)
    if roles is not None:
        query = query.where(Worker.role.in_(roles))
    with services.database() as session:
        return list(session.scalars(query.order_by(Worker.started_at, Worker.name)))


def in_words(worker: Worker) -> Text:
    """Who a worker is and since when, for a person."""
    since = worker.started_at.astimezone(WARSAW)
    return Text(
        f"{worker.role}: komputer {worker.host}, proces {worker.pid}, od {since:%d.%m.%Y %H:%M:%S}",
        f"{worker.role}: host {worker.host}, process {worker.pid}, since {since:%Y-%m-%d %H:%M:%S}",
    )


def list_in_words(workers: Collection[Worker]) -> Text:
    """Several workers, one after another."""
    said = [in_words(one) for one in workers]
    return Text("; ".join(one.pl for one in said), "; ".join(one.en for one in said))


def sweep(services: Services) -> None:
    """Remove the rows of the dead, and break off the long work of people that they had begun.

    Raises:
        SQLAlchemyError: the database cannot be used.
    """
    before = services.clock() - DEAD_AFTER
    with services.database() as session:
        dead = list(session.scalars(select(Worker.name).where(Worker.seen_at < before)))
    if dead:
        with services.database.begin(_LANE) as session:
            session.execute(delete(Worker).where(Worker.name.in_(dead), Worker.seen_at < before))
        break_off(services)


def break_off(services: Services, but: str = "", *, alone: bool = False) -> None:
    """Long work of processes that are gone is over.

    Args:
        services: the installation.
        but: name of the process that asks.
        alone: nobody else can be at work, whatever their rows say: this process holds the installation.
    """
    here = select(Worker.name).where(Worker.name == but) if alone else select(Worker.name)
    with services.database.begin(_LANE) as session:
        session.execute(
            update(Job)
            .where(Job.state == JobState.RUNNING, Job.worker.is_(None) | Job.worker.not_in(here))
            .values(state=JobState.BROKEN_OFF, says=dump_text(_CUT), ended_at=services.clock())
            .execution_options(synchronize_session=False)
        )
