"""A database that was moved elsewhere: it keeps its rows, and nothing more is written to it.

Its tables refuse every change by triggers, so that also a process that was waiting, or an older version of
the program, cannot write to what nobody reads any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, inspect, select, text

from connector_app.store.desk import InstallationSetting
from connector_app.store.trouble import WAS_MOVED, UnusableDatabase
from core.findings import Text

MOVED, COPIED = "moved", "copied"
"""Settings that speak of the database itself: where it went, and what it is a copy of."""


@dataclass(frozen=True, slots=True)
class _AboutItself:
    """Where a database speaks of itself; no part of what is moved."""

    table: str
    column: str
    names: tuple[str, ...]


ABOUT_ITSELF = _AboutItself(InstallationSetting.__tablename__, "name", (MOVED, COPIED))
_REFUSE = "ksef_was_moved"
_CHANGES = ("INSERT", "UPDATE", "DELETE")


def mark(connection: Connection, name: str, where: str) -> None:
    """Note where a database went (:data:`MOVED`) or what it is a copy of (:data:`COPIED`)."""
    connection.execute(delete(InstallationSetting).where(InstallationSetting.name == name))
    value = {"where": where, "at": datetime.now(UTC).isoformat()}
    connection.execute(insert(InstallationSetting).values(name=name, value=value))


def marked(connection: Connection, name: str) -> dict[str, Any] | None:
    """What :func:`mark` noted; ``None``: nothing."""
    return connection.scalar(select(InstallationSetting.value).where(InstallationSetting.name == name))


def refuse_moved(engine: Engine) -> None:
    """Refuse a database that was moved.

    Raises:
        UnusableDatabase: it was.
    """
    with engine.connect() as connection:
        found = marked(connection, MOVED) if inspect(connection).has_table(ABOUT_ITSELF.table) else None
    if found is not None:
        where = found["where"]
        raise UnusableDatabase(
            Text(
                f"Ta baza danych została przeniesiona do {where}; tutaj nic się już nie zmienia.",
                f"This database was moved to {where}; nothing changes here any more.",
            ),
            Text(
                f"Ustaw DATABASE_URL={where} (z hasłem, jeśli jest potrzebne). Powrót: docs/moving.pl.md.",
                f"Set DATABASE_URL={where} (with a password, if one is needed). Way back: docs/moving.md.",
            ),
        )


def close(connection: Connection, where: str) -> None:
    """Close a database in the caller's transaction: note where it went, let its tables refuse changes."""
    mark(connection, MOVED, where)
    for statement in _closing(connection):
        connection.execute(text(statement))


def reopen(connection: Connection) -> None:
    """Undo :func:`close`. In the caller's transaction."""
    for statement in _reopening(connection):
        connection.execute(text(statement))
    connection.execute(delete(InstallationSetting).where(InstallationSetting.name == MOVED))


def _closing(connection: Connection) -> Iterator[str]:
    is_sqlite = connection.dialect.name == "sqlite"
    if not is_sqlite:
        yield (
            f"CREATE OR REPLACE FUNCTION {_REFUSE}() RETURNS trigger LANGUAGE plpgsql "
            f"AS $$ BEGIN RAISE EXCEPTION '{WAS_MOVED}' USING ERRCODE = '25006'; END $$"
        )
    for table in inspect(connection).get_table_names():
        if is_sqlite:
            for change in _CHANGES:
                yield (
                    f'CREATE TRIGGER "{_REFUSE}_{table}_{change}" BEFORE {change} ON "{table}" '
                    f"BEGIN SELECT RAISE(ABORT, '{WAS_MOVED}'); END"
                )
        else:
            yield (
                f'CREATE TRIGGER {_REFUSE} BEFORE {" OR ".join(_CHANGES)} ON "{table}" '
                f"FOR EACH STATEMENT EXECUTE FUNCTION {_REFUSE}()"
            )


def _reopening(connection: Connection) -> Iterator[str]:
    for table in inspect(connection).get_table_names():
        if connection.dialect.name == "sqlite":
            for change in _CHANGES:
                yield f'DROP TRIGGER IF EXISTS "{_REFUSE}_{table}_{change}"'
        else:
            yield f'DROP TRIGGER IF EXISTS {_REFUSE} ON "{table}"'
