"""Measuring: rounds that alternate between the works to compare, and what comes out of them.

A shared machine is never quiet, so works that are compared take turns: whatever slows one round down slows
all of them. A round's value is the median over its calls; of all rounds the table shows the median and the
best one. Ratios compare the best rounds.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

Work = Callable[[int], object]
"""Does the piece of work with a number; different numbers mean different documents."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to measure.

    Attributes:
        rounds: rounds of each work.
        seconds: time that one round of a work should take; decides the number of its calls.
        most_calls: at most so many calls in a round.
        processes: fresh processes for each import.
    """

    rounds: int = 9
    seconds: float = 0.3
    most_calls: int = 500
    processes: int = 7


TINY = Effort(rounds=1, seconds=0, most_calls=1, processes=1)
"""One call of everything: shows that a bench runs, not how fast."""


@dataclass(slots=True)
class Row:
    """One line of the table.

    Attributes:
        bench: name of the bench, as ``--only`` takes it.
        work: what is measured, with its size.
        who: ``core`` for this project, ``floor``, or a peer's name and version.
        rounds: seconds of each round.
        floor: best round of the floor that this is compared with, in seconds.
        core: best round of this project's own row, where a peer is compared with it.
        goal: what DESIGN asks for, in words; empty where it asks for nothing.
        met: whether the goal is met; None without a goal.
        note: whatever else should be said.
    """

    bench: str
    work: str
    who: str
    rounds: list[float] = field(default_factory=list)
    floor: float | None = None
    core: float | None = None
    goal: str = ""
    met: bool | None = None
    note: str = ""

    @property
    def median(self) -> float | None:
        """Median of the rounds in seconds; None when nothing was measured."""
        return statistics.median(self.rounds) if self.rounds else None

    @property
    def best(self) -> float | None:
        """The best round in seconds; None when nothing was measured."""
        return min(self.rounds, default=None)

    @property
    def times_floor(self) -> float | None:
        """How many times the floor the best round takes."""
        return self.best / self.floor if self.best is not None and self.floor else None

    @property
    def times_core(self) -> float | None:
        """How many times this project's own best round this one takes."""
        return self.best / self.core if self.best is not None and self.core else None

    def as_dict(self) -> dict[str, object]:
        """For ``--json``; times in milliseconds."""
        return {
            "bench": self.bench,
            "work": self.work,
            "who": self.who,
            "median_ms": milliseconds(self.median),
            "min_ms": milliseconds(self.best),
            "rounds": len(self.rounds),
            "times_floor": self.times_floor,
            "times_core": self.times_core,
            "goal": self.goal,
            "met": self.met,
            "note": self.note,
        }


def milliseconds(seconds: float | None) -> float | None:
    """Seconds as milliseconds."""
    return None if seconds is None else seconds * 1000


@contextmanager
def without_collection() -> Iterator[None]:
    """Keep the garbage collector out of a round, after letting it finish what was left."""
    gc.collect()
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def rounds_of(work: Work, effort: Effort) -> Callable[[], float]:
    """A function that runs one round of a work; how many calls that is, is found out here, once."""
    calls = _calls_for(work, effort)
    return lambda: _one_round(work, calls)


def _calls_for(work: Work, effort: Effort) -> int:
    """How many calls make a round of the wanted length; the first call is thrown away as warm-up."""
    work(0)
    started = time.perf_counter()
    work(1)
    spent = max(time.perf_counter() - started, 1e-7)
    return max(1, min(effort.most_calls, int(effort.seconds / spent)))


def _one_round(work: Work, calls: int) -> float:
    """Seconds of one call: the median of a round."""
    spent = []
    with without_collection():
        for number in range(calls):
            started = time.perf_counter()
            work(number)
            spent.append(time.perf_counter() - started)
    return statistics.median(spent)


def take_turns(works: Sequence[tuple[Row, Callable[[], float]]], effort: Effort) -> None:
    """Run rounds of several works in turn and note them in their rows.

    Args:
        works: each row with a function that runs one round and gives the seconds of one call.
        effort: how many rounds.
    """
    for _ in range(effort.rounds):
        for row, run in works:
            row.rounds.append(run())
