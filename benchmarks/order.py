"""From the shop's JSON to an issued invoice: parse, map, draft, issue. The floor is parsing the JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from benchmarks import documents
from benchmarks.timing import Effort, Row, Work, rounds_of, take_turns

NAME = "order"
_DIFFERENT = 50


def measure(effort: Effort) -> Iterator[Row]:
    """The rows of this bench."""
    for lines in documents.SIZES:
        count = max(1, min(_DIFFERENT, effort.most_calls))
        texts = [documents.order_text(lines, number) for number in range(1, count + 1)]
        floor = Row(NAME, f"parse the order's JSON: {lines} lines", "floor")
        mapped = Row(NAME, f"JSON -> Order: {lines} lines", "core")
        issued = Row(NAME, f"JSON -> Order -> draft -> issue: {lines} lines", "core")
        works = ((floor, _parse(texts)), (mapped, _map(texts)), (issued, _issue(texts)))
        take_turns([(row, rounds_of(work, effort)) for row, work in works], effort)
        mapped.floor = issued.floor = floor.best
        yield from (floor, mapped, issued)


def _parse(texts: Sequence[str]) -> Work:
    return lambda number: json.loads(texts[number % len(texts)])


def _map(texts: Sequence[str]) -> Work:
    return lambda number: documents.order_of(texts[number % len(texts)])


def _issue(texts: Sequence[str]) -> Work:
    return lambda number: documents.issue(documents.order_of(texts[number % len(texts)]), number)
