"""Faults of the world around the process: which there are, when a run switches them on, how many happened."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.ksef.faults import Fault, FaultPlan

SEND = "POST /v2/sessions/online/[^/]+/invoices$"
OPEN = "POST /v2/sessions/(online|batch)$"
CLOSE = "POST /v2/sessions/(online|batch)/[^/]+/close$"
STATUS = "GET /v2/sessions/[^/]+(/invoices.*)?$"
AUTH = "/v2/auth/"
PARTS = "PUT "
ANY = "/v2/"

KSEF: tuple[tuple[str, str, float | None], ...] = (
    ("drop_before", SEND, None),
    ("drop_after", SEND, None),
    ("drop_before", OPEN, None),
    ("drop_after", OPEN, None),
    ("drop_after", CLOSE, None),
    ("drop_before", STATUS, None),
    ("drop_after", STATUS, None),
    ("truncate", SEND, None),
    ("truncate", STATUS, None),
    ("drop_after", PARTS, None),
    ("drop_before", AUTH, None),
    ("http_429", ANY, 7),
    ("http_429", SEND, 90),
    ("http_500", SEND, None),
    ("http_500", ANY, None),
    ("http_503", ANY, 5),
    ("status_550", SEND, None),
    ("status_550", CLOSE, None),
    ("slow", SEND, 20),
    ("slow", ANY, 5),
    ("http_401", SEND, None),
    ("http_401", ANY, None),
)
"""Kind, operation and value of what KSeF's sandbox can do wrong by itself."""

SHOP: tuple[tuple[str, str, float | None], ...] = (
    ("drop_after", "write", None),
    ("truncate", "write", None),
    ("cut", "write", None),
    ("drop_before", "write", None),
    ("drop_before", "", None),
    ("http_500", "", None),
    ("http_500", "write", None),
    ("http_429", "", 15),
    ("http_503", "read", 30),
    ("slow", "", 20),
)
"""Kind, place and value of what a shop can do wrong; a note that is stored while the answer is lost is
``drop_after`` at ``write``."""

MAIL = ("refuse_later", "down", "answer_lost")
"""What a mail server can do wrong."""

PROCESS = ("disk_full", "disk_error", "work_full", "locked", "wrong_clock")
"""What can be wrong inside the process and its files, see :mod:`tests.faults.breaking`."""


@dataclass(slots=True)
class TickingPlan(FaultPlan):
    """A sandbox's plan of faults that also counts requests and does things at some of them.

    Attributes:
        requests: so many came. at: what is done when a request comes, by its number.
    """

    requests: int = 0
    at: dict[int, list[Callable[[], None]]] = field(default_factory=dict)

    def take(self, method: str, path: str) -> Fault | None:
        """Count, do what is due, and see whether a fault waits."""
        self.requests += 1
        for action in self.at.pop(self.requests, ()):
            action()
        # not super(): a dataclass with slots is another class than the one whose body this is
        return FaultPlan.take(self, method, path)

    def soon(self, requests: int, action: Callable[[], None]) -> None:
        """Do something when so many more requests have come."""
        self.at.setdefault(self.requests + max(1, requests), []).append(action)


def process_fault(chance: random.Random, kind: str) -> dict[str, Any]:
    """The wanted trouble of one life, for :func:`tests.faults.breaking.begin`."""
    skews = (-600, -120, -30, 120, 900, 3 * 3600)
    return {
        "kind": kind,
        "passes": chance.randint(1, 3),
        "pages": chance.randint(0, 12),
        "room": chance.choice((0, 4096, 40_000, 200_000)),
        "writes": chance.randint(1, 4),
        "times": chance.randint(1, 4),
        "holds": chance.choice((0.06, 0.12, 0.2)),
        "skew": chance.choice(skews),
    }


def some(chance: random.Random, table: Sequence[Any], most: int) -> list[Any]:
    """Between none and so many entries of a table."""
    return [chance.choice(table) for _ in range(chance.randint(0, most))]


def add(one: Counter[str], more: Counter[str], prefix: str) -> None:
    """Join counts under a prefix."""
    for key, count in more.items():
        one[f"{prefix}{key}"] += count
