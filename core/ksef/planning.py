"""Which way documents go to KSeF: one by one at once, or gathered into a batch.

Source: the request limits of the API contract (180 single documents an hour, 60 batch sessions an hour) and
the Ministry's advice to senders of many invoices: gather, and send a batch about every five minutes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Way(StrEnum):
    """How documents that are due go out now."""

    SINGLY = "singly"
    """In an interactive session, at once."""
    BATCH = "batch"
    """All of them in a batch session, now."""
    GATHER = "gather"
    """Not yet: more may come, and they go as a batch at the moment that the plan names."""


class Batching(StrEnum):
    """What a seller wants."""

    AUTO = "auto"
    """By numbers and limits, see :class:`SendingPolicy`."""
    NEVER = "never"
    """Always one by one; many documents then wait for the hourly limit."""


@dataclass(frozen=True, slots=True)
class SendingPolicy:
    """When documents are gathered.

    Attributes:
        batching: whether they are at all.
        batch_from: so many documents that are due at once go as a batch. 30 go singly within a minute.
        gather_for: at the least so long between two batches, and so long a document waits for others when
            the budget for single ones runs low.
        reserve: single documents an hour that are kept back; with less left, documents are gathered.
    """

    batching: Batching = Batching.AUTO
    batch_from: int = 31
    gather_for: timedelta = timedelta(minutes=5)
    reserve: int = 30


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits to be sent.

    Attributes:
        documents: how many are due.
        oldest: since when the first of them waits, aware UTC; ``None`` without any.
        last_batch: when the last batch was begun, aware UTC; ``None`` when there was none.
        single_left: how many single documents the hour's budget still takes; ``None`` for no limit.
    """

    documents: int
    oldest: datetime | None = None
    last_batch: datetime | None = None
    single_left: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now.

    Attributes:
        way: how the documents go.
        at: at GATHER, the moment of the next decision, aware UTC.
    """

    way: Way
    at: datetime | None = None


def plan(queue: Queue, policy: SendingPolicy, now: datetime) -> Plan:
    """Choose the way for the documents that are due.

    A few go singly at once. From ``batch_from``, or when the hour's budget for single ones is down to the
    reserve, they go as a batch, ``gather_for`` after the last one.

    Args:
        queue: what waits.
        policy: the seller's choice.
        now: aware UTC.
    """
    if policy.batching is Batching.NEVER or queue.documents == 0:
        return Plan(Way.SINGLY)
    is_many = queue.documents >= policy.batch_from
    left = queue.single_left
    if not is_many and (left is None or left - queue.documents >= policy.reserve):
        return Plan(Way.SINGLY)
    earliest = [queue.last_batch] if queue.last_batch else []
    if not is_many and queue.oldest:
        # a few of them: each batch costs as many requests as a large one, so others are waited for
        earliest.append(queue.oldest)
    due = max(earliest, default=None)
    if due is None or due + policy.gather_for <= now:
        return Plan(Way.BATCH)
    # a clock that was set back must not hold documents for ever
    return Plan(Way.GATHER, min(due, now) + policy.gather_for)
