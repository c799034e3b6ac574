"""Locks among all workers of an installation, whatever process or thread they are.

A lock ends with its process, however that ends: nothing is left to wait for after a crash.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session, sessionmaker


@contextmanager
def lock(database: sessionmaker[Session], name: str) -> Iterator[None]:
    """Hold a lock for the length of a ``with`` block; waits while another worker holds it.

    It is held beside the database and no transaction is open, so that a slow answer of KSeF keeps nobody
    from writing.

    Args:
        database: the installation's; its kind decides how the lock is held: a file beside an SQLite file, an
            advisory lock of PostgreSQL.
        name: letters, digits and dashes.

    Raises:
        OSError: the lock file cannot be made.
        SQLAlchemyError: the database cannot be used.
    """
    engine: Engine = database.kw["bind"]
    file = engine.url.database
    if engine.dialect.name == "postgresql":
        with _advisory_lock(engine, name):
            yield
    elif file and file != ":memory:":
        with _file_lock(f"{file}.{name}.lock"):
            yield
    else:
        # a database in memory has one worker
        yield


@contextmanager
def _file_lock(path: str) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _advisory_lock(engine: Engine, name: str) -> Iterator[None]:
    key = func.hashtextextended(name, 0)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(select(func.pg_advisory_lock(key)))
        try:
            yield
        finally:
            connection.execute(select(func.pg_advisory_unlock(key)))
