"""Clocks of a run: one that sleeping moves, for several processes, and the real one."""

from __future__ import annotations

import mmap
import struct
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

_NOW = struct.Struct("d")
_STEP = 0.001


class WorldClock(Protocol):
    """What a world needs of its clock."""

    def __call__(self) -> datetime:
        """Now, aware UTC."""
        ...

    def seconds(self) -> float:
        """Now, in seconds since 1970."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let so many seconds pass for everybody."""
        ...


class RealClock:
    """The time of all programs of this machine, until :meth:`let_go`: from then on sleeping moves it."""

    def __init__(self) -> None:
        self._moved: float | None = None

    def __call__(self) -> datetime:
        """Now, aware UTC."""
        return datetime.fromtimestamp(self.seconds(), UTC)

    def seconds(self) -> float:
        """Now, in seconds since 1970."""
        return time.time() + (self._moved or 0.0)

    def sleep(self, seconds: float) -> None:
        """Wait, or let so many seconds pass at once."""
        if self._moved is None:
            time.sleep(max(0.0, seconds))
        else:
            self._moved += max(0.0, seconds)

    def let_go(self) -> None:
        """No other program needs the real time any more."""
        self._moved = 0.0


class SharedClock:
    """A time in a file that all processes of a run map into their memory.

    Args:
        file: holds the time; made when absent.
        start: where a new file begins, aware UTC.
        skew: seconds by which this process's own clock is wrong.
    """

    def __init__(self, file: Path, start: datetime | None = None) -> None:
        if not file.exists():
            file.write_bytes(_NOW.pack(start.timestamp() if start else 0.0))
        with file.open("r+b") as opened:
            self._memory = mmap.mmap(opened.fileno(), _NOW.size)
        self.skew = 0.0

    def __call__(self) -> datetime:
        """Now by this process's clock, aware UTC; a millisecond later at each look."""
        self.sleep(_STEP)
        return datetime.fromtimestamp(self.seconds() + self.skew, UTC)

    def seconds(self) -> float:
        """The world's time in seconds since 1970."""
        found: float = _NOW.unpack_from(self._memory)[0]
        return found

    def sleep(self, seconds: float) -> None:
        """Let so many seconds pass for everybody."""
        _NOW.pack_into(self._memory, 0, self.seconds() + max(0.0, seconds))

    def set(self, start: datetime) -> None:
        """Begin anew at a moment."""
        _NOW.pack_into(self._memory, 0, start.timestamp())
