"""What it takes to hand so many documents to KSeF: the way, the sessions, the requests and the time.

Source: the published limits (:mod:`core.ksef.limits`) and the choice that :mod:`core.ksef.planning` makes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from core.ksef.batch.packing import LIMITS
from core.ksef.limits import PUBLISHED, Group, windows
from core.ksef.planning import Queue, SendingPolicy, Way, plan

_ANY_TIME = datetime(2026, 1, 1, tzinfo=UTC)
_OPEN_AND_CLOSE = 2


@dataclass(frozen=True, slots=True)
class Forecast:
    """What sending takes.

    Attributes:
        documents: how many.
        way: singly or as a batch.
        sessions: how many are opened.
        requests: that hand the documents over and count against limits: opening, sending, closing.
        at_least: the shortest time that the limits leave; how long KSeF works on them nobody knows.
    """

    documents: int
    way: Way
    sessions: int
    requests: int
    at_least: timedelta


def forecast(documents: int, policy: SendingPolicy) -> Forecast:
    """Say what it takes to send documents that are all due at once, with an unused budget.

    Args:
        documents: how many.
        policy: the seller's choice.
    """
    if not documents:
        return Forecast(0, Way.SINGLY, 0, 0, timedelta())
    way = plan(Queue(documents), policy, _ANY_TIME).way
    if way is Way.SINGLY:
        return Forecast(documents, way, 1, documents + _OPEN_AND_CLOSE, _singly(documents))
    sessions = -(-documents // LIMITS.documents)
    pauses = (sessions - 1) * policy.gather_for
    return Forecast(documents, Way.BATCH, sessions, sessions * _OPEN_AND_CLOSE, pauses)


def _singly(documents: int) -> timedelta:
    """When the last one may leave, each window full from the start."""
    left, passed = documents - 1, timedelta()
    for amount, length in reversed(windows(PUBLISHED[Group.INVOICE_SEND])):
        passed += (left // amount) * length
        left %= amount
    return passed
