"""Marks: up to which change a list of a shop was read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from connector_app.pipeline.services import Services
from connector_app.store.lanes import of_store
from connector_app.store.models import Store

OVERLAP = timedelta(minutes=10)
"""Changes are read again from this long before a mark: clocks differ and pages shift."""

_FAR_EVERY = timedelta(minutes=5)
_NEAR = timedelta(seconds=10)

CHECKPOINT = 200
"""Entities after which a mark is written down."""


def overlap(looked_at: datetime | None, now: datetime) -> timedelta:
    """How far before the mark a look begins.

    Once in five minutes so far that no change is missed that turned up :data:`OVERLAP` late; between, only so
    far as changes of the same moment come out of order. Else thousands of orders of a busy hour would be read
    again at every look.

    Args:
        looked_at: when the last complete look began, aware UTC; ``None``: there was none.
        now: aware UTC.
    """
    if looked_at is not None and _turn(looked_at) == _turn(now):
        return _NEAR
    return OVERLAP + _FAR_EVERY


def _turn(moment: datetime) -> int:
    return int(moment.timestamp() // _FAR_EVERY.total_seconds())


class Mark:
    """Up to which change a list was read; never later than now by our own clock.

    A shop can date a change in the future (a wrong clock, an import). Taken as it is, such a date would hide
    every true change until that day.

    Args:
        clock: the time now, aware UTC.
        saved: what was written down before.
        write: keeps a moment.
    """

    def __init__(
        self, clock: Callable[[], datetime], saved: datetime | None, write: Callable[[datetime], None]
    ) -> None:
        self._clock = clock
        self._saved = self._newest = saved
        self._write = write
        self._since_saved = 0

    def passed(self, changed_at: datetime | None) -> None:
        """An entity of this change was kept (``None``: it does not tell); now and then it is written down."""
        if changed_at is not None and (self._newest is None or changed_at > self._newest):
            self._newest = changed_at
        self._since_saved += 1
        if self._since_saved >= CHECKPOINT:
            self.save()

    def save(self) -> None:
        """Write down how far reading came."""
        self._since_saved = 0
        newest = self._newest and min(self._newest, self._clock())
        if newest is None or newest == self._saved:
            return
        self._write(newest)
        self._saved = newest


def of_orders(services: Services, store: Store) -> Mark:
    """The mark of a store's changed orders."""

    def write(moment: datetime) -> None:
        with services.database.begin(of_store(store.id)) as session:
            session.get_one(Store, store.id).mark = moment

    return Mark(services.clock, store.mark, write)


def of_refunds(services: Services, store: Store) -> Mark:
    """The mark of a store's changed refunds."""

    def write(moment: datetime) -> None:
        with services.database.begin(of_store(store.id)) as session:
            session.get_one(Store, store.id).refunds_mark = moment

    return Mark(services.clock, store.refunds_mark, write)
