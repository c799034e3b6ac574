"""Opening the database: migrations to the newest form, whatever database it is."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, text

from connector_app.store import listing
from connector_app.store.engines import WRITES, make_engine
from connector_app.store.moved import refuse_moved
from connector_app.store.sessions import WAIT_FOR_ALL_WRITERS, Sessions
from connector_app.store.trouble import HOW_TO_MAKE_ONE, UnusableDatabase, trouble
from core.findings import Text

MIGRATIONS = Path(__file__).parent / "migrations"


def open_database(url: str, *, also_moved: bool = False) -> Sessions:
    """Open the database, migrating it first when it is older than the program.

    Args:
        url: address, see :func:`~connector_app.store.engines.address`.
        also_moved: open one that was moved elsewhere, see :mod:`connector_app.store.moved`.

    Returns:
        A factory of sessions, see :class:`~connector_app.store.sessions.Sessions`.

    Raises:
        UnusableDatabase: it belongs to a newer version of the program, was moved elsewhere, or its driver is
            missing.
        SQLAlchemyError: it cannot be opened; :func:`trouble` says why in words.
    """
    database = connect(url)
    if not also_moved:
        refuse_moved(database.engine)
    migrate(database.engine)
    return database


def connect(url: str) -> Sessions:
    """A database as it is: nothing is opened, made or migrated before a session needs it.

    Args:
        url: address, see :func:`~connector_app.store.engines.address`.

    Raises:
        UnusableDatabase: its driver is missing.
    """
    engine = make_engine(url)
    listing.listen()
    return Sessions(engine)


def form_of(engine: Engine) -> str | None:
    """The revision of a database's tables; ``None`` when it has none yet.

    Raises:
        SQLAlchemyError: it cannot be read.
    """
    with engine.connect() as connection:
        return _current(connection)


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def is_known_form(revision: str) -> bool:
    """Whether a revision is one of this program's, old or new."""
    return _is_known(_scripts(), revision)


def migrate(engine: Engine) -> None:
    """Bring the tables to the newest form; does nothing when they are.

    Raises:
        UnusableDatabase: the tables were made by a newer version of the program.
    """
    scripts = _scripts()
    if engine.dialect.name == "postgresql":
        # no process that starts makes those that work wait, unless there is something to do
        with engine.connect() as connection:
            if _current(connection) == scripts.get_current_head():
                return
    with without_foreign_keys(engine) as connection:
        # looked at inside the write transaction: of two starting processes, the second finds it done
        current = _current(connection)
        if current == scripts.get_current_head():
            return
        if current is not None and not _is_known(scripts, current):
            raise UnusableDatabase(
                Text(
                    f"Baza danych należy do nowszej wersji programu (układ {current}). Uruchom tę wersję.",
                    f"The database belongs to a newer version of the program (form {current}). Run that one.",
                )
            )
        if current is None and engine.dialect.name == "postgresql":
            _check_order_of_letters(connection)
        upgrade(connection, "head")


def upgrade(connection: Connection, form: str) -> None:
    """Make or change the tables inside the caller's transaction, see :func:`without_foreign_keys`.

    Args:
        connection: of the transaction.
        form: a revision, or ``head``.
    """
    config = _alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, form)


def knows_form(revision: str) -> bool:
    """Whether this program knows a form of the tables."""
    return _is_known(_scripts(), revision)


def _check_order_of_letters(connection: Connection) -> None:
    """Texts are compared by their bytes, as SQLite does: searches for what begins with something need it.

    An order by a language also changes with the operating system, and its indexes are damaged then.
    """
    ordered = "SELECT 'Z' < 'a' AND 'a' < chr(261) AND chr(380) < chr(1114111)"
    if not connection.exec_driver_sql(ordered).scalar():
        raise UnusableDatabase(
            Text("Baza danych układa teksty według języka.", "The database orders texts by a language."),
            HOW_TO_MAKE_ONE,
        )


def current_form(connection: Connection) -> str | None:
    """The revision of a database's tables; ``None`` when there are none."""
    return MigrationContext.configure(connection).get_current_revision()


@contextmanager
def without_foreign_keys(engine: Engine) -> Iterator[Connection]:
    """One writing transaction in which a table that others refer to may be rebuilt; nobody else writes.

    SQLite changes a column by making the table anew and dropping the old one, which its foreign keys would
    forbid. They are looked at as a whole before the transaction ends.

    Raises:
        UnusableDatabase: a row refers to one that does not exist.
    """
    with engine.execution_options(**{WRITES: True}).connect() as connection:
        is_sqlite = engine.dialect.name == "sqlite"
        if is_sqlite:
            # has no effect inside a transaction
            _set_foreign_keys(connection, on=False)
        try:
            with connection.begin():
                if engine.dialect.name == "postgresql":
                    _work_alone(connection)
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


def _work_alone(connection: Connection) -> None:
    """Wait for all writers, however long, and take as long as needed."""
    for name in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"):
        connection.execute(text(f"SET LOCAL {name} = 0"))
    connection.execute(WAIT_FOR_ALL_WRITERS)


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


__all__ = [
    "Sessions",
    "UnusableDatabase",
    "migrate",
    "newest_form",
    "open_database",
    "trouble",
    "without_foreign_keys",
]
