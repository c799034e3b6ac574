"""What is measured while the work is done, added up over all processes of an installation.

A process adds in memory and now and then writes what came since into the database, so that ``/metrics`` of
any process tells of all of them, on however many machines, and a restart forgets nothing. (The way of
prometheus-client for several processes keeps files beside each of them, which a web process on another
machine cannot read.) What a process that is killed had not written yet, a few seconds, is lost: these are
measurements, no books.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from connector_app.store.watching import Measured

EVERY: Final = 10.0
"""Seconds between two writings of a process."""
MOST_SERIES: Final = 400
"""Combinations of labels that one metric keeps apart in a process; the rest are counted as ``other``."""
_OTHER = "other"
_LABEL = 80


@dataclass(frozen=True, slots=True)
class Metric:
    """One thing that is measured.

    Attributes:
        name: as Prometheus has it, without ``_total``.
        about: what it is, in English.
        labels: their names.
        steps: upper ends of a histogram's steps, in seconds; none for a counter.
    """

    name: str
    about: str
    labels: tuple[str, ...]
    steps: tuple[float, ...] = ()


_OUTSIDE = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
KSEF = Metric(
    "ksef_connector_ksef_seconds",
    "Time of requests to KSeF by operation; the status is none when no answer came.",
    ("environment", "operation", "status"),
    _OUTSIDE,
)
SHOP = Metric(
    "ksef_connector_shop_seconds",
    "Time that shops took, by what was asked of them and how it ended.",
    ("platform", "operation", "result"),
    _OUTSIDE,
)
WEB = Metric(
    "ksef_connector_http_seconds",
    "Time of requests by endpoint.",
    ("method", "endpoint"),
    (0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
REQUESTS = Metric("ksef_connector_http_requests", "Requests by endpoint and status.", ("endpoint", "status"))
BUSY = Metric(
    "ksef_connector_busy",
    "How often KSeF or a shop asked for a pause (429), by whom.",
    ("side", "name"),
)
WEBHOOKS = Metric(
    "ksef_connector_webhooks",
    "Webhooks of shops: new, copies, pings, refused.",
    ("store", "result"),
)
HOOKS = Metric("ksef_connector_hook_tries", "Tries of messages to hooks.", ("result",))
MAILS = Metric("ksef_connector_mail_tries", "Tries of e-mails, to buyers and about alerts.", ("to", "result"))
ALL = (KSEF, SHOP, WEB, REQUESTS, BUSY, WEBHOOKS, HOOKS, MAILS)

MARK = "mark"
"""Name of the rows that say when some work was done last."""


@dataclass(slots=True)
class _Sum:
    count: int = 0
    total: float = 0.0
    buckets: list[int] = field(default_factory=list)


class Measures:
    """Adds up in memory, and writes into the database; safe to share between threads.

    Args:
        monotonic: seconds that never go back.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = Lock()
        self._sums: dict[tuple[str, str], _Sum] = {}
        self._marks: dict[str, float] = {}
        self._known: dict[str, set[str]] = {}
        self._kept = monotonic()

    def observe(self, metric: Metric, seconds: float, *labels: str) -> None:
        """Add one measured time to a histogram."""
        with self._lock:
            one = self._sum(metric, labels)
            one.count += 1
            one.total += seconds
            if not one.buckets:
                one.buckets = [0] * (len(metric.steps) + 1)
            one.buckets[bisect_left(metric.steps, seconds)] += 1

    def count(self, metric: Metric, *labels: str, times: int = 1) -> None:
        """Add to a counter."""
        with self._lock:
            self._sum(metric, labels).count += times

    def mark(self, work: str, now: datetime) -> None:
        """Some kind of work was done at a moment.

        Args:
            work: such as ``lane``.
            now: aware UTC.
        """
        with self._lock:
            self._marks[work] = now.timestamp()

    def _sum(self, metric: Metric, labels: Sequence[str]) -> _Sum:
        values = "\t".join(one.replace("\t", " ")[:_LABEL] for one in labels)[:200]
        known = self._known.setdefault(metric.name, set())
        if values not in known:
            if len(known) >= MOST_SERIES:
                values = "\t".join(_OTHER for _ in labels)
            known.add(values)
        return self._sums.setdefault((metric.name, values), _Sum())

    def keep_now_and_then(self, database: sessionmaker[Session]) -> None:
        """Write what came since, unless that was done a moment ago; a busy database loses nothing."""
        if self._monotonic() - self._kept >= EVERY:
            self.keep(database)

    def keep(self, database: sessionmaker[Session]) -> None:
        """Write what came since; what cannot be written now is written with the next."""
        with self._lock:
            self._kept = self._monotonic()
            sums, self._sums = self._sums, {}
            marks, self._marks = self._marks, {}
        if not sums and not marks:
            return
        try:
            # in one order, so that two processes never wait for each other
            with database.begin() as session:
                for (name, labels), one in sorted(sums.items(), key=lambda pair: pair[0]):
                    _add(session, name, labels, one)
                for work, moment in sorted(marks.items()):
                    put_mark(session, work, moment)
        except SQLAlchemyError:
            self._put_back(sums, marks)

    def _put_back(self, sums: Mapping[tuple[str, str], _Sum], marks: Mapping[str, float]) -> None:
        with self._lock:
            for key, one in sums.items():
                into = self._sums.setdefault(key, _Sum())
                _merge(into, one)
            for work, moment in marks.items():
                self._marks[work] = max(moment, self._marks.get(work, moment))


def _merge(into: _Sum, one: _Sum) -> None:
    into.count += one.count
    into.total += one.total
    if one.buckets:
        into.buckets = [
            a + b for a, b in zip(into.buckets or [0] * len(one.buckets), one.buckets, strict=True)
        ]


def _add(session: Session, name: str, labels: str, one: _Sum) -> None:
    row = session.get(Measured, (name, labels), with_for_update=True)
    if row is None:
        row = Measured(name=name, labels=labels, count=0, total=0.0, buckets=None)
        session.add(row)
    before = [int(step) for step in row.buckets or []]
    if len(before) != len(one.buckets):
        before = []  # the steps are others than in an earlier version
    known = _Sum(row.count, row.total, before)
    _merge(known, one)
    row.count, row.total, row.buckets = known.count, known.total, known.buckets or None
    session.flush()


def put_mark(session: Session, work: str, moment: float) -> None:
    """Write down that some kind of work was done at a moment, inside the caller's transaction.

    Args:
        session: of a writing transaction.
        work: its name.
        moment: in seconds since 1970.
    """
    row = session.get(Measured, (MARK, work), with_for_update=True)
    if row is None:
        row = Measured(name=MARK, labels=work, count=0, total=0.0, buckets=None)
        session.add(row)
    row.total = max(row.total, moment)
    session.flush()


def read(session: Session) -> list[Measured]:
    """All that was written, by name and labels."""
    return list(session.scalars(select(Measured).order_by(Measured.name, Measured.labels)))


def last_done(session: Session, work: str) -> float | None:
    """When some kind of work was done last, in seconds since 1970; ``None``: never."""
    row = session.get(Measured, (MARK, work))
    return row.total if row is not None else None
