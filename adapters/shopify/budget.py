"""The cost budget of one app at one shop: a bucket of points that refills with time.

Every answer tells how much is left (``extensions.cost.throttleStatus``). Queries wait before they would
empty the bucket, so that the shop's other apps of the same kind and our next urgent query find points.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from adapters.http import LONGEST_PAUSE

_RESERVE = 0.1
"""Share of the bucket that is left untouched."""

_USUAL_RATE = 100.0
"""Points a second of the smallest plan, until the shop tells its own."""


@dataclass(slots=True)
class CostBudget:
    """What is known of the bucket.

    Attributes:
        clock: the time now, aware UTC.
    """

    clock: Callable[[], datetime]
    _maximum: float = 0.0
    _available: float = 0.0
    _rate: float = _USUAL_RATE
    _at: datetime | None = None
    _costs: dict[str, float] = field(default_factory=dict)

    def pause_before(self, operation: str) -> float:
        """Seconds to wait before an operation of this name; 0 while nothing is known.

        Args:
            operation: its name; its cost is what it asked for last time.
        """
        cost = self._costs.get(operation)
        if self._at is None or cost is None:
            return 0.0
        elapsed = max((self.clock() - self._at).total_seconds(), 0.0)
        available = min(self._maximum, self._available + elapsed * self._rate)
        wanted = min(cost + self._maximum * _RESERVE, self._maximum)
        return min(max(wanted - available, 0.0) / self._rate, LONGEST_PAUSE)

    def learn(self, operation: str, extensions: object) -> None:
        """Take over what an answer tells about its cost; anything unreadable is ignored."""
        cost = extensions.get("cost") if isinstance(extensions, Mapping) else None
        if not isinstance(cost, Mapping):
            return
        requested = _number(cost.get("requestedQueryCost"))
        if requested is not None:
            self._costs[operation] = requested
        status = cost.get("throttleStatus")
        if not isinstance(status, Mapping):
            return
        maximum, available, rate = (
            _number(status.get(key)) for key in ("maximumAvailable", "currentlyAvailable", "restoreRate")
        )
        if maximum is not None and available is not None and rate:
            self._maximum, self._available, self._rate, self._at = maximum, available, rate, self.clock()

    def pause_when_throttled(self, operation: str) -> float:
        """Seconds until a throttled operation has enough points; at least one, because others take some."""
        return max(self.pause_before(operation), 1.0)


def _number(value: object) -> float | None:
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None
