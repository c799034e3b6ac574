"""What one working process of a scaled installation does with a turn that it is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from connector_app.hooks.happenings import Links
from connector_app.log_events import Said
from connector_app.logs import Log
from connector_app.measures import HOOKS
from connector_app.pipeline.services import Services
from connector_app.pipeline.slices import Slice
from connector_app.running import tasks, turns
from connector_app.running.alone import work_beside
from connector_app.running.turns import Begun, Ticket
from connector_app.running.workers import Presence
from connector_app.store.locks import LockHeld
from connector_app.store.models import Store
from connector_app.store.running import Kind
from core.findings import Text

_log = Log(__name__)

SLICE: Final = 5.0
"""Seconds after which a lane gives others their turn."""
_TAKEN: Final = timedelta(seconds=5)
"""Until another try at a lane that somebody else has."""
_HELD: Final = timedelta(seconds=2)
"""Until another try while a command needs the installation alone."""
_AFTER_FAULT: Final = timedelta(seconds=60)
_HOOKS: Final = timedelta(seconds=5)
_SEVERAL: Final = timedelta(seconds=20)
_HOUR: Final = timedelta(hours=1)

_BROKEN = Text(
    "Wewnętrzny błąd podczas pracy w tle; szczegóły są w dzienniku.",
    "An internal error of the background work; the log has details.",
)


@dataclass(frozen=True, slots=True)
class Duties:
    """How the work is to be done; the same on all machines.

    Attributes:
        every: between two looks at a shop.
        public_url: under which shops reach the installation; empty when they do not.
        private_addresses: hooks may be in the local network.
        slice: seconds of a lane's turn.
    """

    every: timedelta = timedelta(seconds=20)
    public_url: str = ""
    private_addresses: bool = False
    slice: float = SLICE


class Process:
    """Does turns, one at a time.

    Args:
        services: the installation; opened in this process.
        duties: how the work is to be done.
        stopped: whether the process is asked to end; looked at between two steps.
    """

    def __init__(
        self, services: Services, duties: Duties, stopped: Callable[[], bool] = lambda: False
    ) -> None:
        self._services, self._duties, self._stopped = services, duties, stopped
        self._turn: Begun | None = None
        self.presence: Presence | None = None
        self._work = {
            Kind.LANE: self._lane,
            Kind.LOOK: self._look,
            Kind.HOOKS: self._hooks,
            Kind.HOOK: self._hook,
            Kind.BOARDS: self._boards,
            Kind.BUYERS: self._buyers,
            Kind.NOTICES: self._notices,
            Kind.PRUNE: self._prune,
        }

    def still_at_it(self) -> None:
        """Say that the turn under way goes on; called with each heartbeat."""
        turn = self._turn
        if turn is not None:
            turns.seen_at_work(self._services, turn)
        self._services.measures.keep_now_and_then(self._services.database)

    def do(self, ticket: Ticket) -> bool:
        """Do one turn, unless its ticket no longer counts; a fault of one turn never ends the process.

        Returns:
            Whether it was begun.
        """
        try:
            turn = turns.begin(self._services, ticket)
            if turn is None:
                return False
            self._is_at(turn)
            self._guarded(turn)
        except SQLAlchemyError as error:
            # the turn is given out again when nothing was heard of it
            _log.warning(Said.DATABASE_FAILED, error, turn=ticket.kind.value, subject=ticket.subject)
        finally:
            self._is_at(None)
        return True

    def _is_at(self, turn: Begun | None) -> None:
        self._turn = turn
        if self.presence is not None:
            self.presence.doing(f"{turn.kind} {turn.subject}" if turn else None)

    def _guarded(self, turn: Begun) -> None:
        try:
            with work_beside(self._services):
                self._work[turn.kind](turn)
        except LockHeld:
            turns.leave(self._services, turn, _HELD)
        except SQLAlchemyError:
            raise
        except Exception as error:
            _log.failed(Said.WORK_FAILED, error, turn=turn.kind.value, subject=turn.subject)
            self._end(turn, _AFTER_FAULT, [_BROKEN])

    def _end(self, turn: Begun, pause: timedelta, problems: list[Text]) -> None:
        if problems:
            _log.warning(Said.PROBLEMS, count=len(problems), turn=turn.kind.value, subject=turn.subject)
        turns.end(self._services, turn, pause, {"problems": turns.kept(problems)})

    def _lane(self, turn: Begun) -> None:
        until = Slice.of(self._duties.slice, self._stopped)
        done = tasks.work_lane(self._services, turn.subject, until)
        if done.taken:
            turns.leave(self._services, turn, _TAKEN)
            return
        self._end(turn, done.next_in, done.problems)
        if done.worked:
            turns.wake(self._services, Kind.HOOKS, turns.INSTALLATION, give_out=False)

    def _look(self, turn: Begun) -> None:
        seen = tasks.look_at_store(self._services, turn.subject, self._duties.public_url)
        self._end(turn, self._duties.every, tasks.trouble_of(self._services, turn.subject, seen))
        if seen.changed:
            with self._services.database() as session:
                seller_id = session.scalar(select(Store.seller_id).where(Store.id == turn.subject))
            if seller_id is not None:
                turns.wake(self._services, Kind.LANE, seller_id, give_out=False)

    def _hooks(self, turn: Begun) -> None:
        for hook_id in tasks.collect_hooks(self._services, Links(self._duties.public_url)):
            turns.wake(self._services, Kind.HOOK, hook_id, give_out=False)
        self._services.measures.mark("hooks", self._services.clock())
        turns.end(self._services, turn, _HOOKS)

    def _hook(self, turn: Begun) -> None:
        until = Slice.of(self._duties.slice, self._stopped)
        outcomes = tasks.deliver(
            self._services,
            turn.subject,
            allow_private=self._duties.private_addresses,
            go_on=lambda: not until.is_over(),
        )
        failed = sum(one.failure is not None for one in outcomes)
        self._services.measures.count(HOOKS, "failed", times=failed)
        self._services.measures.count(HOOKS, "delivered", times=len(outcomes) - failed)
        # whoever collects wakes it when something is due
        turns.end(self._services, turn, _HOUR)

    def _boards(self, turn: Begun) -> None:
        woken = tasks.look_at_boards(self._services)
        turns.end(self._services, turn, _SEVERAL)
        if woken:
            turns.wake_all(self._services, Kind.LANE, woken)

    def _buyers(self, turn: Begun) -> None:
        tasks.ask_registers(self._services)
        turns.end(self._services, turn, _SEVERAL)

    def _notices(self, turn: Begun) -> None:
        said = {"notices": turns.kept(tasks.notices(self._services))}
        turns.end(self._services, turn, timedelta(seconds=60), said)

    def _prune(self, turn: Begun) -> None:
        tasks.keep_up(self._services)
        turns.end(self._services, turn, timedelta(minutes=1))
