"""One process does all sellers' work, one after another: the embedded application and commands."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from connector_app.pipeline.intake import IntakeResult
from connector_app.pipeline.services import Services
from connector_app.running import tasks
from connector_app.store.database import trouble
from connector_app.store.models import Seller, Store
from connector_app.store.recovered import IS_OPEN
from core.findings import Text

_FOR_EVER: Final = timedelta(days=36_500)


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
        public_url: under which shops reach this installation; empty when they do not.
    """

    def __init__(
        self,
        services: Services,
        sleep: Callable[[float], None] = time.sleep,
        *,
        only: Collection[int] | None = None,
        keep_sessions: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
        public_url: str = "",
    ) -> None:
        self._services = services
        self._sleep = sleep
        self._only = only
        self._keep_sessions = keep_sessions
        self._monotonic = monotonic
        self._public_url = public_url

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
                seen = tasks.look_at_store(self._services, store_id, self._public_url)
                result.intake[code] = seen
                result.problems += tasks.trouble_of(self._services, store_id, seen)
        except SQLAlchemyError as error:
            result.problems.append(trouble(error))
        return result

    def work(self) -> Pass:
        """One pass over received events and all lanes.

        A database that cannot be used (full disk, no rights) ends the pass and is a problem of the result.
        """
        result = Pass()
        try:
            tasks.look_at_boards(self._services, idle=self._keep_sessions)
            for seller_id in self._sellers():
                lane = tasks.lane_pass(self._services, seller_id)
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
        pauses = (tasks.lane_due(self._services, one, _FOR_EVER) for one in self._sellers())
        soonest = min(pauses, default=_FOR_EVER)
        return soonest.total_seconds() if soonest <= within else None

    def close_sessions(self, *, at_once: bool = True) -> None:
        """Close sessions that nothing needs any more; a failure only means that KSeF closes them by time.

        Args:
            at_once: also those that were used a moment ago.
        """
        for seller_id in self._sellers():
            tasks.close_session(self._services, seller_id, at_once=at_once)

    def _sellers(self) -> list[int]:
        with self._services.database() as session:
            sellers = session.scalars(select(Seller.id).order_by(Seller.id))
            return [one for one in sellers if self._only is None or one in self._only]
