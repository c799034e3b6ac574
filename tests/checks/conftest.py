"""An installation that has issued invoices and a correction; every test breaks a copy of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checks.broken import Shelf
from tests.pipeline.refunds import ONE_MUG, refund
from tests.pipeline.world import World, recorded, world


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Four orders with invoices and a refund with its correction, all in KSeF."""
    orders = [
        recorded("order_full"),
        *(recorded("order_full", id=one, number=str(one)) for one in (16, 17, 18)),
    ]
    with world(tmp_path_factory.mktemp("whole"), orders) as made:
        made.prepare()
        made.run()
        refund(made, ONE_MUG)
        made.run()
        made.clock.sleep(2 * 3600)
        yield made


@pytest.fixture
def shelf(whole: World, tmp_path: Path) -> Iterator[Shelf]:
    """A copy of the installation; KSeF and shop are shared, and KSeF is put back after the test."""
    home = tmp_path / "home"
    shutil.copytree(whole.home, home, ignore=shutil.ignore_patterns("ksef.sqlite3*"))
    state = whole.ksef.state
    before = [tuple(row) for row in state.all("SELECT * FROM invoices")]
    made = Shelf(World(home, whole.ksef, whole.shop, whole.clock))
    yield made
    now = [tuple(row) for row in state.all("SELECT * FROM invoices")]
    if now != before:
        marks = ", ".join("?" * len(before[0]))
        with state.transaction():
            state.run("PRAGMA defer_foreign_keys = ON")
            state.run("DELETE FROM invoices")
            for row in before:
                state.run(f"INSERT INTO invoices VALUES ({marks})", row)
