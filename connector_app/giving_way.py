"""The background's share of a process that also answers: half of the time at the most while much comes in.

Threads of one process compute in turns. A shop that tells of thousands of orders in a minute waits for each
answer, and the background, which then has thousands of orders to read and invoice, would compute beside it
without a break. So during a burst it rests after each step (one order, one document) as long as the step
took. It goes on all the same, only slower, and at full speed the moment the burst is over: nobody waits for
those orders but the background itself, which reads them anew in any order.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

_BURST: Final = 0.1
"""Seconds between two arrivals at the most, in a burst: ten a second are served beside anything."""
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
        self._last = self._before = -_BURST
        self._rested = monotonic()

    def came(self) -> None:
        """Something came in; called by the threads that answer."""
        self._before, self._last = self._last, self._monotonic()

    def give(self) -> None:
        """A step of work is done: rest as long as it took, if a burst comes in."""
        now = self._monotonic()
        is_burst = now - self._last < _BURST and self._last - self._before < _BURST
        if is_burst:
            self._rest(min(now - self._rested, _LONGEST))
        self._rested = self._monotonic()
