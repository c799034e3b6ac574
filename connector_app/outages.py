"""Latarnia for the whole installation: asked now and then, its events kept, its changes put to work.

Events are kept in the database because deadlines are counted from their ends, long after the board has
forgotten them. A board that does not answer changes nothing that was known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from connector_app.ksef_access import environment_of
from connector_app.pipeline import life
from connector_app.pipeline.services import Services
from connector_app.store import models
from connector_app.store.models import Batch, Board, Document, DocumentState, Seller
from connector_app.store.sessions import lane_of
from core.findings import Text
from core.ksef import latarnia
from core.ksef.errors import KsefUnavailable
from core.ksef.latarnia import Availability, Category, Outage
from core.ksef.offline import Deadline, OfflineMode, deadline

EVERY: Final = timedelta(minutes=1)
"""How often a board is asked."""

_WORKS_WITH_KSEF = (DocumentState.READY, DocumentState.ISSUED, DocumentState.SENT)
_SELLERS_AT_WORK = select(Document.seller_id).where(Document.state.in_(_WORKS_WITH_KSEF)).distinct()


@dataclass(frozen=True, slots=True)
class Announced:
    """What is known of a board.

    Attributes:
        availability: what the board said last; ``UNKNOWN`` before the first answer.
        events: every event, past ones included.
        asked_at: when it was asked last; None before.
        failure: why the last look failed; empty when it did not.
    """

    availability: Availability = Availability.UNKNOWN
    events: tuple[Outage, ...] = ()
    asked_at: datetime | None = None
    failure: str = ""

    @property
    def in_force(self) -> tuple[Outage, ...]:
        """Events that may decide how a new document is issued: none while the board says that KSeF works.

        A failure whose end was never listed would otherwise go on for ever.
        """
        return () if self.availability is Availability.AVAILABLE else self.events


def look(services: Services, *, idle: bool = True) -> set[int]:
    """Ask the boards of all sellers that were not asked within :data:`EVERY`, and put to work what is new.

    An outage that has begun or ended wakes the documents that wait for KSeF; a changed event changes the
    deadlines that are counted from it.

    Args:
        services: the outside world.
        idle: ask also where nothing waits for KSeF.

    Returns:
        Ids of the sellers whose documents were woken.
    """
    woken: set[int] = set()
    now = services.clock()
    with services.database() as session:
        busy = None if idle else set(session.scalars(_SELLERS_AT_WORK))
        boards = {
            url: sellers
            for url, sellers in _boards(session).items()
            if busy is None or not busy.isdisjoint(sellers)
        }
        asked = {row.url: row.asked_at for row in session.scalars(select(Board))}
    for url, sellers in boards.items():
        if url in asked and now - asked[url] < EVERY:
            continue
        board = services.board(url)
        try:
            status, messages = board.status(), board.messages()
        except KsefUnavailable as error:
            _keep_failure(services, url, str(error))
            continue
        events = latarnia.outages([*messages, *status.messages])
        if _keep(services, url, sellers, status.availability, events):
            woken.update(sellers)
    return woken


def of_seller(session: Session, seller: Seller) -> Announced:
    """What is known of the board of a seller's environment; nothing where there is no board."""
    return of_board(session, environment_of(seller).latarnia_url)


def of_board(session: Session, url: str) -> Announced:
    """What is known of a board.

    Args:
        session: for reading.
        url: the board's address; empty for none.
    """
    row = session.get(Board, url) if url else None
    if row is None:
        return Announced()
    return Announced(Availability(row.availability), _stored(session, url), row.asked_at, row.failure or "")


def boards_in_use(session: Session) -> dict[str, Announced]:
    """Every board that a seller's environment names, with what is known of it."""
    return {url: of_board(session, url) for url in _boards(session)}


def deadline_of(document: Document, events: Sequence[Outage]) -> Deadline | None:
    """By when a document has to be sent; None for one that was issued online, or not yet.

    Args:
        document: stored.
        events: of its seller's board.
    """
    if document.offline_mode is None or document.issued_at is None:
        return None
    mode = OfflineMode(document.offline_mode)
    return deadline(mode, document.issued_at, events, event_id=document.outage_event or "")


def _boards(session: Session) -> dict[str, list[int]]:
    """Addresses of boards with the ids of the sellers whose environment names them."""
    found: dict[str, list[int]] = {}
    for seller in session.scalars(select(Seller).order_by(Seller.id)):
        url = environment_of(seller).latarnia_url
        if url:
            found.setdefault(url, []).append(seller.id)
    return found


def _stored(session: Session, url: str) -> tuple[Outage, ...]:
    rows = session.scalars(
        select(models.Outage).where(models.Outage.board == url).order_by(models.Outage.begins)
    )
    return tuple(
        Outage(row.event_id, Category(row.category), row.begins, row.ends, row.title) for row in rows
    )


def _keep_failure(services: Services, url: str, why: str) -> None:
    with services.database.begin(lane_of(f"board {url}")) as session:
        row = session.get(Board, url)
        if row is None:
            row = Board(url=url, availability=Availability.UNKNOWN.value)
            session.add(row)
        row.asked_at, row.failure = services.clock(), why


def _keep(
    services: Services, url: str, sellers: list[int], availability: Availability, events: Iterable[Outage]
) -> bool:
    """Keep what a board said; whether documents were woken."""
    now = services.clock()
    with services.database.begin() as session:
        row = session.get(Board, url)
        if row is None:
            row = Board(url=url)
            session.add(row)
        row.availability, row.asked_at, row.failure = availability.value, now, None
        before = _stored(session, url)
        for event in events:
            session.merge(
                models.Outage(
                    board=url,
                    event_id=event.event_id,
                    category=event.category.value,
                    begins=event.start,
                    ends=event.end,
                    title=event.title,
                )
            )
        session.flush()
        known = of_board(session, url)
        current = latarnia.active(known.in_force, now)
        active_event = current.event_id if current else None
        has_changed = row.active_event != active_event
        if has_changed:
            row.active_event = active_event
            _wake(session, sellers)
        if known.events != before:
            _count_again(session, sellers, known.events, now)
    return has_changed


def _wake(session: Session, sellers: list[int]) -> None:
    """Nothing waits any longer than KSeF itself: an outage has begun or ended."""
    session.execute(update(Seller).where(Seller.id.in_(sellers)).values(hold=None))
    session.execute(
        update(Document)
        .where(Document.seller_id.in_(sellers), Document.state.in_(_WORKS_WITH_KSEF))
        .values(next_attempt_at=None)
        .execution_options(synchronize_session=False)
    )
    session.execute(update(Batch).where(Batch.seller_id.in_(sellers)).values(next_attempt_at=None))


def _count_again(session: Session, sellers: list[int], events: Sequence[Outage], now: datetime) -> None:
    """Deadlines of offline documents that KSeF does not have yet, after the events have changed."""
    rows = session.scalars(
        select(Document).where(
            Document.seller_id.in_(sellers),
            Document.offline_mode.is_not(None),
            Document.ksef_number.is_(None),
        )
    )
    for row in rows:
        counted = deadline_of(row, events)
        if counted is None or counted.day == row.send_by:
            continue
        row.send_by = counted.day
        life.note(
            row, Text(f"Termin przesłania: {counted.rule.pl}", f"To be sent by: {counted.rule.en}"), now
        )
