"""Engines: how the program speaks to SQLite and to PostgreSQL, and what it expects of each."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.pool import NullPool
from sqlalchemy.util import immutabledict

from connector_app.store.trouble import HOW_TO_MAKE_ONE, UnusableDatabase
from core.findings import Text

WRITES = "ksef_writes"
"""Execution option of connections whose transactions write."""

BUSY_SECONDS = 30.0
"""How long a writer waits for others."""
_BUSY_MS = int(BUSY_SECONDS * 1000)
_PROGRAM = "ksef-connector"
_OLDEST_POSTGRESQL = 130_000
_POOLED = {"pool_size": 5, "max_overflow": 15, "pool_recycle": 1800, "pool_pre_ping": True}
"""Connections that a process keeps, how many more it may open for a while, how old they get (seconds), and
that one which died meanwhile is noticed before it is used."""

# a machine that is switched off is noticed after 15 + 3 * 5 seconds, by either side
_KEEPALIVES = {"idle": 15, "interval": 5, "count": 3}
_DEAD_MS = 30_000

_SERVER_SETTINGS = {
    **{f"tcp_keepalives_{name}": value for name, value in _KEEPALIVES.items()},
    "tcp_user_timeout": _DEAD_MS,
    "lock_timeout": _BUSY_MS,
    "statement_timeout": 600_000,
    # a reader may hand rows to somebody slow; writers have a shorter one of their own
    "idle_in_transaction_session_timeout": 900_000,
    "timezone": "UTC",
    # statements are short; compiling them takes longer than running them
    "jit": "off",
}
"""Settings of the server for each of our connections: nobody has to change postgresql.conf."""

_DRIVER = "pip install 'ksef-shop-connector[scale]'"


def address(url: str | URL) -> URL:
    """An address of a database as SQLAlchemy reads it.

    Args:
        url: ``sqlite:///...``, ``postgresql://...``, ``postgres://...`` or any other of SQLAlchemy's.

    Returns:
        The address; PostgreSQL by psycopg 3 unless another driver is named.

    Raises:
        ArgumentError: it cannot be read.
    """
    found = make_url(url)
    if found.drivername in {"postgres", "postgresql"}:
        return found.set(drivername="postgresql+psycopg")
    return found


def shown(url: str | URL) -> str:
    """An address as people may see it: without a password, also one among its parameters."""
    found = address(url)
    query = {name: value for name, value in found.query.items() if "password" not in name}
    return found._replace(password=None, query=immutabledict(query)).render_as_string(hide_password=False)


def make_engine(url: str | URL, *, pooled: bool = True) -> Engine:
    """An engine whose connections are as the program needs them.

    Args:
        url: see :func:`address`.
        pooled: ``False`` opens a connection for each use; for locks, which are held for long.

    Raises:
        UnusableDatabase: the driver of PostgreSQL is not installed.
        ArgumentError: the address cannot be read.
    """
    where = address(url)
    if where.get_backend_name() == "postgresql":
        return _postgresql(where, pooled=pooled)
    # an error of the database would otherwise quote names, amounts and sealed secrets
    engine = create_engine(where, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        prepare_sqlite(engine)
    return engine


def _postgresql(where: URL, *, pooled: bool) -> Engine:
    settings = " ".join(f"-c {name}={value}" for name, value in _SERVER_SETTINGS.items())
    if not pooled:
        # whoever waits for a lock waits as long as it takes
        settings += " -c lock_timeout=0 -c statement_timeout=0"
    given = where.query
    own = f"{settings} {given['options']}" if "options" in given else settings
    arguments: dict[str, Any] = {
        "application_name": _PROGRAM if pooled else f"{_PROGRAM} lock",
        "connect_timeout": 10,
        "keepalives": 1,
        **{f"keepalives_{name}": value for name, value in _KEEPALIVES.items()},
        "tcp_user_timeout": _DEAD_MS,
    }
    connects = {name: value for name, value in arguments.items() if name not in given} | {"options": own}
    how: dict[str, Any] = _POOLED if pooled else {"poolclass": NullPool}
    try:
        engine = create_engine(where, hide_parameters=True, connect_args=connects, **how)
    except ImportError:
        said = Text("Do PostgreSQL brakuje sterownika.", "The driver for PostgreSQL is missing.")
        raise UnusableDatabase(said, Text(_DRIVER, _DRIVER)) from None
    event.listen(engine, "handle_error", _say_no_values)
    event.listen(engine, "connect", _check_server)
    return engine


def _say_no_values(context: ExceptionContext) -> None:
    """Leave the details out of PostgreSQL's errors: they quote whole rows."""
    original = context.original_exception
    said = getattr(getattr(original, "diag", None), "message_primary", None)
    state = getattr(original, "sqlstate", None)
    if said is None or state is None:
        return
    # data errors (class 22) quote the value in the sentence itself
    short = type(original).__name__ if state.startswith("22") else said
    original.args = (short,)
    if context.sqlalchemy_exception is not None:
        context.sqlalchemy_exception.args = (f"({type(original).__name__}) {short}",)


def _check_server(connection: Any, _record: object) -> None:
    version = connection.info.server_version
    if version < _OLDEST_POSTGRESQL:
        raise UnusableDatabase(
            Text(
                f"PostgreSQL {version // 10_000} jest za stary; potrzebny jest 13 lub nowszy.",
                f"PostgreSQL {version // 10_000} is too old; 13 or newer is needed.",
            )
        )
    if connection.info.parameter_status("server_encoding") != "UTF8":
        raise UnusableDatabase(
            Text("Baza danych nie ma kodowania UTF8.", "The database's encoding is not UTF8."),
            HOW_TO_MAKE_ONE,
        )


def prepare_sqlite(engine: Engine) -> None:
    """Write-ahead log, full synchronisation, foreign keys, explicit transactions, a private file.

    A number may be taken and a document sent only when the row is on the disk, hence ``FULL``.
    """
    file = engine.url.database
    if file and file != ":memory:":
        _make_private(Path(file))

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        _use_write_ahead_log(cursor)
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        writes = connection.get_execution_options().get(WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _make_private(file: Path) -> None:
    """Make a new database file for its owner only; SQLite gives its log files the same mode."""
    if not file.exists():
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))


def _use_write_ahead_log(cursor: sqlite3.Cursor) -> None:
    """Switch to WAL; SQLite does not wait by itself when two processes switch at the same time."""
    deadline = time.monotonic() + _BUSY_MS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return
