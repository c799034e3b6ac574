"""Are two databases the same? Every column of every row, both ways, and the hashes of what is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Row

from connector_app.moving.rows import RawTable

Tell = Callable[[str, int], None]
"""Told of a table and how many more of its rows are done."""

_MOST = 20
"""Differences that are listed; one is too many already."""
_HASHES = {
    "documents": (("xml", "xml_sha256"), ("upo", "upo_sha256")),
    "session_upo_pages": (("content", "sha256"),),
}
"""Columns with files, and where their SHA-256 (hexadecimal) stands."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that is not the same on both sides.

    Attributes:
        table: its table.
        key: its primary key.
        columns: whose values differ; empty when one side has no such row.
    """

    table: str
    key: tuple[Any, ...]
    columns: tuple[str, ...] = ()


@dataclass(slots=True)
class Comparison:
    """What was compared.

    Attributes:
        rows: of each table.
        differences: the first of them.
        hashes: how many stored files have the hash that was kept with them.
        damaged: stored files that have not, as ``table key column``.
    """

    rows: dict[str, int] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    hashes: int = 0
    damaged: list[str] = field(default_factory=list)

    @property
    def is_same(self) -> bool:
        """Whether both sides have the same rows."""
        return not self.differences


def compare(
    tables: list[RawTable], here: Connection, there: Connection, tell: Tell = lambda _table, _rows: None
) -> Comparison:
    """Read both sides in the order of their keys, some rows at a time, and check the files of the second."""
    found = Comparison()
    for table in tables:
        count = 0
        for mine, theirs in _pairs(table, here, there):
            count += 1
            if theirs is not None:
                _check_hashes(table, theirs, found)
            if mine is None or theirs is None or tuple(mine) != tuple(theirs):
                found.differences.append(_difference(table, mine, theirs))
                if len(found.differences) >= _MOST:
                    return found
            if count % table.at_a_time == 0:
                tell(table.name, table.at_a_time)
        tell(table.name, count % table.at_a_time)
        found.rows[table.name] = count
    return found


def _pairs(
    table: RawTable, here: Connection, there: Connection
) -> Iterator[tuple[Row[Any] | None, Row[Any] | None]]:
    """Rows of both sides with the same key; ``None`` where a side has none."""
    mine, theirs = (chain.from_iterable(table.read(one)) for one in (here, there))
    left, right = next(mine, None), next(theirs, None)
    while left is not None or right is not None:
        behind = left is not None and (right is None or table.key_of(left) <= table.key_of(right))
        ahead = right is not None and (left is None or table.key_of(right) <= table.key_of(left))
        yield left if behind else None, right if ahead else None
        if behind:
            left = next(mine, None)
        if ahead:
            right = next(theirs, None)


def _difference(table: RawTable, mine: Row[Any] | None, theirs: Row[Any] | None) -> Difference:
    if mine is None or theirs is None:
        one = mine if mine is not None else theirs
        assert one is not None, "a pair has a row"
        return Difference(table.name, table.key_of(one))
    names = [column.name for column in table.table.columns]
    columns = tuple(name for name, a, b in zip(names, mine, theirs, strict=True) if a != b)
    return Difference(table.name, table.key_of(mine), columns)


def _check_hashes(table: RawTable, row: Row[Any], found: Comparison) -> None:
    values = row._mapping
    for content, digest in _HASHES.get(table.name, ()):
        data, kept = values[content], values[digest]
        if data is None and kept is None:
            continue
        if data is not None and kept == hashlib.sha256(data).hexdigest():
            found.hashes += 1
        else:
            found.damaged.append(f"{table.name} {'/'.join(map(str, table.key_of(row)))} {content}")
