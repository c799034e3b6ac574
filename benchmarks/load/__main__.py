"""``python -m benchmarks.load``: run the scenarios, show how far they are, and write the report."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from benchmarks.load import report
from benchmarks.load.machine import busy
from benchmarks.load.scenarios import SCENARIOS, Chapter

_FOLDER = Path(__file__).resolve().parent.parent


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what was chosen.

    Args:
        arguments: of the command line; those of the process when None.
    """
    chosen = _parser().parse_args(arguments)
    console = Console()
    before = busy()
    chapters: dict[str, Chapter] = {}
    bar = Progress(
        TextColumn("{task.fields[letter]}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
        console=console,
    )
    with bar:
        for letter, scenario in SCENARIOS.items():
            if chosen.only and letter not in chosen.only:
                continue
            task = bar.add_task("", letter=letter, total=None)

            def tell(done: int, total: int, said: str, task: TaskID = task) -> None:
                bar.update(task, completed=done, total=total, description=said)

            chapters[letter] = scenario(chosen.scale, tell)
            bar.stop_task(task)
    text, raw = report.write(chapters, Path(chosen.folder), scale=chosen.scale, busy=(before, busy()))
    for letter, chapter in chapters.items():
        for goal, met in chapter.goals:
            mark = {True: "✓", False: "✗", None: "·"}[met]
            console.print(f"{mark} {letter}: {goal}", markup=False, highlight=False)
    console.print(f"{text}\n{raw}", markup=False, highlight=False)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument(
        "--only", action="append", choices=list(SCENARIOS), help="run this scenario; may be repeated"
    )
    parser.add_argument("--scale", type=_scale, default=1.0, help="share of the full size, e.g. 0.1")
    parser.add_argument("--folder", default=str(_FOLDER), help="where the report is written")
    return parser


def _scale(raw: str) -> float:
    scale = float(raw)
    if not 0 < scale <= 10:
        raise argparse.ArgumentTypeError("more than 0, at most 10")
    return scale


if __name__ == "__main__":
    # what was started ends with this process, also when it is asked to end
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(1))
    main()
