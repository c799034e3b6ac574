"""What goes wrong inside the process and around its files: kills at commits, a full disk, a locked database,
a clock that is wrong.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import resource
import signal
import sqlite3
import sys
import time
import zlib
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.engine.default import DefaultDialect

from connector_app.pipeline.services import Services
from core.ksef.batch import parts
from tests.faults.clock import SharedClock

Say = Callable[[str, str], None]
"""Writes a line for whoever watches: its kind and a text."""

_THROUGH = ("store/sessions.py", "store/database.py", "store/locks.py", "pipeline/life.py:change")
"""Places that commit for others."""


def place() -> str:
    """The line of the program that commits: the innermost that does not commit for others."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if "/connector_app/" in file:
            name = file.rpartition("/connector_app/")[2]
            where = (
                f"{name}:{frame.f_code.co_qualname if sys.version_info >= (3, 11) else frame.f_code.co_name}"
            )
            if not where.startswith(_THROUGH):
                return f"{where}:{frame.f_lineno}"
        elif "/tests/faults/installing.py" in file:
            return f"setup:{frame.f_lineno}"
        frame = frame.f_back
    return "elsewhere"


def watch_commits(life: Mapping[str, Any], say: Say) -> None:
    """Say each commit of this process and where it comes from; kill it where the life says.

    The life's ``mode`` is ``before`` or ``after`` (a commit), ``clean`` or ``timed``. With ``at`` it is the
    first commit of a code place that begins so; with ``number`` the n-th commit; with ``salt`` the first
    commit of a code place that the salt chooses, which gives rare places the same chance as those that
    commit all the time.
    """
    real = DefaultDialect.do_commit
    left: int = life.get("number", 0)
    salt: str = life.get("salt", "")
    share: int = life.get("share", 0)
    at: str = life.get("at", "")
    mode: str = life["mode"]

    def is_chosen(where: str) -> bool:
        nonlocal left
        if at:
            return where.startswith(at)
        if share:
            return zlib.crc32(f"{salt}{where.rpartition(':')[0]}".encode()) % share == 0
        left -= 1
        return left == 0

    def commit(dialect: DefaultDialect, connection: Any) -> None:
        where = place()
        say("commit", where)
        dies = mode in {"before", "after"} and is_chosen(where)
        if dies and mode == "before":
            _die(where, mode, say)
        real(dialect, connection)  # type: ignore[no-untyped-call]
        if dies:
            _die(where, mode, say)

    DefaultDialect.do_commit = commit  # type: ignore[method-assign]


def _die(where: str, mode: str, say: Say) -> None:
    say("killed", f"{mode} {where}")
    os.kill(os.getpid(), signal.SIGKILL)


class ErrorsSaid(logging.Handler):
    """Passes on what the program logs as an error."""

    def __init__(self, say: Say) -> None:
        super().__init__(logging.ERROR)
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        """One line for each."""
        text = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            text += f": {logging.Formatter().formatException(record.exc_info)[-1500:]}"
        self._say("error", json.dumps(text))


class Trouble:
    """Something that is wrong for a part of a life; the base is a life in which nothing is."""

    def after_pass(self) -> None:
        """A round of work is over."""


def begin(wanted: Mapping[str, Any], services: Services, clock: SharedClock, say: Say) -> Trouble:
    """Begin what is wrong inside this process, see the classes below."""
    kind = wanted.get("kind", "")
    made: dict[str, Callable[[], Trouble]] = {
        "disk_full": lambda: FullDisk(wanted, services, say),
        "disk_error": lambda: FailingDisk(wanted, services, say),
        "work_full": lambda: FullWorkFolder(wanted, say),
        "locked": lambda: Locked(services, say),
        "wrong_clock": lambda: WrongClock(wanted, clock, say),
    }
    return made[kind]() if kind in made else Trouble()


class FullDisk(Trouble):
    """SQLite gets no further page for some rounds: ``database or disk is full``."""

    def __init__(self, wanted: Mapping[str, Any], services: Services, say: Say) -> None:
        self._engine: Engine = services.database.kw["bind"]
        self._left: int = wanted["passes"]
        self._more: int = wanted["pages"]
        self._say = say
        if self._engine.dialect.name != "sqlite":
            self._left = 0
            return
        self._engine.dispose()
        event.listen(self._engine, "connect", self._limit)
        event.listen(self._engine, "handle_error", self._seen)

    def _limit(self, connection: Any, _record: object) -> None:
        if self._left > 0:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages + self._more}")

    def _seen(self, context: Any) -> None:
        if "full" in str(context.original_exception):
            self._say("disk_full", "")

    def after_pass(self) -> None:
        """The disk has room again after some rounds."""
        self._left -= 1
        if self._left == 0:
            self._engine.dispose()


class FailingDisk(Trouble):
    """Files cannot grow for some rounds (RLIMIT_FSIZE): write-ahead log and work folder fail alike."""

    def __init__(self, wanted: Mapping[str, Any], services: Services, say: Say) -> None:
        engine: Engine = services.database.kw["bind"]
        self._left: int = wanted["passes"]
        if engine.dialect.name != "sqlite":
            self._left = 0
            return
        event.listen(
            engine,
            "handle_error",
            lambda context: say("disk_error", "") if "I/O" in str(context.original_exception) else None,
        )
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        log = Path(f"{engine.url.database}-wal")
        size = (log.stat().st_size if log.exists() else 0) + wanted["room"]
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def after_pass(self) -> None:
        """Files may grow again after some rounds."""
        self._left -= 1
        if self._left == 0:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


class FullWorkFolder(Trouble):
    """No space for the parts of a batch (ENOSPC), for so many writes."""

    def __init__(self, wanted: Mapping[str, Any], say: Say) -> None:
        self._left: int = wanted["writes"]
        real = parts._OpenPart._put

        def put(part: parts._OpenPart, encrypted: bytes) -> None:
            if self._left > 0:
                self._left -= 1
                say("work_full", "")
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            real(part, encrypted)

        parts._OpenPart._put = put  # type: ignore[method-assign, assignment]


class Locked(Trouble):
    """Another writer keeps the database for longer than the program waits, see :func:`beside`."""

    WAIT_MS = 40

    def __init__(self, services: Services, say: Say) -> None:
        engine: Engine = services.database.kw["bind"]
        engine.dispose()
        # the program waits half a minute for another writer; here a short lock is a long one
        event.listen(engine, "connect", self._hurry)
        event.listen(
            engine,
            "handle_error",
            lambda context: say("locked", "") if "locked" in str(context.original_exception) else None,
        )

    def _hurry(self, connection: Any, _record: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.execute(f"PRAGMA busy_timeout = {self.WAIT_MS}")


class WrongClock(Trouble):
    """The process's clock is off by some seconds for some rounds, then right again."""

    def __init__(self, wanted: Mapping[str, Any], clock: SharedClock, say: Say) -> None:
        self._left: int = wanted["passes"]
        self._clock = clock
        clock.skew = wanted["skew"]
        say("clock_back" if clock.skew < 0 else "clock_ahead", "")

    def after_pass(self) -> None:
        """Somebody sets the clock right."""
        self._left -= 1
        if self._left == 0:
            self._clock.skew = 0.0


def beside(wanted: Mapping[str, Any], plan: Mapping[str, Any], until_begun: Callable[[], None]) -> int | None:
    """A process beside the program, for ``locked``: a writer that keeps the database to itself.

    Args:
        wanted: what is wrong in this life. plan: of the installation.
        until_begun: waits until the program is at work.

    Returns:
        The process, or None.
    """
    if wanted.get("kind") != "locked":
        return None
    child = os.fork()
    if child:
        return child
    try:
        until_begun()
        _lock(plan["database"], wanted["times"], wanted["holds"])
    finally:
        os._exit(0)


def _lock(url: str, times: int, seconds: float) -> None:
    target = make_url(url)
    for _ in range(times):
        if target.get_backend_name() == "sqlite":
            with closing(sqlite3.connect(target.database or "", timeout=5, isolation_level=None)) as database:
                try:
                    database.execute("BEGIN IMMEDIATE")
                    time.sleep(seconds)
                    database.execute("ROLLBACK")
                except sqlite3.OperationalError:
                    continue
        else:
            _lock_postgres(url, seconds)
        time.sleep(0.01)


def _lock_postgres(url: str, seconds: float) -> None:
    import psycopg  # noqa: PLC0415  only where there is one

    with psycopg.connect(url.replace("+psycopg", "")) as database:
        database.execute("LOCK TABLE documents IN EXCLUSIVE MODE")
        time.sleep(seconds)
        database.rollback()
