"""Scenario a: thousands of orders at once for one seller, until every KSeF number stands in the shop."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import installation, sandboxes
from benchmarks.load.processes import Watched, child, free_port, one, program
from benchmarks.load.watching import Progress, Watch, watch


@dataclass(frozen=True, slots=True)
class Result:
    """What a run gave.

    Attributes:
        orders: that stood in the shop.
        watch: milestones, and the use of ``application``, ``ksef`` and ``shop``.
        ksef, shop: answers by ``METHOD path status``.
        numbered: orders that carry a KSeF number at the end.
        notes: all notes that they have.
    """

    orders: int
    watch: Watch
    ksef: dict[str, int]
    shop: dict[str, int]
    numbered: int
    notes: int


def run(orders: int, progress: Progress) -> Result:
    """Start the program beside a shop full of paid orders and watch it.

    Args:
        orders: how many.
        progress: told how it goes.

    Raises:
        RuntimeError: it did not end within an hour.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        sandboxes.ksef() as (ksef, environment),
        sandboxes.shops(1, orders) as shop,
    ):
        made = installation.make(Path(folder))
        installation.add_sellers(made, environment, shop.url, 1)
        words = program("--lang", "en", "serve", "--port", free_port())
        with child(words, made.environment(), Path(folder) / "log") as process:
            pids = {"application": process.pid, "KSeF sandbox": ksef.pid, "shop sandbox": shop.pid}
            watched = {name: Watched(one(pid)) for name, pid in pids.items()}
            seen = watch(made, orders, watched, progress)
        told = shop.told()
        made.close()
        return Result(
            orders, seen, dict(ksef.counts()), dict(told["counts"]), told["numbered"], told["notes"]
        )
