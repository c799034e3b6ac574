"""The running application's work: one thread, which looks at shops by the clock and at events at once."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

from connector_app.hooks.courier import Courier
from connector_app.hooks.happenings import Links
from connector_app.keeping import schedule, upkeep
from connector_app.log_events import Said
from connector_app.logs import Log
from connector_app.pipeline.runner import Runner
from connector_app.pipeline.services import Services
from connector_app.registers.checks import Asking
from connector_app.running import tasks
from connector_app.web.here import Pulse
from core.findings import Text

_log = Log(__name__)

_BROKEN = "Wewnętrzny błąd podczas pracy w tle; szczegóły są w dzienniku."


class _Stopping(Exception):
    """The process is asked to end: what is done is done, the rest goes on after the next start."""


class Background:
    """Looks at all stores every so many seconds, works on what is due, and is woken by webhooks between.

    Args:
        services: the installation.
        pulse: told what the work says about itself.
        every: seconds between two looks at the shops.
        public_url: under which shops reach this installation; empty when they do not.
        private_addresses: hooks may be in the local network.
    """

    def __init__(
        self,
        services: Services,
        pulse: Pulse,
        every: float,
        public_url: str = "",
        *,
        private_addresses: bool = False,
    ) -> None:
        self._services = services
        self._pulse = pulse
        self._every = every
        self._public_url = public_url
        self._awake = threading.Event()
        self._stopped = threading.Event()
        self._said_of_shops: list[Text] = []
        self._courier = Courier(services, Links(public_url), allow_private=private_addresses)
        self._buyers = Asking(services)
        self._backups = schedule.Backups(services)
        self._thread = threading.Thread(target=self._run, name="background")

    def start(self) -> None:
        """Begin, with a look at the shops."""
        self._thread.start()
        self._courier.start()

    def wake(self, seller_id: int | None = None) -> None:  # noqa: ARG002  all sellers have one thread here
        """There is something new: do not wait for the clock."""
        self._awake.set()
        self._courier.wake()

    def stop(self) -> None:
        """End after the step under way; every step is safe to cut anyway."""
        self._stopped.set()
        self._awake.set()
        self._thread.join()
        self._courier.stop()

    def _run(self) -> None:
        next_look = time.monotonic()
        while not self._stopped.is_set():
            now = time.monotonic()
            is_look = now >= next_look
            if is_look:
                next_look = now + self._every
            try:
                self.one_pass(timedelta(seconds=max(0.0, next_look - time.monotonic())), look=is_look)
                self._sleep(max(0.0, next_look - time.monotonic()))
            except _Stopping:
                return

    def _sleep(self, seconds: float) -> None:
        self._awake.wait(seconds)
        self._awake.clear()
        if self._stopped.is_set():
            raise _Stopping

    def one_pass(self, patience: timedelta, *, look: bool) -> None:
        """One round of work; a fault of one pass never ends the next.

        Args:
            patience: how long to go on waiting for documents under way.
            look: ask the shops what changed first.
        """
        pulse = self._pulse
        began = time.monotonic()
        try:
            runner = self._runner()
            if look:
                self._said_of_shops = runner.take_in().problems
                upkeep.look(self._services)
                self._backups.begin()
            self._buyers.begin()
            work = runner.work_until_idle(patience)
            pulse.problems = [problem.pl for problem in self._said_of_shops + work.problems]
            self._tell_what_people_should_know()
        except _Stopping:
            raise
        except Exception as error:
            _log.failed(Said.WORK_FAILED, error)
            pulse.problems = [_BROKEN]
        if pulse.problems:
            _log.warning(Said.PROBLEMS, count=len(pulse.problems))
        pulse.at = self._services.clock()
        pulse.passes += 1
        pulse.pass_seconds = time.monotonic() - began
        self._courier.wake()

    def _runner(self) -> Runner:
        return Runner(self._services, self._sleep, keep_sessions=True, public_url=self._public_url)

    def _tell_what_people_should_know(self) -> None:
        """Show what is no fault of the process; what is new since the last pass goes to the log."""
        found = [text.pl for text in tasks.notices(self._services)]
        self._pulse.notices = found
