"""A process killed by SIGKILL at every commit, one after another: the next one ends with the same story.

Kills at random, with everything else going wrong too, are in :mod:`tests.faults`.

The story is read from outside: the documents in the sandbox KSeF, notes, e-mails and metadata in the sandbox
shop, and the database file.
"""

from __future__ import annotations

import atexit
import functools
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from connector_app.ksef_access import hash_text
from sandbox.ksef.server import KsefSandbox
from sandbox.ksef.state import SandboxState, Settings
from sandbox.woocommerce.server import WooSandbox
from tests.pipeline.proposing import approve, propose
from tests.pipeline.quick_clock import QuickClock
from tests.pipeline.world import Clock, World, recorded

ROOT = Path(__file__).resolve().parent.parent.parent
FIRST_ORDER = 5000
FIRST_REFUND = 900_000
NEW_INSTALLATION = 5
QUICK = 20.0
AHEAD = 10
"""Orders that are invoiced in one run, to be refunded one by one."""
_MANY = 40
"""More orders than a run has commits."""


STEPS = pytest.mark.parametrize("step", [4, pytest.param(1, marks=pytest.mark.faults)])
"""Killed at each fourth commit, and in ``make faults`` at each."""


class Harness:
    """Sandboxes in this process, and the driver that runs the pipeline in others."""

    def __init__(self, made: World, clock: QuickClock) -> None:
        self.made = made
        urls = (made.ksef.api_url, made.ksef.qr_url, made.shop.url)
        self._where = json.dumps([str(made.home), *urls, clock.factor, clock.zero])
        self.orders: list[int] = []
        self.refunded: set[int] = set()

    def add_orders(self, count: int) -> None:
        for _ in range(count):
            number = FIRST_ORDER + len(self.orders)
            self.made.shop.state.add_orders([_order(number, self.made.clock())], {})
            self.orders.append(number)

    def run(self, mode: str, number: int = 0) -> list[int]:
        """How the process of one run ended, as a list of one."""
        driver = _driver()
        assert driver.stdin is not None
        assert driver.stdout is not None
        driver.stdin.write(f"{mode} {number} {self._where}\n")
        driver.stdin.flush()
        return [int(code) for code in driver.stdout.readline().split()]

    def refund(self, order: int) -> None:
        """Give one unit of an order back."""
        self.made.shop.state.add_refund(
            order, recorded("refund_partial_line_created", id=FIRST_REFUND + order)
        )
        self.refunded.add(order)

    def assert_one_story(self) -> None:
        """Each invoice and each correction: one document, no gap, one note of each kind, one e-mail."""
        accepted = {one["invoiceHash"]: one for one in self.made.in_ksef()}
        documents = self.made.documents()
        invoices = [one for one in documents if one.purpose == "invoice"]
        corrections = [one for one in documents if one.purpose != "invoice"]
        assert [int(one.order.remote_id) for one in invoices] == self.orders
        assert {int(one.order.remote_id) for one in corrections} == self.refunded
        assert len(corrections) == len(self.refunded)
        assert len(self.made.in_ksef()) == len(accepted) == len(documents)
        for one in documents:
            assert one.state == "published", one.waiting_for
            in_ksef = accepted[hash_text(one.xml_sha256 or "")]
            assert (in_ksef["ksefNumber"], in_ksef["invoiceNumber"]) == (one.ksef_number, one.number)
            assert one.upo is not None
            self._assert_noted(int(one.order.remote_id), str(one.ksef_number))
        for one in invoices:
            self._assert_in_shop(int(one.order.remote_id), str(one.ksef_number))
        for series in (invoices, corrections):
            taken = [int(str(one.number).rpartition("/")[2]) for one in series]
            assert sorted(taken) == list(range(1, len(series) + 1))

    def _assert_noted(self, order: int, ksef_number: str) -> None:
        kinds = [
            note["customer_note"]
            for note in self.made.in_shop(order)["notes"]
            if f"KSeF: {ksef_number}" in note["note"]
        ]
        assert sorted(kinds) == [False, True]

    def _assert_in_shop(self, order: int, ksef_number: str) -> None:
        seen = self.made.in_shop(order)
        assert len(seen["emails"]) == 1 + (order in self.refunded)
        values = [entry["value"] for entry in seen["meta_data"] if entry["key"] == "_ksef_number"]
        assert values == [ksef_number]


def _order(number: int, moment: datetime) -> dict[str, Any]:
    now = moment.strftime("%Y-%m-%dT%H:%M:%S")
    dates = ("date_created", "date_modified", "date_paid")
    gmt = {f"{name}_gmt": now for name in dates}
    return recorded("order_full", id=number, number=str(number)) | dict.fromkeys(dates, now) | gmt


@functools.cache
def _driver() -> subprocess.Popen[str]:
    """The driver, which takes longer to start than most of its runs; it ends with this process."""
    driver = subprocess.Popen(
        [sys.executable, "-m", "tests.pipeline.crash_driver"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(driver.communicate)
    return driver


class _SharedClock(Clock):
    """The time of the driver's processes, for what a test looks at itself."""

    def __init__(self, quick: QuickClock) -> None:
        super().__init__()
        self._quick = quick

    def __call__(self) -> datetime:
        return self._quick()


@contextmanager
def harness(folder: Path, *, processing_seconds: float = 0.0, factor: float = QUICK) -> Iterator[Harness]:
    """Sandboxes and the driver.

    Args:
        folder: for all files. processing_seconds: until KSeF's verdict.
        factor: how much faster time passes, for the sandboxes and the driver's processes; 1 where other
            processes take part.
    """
    clock = QuickClock(factor)
    state = SandboxState.open(
        folder / "ksef.sqlite3", settings=Settings(processing_seconds=processing_seconds), clock=clock
    )
    home = folder / "home"
    with KsefSandbox(state=state) as ksef, WooSandbox(clock=clock, sleep=clock.sleep) as shop:
        yield Harness(World(home, ksef, shop, _SharedClock(clock)), clock)
    state.close()


@STEPS
@pytest.mark.parametrize("mode", ["before", "after"])
def test_a_kill_at_any_commit_of_the_first_run_changes_nothing(tmp_path: Path, mode: str, step: int) -> None:
    """From the making of the database to the last note: killed at commit after commit, one story."""
    with harness(tmp_path) as made:
        commit = 1 - step
        ended = [-9]
        while ended == [-9]:
            commit += step
            made.add_orders(1)
            ended = made.run(mode, commit)
            assert ended in ([-9], [0]), ended
            # a new installation has to survive several kills in a row before its first whole run
            if commit >= NEW_INSTALLATION:
                assert made.run("clean") == [0]
        assert commit > 10
        made.assert_one_story()


@STEPS
@pytest.mark.parametrize("mode", ["before", "after"])
def test_a_kill_at_any_commit_of_a_correction_changes_nothing(tmp_path: Path, mode: str, step: int) -> None:
    """From seeing the refund to the last note about its correction: killed at many a commit."""
    with harness(tmp_path) as made:
        commit, turn = 2 - step, 0
        ended = [-9]
        while ended == [-9]:
            if turn % AHEAD == 0:
                made.add_orders(AHEAD)
                assert made.run("clean") == [0]
            made.refund(made.orders[turn])
            turn += 1
            commit += step
            ended = made.run(mode, commit)
            assert ended in ([-9], [0]), ended
            assert made.run("clean") == [0]
        assert commit > 8
        made.assert_one_story()


@STEPS
def test_a_kill_before_any_commit_of_an_approved_proposal_changes_nothing(tmp_path: Path, step: int) -> None:
    """From the approval to the note about the new invoice: killed at commit after commit, replaced once."""
    with harness(tmp_path) as made:
        made.add_orders(_MANY // step)
        assert made.run("clean") == [0]
        commit, turn = 3 - step, 0
        ended = [-9]
        while ended == [-9]:
            number = str(made.orders[turn])
            turn += 1
            commit += step
            approve(made.made, propose(made.made, number=number))
            ended = made.run("before", commit)
            assert ended in ([-9], [0]), ended
            assert made.run("clean") == [0]
            found = [one for one in made.made.documents() if one.order.number == number]
            assert sorted((one.purpose, one.state) for one in found) == [
                ("invoice", "published"),
                ("replaced-1/invoice", "published"),
                ("replaced-1/wrong-buyer", "published"),
            ]
            sent = [one["invoiceNumber"] for one in made.made.in_ksef()]
            assert sorted(sent) == sorted(str(one.number) for one in made.made.documents())
        assert commit > 8
