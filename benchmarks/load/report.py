"""``benchmarks/RESULTS.md``: the machine, what was run, what it gave, and whether the goals were met."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.load.machine import described
from benchmarks.load.scenarios import Chapter

_MARK = {True: "met", False: "**not met**", None: "cannot be said"}
_NOTES = Path(__file__).with_name("notes.md")


def write(
    chapters: Mapping[str, Chapter], folder: Path, *, scale: float, busy: tuple[float, float]
) -> tuple[Path, Path]:
    """Write the report and the raw numbers.

    Args:
        chapters: what was run, by its letter.
        folder: where ``RESULTS.md`` and ``results.json`` go.
        scale: of the run.
        busy: processes that wanted a core before and after the run.

    Returns:
        Both files.
    """
    text, raw = folder / "RESULTS.md", folder / "results.json"
    facts = described() | {
        "Date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "Load of the machine": f"{busy[0]:.1f} before the run, {busy[1]:.1f} after it",
        "Scale": f"{scale:g}",
    }
    parts = [
        "# Results of `make load`",
        "Made by `make load`; every run writes this file anew. All sandboxes run on this machine beside the "
        "program, as processes of their own, KSeF's with the published request limits.",
        _table(("machine", ""), [[name, value] for name, value in facts.items()]),
    ]
    if busy[0] > _QUIET:
        parts.append(
            "**Others worked on this machine during the run**: times of the clock are longer than on an idle "
            "one; CPU seconds and counts are less affected."
        )
    parts.append("## Goals")
    goals = [
        [letter, goal, _MARK[met]] for letter, chapter in chapters.items() for goal, met in chapter.goals
    ]
    parts.append(_table(("", "goal: measured", ""), goals))
    for chapter in chapters.values():
        parts += [f"## {chapter.title}", *chapter.what]
        parts += [_table(*table) for table in chapter.tables]
    parts.append(_NOTES.read_text(encoding="utf-8").strip())
    text.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    numbers = {"machine": facts} | {letter: chapter.raw for letter, chapter in chapters.items()}
    raw.write_text(json.dumps(numbers, indent=1, default=str), encoding="utf-8")
    return text, raw


_QUIET = 1.5


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
