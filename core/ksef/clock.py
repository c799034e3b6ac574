"""Our clock measured by KSeF's: P_1, offline deadlines and SigningTime are only as right as it is.

Source: the header ``Date`` of each answer (RFC 9110), and ``timestamp`` of ``POST /auth/challenge``.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

log = logging.getLogger(__name__)

MOST: Final = timedelta(seconds=60)
"""A larger difference is told; a challenge is signed and sent back within 10 minutes."""

_SECOND: Final = timedelta(seconds=1)
"""``Date`` has whole seconds."""


@dataclass(frozen=True, slots=True)
class ClockReading:
    """One comparison of the clocks.

    Attributes:
        ahead: how far ours is ahead of KSeF's; negative when it is behind, zero within what can be told.
        operation: the operation whose answer was measured.
    """

    ahead: timedelta
    operation: str

    @property
    def is_off(self) -> bool:
        """Whether the difference is large enough to tell a person."""
        return abs(self.ahead) > MOST


def compare(theirs: datetime, before: datetime, after: datetime) -> timedelta:
    """How far our clock is ahead of KSeF's.

    Args:
        theirs: KSeF's time, aware, somewhere between the two others.
        before: our time before the request, aware.
        after: our time after the answer, aware.

    Returns:
        Zero while KSeF's time lies between ours; otherwise the least difference that explains it.
    """
    if theirs > after:
        return after - theirs
    if theirs + _SECOND < before:
        return before - theirs
    return timedelta()


def stated_time(headers: Mapping[str, str]) -> datetime | None:
    """The time that an answer states; None without one, and for an answer out of a cache (``Age``).

    Args:
        headers: names in lower case to values.
    """
    if "age" in headers:
        return None
    try:
        moment = parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def log_reading(reading: ClockReading) -> None:
    """Log a clock that is off: what is done with readings by default."""
    if reading.is_off:
        seconds = reading.ahead.total_seconds()
        log.warning("this machine's clock differs from KSeF's by %+.0f s", seconds)
