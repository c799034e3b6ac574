"""Filters, order, pieces and fields of lists, as the webservice understands them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from sandbox.prestashop.access import RefusedError
from sandbox.prestashop.entities import Entity, filterable

_FILTER = re.compile(r"filter\[([a-z_]+)\]")
_SHAPE = re.compile(r"(.*)\[(.*)\](.*)", re.DOTALL)
_INTERVAL = re.compile(r"([\d.:\-\s]+),([\d.:\-\s]+)")
# what PHP adds to a refused list, and why such an answer is a 500
_WARNING = (3, "[PHP Warning #2] Trying to access array offset on value of type bool")


def select(entities: Iterable[Entity], names: list[str], params: Mapping[str, str]) -> list[Entity]:
    """The entities that a query asks for, in the order and piece it asks for.

    Args:
        entities: all of the collection.
        names: of its fields.
        params: the query.

    Raises:
        RefusedError: a filter, order or piece that the shop refuses.
    """
    known = filterable(names, dates=bool(params.get("date", "").strip("0")))
    found = list(entities)
    for name, wanted in params.items():
        match = _FILTER.fullmatch(name)
        if match is None:
            continue
        if match[1] not in known:
            raise _no_filter(known)
        if not wanted:
            raise RefusedError(500, (33, f'The filter "{match[1]}" is malformed.'), _WARNING)
        passes = _test_of(wanted)
        found = [one for one in found if passes(one.text(match[1]))]
    found.sort(key=lambda one: one.id)
    if params.get("sort"):
        found = _sorted(found, params["sort"], known)
    return _piece(found, params.get("limit", ""))


def shown(names: list[str], params: Mapping[str, str]) -> tuple[str, ...] | None:
    """The fields that a query shows: ``None`` for all, ``()`` for ids alone.

    Raises:
        RefusedError: a field that the collection does not have.
    """
    display = params.get("display", "minimum")
    if display == "full":
        return None
    if display == "minimum":
        return ()
    match = re.fullmatch(r"\[(.*)\]", display)
    wanted = [part.strip() for part in match[1].split(",")] if match else []
    if not wanted:
        raise RefusedError(500, (36, "The 'display' syntax is wrong."), _WARNING)
    for name in wanted:
        if name not in names:
            message = (
                f'Unable to display this field "{name}". However, these are available: {", ".join(names)}'
            )
            raise RefusedError(500, (35, message), _WARNING)
    return tuple(wanted)


def _test_of(wanted: str) -> Callable[[str], bool]:
    """What a filter's value lets through."""
    match = _SHAPE.fullmatch(wanted)
    if match is None:
        return lambda value: value == wanted
    before, inside, after = match.groups()
    if "%" in {before, after}:
        shape = (".*" if before else "") + re.escape(inside) + (".*" if after else "")
        like = re.compile(shape, re.IGNORECASE | re.DOTALL)
        return lambda value: like.fullmatch(value) is not None
    listed = frozenset(inside.split("|"))
    if before == "!":
        return lambda value: value not in listed
    return _comparison(before, inside) or (lambda value: value in listed)


def _comparison(before: str, inside: str) -> Callable[[str], bool] | None:
    """What ``>[1]``, ``<[5]`` and ``[1,5]`` let through; none for a list."""
    bound = _key(inside)
    if before == ">":
        return lambda value: _key(value) > bound
    if before == "<":
        return lambda value: _key(value) < bound
    interval = _INTERVAL.fullmatch(inside) if "|" not in inside else None
    if interval is None:
        return None
    low, high = sorted(map(_key, interval.groups()))
    return lambda value: low <= _key(value) <= high


def _key(text: str) -> tuple[float, str]:
    """Numbers as numbers, times as texts."""
    try:
        return (float(text), "")
    except ValueError:
        return (0.0, text)


def _sorted(entities: list[Entity], wanted: str, known: list[str]) -> list[Entity]:
    match = re.fullmatch(r"\[(.*)\]", wanted)
    for part in reversed((match[1] if match else wanted).split(",")):
        name, _, direction = part.rpartition("_")
        if direction.upper() not in {"ASC", "DESC"}:
            raise RefusedError(500, (37, 'The "sort" value has to be formed as "field_ASC"'), _WARNING)
        if name not in known:
            raise RefusedError(500, (38, "Unable to filter by this field."), _WARNING)
        entities = sorted(
            entities, key=lambda one, name=name: _key(one.text(name)), reverse=direction.upper() == "DESC"
        )
    return entities


def _piece(entities: list[Entity], limit: str) -> list[Entity]:
    if not limit:
        return entities
    parts = limit.split(",")
    if len(parts) > 2 or not all(part.strip().isdigit() for part in parts):
        raise RefusedError(500, (39, 'The "limit" value has to be formed as "5,25" or "10"'), _WARNING)
    start, count = (0, int(parts[0])) if len(parts) == 1 else (int(parts[0]), int(parts[1]))
    return entities[start : start + count]


def _no_filter(known: list[str]) -> RefusedError:
    names = ", ".join(f'"{one}"' for one in known)
    message = f'This filter does not exist. Did you mean: "note"? The full list is: {names}'
    return RefusedError(500, (32, message), _WARNING)
