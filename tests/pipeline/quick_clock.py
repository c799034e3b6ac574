"""A clock that runs faster than the world's, the same in several processes: pauses cost less time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class QuickClock:
    """Time that began with the world's and passes ``factor`` times as fast.

    Attributes:
        factor: seconds that pass in one of the world's.
        zero: the world's time, in seconds since 1970, at which both are the same.
    """

    factor: float
    zero: float = field(default_factory=time.time)

    def __call__(self) -> datetime:
        """Now, aware UTC."""
        return datetime.fromtimestamp(self.zero + self.seconds(), UTC)

    def seconds(self) -> float:
        """Seconds since both were the same."""
        return (time.time() - self.zero) * self.factor

    def sleep(self, seconds: float) -> None:
        """Wait until so many of its seconds have passed."""
        time.sleep(max(0.0, seconds) / self.factor)
