"""Carrying rows over: some at a time, and the counters of ids after them."""

from __future__ import annotations

from sqlalchemy import Connection, Integer, String, cast, column, delete, func, insert, inspect, select, text
from sqlalchemy import table as sa_table
from sqlalchemy.dialects.postgresql import REGCLASS
from sqlalchemy.exc import DataError, IntegrityError

from connector_app.moving.comparing import Tell
from connector_app.moving.rows import RawTable

_COUNTERS = sa_table("sqlite_sequence", column("name", String), column("seq", Integer))
"""Where SQLite remembers the ids that it gave."""


class RowRefused(Exception):
    """A row that the new database does not take: too long a text, a number too large.

    Attributes:
        table: its table.
        key: its primary key.
        why: kind of the error, without values.
    """

    def __init__(self, table: str, key: str, why: str) -> None:
        super().__init__(f"{table} {key}: {why}")
        self.table, self.key, self.why = table, key, why


def copy(table: RawTable, here: Connection, there: Connection, tell: Tell) -> int:
    """Copy a table's rows; how many they were.

    Raises:
        RowRefused: the new database does not take one.
    """
    count = 0
    into = insert(table.table)
    for rows in table.read(here):
        values = [dict(row._mapping) for row in rows]
        try:
            with there.begin_nested():
                there.execute(into, values)
        except (DataError, IntegrityError):
            raise _first_refused(table, there, values) from None
        count += len(rows)
        tell(table.name, len(rows))
    return count


def _first_refused(table: RawTable, there: Connection, values: list[dict[str, object]]) -> RowRefused:
    """Which of some rows it is."""
    into = insert(table.table)
    for one in values:
        key = "/".join(str(one[name]) for name in table.key)
        try:
            with there.begin_nested():
                there.execute(into, one)
        except (DataError, IntegrityError) as error:
            return RowRefused(table.name, key, type(error.orig).__name__)
    return RowRefused(table.name, "", "")


def go_on_counting(table: RawTable, here: Connection, there: Connection) -> None:
    """Let ids go on after the highest that was ever given, also to rows that are deleted by now."""
    if len(table.key) != 1 or not isinstance(table.table.c[table.key[0]].type, Integer):
        return
    key = table.table.c[table.key[0]]
    highest = max(_given(table, here), there.scalar(select(func.max(key))) or 0)
    if highest == 0:
        return
    if there.dialect.name == "postgresql":
        sequence = _sequence(table, there)
        if sequence is not None:
            there.execute(select(func.setval(sequence, highest)))
    elif _is_counted_by_sqlite(table, there):
        there.execute(delete(_COUNTERS).where(_COUNTERS.c.name == table.name))
        there.execute(insert(_COUNTERS).values(name=table.name, seq=highest))


def _given(table: RawTable, connection: Connection) -> int:
    """The highest id that a database remembers to have given."""
    if connection.dialect.name == "postgresql":
        sequence = _sequence(table, connection)
        if sequence is None:
            return 0
        return connection.scalar(select(func.pg_sequence_last_value(cast(sequence, REGCLASS)))) or 0
    if not _is_counted_by_sqlite(table, connection):
        return 0
    return connection.scalar(select(_COUNTERS.c.seq).where(_COUNTERS.c.name == table.name)) or 0


def _sequence(table: RawTable, connection: Connection) -> str | None:
    name: str | None = connection.scalar(select(func.pg_get_serial_sequence(table.name, table.key[0])))
    return name


def _is_counted_by_sqlite(table: RawTable, connection: Connection) -> bool:
    """SQLite remembers ids of tables that were made so (AUTOINCREMENT); of others the highest there is."""
    found = connection.scalar(text("SELECT sql FROM sqlite_master WHERE name = :name"), {"name": table.name})
    has_counter = inspect(connection).has_table(_COUNTERS.name)
    return has_counter and "AUTOINCREMENT" in str(found).upper()
