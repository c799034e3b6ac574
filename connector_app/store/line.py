"""A line of those who wait to write: SQLite itself only lets them try again from time to time, in no order.

With a background that writes all the time, a webhook that waits its turn so could wait for seconds. In the
line everybody is let in as they came, the moment the one before is done.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Line:
    """Threads of this process that want to write; other processes wait by the database's own lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._taken = False

    @property
    def waiting(self) -> int:
        """How many stand in the line."""
        with self._lock:
            return len(self._waiting)

    @contextmanager
    def turn(self, patience: float) -> Iterator[None]:
        """Be the one who writes for the length of a ``with`` block.

        Args:
            patience: seconds after which the block is entered all the same: the line is for order, what is
                right is the database's business, and it says so when somebody writes for too long.
        """
        has_turn = self._wait(patience)
        try:
            yield
        finally:
            if has_turn:
                self._next()

    def _wait(self, patience: float) -> bool:
        with self._lock:
            if not self._taken:
                self._taken = True
                return True
            mine = threading.Event()
            self._waiting.append(mine)
        if mine.wait(patience):
            return True
        with self._lock:
            if mine.is_set():
                return True
            self._waiting.remove(mine)
            return False

    def _next(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._taken = False
