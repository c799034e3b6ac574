"""How long a turn of work may go on: until its time is over, or the process is asked to end.

Whoever works looks between two steps; a step under way is always finished.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf


@dataclass(frozen=True, slots=True)
class Slice:
    """A turn's time.

    Attributes:
        until: its end, by ``monotonic``.
        stopped: whether the process is asked to end.
        monotonic: seconds that never go back.
    """

    until: float = inf
    stopped: Callable[[], bool] = field(default=lambda: False)
    monotonic: Callable[[], float] = time.monotonic

    @classmethod
    def of(cls, seconds: float, stopped: Callable[[], bool] = lambda: False) -> Slice:
        """A slice of so many seconds from now on."""
        return cls(time.monotonic() + seconds, stopped)

    def is_over(self) -> bool:
        """Whether the next step is left for another turn."""
        return self.stopped() or self.monotonic() >= self.until

    def half(self) -> Slice:
        """What is left of it, halved: whoever works first leaves time for who comes after."""
        if self.until == inf:
            return self
        return Slice((self.until + self.monotonic()) / 2, self.stopped, self.monotonic)


ENDLESS = Slice()
"""Everything that is due is done."""
