"""The seeded runs of ``make faults``: ``python -m tests.faults.runs --runs 500 --seed 1 -n 2``.

Each run is a seed of its own (``BASE-NUMBER``), so that one of them is repeated alone by
``--seed BASE-NUMBER``. At the end a table says how many processes were killed at which code place, which
faults really happened, and how long it took; a run whose stories differ is shown with the command that
repeats it.
"""

from __future__ import annotations

import argparse
import queue
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.queues import Queue
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from tests.faults.databases import drop_template
from tests.faults.harness import Result, Size, driver, run

_SAID_EACH = 10
"""Runs after which a log that shows no progress bar gets a line."""
_PATIENCE = 900.0
"""Seconds without any result after which the workers are given up."""


@dataclass(slots=True)
class Totals:
    """What all runs showed together."""

    runs: int = 0
    failed: list[Result] = field(default_factory=list)
    killed: Counter[str] = field(default_factory=Counter)
    passed: Counter[str] = field(default_factory=Counter)
    happened: Counter[str] = field(default_factory=Counter)
    layouts: Counter[str] = field(default_factory=Counter)
    numbers: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    stopped: bool = False

    def take(self, one: Result) -> None:
        """Add a run."""
        self.runs += 1
        self.killed += one.killed
        self.passed += one.passed
        self.happened += one.happened
        self.seconds += one.seconds
        counted = {
            "orders": one.orders,
            "refunds": one.refunds,
            "documents": one.documents,
            "lives": one.lives,
            "kills": one.kills,
        }
        self.numbers.update(counted)
        if one.layout is not None:
            self.layouts["PostgreSQL" if one.layout.postgres else "SQLite"] += 1
        if one.broken:
            self.failed.append(one)


def seeds_of(seed: str, runs: int) -> list[str]:
    """The seeds of the runs: one when it names a single run, else so many."""
    return [seed] if "-" in seed else [f"{seed}-{number}" for number in range(1, runs + 1)]


def work(folder: Path, seeds: Sequence[str], size: Size, results: Queue[Result]) -> None:
    """Do some runs in this process; asked to end, it cleans up."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with driver(folder) as made:
            for seed in seeds:
                results.put(run(made, folder, seed, size))
    except KeyboardInterrupt:
        return
    finally:
        drop_template()
        shutil.rmtree(folder, ignore_errors=True)


def do(seeds: Sequence[str], size: Size, workers: int, console: Console) -> Totals:
    """Do all runs, with a progress bar.

    Args:
        seeds: see :func:`seeds_of`. size: of each run. workers: processes. console: where it is shown.
    """
    context = get_context("spawn")
    results: Queue[Result] = context.Queue()
    totals = Totals()
    base = Path(tempfile.mkdtemp(prefix="faults-"))
    processes = [
        context.Process(target=work, args=(base / str(place), seeds[place::workers], size, results))
        for place in range(min(workers, len(seeds)))
    ]
    columns = (
        TextColumn("runs"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("failed {task.fields[failed]}  kills {task.fields[kills]}"),
        TimeRemainingColumn(),
    )
    try:
        for one in processes:
            one.start()
        with Progress(*columns, console=console) as bar:
            task = bar.add_task("runs", total=len(seeds), failed=0, kills=0)
            for _ in seeds:
                try:
                    result = _next(results, [one.is_alive for one in processes])
                except KeyboardInterrupt:
                    console.print(f"stopped after {totals.runs} of {len(seeds)} runs")
                    totals.stopped = True
                    break
                totals.take(result)
                if result.broken:
                    console.print(failure(result), markup=False, highlight=False, soft_wrap=True)
                kills = totals.numbers["kills"]
                bar.update(task, advance=1, failed=len(totals.failed), kills=kills)
                if not console.is_terminal and totals.runs % _SAID_EACH == 0:
                    console.print(
                        f"{totals.runs} of {len(seeds)} runs, {len(totals.failed)} failed, {kills} kills"
                    )
        for one in processes:
            one.join(0 if totals.stopped else 60)
    finally:
        for one in processes:
            if one.is_alive():
                one.terminate()
            one.join(30)
        shutil.rmtree(base, ignore_errors=True)
    return totals


def _next(results: Queue[Result], alive: Sequence[object]) -> Result:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return results.get(timeout=5)
        except queue.Empty:
            if not any(callable(one) and one() for one in alive) or time.monotonic() > deadline:
                raise SystemExit("the workers ended before their runs did") from None


def failure(result: Result) -> str:
    """What a failed run says, and how to repeat it."""
    return (
        f"\nrun {result.seed} ({result.layout})\n"
        f"repeat: make faults RUNS=1 SEED={result.seed}\n{result.broken}\n"
    )


def show(totals: Totals, console: Console, seconds: float) -> None:
    """The tables at the end."""
    counted = ", ".join(f"{count} {name}" for name, count in totals.numbers.items())
    console.print(
        f"{totals.runs} runs ({', '.join(f'{n} {kind}' for kind, n in totals.layouts.items())}), "
        f"{len(totals.failed)} failed, {counted}; {seconds:.0f} s, "
        f"{totals.seconds / max(1, totals.runs):.1f} s a run"
    )
    console.print(_table("Faults that happened", ("fault", "times"), sorted(totals.happened.items())))
    places = {where.rpartition(":")[0] for where in totals.passed}
    kills: Counter[tuple[str, str]] = Counter()
    for said, count in totals.killed.items():
        mode, _, where = said.partition(" ")
        kills[mode, where.rpartition(":")[0]] += count
    commits: Counter[str] = Counter()
    for where, count in totals.passed.items():
        commits[where.rpartition(":")[0]] += count
    rows = [
        (place, commits[place], kills["before", place], kills["after", place]) for place in sorted(places)
    ]
    console.print(_table("Kills at commits", ("place", "commits", "killed before", "killed after"), rows))
    missed = [row[0] for row in rows if not row[2] or not row[3]]
    both = len(rows) - len(missed)
    console.print(f"{both} of {len(rows)} places that commit were hit before and after their commit")
    if missed:
        console.print("not hit on both sides: " + ", ".join(missed), markup=False, highlight=False)
    if totals.failed:
        console.print("failed: " + ", ".join(one.seed for one in totals.failed))


def _table(title: str, names: Iterable[str], rows: Iterable[Sequence[object]]) -> Table:
    table = Table(*names, title=title, title_justify="left")
    for row in rows:
        table.add_row(*(str(one) for one in row))
    return table


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; gives the exit code.

    Interrupted, or asked to end, it shows what the runs until then have shown, and fails.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    parser = argparse.ArgumentParser(prog="python -m tests.faults.runs", description=__doc__)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--seed", default="1", help="a base for all runs, or BASE-NUMBER for one of them")
    parser.add_argument("-n", "--workers", type=int, default=2)
    parser.add_argument("--orders", type=int, default=Size().orders)
    parser.add_argument("--refunds", type=int, default=Size().refunds)
    parser.add_argument("--waves", type=int, default=Size().waves)
    asked = parser.parse_args(arguments)
    size = Size(asked.orders, asked.refunds, asked.waves)
    console = Console(width=None if sys.stdout.isatty() else 140)
    began = time.monotonic()
    totals = do(seeds_of(asked.seed, asked.runs), size, asked.workers, console)
    show(totals, console, time.monotonic() - began)
    return 1 if totals.failed or totals.stopped else 0


if __name__ == "__main__":
    sys.exit(main())
