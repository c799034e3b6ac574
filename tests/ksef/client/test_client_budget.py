"""The budget of requests, and the client that keeps to it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import limits.storage.memory
import pytest

from core.ksef import environments
from core.ksef.budget import WindowBudget
from core.ksef.client import KsefClient
from core.ksef.errors import KsefBusy
from core.ksef.limits import PUBLISHED, Group, Rate

if TYPE_CHECKING:
    from tests.ksef.client.conftest import Clock, FakeKsef


class Ticking:
    """Stands in for the module ``time`` of the limits library and of the budget."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> Ticking:
    """A clock for moving windows."""
    clock = Ticking()
    monkeypatch.setattr(limits.storage.memory, "time", clock)
    monkeypatch.setattr("core.ksef.budget.time", clock)
    return clock


SEND = "POST /sessions/online/{referenceNumber}/invoices"


def test_budget_keeps_every_published_window(ticking: Ticking) -> None:
    """However eagerly documents are sent, no second, minute or hour holds more than published."""
    budget = WindowBudget()
    taken: list[float] = []
    while ticking.now < 1_000_000 + 2 * 3600:
        wait = budget.take(SEND, "5265877635")
        if wait == 0:
            taken.append(ticking.now)
        else:
            ticking.now += wait
    for seconds, most in ((1, 10), (60, 30), (3600, 180)):
        assert all(b - a >= seconds for a, b in zip(taken, taken[most:], strict=False))
    assert len(taken) >= 360
    assert all(a <= b for a, b in pairwise(taken))


def test_budgets_of_contexts_and_groups_are_separate(ticking: Ticking) -> None:
    """One seller's sending does not use up another's, nor its own status questions."""
    budget = WindowBudget({**PUBLISHED, Group.INVOICE_SEND: Rate(1, 1, 1)})
    assert budget.take(SEND, "5265877635") == 0
    assert budget.take(SEND, "5265877635") > 3600
    assert budget.take(SEND, "5260250274") == 0
    assert budget.take("GET /sessions/{referenceNumber}", "5265877635") == 0
    assert budget.remaining(SEND, "5265877635") == Rate(0, 0, 0)
    assert budget.remaining(SEND, "7010001000").per_hour == 1


def test_refused_request_takes_nothing(ticking: Ticking) -> None:
    """A request that does not fit one window is not counted in the others."""
    budget = WindowBudget({**PUBLISHED, Group.INVOICE_SEND: Rate(1, 5, 5)})
    assert budget.take(SEND, "N") == 0
    for _ in range(20):
        assert budget.take(SEND, "N") > 0
    assert budget.remaining(SEND, "N") == Rate(0, 4, 4)


def test_pause_that_ksef_asked_for_is_kept(ticking: Ticking) -> None:
    """After a 429 the group stays closed for Retry-After, and opens then."""
    budget = WindowBudget()
    budget.close(SEND, "N", 90)
    assert budget.take(SEND, "N") == 90
    ticking.now += 90
    assert budget.take(SEND, "N") == 0


def test_client_waits_or_says_busy(ksef: FakeKsef, clock: Clock) -> None:
    """A short wait for the budget is slept; a long one is told at once, without asking KSeF."""

    class Fixed:
        def __init__(self, *waits: float) -> None:
            self.waits = list(waits)
            self.closed: list[tuple[str, str, float]] = []

        def take(self, operation: str, context: str) -> float:
            assert context == "5265877635"
            return self.waits.pop(0)

        def close(self, operation: str, context: str, seconds: float) -> None:
            self.closed.append((operation, context, seconds))

    budget = Fixed(1.5, 0.0, 6.0, 0.0)
    client = KsefClient(
        environments.TEST, ksef, budget=budget, clock=clock, sleep=clock.sleep, max_wait=5
    ).for_context("5265877635")
    client.challenge()
    assert clock.slept == [1.5]
    with pytest.raises(KsefBusy) as caught:
        client.challenge()
    assert (caught.value.own_budget, caught.value.retry_after) == (True, 6.0)
    assert len(ksef.requests) == 1
    busy = {"title": "Too Many Requests", "status": 429, "detail": "x", "instance": "/x"}
    ksef.script(
        "POST /auth/challenge",
        ksef.reply(429, busy, {"Retry-After": "30"}, "application/problem+json", contract=False),
    )
    with pytest.raises(KsefBusy):
        client.challenge()
    assert budget.closed == [("POST /auth/challenge", "5265877635", 30.0)]
