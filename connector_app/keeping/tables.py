"""Tables as lines of text, the same for every database, so that a backup of one kind fills the other.

A line is a JSON list with the values of one row. The kind of a column says how a value stands in it: times
and days in ISO form, bytes as text where they are text (XML, which then packs well) and Base64 where not,
JSON as the very text that is stored.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    LargeBinary,
    MetaData,
    Table,
    Text,
    bindparam,
    insert,
    select,
    type_coerce,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.sql.elements import ColumnElement

FORM_TABLE = "alembic_version"
"""Says which form the tables have; no data."""
ROWS = 500
"""Rows in memory at a time."""

TIME, DAY, BYTES, FLAG, DOCUMENT, PLAIN = "time", "day", "bytes", "flag", "json", "plain"


@dataclass(frozen=True, slots=True)
class Shape:
    """A table's columns, in the order of the values of a line.

    Attributes:
        name: of the table. columns: name and kind of each.
    """

    name: str
    columns: tuple[tuple[str, str], ...]

    def as_json(self) -> dict[str, Any]:
        """As it stands in a manifest."""
        return {"name": self.name, "columns": [list(one) for one in self.columns]}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Shape:
        """What :meth:`as_json` gave."""
        return cls(str(values["name"]), tuple((str(one), str(kind)) for one, kind in values["columns"]))


def tables_of(connection: Connection) -> list[Table]:
    """The tables of a database as they are, those that others refer to first."""
    found = MetaData()
    found.reflect(connection)
    return [one for one in found.sorted_tables if one.name != FORM_TABLE]


def shape_of(table: Table) -> Shape:
    """What a table's lines are made of."""
    return Shape(table.name, tuple((one.name, _kind(one)) for one in table.columns))


def lines_of(
    connection: Connection, table: Table, watch: Callable[[Sequence[Any]], None] | None = None
) -> Iterator[bytes]:
    """The rows of a table as lines, with flat memory.

    Args:
        connection: inside the transaction whose snapshot is read.
        table: see :func:`tables_of`.
        watch: sees each row's values before they become a line.
    """
    kinds = [_kind(one) for one in table.columns]
    query = select(*[_raw(one, connection) for one in table.columns]).order_by(*table.primary_key.columns)
    # of the statement: on the connection they would stay
    rows = connection.execute(query, execution_options={"stream_results": True, "yield_per": ROWS})
    dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    for row in rows:
        if watch is not None:
            watch(row)
        yield (dump([_out(value, kind) for value, kind in zip(row, kinds, strict=True)]).encode() + b"\n")


def values_of(line: bytes, shape: Shape) -> list[Any]:
    """The values of a line, as the database takes them.

    Raises:
        ValueError: it is no line of this table.
    """
    values = json.loads(line)
    if not isinstance(values, list) or len(values) != len(shape.columns):
        raise ValueError(f"a line of {shape.name} has another number of values")
    return [_in(value, kind) for value, (_, kind) in zip(values, shape.columns, strict=True)]


def put(connection: Connection, table: Table, shape: Shape, rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows.

    Args:
        connection: inside the transaction that fills the table.
        table: of the new database, see :func:`tables_of`.
        shape: of the rows.
        rows: see :func:`values_of`.
    """
    values = {
        name: _bound(table.columns[name], connection) for name, kind in shape.columns if kind == DOCUMENT
    }
    names = [name for name, _ in shape.columns]
    statement = insert(table).values({name: values.get(name, _plain(table.columns[name])) for name in names})
    connection.execute(
        statement, [{f"v_{name}": value for name, value in zip(names, row, strict=True)} for row in rows]
    )


def _plain(column: Column[Any]) -> ColumnElement[Any]:
    return bindparam(f"v_{column.name}", type_=column.type)


def _bound(column: Column[Any], connection: Connection) -> ColumnElement[Any]:
    """A JSON column takes the stored text itself."""
    text = bindparam(f"v_{column.name}", type_=Text())
    return sql_cast(text, column.type) if connection.dialect.name == "postgresql" else text


def _raw(column: Column[Any], connection: Connection) -> ColumnElement[Any]:
    if _kind(column) != DOCUMENT:
        return column
    if connection.dialect.name == "postgresql":
        return sql_cast(column, Text)
    return type_coerce(column, Text)


def _kind(column: Column[Any]) -> str:
    kinds: tuple[tuple[type, str], ...] = (
        (JSON, DOCUMENT),
        (LargeBinary, BYTES),
        (DateTime, TIME),
        (Date, DAY),
        (Boolean, FLAG),
    )
    return next((kind for of, kind in kinds if isinstance(column.type, of)), PLAIN)


def _out(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind in {TIME, DAY}:
        return value.isoformat()
    if kind == BYTES:
        data = bytes(value)
        try:
            return "t" + data.decode()
        except UnicodeDecodeError:
            return "b" + base64.b64encode(data).decode()
    return value


def _in(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind == TIME:
        return datetime.fromisoformat(value)
    if kind == DAY:
        return date.fromisoformat(value)
    if kind == BYTES:
        return value[1:].encode() if value[:1] == "t" else base64.b64decode(value[1:], validate=True)
    return value
