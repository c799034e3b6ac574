"""Dataclasses as they go over the wire: JSON Schema from their fields, values in, values out.

One place says what a value is; the reader, the writer and the OpenAPI document all follow it. Supported are
str, int, bool, Decimal (as text), date, datetime, enums of text, lists, tables, other dataclasses, and each
of them or nothing (``X | None``).
"""

from __future__ import annotations

import dataclasses
import re
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from core.findings import Text

Made = TypeVar("Made")
Schema = dict[str, Any]

_MOST = 2**63 - 1
NO_CONTROLS = r"^[^\x00-\x1f\x7f]*$"
"""Pattern of texts whose length alone is ruled."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What is told of a field and asked of its value.

    Attributes:
        about: for people. pattern: regular expression for the whole text. least, most: of a number.
        longest: characters of a text. fewest: items of a list. example: for the documentation.
    """

    about: Text
    pattern: str | None = None
    least: int | None = None
    most: int | None = None
    longest: int | None = None
    fewest: int | None = None
    example: object = None


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a value that was sent.

    Attributes:
        field: its name; dots lead into tables. message: in words.
    """

    field: str
    message: Text


class Unreadable(Exception):
    """Values that are not what an operation takes.

    Attributes:
        faults: each of them.
    """

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(", ".join(f"{one.field}: {one.message.en}" for one in faults))
        self.faults = faults


def told(
    pl: str,
    en: str,
    *,
    default: Any = MISSING,
    pattern: str | None = None,
    least: int | None = None,
    most: int | None = None,
    longest: int | None = None,
    fewest: int | None = None,
    example: object = None,
) -> Any:
    """A field of a dataclass with its description; see :class:`Rule`."""
    rule = Rule(Text(pl, en), pattern, least, most, longest, fewest, example)
    return field(default=default, metadata={"rule": rule})


@dataclass(frozen=True, slots=True)
class Slot:
    """One field as the wire sees it.

    Attributes:
        name: on both sides. kind: its type without ``None``. nullable: it may be nothing.
        default: when it is left out. needed: it may not be. rule: the rest.
    """

    name: str
    kind: Any
    nullable: bool
    default: Any
    needed: bool
    rule: Rule


def slots(kind: type) -> tuple[Slot, ...]:
    """The fields of a dataclass."""
    return _slots(kind)


@cache
def _slots(kind: Any) -> tuple[Slot, ...]:
    hints = get_type_hints(kind)
    found = []
    for one in dataclasses.fields(kind):
        inner, nullable = _without_none(hints[one.name])
        rule = one.metadata.get("rule") or Rule(Text("", ""))
        needed = one.default is MISSING
        found.append(Slot(one.name, inner, nullable, None if needed else one.default, needed, rule))
    return tuple(found)


def _without_none(hint: Any) -> tuple[Any, bool]:
    if get_origin(hint) in {Union, types.UnionType}:
        others = [one for one in get_args(hint) if one is not type(None)]
        assert len(others) == 1, f"{hint} is not one type or nothing"
        return others[0], True
    return hint, False


def schema_of(kind: Any, named: dict[str, Schema], language: str = "en") -> Schema:
    """The JSON Schema of a type.

    Args:
        kind: see the module.
        named: gets the schemas of dataclasses and enums, by their names; the answer refers to them.
        language: of descriptions.
    """
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        if kind.__name__ not in named:
            named[kind.__name__] = {}
            named[kind.__name__] = _table(kind, named, language)
        return {"$ref": f"#/components/schemas/{kind.__name__}"}
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        named.setdefault(kind.__name__, {"type": "string", "enum": [one.value for one in kind]})
        return {"$ref": f"#/components/schemas/{kind.__name__}"}
    if get_origin(kind) is list:
        return {"type": "array", "items": schema_of(get_args(kind)[0], named, language)}
    if get_origin(kind) is dict:
        inner = get_args(kind)[1]
        more = {} if inner is Any else {"additionalProperties": schema_of(inner, named, language)}
        return {"type": "object", **more}
    return dict(_PLAIN[kind])


_PLAIN: dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    Decimal: {"type": "string", "pattern": r"^-?\d+\.\d{2,}$"},
    date: {"type": "string", "format": "date"},
    datetime: {"type": "string", "format": "date-time"},
}


def _table(kind: type, named: dict[str, Schema], language: str) -> Schema:
    found = {one.name: slot_schema(one, named, language) for one in slots(kind)}
    table: Schema = {"type": "object", "properties": found, "additionalProperties": False}
    needed = [one.name for one in slots(kind) if one.needed]
    if needed:
        table["required"] = needed
    about = (kind.__doc__ or "").strip().split("\n")[0]
    return {"description": about, **table} if about and language == "en" else table


def slot_schema(slot: Slot, named: dict[str, Schema], language: str = "en") -> Schema:
    """The schema of one field with all that is asked of it."""
    found = schema_of(slot.kind, named, language)
    rule = slot.rule
    more: Schema = {
        "pattern": rule.pattern,
        "minimum": rule.least,
        "maximum": rule.most,
        "maxLength": rule.longest,
        "minItems": rule.fewest,
    }
    if slot.kind is str and rule.longest is not None and rule.pattern is None:
        more["pattern"] = NO_CONTROLS
    found |= {name: value for name, value in more.items() if value is not None}
    if slot.nullable:
        found = {"anyOf": [found, {"type": "null"}]}
    if rule.about.in_language(language):
        found["description"] = rule.about.in_language(language)
    if rule.example is not None:
        found["examples"] = [rule.example]
    if not slot.needed and slot.default is not None:
        found["default"] = write(slot.default)
    return found


def write(value: Any) -> Any:
    """A value as JSON has it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: write(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, list | tuple):
        return [write(one) for one in value]
    if isinstance(value, Mapping):
        return {str(name): write(one) for name, one in value.items()}
    writer = next((found for kind, found in _WRITERS if isinstance(value, kind)), None)
    return value if writer is None else writer(value)


def _amount(value: Decimal) -> str:
    return f"{value:.2f}" if value == round(value, 2) else f"{value:f}"


_WRITERS: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (StrEnum, lambda value: str(value.value)),
    # a moment is a day too, so it comes first
    (datetime, lambda value: value.astimezone(UTC).isoformat().replace("+00:00", "Z")),
    (date, lambda value: value.isoformat()),
    (Decimal, _amount),
)


def read(kind: type[Made], values: object) -> Made:
    """A dataclass from JSON.

    Raises:
        Unreadable: with every fault.
    """
    if not isinstance(values, dict):
        raise Unreadable([Fault("", Text("To nie jest obiekt JSON.", "This is no JSON object."))])
    return _read(kind, values, strict=True)


def read_query(kind: type[Made], values: Mapping[str, list[str]]) -> Made:
    """A dataclass from the parameters of an address, each given once at most.

    Raises:
        Unreadable: with every fault.
    """
    twice = [
        Fault(name, Text("Parametr podano więcej niż raz.", "The parameter is given more than once."))
        for name, given in values.items()
        if len(given) > 1
    ]
    if twice:
        raise Unreadable(twice)
    return _read(kind, {name: given[0] for name, given in values.items()}, strict=False)


def _read(kind: type[Made], values: Mapping[str, Any], *, strict: bool) -> Made:
    known = {one.name: one for one in slots(kind)}
    faults = [
        Fault(name[:100], Text("Nie ma takiego pola.", "There is no such field."))
        for name in values
        if name not in known
    ]
    made: dict[str, Any] = {}
    for name, slot in known.items():
        if name not in values:
            if slot.needed:
                faults.append(Fault(name, Text("Tego pola brakuje.", "This field is missing.")))
            continue
        try:
            made[name] = _value(slot, values[name], strict=strict)
        except _Wrong as error:
            faults.append(Fault(name, error.text))
    if faults:
        raise Unreadable(faults)
    return kind(**made)


class _Wrong(Exception):
    def __init__(self, pl: str, en: str) -> None:
        super().__init__(en)
        self.text = Text(pl, en)


def _value(slot: Slot, raw: Any, *, strict: bool) -> Any:
    if raw is None and slot.nullable:
        return None
    rule = slot.rule
    if get_origin(slot.kind) is list:
        if not isinstance(raw, list):
            raise _Wrong("To nie jest lista.", "This is no list.")
        if len(raw) < (rule.fewest or 0):
            raise _Wrong("Lista jest za krótka.", "The list is too short.")
        return [_one(get_args(slot.kind)[0], one, strict=strict) for one in raw]
    value = _one(slot.kind, raw, strict=strict)
    if isinstance(value, str):
        _check_text(value, rule)
    if isinstance(value, int) and not isinstance(value, bool):
        low, high = rule.least or 0, rule.most or _MOST
        if not low <= value <= high:
            raise _Wrong(f"Podaj liczbę od {low} do {high}.", f"Give a number from {low} to {high}.")
    return value


def _check_text(value: str, rule: Rule) -> None:
    pattern = rule.pattern or (NO_CONTROLS if rule.longest is not None else None)
    # JSON Schema's patterns search, ours carry their own ends; \Z because $ forgives a line's end
    if pattern is not None and re.search(pattern.replace("$", r"\Z"), value) is None:
        raise _Wrong("Tekst ma niewłaściwą postać.", "The text has not the right form.")
    if rule.longest is not None and len(value) > rule.longest:
        raise _Wrong(f"Najwyżej {rule.longest} znaków.", f"At most {rule.longest} characters.")


def _one(kind: Any, raw: Any, *, strict: bool) -> Any:
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        allowed = [one.value for one in kind]
        if raw not in allowed:
            listed = ", ".join(allowed)
            raise _Wrong(f"Podaj jedno z: {listed}.", f"Give one of: {listed}.")
        return kind(raw)
    if kind is bool:
        return _flag(raw, strict=strict)
    if kind is int:
        return _whole(raw, strict=strict)
    if not isinstance(raw, str):
        raise _Wrong("To nie jest tekst.", "This is no text.")
    if kind is datetime:
        return _moment(raw)
    return raw


def _flag(raw: Any, *, strict: bool) -> bool:
    if isinstance(raw, bool):
        return raw
    if not strict and raw in {"true", "false"}:
        return bool(raw == "true")
    raise _Wrong("Podaj true albo false.", "Give true or false.")


def _whole(raw: Any, *, strict: bool) -> int:
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw
    if isinstance(raw, float) and raw.is_integer() and strict:
        return int(raw)  # JSON Schema: 1.0 is an integer
    if not strict and isinstance(raw, str) and raw.isascii() and raw.isdigit() and len(raw) < 20:
        return int(raw)
    raise _Wrong("To nie jest liczba całkowita.", "This is no whole number.")


def _moment(raw: str) -> datetime:
    try:
        # RFC 3339 in small letters is allowed too; a "+" of an address may have become a blank
        found = datetime.fromisoformat(raw.upper().replace(" ", "+") if "T" in raw.upper() else "")
    except ValueError:
        raise _Wrong(
            "Podaj moment ze strefą, np. 2026-11-24T10:00:00Z.",
            "Give a moment with its zone, such as 2026-11-24T10:00:00Z.",
        ) from None
    if found.tzinfo is None:
        raise _Wrong("Brakuje strefy czasowej (np. Z).", "The time zone is missing (such as Z).")
    try:
        return found.astimezone(UTC)
    except OverflowError:
        raise _Wrong("Takiego momentu nie ma.", "There is no such moment.") from None
