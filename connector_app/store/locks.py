"""Locks among all workers of an installation, whatever process, thread or machine they are.

A lock ends with its process, however that ends: nothing is left to wait for after a crash.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from connector_app.store.sessions import Sessions


class LockHeld(Exception):
    """Another worker holds the lock, and waiting for it was not wanted.

    Attributes:
        name: of the lock.
    """

    def __init__(self, name: str) -> None:
        super().__init__(f"another worker holds the lock {name}")
        self.name = name


@contextmanager
def lock(
    database: Sessions,
    name: str,
    *,
    shared: bool = False,
    wait: bool = True,
    on_wait: Callable[[], None] = lambda: None,
) -> Iterator[None]:
    """Hold a lock for the length of a ``with`` block.

    It is held beside the database and no transaction is open, so that a slow answer of KSeF keeps nobody
    from writing.

    Args:
        database: the installation's; its kind decides how the lock is held: a file beside an SQLite file, an
            advisory lock of PostgreSQL.
        name: letters, digits and dashes.
        shared: others may hold it shared at the same time; nobody holds it alone meanwhile.
        wait: wait while another worker holds it instead of giving up.
        on_wait: called once when there is something to wait for.

    Raises:
        LockHeld: it is held and ``wait`` is false.
        OSError: the lock file cannot be made.
        SQLAlchemyError: the database cannot be used.
    """
    file = database.engine.url.database
    if database.engine.dialect.name == "postgresql":
        with _advisory_lock(database.lock_engine, name, shared=shared, wait=wait, on_wait=on_wait):
            yield
    elif file and file != ":memory:":
        with _file_lock(f"{file}.{name}.lock", name, shared=shared, wait=wait, on_wait=on_wait):
            yield
    else:
        # a database in memory has one worker
        yield


@contextmanager
def _file_lock(
    path: str, name: str, *, shared: bool, wait: bool, on_wait: Callable[[], None]
) -> Iterator[None]:
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if not wait:
                raise LockHeld(name) from None
            on_wait()
            fcntl.flock(descriptor, kind)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _advisory_lock(
    engine: Engine, name: str, *, shared: bool, wait: bool, on_wait: Callable[[], None]
) -> Iterator[None]:
    key = func.hashtextextended(name, 0)
    attempt = func.pg_try_advisory_lock_shared(key) if shared else func.pg_try_advisory_lock(key)
    waiting = func.pg_advisory_lock_shared(key) if shared else func.pg_advisory_lock(key)
    unlock = func.pg_advisory_unlock_shared(key) if shared else func.pg_advisory_unlock(key)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.scalar(select(attempt)):
            if not wait:
                raise LockHeld(name)
            on_wait()
            connection.execute(select(waiting))
        try:
            yield
        finally:
            # a connection that was lost has let go of it already
            with suppress(SQLAlchemyError):
                connection.execute(select(unlock))
