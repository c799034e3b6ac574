"""Workers on PostgreSQL and a broker do the same work, each order once, whoever dies on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from functools import partial
from pathlib import Path

import pytest
import requests
from sqlalchemy import select

from connector_app.store.locks import LockHeld, lock
from connector_app.store.models import Seller
from connector_app.store.running import Turn, Worker
from sandbox.ksef.errors import TooManyRequests
from tests import services
from tests.pipeline.test_serve import free_port
from tests.running.farm import Farm, farm, order, wait_for
from tests.running.gate import Gate

BROKERS = pytest.mark.parametrize("broker", ["rabbitmq", "redis"])
TAKEOVER = 120.0
"""Seconds in which another worker has to take a dead one's lane over, by the issue."""


def address(broker: str) -> str:
    """Of a broker that really runs."""
    return services.rabbitmq() if broker == "rabbitmq" else services.redis()


@pytest.mark.parametrize("broker", ["rabbitmq", pytest.param("redis", marks=pytest.mark.faults)])
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


def start_worker(made: Farm, machine: int) -> subprocess.Popen[bytes]:
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


@pytest.mark.faults
@BROKERS
def test_a_webhook_becomes_a_note_in_the_shop_in_seconds(tmp_path: Path, broker: str) -> None:
    """A web process takes it in and wakes the lane at once; no worker looks at the shop meanwhile."""
    with farm(tmp_path, address(broker), [[11]]) as made:
        port = free_port()
        base = f"http://127.0.0.1:{port}"
        made.extra["KSEF_CONNECTOR_PUBLIC_URL"] = base
        pages = made.start("serve", "--port", port)
        worker = made.start("worker", "--processes", 2, "--every", 3600, "--beat")
        shop = made.shops[0]
        wait_for(lambda: made.published() == 1 and len(shop.state.webhooks.hooks) >= 3, 60, "at work")
        times = []
        for number in (12, 13, 14):
            shop.state.add_orders([order(number)], {})
            began = time.monotonic()
            assert {one.status for one in shop.deliver()} == {200}
            wait_for(partial(_are_published, made, number - 10), 30, "the note is in the shop")
            times.append(time.monotonic() - began)
        print(f"{broker}: webhook to note in {', '.join(f'{one:.1f}' for one in times)} s")
        assert min(times) <= 3.0
        health = requests.get(f"{base}/health", timeout=10).json()
        assert (health["status"], health["documents"]) == ("ok", {"published": 4})
        assert sorted(one["role"] for one in health["workers"]) == ["beat", "web", "worker", "worker"]
        metrics = requests.get(f"{base}/metrics", timeout=10).text
        assert 'ksef_connector_workers{role="worker"} 2.0' in metrics
        made.kill(worker)
        wait_for(
            lambda: requests.get(f"{base}/health", timeout=10).json()["status"] == "degraded",
            90,
            "pages tell that nobody works",
        )
        assert requests.get(f"{base}/readyz", timeout=10).status_code == 200
        pages.terminate()
        assert pages.wait(timeout=20) == 0
        made.assert_one_story([[11, 12, 13, 14]])


def _are_published(made: Farm, count: int) -> bool:
    return made.published() == count


@pytest.mark.faults
def test_limits_of_ksef_are_counted_for_all_workers_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three workers, sellers one by one and in a batch, the published limits: KSeF refuses no request."""
    orders = [list(range(11, 51)), list(range(11, 51)), list(range(100, 140))]
    profile = {"sending": {"batching": "never"}}
    with farm(tmp_path, services.rabbitmq(), orders, profile=profile, rate_limits=True) as made:
        with made.services().database.begin() as session:
            session.get_one(Seller, 3).profile |= {"sending": {"batch_from": 5}}
        refused: list[object] = []
        count = made.ksef.state.limiter.count

        def counted(*args: object, **named: object) -> None:
            try:
                count(*args, **named)  # type: ignore[arg-type]  # handed on as they came
            except TooManyRequests:
                refused.append(args)
                raise

        monkeypatch.setattr(type(made.ksef.state.limiter), "count", lambda _self, *a, **k: counted(*a, **k))
        made.start("beat")
        for place in range(3):
            start_worker(made, place)
        took = wait_for(lambda: made.published() == 120, 400, "all documents published")
        print(f"120 documents of 3 sellers in {took:.0f} s")
        assert refused == []
        made.assert_one_story(orders)


@pytest.mark.faults
@BROKERS
def test_work_goes_on_when_the_broker_is_back(tmp_path: Path, broker: str) -> None:
    """Nothing is begun meanwhile, it is said once, and nobody has to do anything."""
    with Gate(address(broker)) as gate, farm(tmp_path, gate.url, [[11]]) as made:
        made.start("worker", "--processes", 1, "--every", 1)
        beat = made.start("beat")
        wait_for(lambda: made.published() == 1, 60, "the first document is published")
        gate.shut()
        made.shops[0].state.add_orders([order(12)], {})
        time.sleep(15)
        assert made.published() == 1
        gate.open()
        took = wait_for(lambda: made.published() == 2, TAKEOVER, "work goes on")
        print(f"{broker}: on again after {took:.0f} s")
        made.assert_one_story([[11, 12]])
        assert beat.poll() is None
        said = made.logs()
        assert said.count("broker.down") == said.count("broker.back") == 1
        assert "guest:guest" not in said
