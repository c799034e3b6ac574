"""Workers on PostgreSQL and a broker do the same work, each order once, whoever dies on the way."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from connector_app.store.locks import LockHeld, lock
from connector_app.store.running import Turn, Worker
from tests import services
from tests.running.farm import Farm, farm, order, wait_for

BROKERS = pytest.mark.parametrize("broker", ["rabbitmq", "redis"])
TAKEOVER = 120.0
"""Seconds in which another worker has to take a dead one's lane over, by the issue."""
_KSEF_FAULTS = ("drop_before", "drop_after", "http_500", "http_503", "http_401")


def address(broker: str) -> str:
    """Of a broker that really runs."""
    return services.rabbitmq() if broker == "rabbitmq" else services.redis()


@BROKERS
def test_workers_do_the_work(tmp_path: Path, broker: str) -> None:
    """Two sellers, one worker with two processes that also gives out work; SIGTERM ends it quietly."""
    orders = [[11, 12], [21]]
    with farm(tmp_path, address(broker), orders) as made:
        worker = made.start("worker", "--processes", 2, "--every", 1, "--beat")
        wait_for(lambda: made.published() == 3, 60, "all documents published")
        made.assert_one_story(orders)
        worker.terminate()
        assert worker.wait(timeout=20) == 0
        # nobody is left behind: not the dispatcher beside it, and no row
        wait_for(lambda: not roles(made), 10, "rows of the ended processes are removed")


def roles(made: Farm) -> list[str]:
    """Roles of the processes that have a row."""
    with made.services().database() as session:
        return sorted(session.scalars(select(Worker.role)))


def lane_is_free(made: Farm, seller_id: int) -> bool:
    """Whether no worker holds a seller's lane."""
    try:
        with lock(made.services().database, f"lane-{seller_id}", wait=False):
            return True
    except LockHeld:
        return False


@pytest.mark.faults
@BROKERS
def test_a_dead_workers_lane_is_taken_over_in_time(tmp_path: Path, broker: str) -> None:
    """A machine is lost while KSeF keeps its worker waiting; another one finishes the seller's work."""
    with farm(tmp_path, address(broker), [[11]]) as made:
        made.ksef.state.faults.add("slow", "POST .*/invoices$", value=60.0)
        beat = made.start("beat")
        first = made.start("worker", "--processes", 1, "--every", 1)
        wait_for(lambda: not made.ksef.state.faults.waiting(), 60, "the document is being sent")
        assert not lane_is_free(made, 1)
        made.kill(first)
        killed = time.monotonic()
        wait_for(lambda: lane_is_free(made, 1), 5, "the lane is free")
        made.start("worker", "--processes", 1, "--every", 1, home="other")
        wait_for(lambda: made.published() == 1, TAKEOVER, "the lane is taken over")
        print(f"{broker}: taken over after {time.monotonic() - killed:.1f} s")
        made.assert_one_story([[11]])
        assert beat.poll() is None


@pytest.mark.faults
@BROKERS
@pytest.mark.parametrize("seed", [1, 2])
def test_workers_killed_at_random_lose_and_double_nothing(tmp_path: Path, broker: str, seed: int) -> None:
    """Three machines, each killed again and again, KSeF and shops with faults, a beat that dies as well."""
    chance = random.Random(seed)
    orders = [list(range(100 * one, 100 * one + 8)) for one in range(1, 5)]
    with farm(tmp_path, address(broker), orders) as made:
        for number, kind in enumerate(_KSEF_FAULTS * 2):
            made.ksef.state.faults.add(kind, ("invoices", "sessions", "auth")[number % 3])
        for shop in made.shops:
            shop.fault("http_500", times=2)
            shop.fault("drop_after", method="POST", times=1)
        machines = [start_worker(made, place) for place in range(3)]
        beat = made.start("beat")
        killed = 0
        deadline = time.monotonic() + 90
        while made.published() < 32 and time.monotonic() < deadline:
            time.sleep(chance.uniform(0.5, 4.0))
            place = chance.randrange(len(machines))
            made.kill(machines[place])
            machines[place] = start_worker(made, place)
            if chance.random() < 0.2:
                made.kill(beat)
                beat = made.start("beat")
            killed += 1
        wait_for(lambda: made.published() == 32, 300, "all documents published")
        print(f"{broker}: {killed} kills")
        assert killed
        made.assert_one_story(orders)


def start_worker(made: Farm, machine: int) -> object:
    """One process on a machine of its own."""
    return made.start("worker", "--processes", 1, "--every", 1, home=f"machine{machine}")


@pytest.mark.faults
@BROKERS
def test_sigterm_puts_the_rest_back_and_a_second_one_ends_at_once(tmp_path: Path, broker: str) -> None:
    """The first lets the step under way finish; while KSeF keeps that waiting, the second does not."""
    with farm(tmp_path, address(broker), [[11, 12, 13, 14, 15, 16]]) as made:
        beat = made.start("beat")
        worker = made.start("worker", "--processes", 1, "--every", 1)
        wait_for(lambda: made.published() >= 1, 60, "the first document is published")
        os.kill(worker.pid, signal.SIGTERM)
        assert worker.wait(timeout=20) == 0
        with made.services().database() as session:
            assert {one.begun_at for one in session.scalars(select(Turn))} == {None}
        made.shops[0].state.add_orders([order(17)], {})
        made.ksef.state.faults.add("slow", "POST .*/invoices$", value=60.0)
        other = made.start("worker", "--processes", 1, "--every", 1)
        wait_for(lambda: not made.ksef.state.faults.waiting(), 60, "a document is being sent")
        os.kill(other.pid, signal.SIGTERM)
        time.sleep(2)
        assert other.poll() is None
        os.kill(other.pid, signal.SIGTERM)
        other.wait(timeout=15)
        made.start("worker", "--processes", 1, "--every", 1)
        wait_for(lambda: made.published() == 7, TAKEOVER, "the rest is done")
        made.assert_one_story([[11, 12, 13, 14, 15, 16, 17]])
        assert beat.poll() is None
