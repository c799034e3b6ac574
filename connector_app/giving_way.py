"""The background's share of a process that also answers: a third of the time while much comes in.

Threads of one process compute in turns. A shop that tells of thousands of orders in a minute waits for each
answer, and the background, which then has thousands of orders to read and invoice, would compute beside it
without a break, and hold the database for many orders at a time. So during a burst it takes small steps (one
order, one document) and rests after each twice as long as the step took. It goes on all the same, only
slower, and at full speed the moment the burst is over: nobody waits for those orders but the background
itself. Only deliveries that are rightly signed make a burst.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

_CLOSE: Final = 0.1
"""Seconds between two arrivals that begin a burst: ten a second are served beside anything."""
_LASTS: Final = 1.0
"""Seconds for which it lasts after such an arrival: those that wait for the work itself are not seen."""
_SHARE: Final = 2.0
"""A rest, measured in steps."""
_LONGEST: Final = 0.1
"""Seconds of one rest: a step that waited for a shop or KSeF did not compute all the while."""


class GivingWay:
    """Knows whether a burst comes in, and makes whoever works rest between steps until it is over.

    Args:
        rest: waits for so many seconds.
        monotonic: seconds that never go back.
    """

    def __init__(
        self, rest: Callable[[float], object] = time.sleep, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._rest = rest
        self._monotonic = monotonic
        self._last = self._until = -_CLOSE
        self._rested = monotonic()

    def came(self) -> None:
        """Something came in; called by the threads that answer."""
        now = self._monotonic()
        if now - self._last < _CLOSE:
            self._until = now + _LASTS
        self._last = now

    def is_burst(self) -> bool:
        """Whether much comes in now."""
        return self._monotonic() < self._until

    def give(self) -> None:
        """A step of work is done: rest, if a burst comes in."""
        if self.is_burst():
            self._rest(min(_SHARE * (self._monotonic() - self._rested), _LONGEST))
        self._rested = self._monotonic()
