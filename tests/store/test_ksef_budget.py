"""Requests to KSeF are counted in the database: in every window, for every worker, and after a restart."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connector_app.ksef_budget import StoredBudget
from connector_app.store.database import open_database
from core.ksef.limits import Group, Rate
from tests import databases

pytestmark = pytest.mark.both_databases

NIP, OTHER = "5265877635", "7010001000"
SEND = "POST /sessions/online/{referenceNumber}/invoices"
API = "https://ksef.example/v2"
SMALL = {group: Rate(10, 30, 40) for group in Group}


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def budget(folder: Path, clock: Clock, api: str = API) -> StoredBudget:
    """As a new process would make it."""
    return StoredBudget(open_database(databases.url_of(folder)), api, clock, SMALL)


def test_no_window_ever_holds_more_than_published(tmp_path: Path, clock: Clock) -> None:
    taken: list[datetime] = []
    counted = budget(tmp_path, clock)
    for _ in range(400):
        wait = counted.take(SEND, NIP)
        if wait == 0:
            taken.append(clock.now)
        clock.wait(wait)
    for seconds, most in ((1, 10), (60, 30), (3600, 40)):
        assert all(
            later - earlier >= timedelta(seconds=seconds)
            for earlier, later in zip(taken, taken[most:], strict=False)
        )
    assert len(taken) > 80


def test_a_restart_forgets_nothing(tmp_path: Path, clock: Clock) -> None:
    before = budget(tmp_path, clock)
    for _ in range(10):
        assert before.take(SEND, NIP) == 0
    after = budget(tmp_path, clock)
    assert after.left_in_hour(SEND, NIP) == 30
    assert 1 < after.take(SEND, NIP) <= 2.1
    assert after.wait(SEND, NIP) == pytest.approx(after.take(SEND, NIP))


def test_contexts_groups_and_environments_count_apart(tmp_path: Path, clock: Clock) -> None:
    counted = budget(tmp_path, clock)
    for _ in range(10):
        counted.take(SEND, NIP)
    assert counted.take(SEND, NIP) > 0
    assert counted.take(SEND, OTHER) == 0
    assert counted.take("GET /sessions", NIP) == 0
    assert budget(tmp_path, clock, "https://other.example/v2").take(SEND, NIP) == 0


def test_a_pause_that_ksef_asked_for_outlives_a_restart(tmp_path: Path, clock: Clock) -> None:
    budget(tmp_path, clock).close(SEND, NIP, 600)
    after = budget(tmp_path, clock)
    after.close(SEND, NIP, 5)
    assert after.take(SEND, NIP) == pytest.approx(600)
    clock.wait(601)
    assert after.take(SEND, NIP) == 0


def test_a_clock_that_was_ahead_does_not_close_the_budget(tmp_path: Path, clock: Clock) -> None:
    ahead = clock.now
    clock.now += timedelta(days=30)
    counted = budget(tmp_path, clock)
    for _ in range(10):
        counted.take(SEND, NIP)
    clock.now = ahead
    assert counted.take(SEND, NIP) == 0
    assert counted.left_in_hour(SEND, NIP) == 39


def test_a_pause_that_a_wrong_clock_wrote_does_not_last(tmp_path: Path, clock: Clock) -> None:
    now = clock.now
    clock.now += timedelta(days=400)
    counted = budget(tmp_path, clock)
    counted.close(SEND, NIP, 600)
    clock.now = now
    assert counted.take(SEND, NIP) == 0


def test_many_threads_take_no_more_than_the_second_allows(tmp_path: Path, clock: Clock) -> None:
    taken: list[float] = []
    counted = budget(tmp_path, clock)

    def work() -> None:
        taken.extend(counted.take(SEND, NIP) for _ in range(10))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert taken.count(0.0) == 10
