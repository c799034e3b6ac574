"""The embedded runner: one process does all sellers' work, and only one process at a time."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import IO

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from adapters.contract import ShopError
from connector_app import outages
from connector_app.log_events import Said
from connector_app.logs import Log, bound
from connector_app.pipeline import backfill, events
from connector_app.pipeline.intake import IntakeResult, take_in
from connector_app.pipeline.lane import close_idle_session, next_due, run_lane
from connector_app.pipeline.services import Services
from connector_app.store.database import trouble
from connector_app.store.models import Seller, Store
from connector_app.store.recovered import IS_OPEN
from connector_app.vault import VaultLocked
from core.findings import Text
from core.ksef.errors import KsefError
from core.signing.keys import KeyMaterialError

_log = Log(__name__)


class RunnerBusy(Exception):
    """Another process is running this installation's work."""


@contextmanager
def runner_lock(lock_file: Path, *, wait: bool, on_wait: Callable[[], None]) -> Iterator[None]:
    """Be the one runner of an installation for the length of a ``with`` block.

    The lock is the operating system's: it ends with the process, however that ends.

    Args:
        lock_file: file to lock.
        wait: wait for the other runner instead of giving up.
        on_wait: called once when there is something to wait for.

    Raises:
        RunnerBusy: another process holds the lock and ``wait`` is false.
    """
    with lock_file.open("a") as file:
        if not _try_lock(file):
            if not wait:
                raise RunnerBusy("another process is at work on this installation")
            on_wait()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@dataclass(slots=True)
class Pass:
    """What one pass over all stores and sellers did.

    Attributes:
        intake: result by store code.
        worked: documents touched and events done.
        problems: sentences about what held something up.
        failed: the database cannot be used, so the pass was cut short.
    """

    intake: dict[str, IntakeResult] = field(default_factory=dict)
    worked: int = 0
    problems: list[Text] = field(default_factory=list)
    failed: bool = False


class Runner:
    """Runs the pipeline's steps for all sellers of an installation.

    Args:
        services: the outside world.
        sleep: waits for so many seconds.
        only: ids of the sellers to work for; ``None`` means all.
        keep_sessions: leave sessions open for the next order, until they were idle for some time.
        monotonic: seconds that never go back, for the length of a run.
    """

    def __init__(
        self,
        services: Services,
        sleep: Callable[[float], None] = time.sleep,
        *,
        only: Collection[int] | None = None,
        keep_sessions: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._services = services
        self._sleep = sleep
        self._only = only
        self._keep_sessions = keep_sessions
        self._monotonic = monotonic

    def take_in(self, only: str | None = None) -> Pass:
        """Look at every store, or at one by its code, for what changed, and go on with what is backfilled.

        One store's trouble hides no other store; a database that cannot be used ends the look and is a
        problem of the result.
        """
        result = Pass()
        try:
            with self._services.database() as session:
                stores = session.execute(
                    select(Store.id, Store.code, Store.seller_id).where(IS_OPEN).order_by(Store.id)
                ).all()
            for store_id, code, seller_id in stores:
                if only not in {None, code} or (self._only is not None and seller_id not in self._only):
                    continue
                with bound(task="look", seller_id=seller_id, store_id=store_id):
                    seen = self._take_in(store_id)
                result.intake[code] = seen
                if seen.failure:
                    said = seen.failure.words
                    result.problems.append(Text(f"Sklep {code}: {said.pl}", f"Store {code}: {said.en}"))
        except SQLAlchemyError as error:
            result.problems.append(trouble(error))
        return result

    def _take_in(self, store_id: int) -> IntakeResult:
        try:
            seen = take_in(self._services, store_id)
            more = backfill.run(self._services, store_id) if seen.failure is None else None
        except SQLAlchemyError:
            raise
        except Exception as error:
            _log.failed(Said.STORE_FAILED, error, store_id=store_id)
            return IntakeResult(0, 0, ShopError("an internal error; the log has details"))
        if more is None:
            if seen.failure is not None:
                _log.warning(Said.STORE_FAILED, seen.failure)
            return seen
        write = _log.info if seen.changed or more.changed else _log.debug
        write(Said.STORE_LOOKED, seen=seen.seen + more.seen, changed=seen.changed + more.changed)
        return IntakeResult(seen.seen + more.seen, seen.changed + more.changed, more.failure)

    def work(self) -> Pass:
        """One pass over received events and all lanes.

        A database that cannot be used (full disk, no rights) ends the pass and is a problem of the result.
        """
        result = Pass()
        try:
            sellers = self._sellers()
            heard = events.work(self._services, sellers)
            result.worked += heard.worked
            result.problems += heard.problems
            outages.look(self._services, idle=self._keep_sessions)
            for seller_id in sellers:
                lane = run_lane(self._services, seller_id)
                result.worked += lane.worked
                result.problems += lane.problems
        except SQLAlchemyError as error:
            result.failed = True
            result.problems.append(trouble(error))
        return result

    def work_until_idle(self, patience: timedelta) -> Pass:
        """Work until nothing is due within what is left of the given time.

        Args:
            patience: how long to go on waiting for documents under way.

        Returns:
            All passes together; problems of the last pass only, since earlier ones may be over.
        """
        whole = Pass()
        deadline = self._monotonic() + patience.total_seconds()
        while True:
            one = self.work()
            whole.worked += one.worked
            whole.problems = one.problems or whole.problems
            if one.failed:
                whole.failed = True
                return whole
            left = timedelta(seconds=max(0.0, deadline - self._monotonic()))
            pause = self._next_due(left)
            if pause is None or not left:
                break
            if not one.problems:
                whole.problems = []
            # a pass that moved nothing is not repeated at once, whatever is due
            self._sleep(max(pause, 0.02 if one.worked else 1.0))
        self.close_sessions(at_once=not self._keep_sessions)
        return whole

    def _next_due(self, within: timedelta) -> float | None:
        """Seconds until a document or an event is due, ``None`` when nothing is within the given time."""
        sellers = self._sellers()
        pauses = [next_due(self._services, sellers, within)]
        event = events.next_due(self._services, sellers)
        if event is not None:
            pause = max(0.0, (event - self._services.clock()).total_seconds())
            pauses.append(pause if pause <= within.total_seconds() else None)
        return min((one for one in pauses if one is not None), default=None)

    def close_sessions(self, *, at_once: bool = True) -> None:
        """Close sessions that nothing needs any more; a failure only means that KSeF closes them by time.

        Args:
            at_once: also those that were used a moment ago.
        """
        for seller_id in self._sellers():
            try:
                close_idle_session(self._services, seller_id, at_once=at_once)
            except (KsefError, KeyMaterialError, VaultLocked, SQLAlchemyError):
                continue

    def _sellers(self) -> list[int]:
        with self._services.database() as session:
            sellers = session.scalars(select(Seller.id).order_by(Seller.id))
            return [one for one in sellers if self._only is None or one in self._only]
