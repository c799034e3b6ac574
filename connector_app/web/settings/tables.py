"""Settings that are tables, such as product marks: rows of a form, pasted CSV, and the stored values."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connector_app.web.language import say, t
from connector_app.web.settings.entries import Kind
from core.findings import Text

SHOWN = 40
"""Rows on a page."""
_EMPTY_ROWS = 3
_YES = frozenset({"1", "tak", "yes", "true", "t", "y", "x"})
Choices = tuple[tuple[str, Text], ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: of the entry; ``value`` where the table has texts instead of tables.
        label: for people.
        kind: text, flag or choice.
        choices: values with their words, for a choice; an empty one comes first by itself.
    """

    name: str
    label: Text
    kind: Kind = Kind.TEXT
    choices: Choices = ()


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a seller file, edited row by row.

    Attributes:
        name: in addresses.
        path: of the table in the seller file.
        title, intro: for people.
        key: label of what names a row.
        columns: the others.
        key_of: makes the key as it is stored from what was typed.
        get: a stored row as texts and flags by column.
        put: what was typed as a stored row, over the row before.
    """

    name: str
    path: str
    title: Text
    intro: Text
    key: Text
    columns: tuple[Column, ...]
    key_of: Callable[[str], str] = str.strip
    get: Callable[[Any], dict[str, Any]] = dict
    put: Callable[[dict[str, Any], Any], Any] = field(default=lambda row, _before: row)


@dataclass(slots=True)
class Row:
    """A row of the form.

    Attributes:
        old: its key as it is stored; empty for a new one.
        key: as it stands in the form.
        cells: by column.
        is_partial: columns that are not in it keep what is stored.
        faults: in words.
    """

    old: str = ""
    key: str = ""
    cells: dict[str, Any] = field(default_factory=dict)
    is_partial: bool = False
    faults: list[str] = field(default_factory=list)


def rows_of(table: Table, values: Mapping[str, Any], wanted: str = "") -> tuple[list[Row], int]:
    """The stored rows whose key contains a text, with empty ones to fill, and how many there are in all."""
    stored = values.get(table.path, {})
    found = [key for key in sorted(stored) if wanted.casefold() in key.casefold()]
    rows = [Row(key, key, table.get(stored[key])) for key in found[:SHOWN]]
    return [*rows, *(Row() for _ in range(_EMPTY_ROWS))], len(found)


def typed_rows(table: Table, form: Mapping[str, str]) -> list[Row]:
    """The rows of a form that was sent; their names begin with ``row-N-``."""
    rows = []
    for place in range(SHOWN + _EMPTY_ROWS + 1):
        if f"row-{place}-key" not in form:
            continue
        cells = {
            one.name: (f"row-{place}-{one.name}" in form)
            if one.kind is Kind.FLAG
            else form.get(f"row-{place}-{one.name}", "").strip()
            for one in table.columns
        }
        rows.append(Row(form.get(f"row-{place}-old", ""), table.key_of(form[f"row-{place}-key"]), cells))
    return rows


def put_rows(table: Table, rows: Sequence[Row], values: dict[str, Any]) -> bool:
    """Write rows over the stored ones; a row without a key is taken out, rows that are not shown stay.

    Returns:
        Whether they can be kept; the rows say what is wrong otherwise.
    """
    stored: dict[str, Any] = dict(values.get(table.path, {}))
    before = {row.old: stored.pop(row.old, None) for row in rows if row.old}
    for row in rows:
        if not row.key:
            if not row.old and any(row.cells.values()):
                row.faults.append(f"{say(table.key)}: " + t("wypełnij to pole.", "fill this in."))
            continue
        if row.key in stored:
            row.faults.append(t("Taki wiersz już jest.", "There is such a row already."))
            continue
        old = before.get(row.old)
        whole = table.get(old) | row.cells if row.is_partial and old is not None else row.cells
        stored[row.key] = table.put({name: value for name, value in whole.items() if value}, old)
    values[table.path] = stored
    if not stored:
        values.pop(table.path)
    return not any(row.faults for row in rows)


def bring_home(table: Table, rows: Sequence[Row], faults: Sequence[Text]) -> list[Text]:
    """Put each fault of the parser beside its row; those of no row are given back."""
    others = []
    for fault in faults:
        row = next((one for one in rows if one.key and _is_about(table, one.key, fault)), None)
        if row is None:
            others.append(fault)
        else:
            row.faults.append(say(fault).removeprefix(f"{table.path}.{row.key}").lstrip(".: ") + ".")
    return others


def _is_about(table: Table, key: str, fault: Text) -> bool:
    return fault.pl.startswith((f"{table.path}.{key}:", f"{table.path}.{key}."))


class BadCsv(ValueError):
    """Pasted text that is no such table.

    Attributes:
        faults: one sentence per line that is wrong.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__(len(faults))
        self.faults = list(faults)


def from_csv(table: Table, text: str) -> list[Row]:
    """Rows of a pasted table: the first line names the columns, fields are divided by ; , or tabs.

    Raises:
        BadCsv: a column is not known, or a value is none of its choices.
    """
    first = text.lstrip("\ufeff\r\n").split("\n", 1)[0]
    mark = max(";\t,", key=first.count)
    lines = [line for line in csv.reader(io.StringIO(text.lstrip("\ufeff\r\n")), delimiter=mark) if any(line)]
    if not lines:
        raise BadCsv([t("Wklej tabelę z nagłówkiem.", "Paste a table with a header.")])
    names = [one.strip().lower() for one in lines[0]]
    known = {one.name: one for one in table.columns}
    unknown = [one for one in names[1:] if one not in known]
    if unknown:
        allowed = ", ".join(known)
        raise BadCsv(
            [
                t(
                    f"Nieznane kolumny: {', '.join(unknown)}. Znane: {allowed}.",
                    f"Unknown columns: {', '.join(unknown)}. Known: {allowed}.",
                )
            ]
        )
    faults: list[str] = []
    rows = [_from_line(table, names, line, place, faults) for place, line in enumerate(lines[1:], start=2)]
    if faults:
        raise BadCsv(faults)
    return rows


def _from_line(table: Table, names: Sequence[str], line: Sequence[str], place: int, faults: list[str]) -> Row:
    known = {one.name: one for one in table.columns}
    cells: dict[str, Any] = {}
    where = t("Wiersz", "Line") + f" {place}: "
    for name, raw in zip(names[1:], line[1:], strict=False):
        column, value = known[name], raw.strip()
        if column.kind is Kind.FLAG:
            cells[name] = value.casefold() in _YES
        elif column.kind is Kind.CHOICE and value and value not in {one for one, _ in column.choices}:
            faults.append(
                where + t(f"{name}: nie ma wartości „{value}”.", f'{name}: there is no value "{value}".')
            )
        else:
            cells[name] = value
    key = table.key_of(line[0])
    if not key:
        faults.append(
            where + t("brakuje klucza w pierwszej kolumnie.", "the key in the first column is missing.")
        )
    # the row that is there already is changed
    return Row(key, key, cells, is_partial=True)
