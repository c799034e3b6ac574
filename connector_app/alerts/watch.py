"""Looking once a minute: one function for whoever works, and a thread that does nothing else."""

from __future__ import annotations

import threading
from datetime import timedelta
from types import TracebackType
from typing import Final, Self

from connector_app import measures
from connector_app.alerts import keeping, letters, rules, telling
from connector_app.alerts.condition import Archive
from connector_app.alerts.kinds import options_of
from connector_app.alerts.server import Servers
from connector_app.hooks.happenings import Links
from connector_app.keeping.damage import damaged
from connector_app.keeping.schedule import of_alerts
from connector_app.log_events import Said
from connector_app.logs import Log, bound
from connector_app.pipeline.services import Services
from connector_app.store.locks import LockHeld, lock

_log = Log(__name__)

EVERY: Final = timedelta(minutes=1)
_MARK = "alerts"


def look(services: Services, links: Links | None = None, archive: Archive | None = None) -> bool:
    """Find what is wrong, keep it, tell of it; does nothing when anybody did within a minute.

    Safe to call from every process of an installation: one of them does it at a time.

    Args:
        services: the installation.
        links: where readers find more.
        archive: what the keeping of the archive tells, instead of what it noted.

    Returns:
        Whether it looked.

    Raises:
        SQLAlchemyError: the database cannot be used.
    """
    links, archive = links or Links(services.public_url), archive or Archive(damaged, of_alerts)
    try:
        with lock(services.database, "alerts", wait=False), bound(task="alerts"):
            return _look(services, links, archive)
    except LockHeld:
        return False


def _look(services: Services, links: Links, archive: Archive) -> bool:
    now = services.clock()
    # what this process did a moment ago counts, too
    services.measures.keep(services.database)
    with services.database() as session:
        last = measures.last_done(session, _MARK)
        if last is not None and 0 <= now.timestamp() - last < EVERY.total_seconds():
            return False
        options = options_of(session)
    found = rules.find(services, options, archive)
    with services.database.begin() as session:
        measures.put_mark(session, _MARK, now.timestamp())
        changes = keeping.reconcile(session, found, now, options.off)
        telling.tell(session, changes, options, Servers(services, session), links, now)
        keeping.prune(session, now)
    letters.send_due(services, links)
    return True


class Watchman:
    """A thread that looks every minute, whatever the rest of the process does; use it as a context.

    Args:
        services: the installation.
        links: where readers find more.
        every: between two looks.
    """

    def __init__(self, services: Services, links: Links, every: timedelta = EVERY) -> None:
        self._services = services
        self._links = links
        self._every = every
        self._stopped = threading.Event()
        # a process that ends without asking need not wait: every step of a look may be cut
        self._thread = threading.Thread(target=self._run, name="watchman", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def is_alive(self) -> bool:
        """Whether it goes on."""
        return self._thread.is_alive()

    def __enter__(self) -> Self:
        """Begin."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End after the look under way."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        # the work begins first: what it did not do yet is no alert
        while not self._stopped.wait(self._every.total_seconds()):
            try:
                look(self._services, self._links)
            except Exception as error:
                _log.failed(Said.WORK_FAILED, error, task="alerts")
