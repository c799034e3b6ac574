"""Tables as they are stored: values that no type of the program interprets.

JSON stays the text that it is (a missing value and the JSON value ``null`` are two things), amounts stay
text, times have no zone. What is read here and written there is the same, character by character.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    DateTime,
    LargeBinary,
    MetaData,
    Row,
    String,
    Table,
    Text,
    cast,
    inspect,
    select,
    type_coerce,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

from connector_app import store
from connector_app.store.models import Base
from connector_app.store.moved import ABOUT_ITSELF
from connector_app.store.types import DecimalText, UtcDateTime

_VERSION_TABLE = "alembic_version"
_ROWS, _WIDE_ROWS = 1000, 100
"""Rows that are held at a time; fewer where whole files lie in them."""


class UnknownTables(Exception):
    """A database with other tables than the program's.

    Attributes:
        names: of tables that only one of them has.
    """

    def __init__(self, names: list[str]) -> None:
        super().__init__(", ".join(names))
        self.names = names


class _JsonText(TypeDecorator[str]):
    """JSON as the text that was stored."""

    impl = JSON
    cache_ok = True

    def coerce_compared_value(self, op: Any, value: Any) -> TypeEngine[Any]:  # noqa: ARG002  of the interface
        """Compared with nothing."""
        return self

    def bind_processor(self, dialect: Any) -> None:
        """The text goes in as it is."""

    def result_processor(self, dialect: Any, coltype: Any) -> None:
        """And comes out so."""

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Read as text."""
        return cast(type_coerce(column, JSON), Text)


@dataclass(frozen=True, slots=True)
class RawTable:
    """One table.

    Attributes:
        table: with types that change nothing.
        key: names of the columns of its primary key, in which rows are ordered.
        at_a_time: rows that may be held.
    """

    table: Table
    key: tuple[str, ...]
    at_a_time: int

    @property
    def name(self) -> str:
        """The table's name."""
        return self.table.name

    def key_of(self, row: Row[Any]) -> tuple[Any, ...]:
        """What identifies a row."""
        return tuple(row._mapping[name] for name in self.key)

    def read(self, connection: Connection) -> Iterator[Sequence[Row[Any]]]:
        """All rows in the order of their keys, some at a time."""
        columns = self.table.c
        query = select(self.table).order_by(*(columns[name] for name in self.key))
        if self.name == ABOUT_ITSELF.table:
            query = query.where(columns[ABOUT_ITSELF.column].not_in(ABOUT_ITSELF.names))
        with connection.execute(query.execution_options(yield_per=self.at_a_time)) as found:
            yield from found.partitions()


def tables(connection: Connection) -> list[RawTable]:
    """Every table of the program in an order in which rows refer to earlier ones only.

    Raises:
        UnknownTables: the database has others, or lacks some.
    """
    for module in pkgutil.iter_modules(store.__path__, f"{store.__name__}."):
        if not module.ispkg:
            importlib.import_module(module.name)
    there = set(inspect(connection).get_table_names()) - {_VERSION_TABLE}
    odd = there ^ set(Base.metadata.tables)
    if odd:
        raise UnknownTables(sorted(odd))
    return [_raw(table) for table in Base.metadata.sorted_tables]


def _raw(table: Table) -> RawTable:
    columns = [Column(one.name, _raw_type(one.type), primary_key=one.primary_key) for one in table.columns]
    wide = any(isinstance(one.type, LargeBinary) for one in table.columns)
    key = tuple(one.name for one in table.primary_key.columns)
    return RawTable(Table(table.name, MetaData(), *columns), key, _WIDE_ROWS if wide else _ROWS)


def _raw_type(known: TypeEngine[Any]) -> TypeEngine[Any]:
    if isinstance(known, UtcDateTime):
        return DateTime()
    if isinstance(known, DecimalText):
        return String()
    if isinstance(known, JSON):
        return _JsonText()
    return known
