"""One seeded run: an installation lives through orders, kills and faults, and is examined at rest."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.faults import faults, invariants
from tests.faults.databases import postgres_answers
from tests.faults.lives import Ended
from tests.faults.people import People
from tests.faults.world import Layout, World, world

ROOT = Path(__file__).resolve().parent.parent.parent
_HOUR = 3600
QUIET_PROCESS = {"kind": ""}


@dataclass(frozen=True, slots=True)
class Size:
    """How much happens in a run.

    Attributes:
        orders, refunds: so many at the least. waves: lives before the last one.
    """

    orders: int = 50
    refunds: int = 20
    waves: int = 9


@dataclass(slots=True)
class Result:
    """What one run showed.

    Attributes:
        seed: of the run. layout: of its installation.
        broken: report of what does not agree; empty when all is well.
        killed: kills at commits by mode and place. kills: kills in all. passed: commits by place.
        happened: faults that really happened, by side and kind. documents: in KSeF at the end.
        orders, refunds: that the shops have. lives, passes: of the process, and rounds of its work.
        seconds, lives_seconds, check_seconds: real time, of it in lives and in the examination.
        slept: hours that passed in the world.
    """

    seed: str
    layout: Layout | None = None
    broken: str = ""
    killed: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    passed: Counter[str] = field(default_factory=Counter)
    happened: Counter[str] = field(default_factory=Counter)
    documents: int = 0
    orders: int = 0
    refunds: int = 0
    seconds: float = 0.0
    lives_seconds: float = 0.0
    check_seconds: float = 0.0
    lives: int = 0
    passes: int = 0
    slept: float = 0.0


class Driver:
    """The process that forks the installation's processes, see :mod:`tests.faults.lives`."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.lives"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, plan: dict[str, Any], life: dict[str, Any]) -> Ended:
        """One life."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"plan": plan, "life": life}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the driver ended with {self._process.wait(10)}")
        return Ended.from_json(json.loads(answer))

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)
        assert self._process.stdout is not None
        self._process.stdout.close()


@contextmanager
def driver(folder: Path, *, warm_up: bool = True) -> Iterator[Driver]:
    """A driver that has seen each kind of shop once, so that its children begin warm.

    Args:
        folder: for the files of what it sees.
        warm_up: without it the first lives take longer and the driver is there at once.
    """
    made = Driver()
    try:
        if not warm_up:
            yield made
            return
        shops = (("woocommerce", 0), ("prestashop", 0), ("shopify", 0))
        # no e-mails: the threads of what draws their pictures do not survive a fork
        with world(folder, Layout(shops, batches=4, offline=True, counts=True), 1) as warm:
            chance = random.Random(1)
            for shop in warm.shops:
                for _ in range(3):
                    shop.sell(chance)
            made.run(warm.installation(), life("warm", rests=True))
        yield made
    finally:
        made.close()


def life(mode: str, **changes: Any) -> dict[str, Any]:
    """What the driver is told of one life; see :mod:`tests.faults.lives`."""
    return {
        "mode": mode,
        "pair": False,
        "seconds": 0.0,
        "every": 60.0,
        "looks": True,
        "rests": False,
        "closes": False,
        "after": 0.0,
        "heard": [],
        "breaking": QUIET_PROCESS,
        **changes,
    }


def run(made: Driver, folder: Path, seed: str, size: Size, layout: Layout | None = None) -> Result:
    """Do one run and examine it.

    Args:
        made: forks the processes. folder: emptied, for all files.
        seed: decides everything but the moments of kills by time.
        size: how much happens. layout: instead of the one that the seed chooses.
    """
    began = time.monotonic()
    chance = random.Random(f"run {seed}")
    layout = layout or Layout.of(chance, postgres=postgres_answers())
    result = Result(seed, layout)
    try:
        with world(folder, layout, chance.randrange(1 << 30)) as place:
            start = place.clock.seconds()
            _Run(made, place, chance, size, result).whole()
            result.slept = (place.clock.seconds() - start) / _HOUR
    except Exception as error:
        result.broken = result.broken or f"the run itself failed: {type(error).__name__}: {error}"
    result.seconds = time.monotonic() - began
    return result


class _Run:
    def __init__(self, made: Driver, place: World, chance: random.Random, size: Size, result: Result) -> None:
        self._driver, self._place, self._chance = made, place, chance
        self._size, self._result = size, result
        self._people = People(place, chance)
        self._doubts = 0
        self._errors: list[str] = []
        self._problems: list[str] = []

    def whole(self) -> None:
        """All waves, the last process, the examination."""
        for wave in range(self._size.waves):
            self._arrive(wave)
            self._people.go_wrong()
            self._live(self._next_life(wave))
        while len(self._people.orders) < self._size.orders:
            self._people.sell()
        for wave in range(self._size.waves, self._size.waves + 2):
            self._people.give_the_rest_back(self._size.refunds)
            self._people.go_wrong()
            self._live(self._next_life(wave))
        self._people.give_the_rest_back(self._size.refunds, early=True)
        self._place.calm()
        self._live(life("clean", rests=True, closes=True, heard=self._people.heard()))
        self._examine()

    def _live(self, wanted: dict[str, Any]) -> None:
        ended = self._driver.run(self._place.installation(), wanted)
        result = self._result
        result.lives += len(ended.codes)
        result.passes += ended.passes
        result.kills += ended.codes.count(-9)
        result.lives_seconds += ended.seconds
        result.killed.update(ended.killed_at)
        result.passed += ended.passed
        faults.add(result.happened, ended.breakings, "process ")
        self._doubts += ended.codes.count(-9) + sum(ended.breakings.values())
        odd = [code for code in ended.codes if code not in {0, -9}]
        if odd:
            raise RuntimeError(f"a process ended with {odd}; {ended.errors[-1:]}")
        # a database or disk that fails is logged as what it is; nothing else may be an internal error
        if wanted["breaking"]["kind"] not in {"disk_full", "disk_error", "locked", "work_full"}:
            self._errors += ended.errors
        self._problems = ended.problems

    def _next_life(self, wave: int) -> dict[str, Any]:
        chance = self._chance
        # now and then a life long enough to finish what it finds
        mode = "clean" if wave % 4 == 3 else chance.choice((*("before", "after") * 4, "timed", "clean"))
        seconds = chance.choice((0, 60, 300, 1200))
        looks = chance.choice((1, 2, 5))
        changes: dict[str, Any] = {"seconds": seconds, "every": max(20, seconds / looks)}
        if mode in {"before", "after"}:
            if chance.random() < 0.6:
                changes |= {"salt": f"{self._result.seed}-{wave}", "share": chance.choice((6, 12, 24, 40))}
            else:
                changes["number"] = int(chance.triangular(1, 100, 12))
        elif mode == "timed":
            changes["after"] = round(chance.uniform(0.01, 1.0), 3)
        if chance.random() < 0.12:
            changes["pair"] = True
        elif chance.random() < 0.3:
            changes["breaking"] = faults.process_fault(chance, chance.choice(faults.PROCESS))
        if self._place.heard and chance.random() < 0.5:
            # nothing is looked for: what comes, comes by webhooks
            changes["looks"] = False
        changes["closes"] = chance.random() < 0.2
        return life(mode, heard=self._people.heard(), **changes)

    def _arrive(self, wave: int) -> None:
        """New orders and what happens to older ones."""
        chance, size = self._chance, self._size
        count = max(1, round(size.orders / size.waves * chance.uniform(0.5, 1.4)))
        for _ in range(count):
            self._people.sell()
        if not wave:
            return
        for _ in range(round(size.refunds / (size.waves - 1) * chance.uniform(0.5, 1.6))):
            self._people.give_back()
        if chance.random() < 0.5:
            self._people.spoil()

    def _examine(self) -> None:
        began = time.monotonic()
        result, place = self._result, self._place
        stories = place.stories(self._doubts + self._people.doubts)
        faults.add(result.happened, place.plan.played, "ksef ")
        for shop in place.shops:
            faults.add(result.happened, shop.server._faults.played, f"{shop.platform} ")
        result.happened += place.happened
        result.happened["mail refused"] += place.box.refused
        result.documents = len(stories.ksef)
        result.orders = len(stories.sales)
        result.refunds = sum(len(sale.refunds) for sale in stories.sales)
        broken = invariants.check(stories)
        broken += [invariants.Broken("no internal errors", one) for one in dict.fromkeys(self._errors)]
        if broken:
            said = [f"the program says: {one}" for one in self._problems]
            result.broken = "\n".join((invariants.report(stories, broken), *said))
        result.check_seconds = time.monotonic() - began


def shortened(size: Size, **changes: int) -> Size:
    """A size with some numbers changed."""
    return replace(size, **changes)
