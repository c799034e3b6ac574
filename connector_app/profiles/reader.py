"""Reading values of a seller file: each fault is kept with the name of its entry, none stops the reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar

from core.findings import Text
from core.invoices.texts import NAME_LIMIT, clean

_NO_TABLE = Text("to musi być tabela", "must be a table")
_Choice = TypeVar("_Choice", bound=StrEnum)


class BadProfile(ValueError):
    """A seller file that cannot be used.

    Attributes:
        faults: one sentence per fault, each naming its entry.
    """

    def __init__(self, faults: Sequence[Text]) -> None:
        super().__init__("\n".join(fault.en for fault in faults))
        self.faults = tuple(faults)


class Reader:
    """Reads values and collects faults.

    Attributes:
        faults: what was found so far.
    """

    def __init__(self) -> None:
        self.faults: list[Text] = []

    def fault(self, where: str, what: Text) -> None:
        """Keep a fault of an entry."""
        self.faults.append(Text(f"{where}: {what.pl}", f"{where}: {what.en}"))

    def table(self, values: Mapping[str, Any], name: str, where: str = "") -> dict[str, Any]:
        """A table, empty when absent."""
        table = values.get(name, {})
        if isinstance(table, dict):
            return dict(table)
        self.fault(f"[{where or name}]", _NO_TABLE)
        return {}

    def tables(self, values: Mapping[str, Any], name: str) -> dict[str, dict[str, Any]]:
        """A table of tables, such as ``[products."ABC-1"]``."""
        whole = self.table(values, name)
        return {key: self.table(whole, key, f"{name}.{key}") for key in whole}

    def text(self, table: Mapping[str, Any], where: str, name: str, *, need: bool = False) -> str:
        """A text in the form that the schema accepts, empty when absent."""
        value = table.get(name, "")
        if not isinstance(value, str):
            self.fault(
                f"{where}.{name}", Text("wartość musi być tekstem w cudzysłowie", "must be a text in quotes")
            )
            return ""
        if need and not value.strip():
            self.fault(f"{where}.{name}", Text("brakuje tego wpisu", "is missing"))
        return clean(value, NAME_LIMIT)

    def flag(self, table: Mapping[str, Any], where: str, name: str) -> bool:
        """True or false, false when absent."""
        value = table.get(name, False)
        if not isinstance(value, bool):
            self.fault(f"{where}.{name}", Text("musi być true albo false", "must be true or false"))
            return False
        return value

    def whole(self, table: Mapping[str, Any], where: str, name: str, *, least: int, most: int) -> int | None:
        """A whole number inside its bounds, ``None`` when absent."""
        value = table.get(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            what = Text(
                f"musi być liczbą całkowitą od {least} do {most}",
                f"must be a whole number from {least} to {most}",
            )
            self.fault(f"{where}.{name}", what)
            return None
        return value

    def texts(self, table: Mapping[str, Any], where: str, name: str) -> tuple[str, ...]:
        """A list of texts, empty when absent."""
        value = table.get(name, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            what = Text("musi być listą tekstów", "must be a list of texts")
            self.fault(f"{where}.{name}", what)
            return ()
        return tuple(value)

    def choice(self, table: Mapping[str, Any], where: str, name: str, kind: type[_Choice]) -> _Choice | None:
        """One of a closed list, ``None`` when absent."""
        value = table.get(name)
        if value is None:
            return None
        try:
            return kind(value)
        except ValueError:
            allowed = ", ".join(one.value for one in kind)
            what = Text(f"{value!r} nie jest jednym z: {allowed}", f"{value!r} is none of: {allowed}")
            self.fault(f"{where}.{name}", what)
            return None

    def named(self, table: Mapping[str, Any], where: str, name: str, kind: type[_Choice]) -> _Choice | None:
        """One of a closed list whose values are codes of the schema, by its English name in small letters."""
        value = table.get(name)
        chosen = kind.__members__.get(value.upper()) if isinstance(value, str) else None
        if value is not None and chosen is None:
            allowed = ", ".join(one.lower() for one in kind.__members__)
            what = Text(f"{value!r} nie jest jednym z: {allowed}", f"{value!r} is none of: {allowed}")
            self.fault(f"{where}.{name}", what)
        return chosen

    def rows(self, table: Mapping[str, Any], name: str, where: str) -> list[Mapping[str, Any]]:
        """A list of tables, empty when absent."""
        value = table.get(name, [])
        if isinstance(value, list) and all(isinstance(one, Mapping) for one in value):
            return value
        self.fault(where, Text("musi być listą tabel", "must be a list of tables"))
        return []

    def choices(self, values: Mapping[str, Any], name: str, kind: type[_Choice]) -> dict[str, _Choice]:
        """A table whose every value is one of a closed list."""
        table = self.table(values, name)
        chosen = {key: self.choice(table, name, key, kind) for key in table}
        return {key: value for key, value in chosen.items() if value is not None}

    def day(self, table: Mapping[str, Any], where: str, name: str) -> date | None:
        """A day, ``None`` when absent."""
        value = table.get(name)
        if value is None or isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value))  # stored as JSON
        except ValueError:
            what = Text("musi być dniem, np. 2026-11-23", "must be a day, e.g. 2026-11-23")
            self.fault(f"{where}.{name}", what)
            return None

    def only(self, table: Mapping[str, Any], where: str, names: set[str]) -> None:
        """Nothing but these entries."""
        known = ", ".join(sorted(names))
        for name in table:
            if name not in names:
                what = Text(f"nieznany wpis; znane: {known}", f"unknown entry; known: {known}")
                self.fault(f"{where}.{name}", what)
