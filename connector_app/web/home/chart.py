"""A small chart of counts by day, drawn on the server: heights and places of its bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

HEIGHT = 60
"""Of the tallest bar, in the picture's units."""
_STEP = 10
_WIDTH = 7


@dataclass(frozen=True, slots=True)
class Bar:
    """One day.

    Attributes:
        day: Warsaw day. count: of documents. x, y, width, height: in the picture's units, y downwards.
    """

    day: date
    count: int
    x: int
    y: int
    width: int
    height: int


def bars(counts: Sequence[tuple[date, int]]) -> list[Bar]:
    """The bars of some days; a day without documents has a thin line, so that it is seen as a day."""
    most = max((count for _, count in counts), default=0)
    drawn = []
    for place, (day, count) in enumerate(counts):
        height = max(1, round(HEIGHT * count / most)) if most and count else 1
        drawn.append(Bar(day, count, place * _STEP, HEIGHT - height, _WIDTH, height))
    return drawn
