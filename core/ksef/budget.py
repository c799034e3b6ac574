"""A budget of requests with moving windows, on the ``limits`` library."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from core.ksef.limits import PUBLISHED, Group, Rate, group_of, windows

if TYPE_CHECKING:
    from limits import RateLimitItem
    from limits.strategies import MovingWindowRateLimiter

_EDGE = 0.01
"""Seconds beyond the edge of a window."""


class WindowBudget:
    """A budget with moving windows in this process's memory.

    Args:
        rates: limits by group; those that an environment announces, or the published ones.
    """

    def __init__(self, rates: Mapping[Group, Rate] = PUBLISHED) -> None:
        # 30 ms that only a program which sends needs
        from limits.storage import MemoryStorage  # noqa: PLC0415
        from limits.strategies import MovingWindowRateLimiter  # noqa: PLC0415

        self._rates = dict(rates)
        self._lock = threading.Lock()
        self._closed: dict[tuple[Group, str], float] = {}
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._items: dict[Group, tuple[RateLimitItem, ...]] = {}

    def take(self, operation: str, context: str) -> float:
        """Take one request; see :class:`Budget`."""
        group = group_of(operation)
        with self._lock:
            longest = self._longest_wait(group, context)
            if longest > 0:
                return longest
            # at the very edge of a window the library's test and hit disagree: hit decides
            hits = [self._limiter.hit(item, context) for item in self._limits(group)]
            return 0.0 if all(hits) else _EDGE

    def wait(self, operation: str, context: str) -> float:
        """Seconds until a request would be taken, for planning; takes nothing."""
        with self._lock:
            return self._longest_wait(group_of(operation), context)

    def close(self, operation: str, context: str, seconds: float) -> None:
        """Hold a group back; see :class:`Budget`."""
        with self._lock:
            key = (group_of(operation), context)
            self._closed[key] = max(self._closed.get(key, 0.0), time.time() + seconds)

    def left_in_hour(self, operation: str, context: str) -> int | None:
        """How many requests the last hour still takes; ``None`` without an hourly limit."""
        return self.remaining(operation, context).per_hour

    def remaining(self, operation: str, context: str) -> Rate:
        """What each window would still take, for planning; a window without limit is None."""
        group = group_of(operation)
        rate = self._rates[group]
        with self._lock:
            limiter = self._limiter
            left = [limiter.get_window_stats(item, context).remaining for item in self._limits(group)]
        windows = iter(left)
        return Rate(
            next(windows),
            next(windows) if rate.per_minute is not None else None,
            next(windows) if rate.per_hour is not None else None,
        )

    def _longest_wait(self, group: Group, context: str) -> float:
        now = time.time()
        closed_for = self._closed.get((group, context), now) - now
        if closed_for > 0:
            return closed_for
        return max(
            (self._wait(self._limiter, item, context, now) for item in self._limits(group)), default=0.0
        )

    def _wait(self, limiter: MovingWindowRateLimiter, item: RateLimitItem, context: str, now: float) -> float:
        if limiter.test(item, context):
            return 0.0
        # the oldest request leaves the window then
        return max(limiter.get_window_stats(item, context).reset_time - now, 0.0) + _EDGE

    def _limits(self, group: Group) -> tuple[RateLimitItem, ...]:
        from limits import RateLimitItemPerSecond  # noqa: PLC0415  see __init__

        if group not in self._items:
            self._items[group] = tuple(
                RateLimitItemPerSecond(amount, int(length.total_seconds()), namespace=f"ksef-{group.value}")
                for amount, length in windows(self._rates[group])
            )
        return self._items[group]
