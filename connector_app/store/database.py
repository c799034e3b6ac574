"""Opening the database: engine, safe SQLite settings, migrations to the newest form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import Session, sessionmaker

MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_MS = 30_000


def open_database(url: str) -> sessionmaker[Session]:
    """Open the database, migrating it first when it is older than the program.

    Args:
        url: SQLAlchemy address.

    Returns:
        A factory of sessions; ``with factory.begin() as session`` is one transaction.
    """
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    migrate(engine)
    return sessionmaker(engine, expire_on_commit=False)


def migrate(engine: Engine) -> None:
    """Bring the tables to the newest form; does nothing when they are."""
    config = _alembic_config()
    newest = ScriptDirectory.from_config(config).get_current_head()
    with engine.begin() as connection:
        # looked at inside the write transaction: of two starting processes, the second finds it done
        if MigrationContext.configure(connection).get_current_revision() == newest:
            return
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def _prepare_sqlite(engine: Engine) -> None:
    """Write-ahead log, full synchronisation, foreign keys, and transactions that lock when they begin.

    A number may be taken and a document sent only when the row is on the disk, hence ``FULL``.
    ``BEGIN IMMEDIATE`` makes a transaction that reads and then writes wait at its start, not fail in
    its middle.
    """

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
