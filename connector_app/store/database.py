"""Opening the database: engine, safe SQLite settings, migrations to the newest form."""

from __future__ import annotations

import functools
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from connector_app.store import listing
from core.findings import Text

MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_MS = 30_000
_WRITES = "ksef_writes"
_KNOWN_TROUBLE = {
    "disk is full": Text("brak miejsca na dysku", "no space left on the disk"),
    "readonly": Text("jest tylko do odczytu", "it is read-only"),
    "locked": Text("używa jej zbyt długo inny program", "another program keeps it busy"),
    "unable to open": Text("nie można otworzyć jej pliku", "its file cannot be opened"),
    "malformed": Text("plik jest uszkodzony", "its file is damaged"),
    "not a database": Text("plik nie jest bazą danych", "its file is no database"),
}


class UnusableDatabase(SQLAlchemyError):
    """A database that this version of the program must not touch.

    Attributes:
        text: why.
        orig: the same in English, where errors of the database itself carry the driver's words.
    """

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text
        self.orig = text.en


class Sessions(sessionmaker[Session]):
    """``database()`` is for reading, ``database.begin()`` is one transaction that writes.

    Readers of SQLite get a snapshot and hold up nobody; a writer locks when it begins, so that a
    transaction that reads and then writes waits at its start and does not fail in its middle.
    """

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine, expire_on_commit=False)
        self._writer = engine.execution_options(**{_WRITES: True})

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """One writing transaction: committed at the end, undone when an exception passes."""
        with self(bind=self._writer) as session, session.begin():
            yield session


def open_database(url: str) -> Sessions:
    """Open the database, migrating it first when it is older than the program.

    Args:
        url: SQLAlchemy address.

    Returns:
        A factory of sessions, see :class:`Sessions`.

    Raises:
        UnusableDatabase: it belongs to a newer version of the program.
        SQLAlchemyError: it cannot be opened; :func:`trouble` says why in words.
    """
    database = connect(url)
    migrate(database.kw["bind"])
    return database


def connect(url: str) -> Sessions:
    """A database as it is: nothing is opened, made or migrated before a session needs it.

    Args:
        url: SQLAlchemy address.
    """
    # an error of the database would otherwise quote names, amounts and sealed secrets
    engine = create_engine(url, hide_parameters=True)
    listing.listen()
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    return Sessions(engine)


def form_of(engine: Engine) -> str | None:
    """The revision of a database's tables; ``None`` when it has none yet.

    Raises:
        SQLAlchemyError: it cannot be read.
    """
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def is_known_form(revision: str) -> bool:
    """Whether a revision is one of this program's, old or new."""
    return _is_known(_scripts(), revision)


def trouble(error: SQLAlchemyError) -> Text:
    """What is wrong with the database, for a person: never a statement, never a value."""
    if isinstance(error, UnusableDatabase):
        return error.text
    raw = str(getattr(error, "orig", None) or type(error).__name__)
    why = next((text for key, text in _KNOWN_TROUBLE.items() if key in raw), Text(raw, raw))
    return Text(f"Baza danych: {why.pl}.", f"The database: {why.en}.")


def migrate(engine: Engine) -> None:
    """Bring the tables to the newest form; does nothing when they are.

    Raises:
        UnusableDatabase: the tables were made by a newer version of the program.
    """
    config = _alembic_config()
    scripts = _scripts()
    with without_foreign_keys(engine) as connection:
        # looked at inside the write transaction: of two starting processes, the second finds it done
        current = MigrationContext.configure(connection).get_current_revision()
        if current == scripts.get_current_head():
            return
        if current is not None and not _is_known(scripts, current):
            raise UnusableDatabase(
                Text(
                    f"Baza danych należy do nowszej wersji programu (układ {current}). Uruchom tę wersję.",
                    f"The database belongs to a newer version of the program (form {current}). Run that one.",
                )
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@contextmanager
def without_foreign_keys(engine: Engine) -> Iterator[Connection]:
    """One writing transaction in which a table that others refer to may be rebuilt.

    SQLite changes a column by making the table anew and dropping the old one, which its foreign keys would
    forbid. They are looked at as a whole before the transaction ends.

    Raises:
        UnusableDatabase: a row refers to one that does not exist.
    """
    with engine.execution_options(**{_WRITES: True}).connect() as connection:
        is_sqlite = engine.dialect.name == "sqlite"
        if is_sqlite:
            # has no effect inside a transaction
            _set_foreign_keys(connection, on=False)
        try:
            with connection.begin():
                yield connection
                if is_sqlite and connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                    raise UnusableDatabase(
                        Text(
                            "Wiersze bazy danych odwołują się do innych, których nie ma: jest uszkodzona.",
                            "Rows of the database refer to others that do not exist: it is damaged.",
                        )
                    )
        finally:
            if is_sqlite:
                _set_foreign_keys(connection, on=True)


def _set_foreign_keys(connection: Connection, *, on: bool) -> None:
    raw = connection.connection.dbapi_connection
    assert raw is not None, "the connection is open"
    cursor = raw.cursor()
    cursor.execute(f"PRAGMA foreign_keys = {'ON' if on else 'OFF'}")
    cursor.close()


def _is_known(scripts: ScriptDirectory, revision: str) -> bool:
    try:
        return scripts.get_revision(revision) is not None
    except CommandError:
        return False


@functools.cache
def _scripts() -> ScriptDirectory:
    """The program's own migrations, read from its files once."""
    return ScriptDirectory.from_config(_alembic_config())


def newest_form() -> str:
    """The revision that the tables of this program have."""
    return _scripts().get_current_head() or ""


def _alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def _prepare_sqlite(engine: Engine) -> None:
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
        writes = connection.get_execution_options().get(_WRITES, False)
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
