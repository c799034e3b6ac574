"""Whether two patterns of invoice numbers can make the same number.

Each pattern is a row of steps that take one character, some of them repeated; two patterns are walked side
by side, and the first number that both can make is the proof. Dates are not compared with each other: a
number of one year must not come again in another either.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from string import ascii_letters, digits
from typing import Final

_PART = re.compile(r"\{(?:n(?::0?(\d{1,2}))?|yyyy|yy|mm|store)\}|.", re.ASCII | re.DOTALL)
_DIGITS: Final = frozenset(digits)
_NONZERO: Final = _DIGITS - {"0"}


@dataclass(frozen=True, slots=True)
class _Step:
    """Characters that fit, once or any number of times (also none)."""

    characters: frozenset[str]
    repeated: bool = False


_ANY_DIGIT = _Step(_DIGITS)
_MORE_DIGITS = _Step(_DIGITS, repeated=True)
_FIELDS: Final[dict[str, tuple[_Step, ...]]] = {
    "{yyyy}": (_Step(frozenset("2")), _Step(frozenset("0")), _ANY_DIGIT, _ANY_DIGIT),
    "{yy}": (_ANY_DIGIT, _ANY_DIGIT),
    "{mm}": (_Step(frozenset("01")), _ANY_DIGIT),
    "{store}": (
        _Step(frozenset(ascii_letters + digits)),
        _Step(frozenset(ascii_letters + digits + "-_"), repeated=True),
    ),
}


def common_number(ones: Iterable[str], others: Iterable[str]) -> str | None:
    """A number that a pattern of the one side and a pattern of the other can both make.

    Args:
        ones: texts of checked patterns; ``{store}`` stands for every possible code.
        others: the same of the other side.

    Returns:
        The shortest such number, ``None`` when there is none.
    """
    left = [row for text in ones for row in _rows(text)]
    right = [row for text in others for row in _rows(text)]
    found = [number for one in left for other in right if (number := _meet(one, other)) is not None]
    return min(found, key=lambda number: (len(number), number), default=None)


def _rows(text: str) -> list[list[_Step]]:
    """The pattern as rows of steps: one, or two when its counter has a width that it can outgrow."""
    rows: list[list[_Step]] = [[]]
    for match in _PART.finditer(text):
        choices = _steps(match)
        rows = [row + list(choice) for row in rows for choice in choices]
    return rows


def _steps(match: re.Match[str]) -> list[tuple[_Step, ...]]:
    part = match[0]
    if part in _FIELDS:
        return [_FIELDS[part]]
    if not part.startswith("{"):
        return [(_Step(frozenset(part)),)]
    width = int(match[1] or 1)
    longer = (_Step(_NONZERO), *[_ANY_DIGIT] * width, _MORE_DIGITS)
    if width <= 1:
        return [(_Step(_NONZERO), _MORE_DIGITS)]
    return [(_ANY_DIGIT,) * width, longer]


def _meet(one: list[_Step], other: list[_Step]) -> str | None:
    """The shortest text that fits both rows, by walking them side by side."""
    end = (len(one), len(other))
    came_from: dict[tuple[int, int], tuple[tuple[int, int], str] | None] = {(0, 0): None}
    queue = deque([(0, 0)])
    while queue:
        place = queue.popleft()
        if place == end:
            return "".join(reversed(list(_way(came_from, place))))
        for following, character in _moves(one, other, place):
            if following not in came_from:
                came_from[following] = (place, character)
                # a skipped repetition costs no character, so it is looked at before those that do
                (queue.append if character else queue.appendleft)(following)
    return None


def _moves(
    one: list[_Step], other: list[_Step], place: tuple[int, int]
) -> Iterator[tuple[tuple[int, int], str]]:
    i, j = place
    left = one[i] if i < len(one) else None
    right = other[j] if j < len(other) else None
    if left and left.repeated:
        yield (i + 1, j), ""
    if right and right.repeated:
        yield (i, j + 1), ""
    if left and right and (both := left.characters & right.characters):
        # after a repeated step the walk stays on it; skipping it is a move of its own
        yield (i + (not left.repeated), j + (not right.repeated)), min(both)


def _way(
    came_from: dict[tuple[int, int], tuple[tuple[int, int], str] | None], place: tuple[int, int]
) -> Iterator[str]:
    while (step := came_from[place]) is not None:
        place, character = step
        yield character
