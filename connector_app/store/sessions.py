"""Sessions: snapshots to read and transactions that write, with the same promises on every database.

Whoever writes may read first and rely on it until the end: nobody else changes what the transaction read.
SQLite has one writer at a time; the threads of a process wait in a line (:mod:`connector_app.store.line`).
PostgreSQL gets the same by two advisory locks that each writing transaction takes when it begins, always in
this order:

====================  ===================  ================
transaction           lock of all writers  lock of the lane
====================  ===================  ================
``begin()``           alone                -
``begin(lane)``       shared               alone
``settled(lane)``     shared               shared
====================  ===================  ================

So sellers write side by side, a seller's writers stand in one line, and whoever names no lane is alone. They
wait at their beginning, once, in one order: no transaction fails in its middle to be repeated, and none wait
for each other in a ring. PostgreSQL lets waiting writers in as they came.

Ids are given when a row is written and seen when it is committed, so on PostgreSQL a row can appear after one
with a higher id. Whoever remembers "everything up to this id" therefore reads in ``begin(lane)`` or
``settled(lane)``: then nothing of the lane is on its way, and what comes later gets higher ids.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from typing import Any

from sqlalchemy import Engine, Select, TextClause, event, func, literal, select, text
from sqlalchemy.orm import Session, sessionmaker

from connector_app.store.engines import BUSY_SECONDS, WRITES, make_engine
from connector_app.store.line import Line
from connector_app.store.models import Batch, Certificate, Document, Event, Seller, Store

Lane = int | Select[int]
"""A seller's id, a lane of :func:`lane_of`, or a question for a seller's id
(:mod:`connector_app.store.lanes`)."""

_CLASS = 0x6B736566
"""First half of the advisory locks of writing transactions ("ksef"); locks by name are of another kind."""
_ALL = 0
_LANE = "ksef_lane"
_TELLS = "after_commit"
_WRITER_IDLE_MS = 60_000
"""A writer that does nothing for so long has hung; while it does, others wait."""

_ALONE: TextClause = text(
    f"SELECT set_config('idle_in_transaction_session_timeout', '{_WRITER_IDLE_MS}', true), "
    f"pg_advisory_xact_lock({_CLASS}, {_ALL})"
)
_IN_A_LANE: TextClause = text(
    f"SELECT set_config('idle_in_transaction_session_timeout', '{_WRITER_IDLE_MS}', true), "
    f"pg_advisory_xact_lock_shared({_CLASS}, {_ALL})"
)
WAIT_FOR_ALL_WRITERS: TextClause = text(f"SELECT pg_advisory_xact_lock({_CLASS}, {_ALL})")
"""For what is done outside a session: afterwards no transaction writes until this one ends."""


class NestedTransaction(RuntimeError):
    """A thread began to write while it was writing: it would wait for itself."""


def lane_of(name: str) -> int:
    """A lane for what belongs to no seller and is counted or renewed in one place.

    Args:
        name: what it is for, e.g. a KSeF context. Two names may share a lane: they then take turns.

    Returns:
        A negative number; sellers' ids are positive.
    """
    return -1 - (int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) >> 1)


class Sessions(sessionmaker[Session]):
    """``database()`` is for reading, ``database.begin()`` is one transaction that writes.

    Readers get a snapshot and hold up nobody; a writer waits when it begins, so that a transaction that reads
    and then writes does not fail in its middle. See this module's text.

    Attributes:
        engine: of the database, as made by :func:`~connector_app.store.engines.make_engine`.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._is_postgresql = engine.dialect.name == "postgresql"
        reader = (
            engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            if self._is_postgresql
            else engine
        )
        super().__init__(reader, expire_on_commit=False)
        self._writer = engine.execution_options(**{WRITES: True})
        self._thread = threading.local()
        self._line = Line()

    @contextmanager
    def begin(self, lane: Lane | None = None) -> Iterator[Session]:
        """One writing transaction: committed at the end, undone when an exception passes.

        Args:
            lane: the only seller whose rows it changes (or relies on), or a lane of :func:`lane_of`: other
                lanes write at the same time. Without one it writes alone.

        Raises:
            NestedTransaction: this thread is writing already.
        """
        with self._once(), self._turn(), self(bind=self._writer) as session:
            with session.begin():
                if self._is_postgresql:
                    session.info[_LANE] = _wait_for_turn(session, lane)
                elif isinstance(lane, int):
                    session.info[_LANE] = lane
                yield session
            tells = session.info.pop(_TELLS, ())
        for tell in tells:
            tell()

    @contextmanager
    def settled(self, lane: Lane | None = None) -> Iterator[Session]:
        """For reading while nobody writes in a lane (without one: anywhere): for marks over ids.

        Args:
            lane: as of :meth:`begin`. SQLite's snapshots need nothing of the kind.
        """
        if not self._is_postgresql:
            with self() as session:
                yield session
            return
        with self(bind=self._writer) as session, session.begin():
            _wait_for_turn(session, lane, shared=True)
            yield session

    def _turn(self) -> AbstractContextManager[None]:
        """PostgreSQL has lines of its own."""
        return nullcontext() if self._is_postgresql else self._line.turn(BUSY_SECONDS)

    @contextmanager
    def _once(self) -> Iterator[None]:
        if getattr(self._thread, "writes", False):
            raise NestedTransaction("this thread is inside a transaction that writes; use its session")
        self._thread.writes = True
        try:
            yield
        finally:
            self._thread.writes = False

    @cached_property
    def lock_engine(self) -> Engine:
        """For locks that are held for long: they take no connection from those that work."""
        return make_engine(self.engine.url, pooled=False)

    def close(self) -> None:
        """Close all connections that are not in use."""
        self.engine.dispose()


def after_commit(session: Session, tell: Callable[[], None]) -> None:
    """Have something told once a transaction is committed, and never when it is undone.

    Args:
        session: of :meth:`Sessions.begin`.
        tell: must not fail: what is committed stays.
    """
    session.info.setdefault(_TELLS, []).append(tell)


def _wait_for_turn(session: Session, lane: Lane | None, *, shared: bool = False) -> int | None:
    """Take the locks in their order; gives the lane when there is one."""
    if lane is None:
        session.execute(_ALONE)
        return None
    # statements of their own: SQL promises no order within one
    session.execute(_IN_A_LANE)
    asked = (select(literal(lane).label("id")) if isinstance(lane, int) else lane).subquery()
    which = asked.c[0]
    take = func.pg_advisory_xact_lock_shared if shared else func.pg_advisory_xact_lock
    return session.execute(select(which, take(_CLASS, which))).scalar()


@event.listens_for(Session, "before_flush")
def _keep_to_the_lane(session: Session, _context: object, _instances: object) -> None:
    """A transaction of one seller's lane writes nothing of another: it would not be alone with it."""
    lane = session.info.get(_LANE)
    if lane is None:
        return
    for row in (*session.new, *session.dirty, *session.deleted):
        owner = _owner(session, row)
        if owner is not None and owner != lane:
            raise AssertionError(f"{type(row).__name__} of seller {owner} is written in lane {lane}")


def _owner(session: Session, row: Any) -> int | None:
    """Whose a row is, as far as the row itself or what is loaded tells."""
    if not session.is_modified(row):
        return None
    if isinstance(row, Seller):
        return row.id
    if isinstance(row, Event):
        row = session.identity_map.get((Document, (row.document_id,), None))
    found = row.__dict__.get("seller_id") if isinstance(row, Document | Batch | Store | Certificate) else None
    return found if isinstance(found, int) else None
