"""Scenario a: thousands of orders at once for one seller, until every KSeF number stands in the shop."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import func, select

from benchmarks.load import installation, sandboxes
from benchmarks.load.processes import Usage, Watched, child, free_port, program
from benchmarks.load.watching import Progress
from connector_app.store.models import Document

_LOOK = 1.0


@dataclass(slots=True)
class Result:
    """What a run gave.

    Attributes:
        orders: that stood in the shops.
        seconds: from the program's start to each milestone: ``taken in``, ``issued``, ``accepted``,
            ``in the shop``, ``with UPO``.
        ksef, shop: answers by ``METHOD path status``.
        usage: of ``application``, ``ksef`` and ``shop``.
        numbered: orders that carry a KSeF number. notes: their notes of both kinds.
    """

    orders: int
    seconds: dict[str, float] = field(default_factory=dict)
    ksef: dict[str, int] = field(default_factory=dict)
    shop: dict[str, int] = field(default_factory=dict)
    usage: dict[str, Usage] = field(default_factory=dict)
    numbered: int = 0
    notes: int = 0


def run(orders: int, progress: Progress, patience: float = 3600.0) -> Result:
    """Start the program beside a shop full of paid orders and watch it.

    Args:
        orders: how many.
        progress: told how it goes.
        patience: seconds after which it is given up.

    Raises:
        RuntimeError: it did not end in time.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        sandboxes.ksef() as (ksef, environment),
        sandboxes.shops(1, orders) as shop,
    ):
        made = installation.make(Path(folder))
        installation.add_sellers(made, environment, shop.url, 1)
        result = Result(orders)
        words = program("--lang", "en", "serve", "--port", free_port())
        began = time.monotonic()
        with child(words, made.environment(), Path(folder) / "log") as process:
            watched = {
                "application": Watched(process.pid), "ksef": Watched(ksef.pid), "shop": Watched(shop.pid)
            }  # fmt: skip
            try:
                _watch(made, result, watched, began, patience, progress)
            finally:
                result.usage = {name: one.look() for name, one in watched.items()}
        told = shop.told()
        result.ksef, result.shop = dict(ksef.counts()), dict(told["counts"])
        result.numbered, result.notes = told["numbered"], told["notes"]
        made.close()
    return result


def _watch(
    made: installation.Installation,
    result: Result,
    watched: dict[str, Watched],
    began: float,
    patience: float,
    progress: Progress,
) -> None:
    wanted = {
        "taken in": func.count(),
        "issued": func.count(Document.xml_sha256),
        "accepted": func.count(Document.ksef_number),
        "in the shop": func.count().filter(Document.state == "published"),
        "with UPO": func.count(Document.upo_certificate)
        if False
        else func.count().filter(Document.upo.is_not(None)),
    }
    while True:
        time.sleep(_LOOK)
        spent = time.monotonic() - began
        with made.database() as session:
            counts = dict(zip(wanted, session.execute(select(*wanted.values())).one(), strict=True))
        for name, count in counts.items():
            if count >= result.orders:
                result.seconds.setdefault(name, spent)
        for one in watched.values():
            one.look()
        progress(counts["in the shop"], result.orders, ", ".join(f"{k} {v}" for k, v in counts.items()))
        if len(result.seconds) == len(wanted):
            return
        if spent > patience:
            raise RuntimeError(f"given up after {spent:.0f} s: {counts}")
