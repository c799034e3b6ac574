"""An installation on several machines: Celery workers, killed at random, in the world of the other runs.

The program's own processes, PostgreSQL and a broker are real, and so is time. At the end all sides have to
tell one story by the same invariants (:mod:`tests.faults.invariants`), and workers must have got there by
themselves.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy

from tests.faults import invariants
from tests.faults.clock import RealClock
from tests.faults.harness import Size
from tests.faults.installing import install
from tests.faults.lives import QuickBackground, rest, services_of
from tests.faults.people import People
from tests.faults.world import Layout, World, world
from tests.running.farm import Farm

MACHINES = 3
_GO_ON = 600.0
"""Seconds in which the workers have to come to rest once nothing goes wrong any more."""
_LOOK = 3.0


@dataclass(slots=True)
class Chaos:
    """What was done to the processes.

    Attributes:
        done: how often, by kind. rested: seconds until all sides told one story after it was over.
    """

    done: Counter[str] = field(default_factory=Counter)
    rested: float = 0.0

    @property
    def kills(self) -> int:
        """How often processes ended in the middle of whatever they did, or all lost their database."""
        return self.done.total()


def layout_of(seed: int) -> Layout:
    """A shop of each platform for two sellers; with the seed, batches and offline documents come and go."""
    shops = (("woocommerce", 0), ("shopify", 1), ("prestashop", 0))
    return Layout(shops, batches=seed % 2 * 8, offline=seed % 3 == 0, mails=True, postgres=True)


def run(folder: Path, broker: str, seed: int, size: Size, seconds: float) -> Chaos:
    """One run, examined at its end.

    Args:
        folder: for all files; its name is the name of the queue.
        broker: its address.
        seed: decides the layout and what happens, not its moments.
        size: orders and refunds at the least.
        seconds: for which processes are killed, and longer if there are not enough refunds yet.

    Raises:
        AssertionError: the stories differ, or the workers do not come to rest.
    """
    chance = random.Random(f"machines {seed}")
    clock = RealClock()
    with world(folder, layout_of(seed), seed, clock) as place:
        plan = place.installation()
        services = services_of(plan, clock)
        install(services, plan)
        farm = Farm(folder, place.database, broker, place.ksef, [])
        people = People(place, chance, real_time=True)
        chaos = _Machines(farm, place, people, chance)
        try:
            chaos.break_for(size, seconds)
            place.calm()
            _come_to_rest(place, people, chaos)
            chaos.end()
            # sessions are closed when they were idle for long; nobody waits for that here
            clock.let_go()
            rest(QuickBackground(services, clock), services, clock)
            told = place.stories(chaos.doubts + people.doubts)
            broken = invariants.check(told)
            assert not broken, invariants.report(told, broken)
            assert len(told.sales) >= size.orders
            assert sum(len(sale.refunds) for sale in told.sales) >= size.refunds
        except BaseException:
            print(farm.logs())
            raise
        finally:
            farm.stop()
            services.database.close()
    return chaos.chaos


def _come_to_rest(place: World, people: People, chaos: _Machines) -> None:
    """Wait until the workers have done everything but what waits for the end of a session."""
    began = time.monotonic()
    while True:
        told = place.stories(chaos.doubts + people.doubts)
        broken = [one for one in invariants.check(told) if "collective UPO" not in str(one)]
        chaos.chaos.rested = time.monotonic() - began
        if not broken:
            return
        assert chaos.chaos.rested < _GO_ON, invariants.report(told, broken)
        time.sleep(_LOOK)


class _Machines:
    """The workers and the beat of an installation, and their bad luck."""

    def __init__(self, farm: Farm, place: World, people: People, chance: random.Random) -> None:
        self._farm, self._place, self._people, self._chance = farm, place, people, chance
        self._workers = [self._worker(number) for number in range(MACHINES)]
        self._beat = farm.start("beat")
        self._database = sqlalchemy.create_engine(place.database, poolclass=sqlalchemy.NullPool)
        self.chaos = Chaos()

    @property
    def doubts(self) -> int:
        """E-mails of which nobody may know whether they were sent: one for each process that was cut off."""
        return self.chaos.kills + (MACHINES - 1) * self.chaos.done["connections"]

    def break_for(self, size: Size, seconds: float) -> None:
        """Let things go wrong while orders come and are given back."""
        began = time.monotonic()
        orders = size.orders / seconds
        patience = seconds + _GO_ON
        while True:
            passed = time.monotonic() - began
            while len(self._people.orders) < min(size.orders, 6 + orders * passed):
                self._people.sell()
            for _ in range(self._chance.randint(0, 2)):
                if self._people.refunds < size.refunds:
                    self._people.give_back()
            if passed < seconds:
                self._go_wrong()
            elif self._people.refunds >= size.refunds:
                return
            assert passed < patience, f"only {self._people.refunds} orders could be given back"
            time.sleep(self._chance.uniform(0.5, 3.0))

    def _go_wrong(self) -> None:
        chance = self._chance
        if chance.random() < 0.2:
            self._people.go_wrong()
        if chance.random() < 0.1:
            self._people.spoil()
        place = chance.randrange(MACHINES)
        match chance.choice(("machine", "machine", "process", "process", "beat", "connections", "nothing")):
            case "machine":
                self._farm.kill(self._workers[place])
                self._workers[place] = self._worker(place)
                self.chaos.done["machine"] += 1
            case "process":
                # the pool makes another
                for child in children(self._workers[place]):
                    os.kill(child, signal.SIGKILL)
                    self.chaos.done["process"] += 1
            case "beat":
                self._farm.kill(self._beat)
                self._beat = self._farm.start("beat")
                self.chaos.done["beat"] += 1
            case "connections":
                self._cut_off()
                self.chaos.done["connections"] += 1

    def _cut_off(self) -> None:
        """End all connections to the database, as its restart does: locks are free, their holders go on."""
        with self._database.connect() as connection:
            connection.execute(
                sqlalchemy.text(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )

    def _worker(self, machine: int) -> subprocess.Popen[bytes]:
        return self._farm.start("worker", "--processes", 1, "--every", 1, home=f"machine{machine}")

    def end(self) -> None:
        """Ask everybody to end."""
        for one in (*self._workers, self._beat):
            one.terminate()
        for one in (*self._workers, self._beat):
            assert one.wait(30) == 0


def children(process: subprocess.Popen[bytes]) -> list[int]:
    """Process numbers of what a process has forked and not buried yet."""
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(one) for one in listed.read_text("ascii").split()] if listed.exists() else []
