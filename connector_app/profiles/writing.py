"""A seller's values as the text of a seller file, which reads back to the same values."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

_BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def to_toml(values: Mapping[str, Any]) -> str:
    """Values as TOML.

    Args:
        values: tables of texts, whole numbers, true and false, lists of texts, lists of tables, and tables.

    Returns:
        Text that :func:`connector_app.profiles.read` takes.
    """
    lines: list[str] = []
    _table(values, (), lines)
    return "\n".join(lines).strip() + "\n"


def _table(values: Mapping[str, Any], path: tuple[str, ...], lines: list[str]) -> None:
    """A table: its own entries first, as TOML wants, then the tables inside it."""
    inside = {name: value for name, value in values.items() if isinstance(value, Mapping) or _is_rows(value)}
    for name, value in values.items():
        if name not in inside:
            lines.append(f"{_key(name)} = {_value(value)}")
    for name, value in inside.items():
        deeper = (*path, name)
        shown = ".".join(_key(one) for one in deeper)
        if isinstance(value, Mapping):
            lines += ["", f"[{shown}]"]
            _table(value, deeper, lines)
        else:
            for row in value:
                lines += ["", f"[[{shown}]]"]
                _table(row, deeper, lines)


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, Mapping) for one in value)


def _key(name: str) -> str:
    return name if name and set(name) <= _BARE else _text(name)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Sequence):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    return str(value)


def _text(value: str) -> str:
    # TOML's basic strings take JSON's escapes; DEL is the one character that only TOML refuses
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
