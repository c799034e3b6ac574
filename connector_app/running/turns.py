"""Whose turn is next: the table from which dispatchers take what is due and to which workers write it back.

The table is the queue, the broker only carries a few messages ahead, each good for a minute: a message that
was lost with a broker or with the worker that had it is sent again. Several dispatchers take different rows
(``FOR UPDATE SKIP LOCKED``), so none is sent twice at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from connector_app.pipeline.services import Services
from connector_app.store.machines import Hook
from connector_app.store.models import Seller, Store
from connector_app.store.recovered import IS_OPEN
from connector_app.store.running import Kind, Turn
from connector_app.store.sessions import lane_of
from core.findings import Text

LOST_AFTER: Final = timedelta(seconds=60)
"""A message, or a worker's turn, of which nothing was heard for so long counts as lost."""

INSTALLATION: Final = 0
"""Subject of turns that there is one of."""

_LANE = lane_of("turns")
_SINGLE = (Kind.HOOKS, Kind.BOARDS, Kind.BUYERS, Kind.NOTICES, Kind.PRUNE)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A turn that was given out: what a message carries, ids only.

    Attributes:
        kind: what is to be done. subject: for whom. number: of the message that counts.
    """

    kind: Kind
    subject: int
    number: int


@dataclass(frozen=True, slots=True)
class Begun:
    """A turn that a worker is at.

    Attributes:
        kind: what is done. subject: for whom.
        wakes: the row's count at its beginning: what happens later makes it due again.
        began: when, aware UTC.
    """

    kind: Kind
    subject: int
    wakes: int
    began: datetime


def _lane(kind: Kind, subject: int) -> int:
    """Of the transactions about one turn."""
    return lane_of(f"turn-{kind}-{subject}")


def fill(services: Services) -> None:
    """Give every seller, open store and hook its row, and remove the rows of those that are gone.

    Raises:
        SQLAlchemyError: the database cannot be used.
    """
    with services.database() as session:
        wanted = _wanted(session)
        known = {(Kind(kind), subject) for kind, subject in session.execute(select(Turn.kind, Turn.subject))}
    if wanted == known:
        return
    now = services.clock()
    with services.database.begin(_LANE) as session:
        _add(session, wanted - known, now)
        for kind, subject in known - wanted:
            session.execute(delete(Turn).where(Turn.kind == kind.value, Turn.subject == subject))


def _wanted(session: Session) -> set[tuple[Kind, int]]:
    found = {(kind, INSTALLATION) for kind in _SINGLE}
    found |= {(Kind.LANE, one) for one in session.scalars(select(Seller.id))}
    found |= {(Kind.LOOK, one) for one in session.scalars(select(Store.id).where(IS_OPEN))}
    found |= {(Kind.HOOK, one) for one in session.scalars(select(Hook.id).where(Hook.disabled_at.is_(None)))}
    return found


def _add(session: Session, turns: Iterable[tuple[Kind, int]], now: datetime) -> None:
    rows: list[dict[str, Any]] = [
        {
            "kind": kind.value,
            "subject": subject,
            "next_at": now,
            "ticket": 0,
            "wakes": 0,
            "seconds": 0.0,
            "runs": 0,
            "said": {},
        }
        for kind, subject in sorted(turns)
    ]
    if not rows:
        return
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(insert(Turn).on_conflict_do_nothing(), rows)


def _free(now: datetime) -> ColumnElement[bool]:
    """No message is under way, or it was lost."""
    return or_(Turn.queued_at.is_(None), Turn.queued_at < now - LOST_AFTER)


def claim(services: Services, most: int) -> list[Ticket]:
    """Take what is due, the longest waiting first; whoever takes it sends its message.

    Args:
        services: the installation.
        most: how many at the most.

    Raises:
        SQLAlchemyError: the database cannot be used.
    """
    now = services.clock()
    with services.database.begin(_LANE) as session:
        rows = session.scalars(
            select(Turn)
            .where(Turn.next_at <= now, _free(now))
            .order_by(Turn.next_at, Turn.kind, Turn.subject)
            .limit(most)
            .with_for_update(skip_locked=True)
        ).all()
        for row in rows:
            row.queued_at, row.begun_at, row.ticket = now, None, row.ticket + 1
        return [Ticket(Kind(row.kind), row.subject, row.ticket) for row in rows]


def under_way(services: Services) -> int:
    """How many messages are out, or turns at work."""
    with services.database() as session:
        return (
            session.scalar(
                select(func.count()).select_from(Turn).where(Turn.queued_at >= services.clock() - LOST_AFTER)
            )
            or 0
        )


def wake(services: Services, kind: Kind, subject: int, *, give_out: bool = True) -> Ticket | None:
    """Make a turn due now.

    Args:
        services: the installation.
        kind: what is to be done.
        subject: for whom.
        give_out: the caller sends the message at once; else a dispatcher does.

    Returns:
        What to send; ``None`` when a message is waiting already, or the worker that is at it goes on with it.

    Raises:
        SQLAlchemyError: the database cannot be used.
    """
    now = services.clock()
    me = and_(Turn.kind == kind.value, Turn.subject == subject)
    with services.database() as session:
        row = session.execute(select(Turn.queued_at, Turn.begun_at).where(me)).one_or_none()
    if row is not None and row.begun_at is None and row.queued_at and row.queued_at >= now - LOST_AFTER:
        return None  # its worker has not begun, and will find what is new
    with services.database.begin(_lane(kind, subject)) as session:
        _add(session, [(kind, subject)] if row is None else [], now)
        turn = session.scalars(select(Turn).where(me).with_for_update()).one()
        turn.wakes += 1
        turn.next_at = min(turn.next_at, now)
        if not give_out or (turn.queued_at is not None and turn.queued_at >= now - LOST_AFTER):
            return None
        turn.queued_at, turn.begun_at, turn.ticket = now, None, turn.ticket + 1
        return Ticket(kind, subject, turn.ticket)


def wake_all(services: Services, kind: Kind, subjects: Collection[int] | None = None) -> None:
    """Make all turns of a kind due now, or some; dispatchers send their messages."""
    now = services.clock()
    with services.database.begin(_LANE) as session:
        query = update(Turn).where(Turn.kind == kind.value)
        if subjects is not None:
            query = query.where(Turn.subject.in_(subjects))
        session.execute(
            query.values(wakes=Turn.wakes + 1, next_at=now).execution_options(synchronize_session=False)
        )


def put_back(services: Services, tickets: Collection[Ticket]) -> None:
    """No message could be sent for these: another try takes them."""
    with services.database.begin(_LANE) as session:
        for one in tickets:
            session.execute(
                update(Turn)
                .where(Turn.kind == one.kind.value, Turn.subject == one.subject, Turn.ticket == one.number)
                .values(queued_at=None)
            )


def begin(services: Services, ticket: Ticket) -> Begun | None:
    """Begin a turn whose message came.

    Returns:
        ``None`` when another message counts by now, or the turn is gone: there is nothing to do.

    Raises:
        SQLAlchemyError: the database cannot be used.
    """
    now = services.clock()
    with services.database.begin(_lane(ticket.kind, ticket.subject)) as session:
        row = session.get(Turn, (ticket.kind.value, ticket.subject), with_for_update=True)
        # begun already, it comes a second time because its worker died: the turn's own lock tells
        if row is None or row.ticket != ticket.number:
            return None
        row.queued_at = row.begun_at = now
        return Begun(ticket.kind, ticket.subject, row.wakes, now)


def seen_at_work(services: Services, turn: Begun) -> None:
    """The worker is still at it."""
    with services.database.begin(_lane(turn.kind, turn.subject)) as session:
        session.execute(
            update(Turn)
            .where(Turn.kind == turn.kind.value, Turn.subject == turn.subject, Turn.begun_at == turn.began)
            .values(queued_at=services.clock())
        )


def end(services: Services, turn: Begun, pause: timedelta, said: dict[str, Any] | None = None) -> None:
    """Write a turn back.

    A dispatcher gives out the next one, so that whoever waits longest comes first.

    Args:
        services: the installation.
        turn: as it was begun.
        pause: when it is due again, unless something happened meanwhile: then at once.
        said: what it says to people; ``None`` keeps what the last one said.

    Raises:
        SQLAlchemyError: the database cannot be used.
    """
    now = services.clock()
    with services.database.begin(_lane(turn.kind, turn.subject)) as session:
        row = session.get(Turn, (turn.kind.value, turn.subject), with_for_update=True)
        if row is None:
            return
        row.next_at = now if row.wakes != turn.wakes else now + pause
        row.queued_at = row.begun_at = None
        row.ended_at, row.seconds, row.runs = now, (now - turn.began).total_seconds(), row.runs + 1
        if said is not None:
            row.said = said


def leave(services: Services, turn: Begun, pause: timedelta) -> None:
    """Write back a turn that could not be done now; nothing of what it said before changes."""
    with services.database.begin(_lane(turn.kind, turn.subject)) as session:
        session.execute(
            update(Turn)
            .where(Turn.kind == turn.kind.value, Turn.subject == turn.subject)
            .values(queued_at=None, begun_at=None, next_at=services.clock() + pause)
        )


def queue(session: Session, now: datetime) -> dict[str, tuple[int, float]]:
    """By kind of turn: how many are due and not begun, and for how many seconds the oldest waits."""
    rows = session.execute(
        select(Turn.kind, func.count(), func.min(Turn.next_at))
        .where(Turn.next_at <= now, Turn.begun_at.is_(None))
        .group_by(Turn.kind)
    )
    return {kind: (count, (now - first).total_seconds()) for kind, count, first in rows}


def texts(raw: Any) -> list[Text]:
    """Sentences as they are kept in ``said``."""
    return [Text(one["pl"], one["en"]) for one in raw or []]


def kept(said: Iterable[Text]) -> list[dict[str, str]]:
    """Sentences as ``said`` keeps them."""
    return [{"pl": one.pl, "en": one.en} for one in said]
