"""Rate limits: the published table as data, and sliding windows that enforce it.

Source: ``x-rate-limits`` and the group names in the 429 responses of open-api.json (API 2.9.0). Calls are
counted per (context, IP address, group); the windows of a second, a minute and an hour hold together.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.ksef.errors import Json, TooManyRequests

UNLIMITED = -1
_LONGEST_BLOCK = 3600.0


@dataclass(frozen=True, slots=True)
class RateLimit:
    """How many calls a group allows in each window; ``UNLIMITED`` (-1) means no limit."""

    per_second: int
    per_minute: int = UNLIMITED
    per_hour: int = UNLIMITED

    def windows(self) -> tuple[tuple[int, float, str], ...]:
        """(calls, seconds, Polish name) of each window that has a limit."""
        every = (
            (self.per_second, 1.0, "sekundę"),
            (self.per_minute, 60.0, "minutę"),
            (self.per_hour, 3600.0, "godzinę"),
        )
        return tuple(window for window in every if window[0] != UNLIMITED)

    def as_json(self) -> Json:
        """EffectiveApiRateLimitValues of the contract."""
        return {"perSecond": self.per_second, "perMinute": self.per_minute, "perHour": self.per_hour}


PUBLISHED: Mapping[str, RateLimit] = {
    "onlineSession": RateLimit(10, 30, 120),
    "onlineSessionClose": RateLimit(20, 60, 240),
    "batchSession": RateLimit(10, 20, 60),
    "batchSessionClose": RateLimit(20, 40, 120),
    "invoiceSend": RateLimit(10, 30, 180),
    "invoiceStatus": RateLimit(30, 120, 1200),
    "sessionList": RateLimit(5, 10, 60),
    "sessionInvoiceList": RateLimit(10, 20, 200),
    "sessionMisc": RateLimit(10, 120, 1200),
    "invoiceMetadata": RateLimit(8, 16, 20),
    "invoiceExport": RateLimit(8, 16, 20),
    "invoiceExportStatus": RateLimit(10, 60, 600),
    "invoiceDownload": RateLimit(8, 16, 64),
    "collectiveIdentifier": RateLimit(20, 120, 240),
    "other": RateLimit(10, 30, 120),
    "anonymous": RateLimit(60),
    "global": RateLimit(75),
}
"""Group of operations -> limit, as GET /rate-limits shows it."""

CHANGEABLE: tuple[str, ...] = (
    "onlineSession",
    "batchSession",
    "invoiceSend",
    "invoiceStatus",
    "sessionList",
    "sessionInvoiceList",
    "sessionMisc",
    "invoiceMetadata",
    "invoiceExport",
    "invoiceExportStatus",
    "invoiceDownload",
    "collectiveIdentifier",
    "other",
)
"""Groups that POST /testdata/rate-limits sets (ApiRateLimitsOverride of the contract)."""
GLOBAL = "global"
"""Group of every call of one IP address together."""


@dataclass(slots=True)
class _Window:
    calls: deque[datetime] = field(default_factory=deque)
    blocked_until: datetime | None = None


@dataclass(slots=True)
class RateLimiter:
    """Counts calls in sliding windows.

    Attributes:
        limits: group -> limit, where a call names none of its own.
    """

    limits: Mapping[str, RateLimit] = field(default_factory=lambda: dict(PUBLISHED))
    _windows: dict[tuple[str, str, str], _Window] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(
        self,
        group: str,
        *,
        context: str,
        address: str,
        moment: datetime,
        limits: Mapping[str, RateLimit] | None = None,
    ) -> None:
        """Count one call.

        Args:
            group: name in :data:`PUBLISHED`.
            context: value of the context identifier, empty before signing in.
            address: IP address of the caller.
            moment: aware time of the call.
            limits: group -> limit of this context; None means those of the limiter.

        Raises:
            TooManyRequests: the call is over a limit, or a block is still on; calling again during a block
                doubles what is left of it ("repeated excess lengthens the block"), up to an hour.
        """
        with self._lock:
            window = self._windows.setdefault((group, context, address), _Window())
            if window.blocked_until is not None and moment < window.blocked_until:
                left = (window.blocked_until - moment).total_seconds()
                longer = min(2 * left, _LONGEST_BLOCK)
                window.blocked_until = moment + timedelta(seconds=longer)
                raise _refusal("Dostęp jest tymczasowo zablokowany.", longer)
            while window.calls and (moment - window.calls[0]).total_seconds() >= 3600:
                window.calls.popleft()
            for allowed, seconds, name in (limits or self.limits)[group].windows():
                if len(window.calls) >= allowed:
                    left = seconds - (moment - window.calls[-allowed]).total_seconds()
                    if left > 0:
                        window.blocked_until = moment + timedelta(seconds=left)
                        raise _refusal(f"Przekroczono limit {allowed} żądań na {name}.", left)
            window.calls.append(moment)

    def forget(self) -> None:
        """Forget every counted call and block."""
        with self._lock:
            self._windows.clear()


def _refusal(reason: str, seconds: float) -> TooManyRequests:
    wait = max(1, math.ceil(seconds))
    return TooManyRequests(f"{reason} Spróbuj ponownie po {wait} sekundach.", wait)
