"""The budget of requests to KSeF, counted in the database: one place for all workers, also after a restart.

KSeF counts what arrives in sliding windows of a second, a minute and an hour, per context and address. A
counter in a process would forget the hour at each restart and earn a 429; this one does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, func, or_, select
from sqlalchemy.orm import Session

from connector_app.store.database import Sessions
from connector_app.store.models import KsefPause, KsefRequest
from connector_app.store.sessions import lane_of
from core.ksef.limits import PUBLISHED, Group, Rate, group_of, windows

_OLDEST = timedelta(hours=2)
"""Requests older than the longest window count no more."""
_LONGEST_PAUSE = timedelta(days=1)
_AHEAD = timedelta(minutes=1)
"""Requests that are further in the future were counted by a wrong clock."""
_EDGE = timedelta(milliseconds=10)
"""Beyond the edge of a window."""


class StoredBudget:
    """A :class:`~core.ksef.limits.Budget` of one environment that survives restarts.

    Args:
        database: of the installation.
        environment: address of the API: each environment counts for itself.
        clock: aware UTC.
        rates: limits by group.
    """

    def __init__(
        self,
        database: Sessions,
        environment: str,
        clock: Callable[[], datetime],
        rates: Mapping[Group, Rate] = PUBLISHED,
    ) -> None:
        self._database = database
        self._environment = environment
        self._clock = clock
        self._rates = rates

    def take(self, operation: str, context: str) -> float:
        """Take one request; see :class:`~core.ksef.limits.Budget`."""
        group = group_of(operation)
        now = self._clock()
        with self._database.begin(self._lane(context)) as session:
            wait = self._wait(session, group, context, now)
            if wait > timedelta():
                return wait.total_seconds()
            session.execute(
                delete(KsefRequest).where(
                    self._of(group, context),
                    or_(KsefRequest.at < now - _OLDEST, KsefRequest.at > now + _AHEAD),
                )
            )
            session.add(
                KsefRequest(environment=self._environment, context=context, group=group.value, at=now)
            )
        return 0.0

    def wait(self, operation: str, context: str) -> float:
        """Seconds until a request would be taken, for planning; takes nothing."""
        with self._database() as session:
            return self._wait(session, group_of(operation), context, self._clock()).total_seconds()

    def left_in_hour(self, operation: str, context: str) -> int | None:
        """How many requests of an operation's group the last hour still takes; ``None`` without a limit."""
        group = group_of(operation)
        allowed = self._rates[group].per_hour
        if allowed is None:
            return None
        length = windows(self._rates[group])[-1][1]
        with self._database() as session:
            used = session.scalar(
                select(func.count())
                .select_from(KsefRequest)
                .where(self._since(group, context, self._clock(), length))
            )
        return max(0, allowed - (used or 0))

    def close(self, operation: str, context: str, seconds: float) -> None:
        """Hold a group back because KSeF asked for it; see :class:`~core.ksef.limits.Budget`."""
        group = group_of(operation).value
        until = self._clock() + min(timedelta(seconds=seconds), _LONGEST_PAUSE)
        with self._database.begin(self._lane(context)) as session:
            row = session.get(KsefPause, (self._environment, context, group))
            if row is None:
                row = KsefPause(environment=self._environment, context=context, group=group, until=until)
                session.add(row)
            row.until = max(row.until, until)

    def _lane(self, context: str) -> int:
        """Requests of one context are counted one after another, whoever asks."""
        return lane_of(f"budget {self._environment} {context}")

    def _of(self, group: Group, context: str) -> ColumnElement[bool]:
        return and_(
            KsefRequest.environment == self._environment,
            KsefRequest.context == context,
            KsefRequest.group == group.value,
        )

    def _since(self, group: Group, context: str, now: datetime, length: timedelta) -> ColumnElement[bool]:
        """The requests of a window, without those that a wrong clock put into the future."""
        return and_(self._of(group, context), KsefRequest.at > now - length, KsefRequest.at < now + _AHEAD)

    def _wait(self, session: Session, group: Group, context: str, now: datetime) -> timedelta:
        """The longest wait that any window, or KSeF's own word, asks for."""
        pause = session.get(KsefPause, (self._environment, context, group.value))
        longest = timedelta()
        # the longest that KSeF is obeyed; beyond it a wrong clock wrote the pause
        if pause is not None and pause.until - now <= _LONGEST_PAUSE:
            longest = max(longest, pause.until - now)
        for amount, length in windows(self._rates[group]):
            # the request that has to leave the window before another fits
            blocking = session.scalar(
                select(KsefRequest.at)
                .where(self._since(group, context, now, length))
                .order_by(KsefRequest.at.desc())
                .offset(amount - 1)
                .limit(1)
            )
            if blocking is not None:
                longest = max(longest, blocking + length + _EDGE - now)
        return longest
