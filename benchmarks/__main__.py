"""``python -m benchmarks``: measure and print a table. A slow result is a row of it, never an error."""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks import batch, client, imports, invoice, order, pages, picture, pipeline
from benchmarks.timing import TINY, Effort, Row

BENCHES: Final[Mapping[str, Callable[[Effort], Iterator[Row]]]] = {
    invoice.NAME: invoice.measure,
    order.NAME: order.measure,
    picture.NAME: picture.measure,
    imports.NAME: imports.measure,
    batch.NAME: batch.measure,
    client.NAME: client.measure,
    pipeline.NAME: pipeline.measure,
    pages.NAME: pages.measure,
}
"""Every bench by the name that ``--only`` takes."""

_WIDE = 170


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benches and print what they measured.

    Args:
        arguments: of the command line; those of the process when None.
    """
    chosen = _parser().parse_args(arguments)
    effort = TINY if chosen.tiny else Effort(rounds=chosen.rounds)
    rows: list[Row] = []
    for name, measure in BENCHES.items():
        if not chosen.only or name in chosen.only:
            rows += measure(effort)
    if chosen.json:
        print(json.dumps([row.as_dict() for row in rows], indent=2, ensure_ascii=False))
    else:
        _show(rows)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only", action="append", choices=list(BENCHES), help="run this bench; may be repeated"
    )
    parser.add_argument("--rounds", type=_positive, default=Effort().rounds, help="rounds of each work")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--tiny", action="store_true", help="one call of everything, to see that it runs")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _show(rows: Sequence[Row]) -> None:
    """Print the table; ratios compare best rounds."""
    console = Console()
    if console.width < _WIDE:
        # a narrow terminal scrolls; a file or a log has no width at all
        console = Console(width=_WIDE)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("work", no_wrap=True)
    table.add_column("who", no_wrap=True)
    for title in ("median ms", "min ms", "x floor", "x core"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("goal", no_wrap=True)
    table.add_column("")
    bench = ""
    for row in rows:
        if bench and row.bench != bench:
            table.add_row()
        bench = row.bench
        table.add_row(
            row.work,
            row.who,
            _number(row.median, 1000),
            _number(row.best, 1000),
            _number(row.times_floor),
            _number(row.times_core),
            row.goal,
            row.note or {None: "", True: "met", False: "NOT met"}[row.met],
        )
    console.print(f"Python {platform.python_version()}, {platform.machine()}; ratios compare best rounds")
    console.print(table)


def _number(value: float | None, factor: int = 1) -> str:
    """A number with about three digits that mean something."""
    if value is None:
        return ""
    value *= factor
    for least, digits in ((100, 0), (10, 1), (1, 2)):
        if value >= least:
            return f"{value:.{digits}f}"
    return f"{value:.3f}"


if __name__ == "__main__":
    main()
