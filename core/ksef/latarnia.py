"""Latarnia: the Ministry's board that announces when KSeF is unavailable.

Source: the integrators' documentation of Latarnia: ``GET /status`` and ``GET /messages``, without
authentication. A message belongs to an event (``eventId``); a failure has one message at its start and
another at its end, and a maintenance is announced with both times. A corrected message comes with a higher
``version``. Members and values that are not known here are passed over, because the board is no part of the
API contract and may grow.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from operator import attrgetter

from core.ksef.errors import KsefUnavailable, UnreadableAnswer
from core.ksef.fields import FieldError, Fields
from core.ksef.transport import Request, Transport, TransportFailure

_OK = 200
_END = "FAILURE_END"


class Availability(StrEnum):
    """``status``: what the board says about KSeF now."""

    AVAILABLE = "AVAILABLE"
    MAINTENANCE = "MAINTENANCE"
    FAILURE = "FAILURE"
    TOTAL_FAILURE = "TOTAL_FAILURE"
    UNKNOWN = "UNKNOWN"
    """A word that this version does not know."""


class Category(StrEnum):
    """``category``: the kind of an event."""

    MAINTENANCE = "MAINTENANCE"
    FAILURE = "FAILURE"
    TOTAL_FAILURE = "TOTAL_FAILURE"


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the board.

    Attributes:
        id: its own id.
        event_id: joins the messages about one event.
        category: as the board writes it, see :class:`Category`.
        type: ``FAILURE_START``, ``FAILURE_END``, ``MAINTENANCE_ANNOUNCEMENT``, or what is new.
        title: for people, in Polish. text: the same.
        start: beginning of the event; None when it is not told.
        end: end of the event; None when it is not told.
        version: of the message; a higher one replaces a lower one.
        published: when it was published; None when it is not told.
    """

    id: str
    event_id: str
    category: str
    type: str
    title: str = ""
    text: str = ""
    start: datetime | None = None
    end: datetime | None = None
    version: int = 0
    published: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outage:
    """One event as an interval.

    Attributes:
        event_id: the board's id of it.
        category: kind.
        start: aware time.
        end: aware time; None while a failure goes on. The announced end of a maintenance may lie ahead.
        title: for people, in Polish; may be empty.
    """

    event_id: str
    category: Category
    start: datetime
    end: datetime | None = None
    title: str = ""

    def is_active(self, moment: datetime) -> bool:
        """Whether KSeF is out by this announcement at a moment; the end itself is outside."""
        return self.start <= moment and (self.end is None or moment < self.end)


@dataclass(frozen=True, slots=True)
class Status:
    """``GET /status``.

    Attributes:
        availability: what the board says.
        messages: messages about events that go on, where the board adds them.
    """

    availability: Availability
    messages: tuple[Message, ...] = ()


class Latarnia:
    """A client of one board.

    Args:
        url: base of the board, see :class:`core.ksef.environments.Environment`.
        transport: carries the requests; by default a new one over the network.
    """

    def __init__(self, url: str, transport: Transport | None = None) -> None:
        self._url = url.rstrip("/")
        self._transport = transport if transport is not None else _network()

    def status(self) -> Status:
        """What the board says now (``GET /status``).

        Raises:
            KsefUnavailable: no usable answer came; :class:`UnreadableAnswer` when it was no status.
        """
        data = self._get("/status")
        try:
            fields = Fields(data)
            return Status(_availability(fields.text("status")), _messages(fields.children("messages")))
        except FieldError as error:
            raise UnreadableAnswer(str(error), operation="GET /status") from None

    def messages(self) -> tuple[Message, ...]:
        """The messages that the board shows (``GET /messages``); a message without ids is passed over.

        Raises:
            KsefUnavailable: no usable answer came; :class:`UnreadableAnswer` when it was no list.
        """
        data = self._get("/messages")
        # a plain list, or a list inside an object
        rows = {"messages": data} if isinstance(data, list) else data
        try:
            return _messages(Fields(rows).children("messages"))
        except FieldError as error:
            raise UnreadableAnswer(str(error), operation="GET /messages") from None

    def _get(self, path: str) -> object:
        operation = f"GET {path}"
        try:
            answer = self._transport.send(
                Request("GET", self._url + path, headers={"Accept": "application/json"})
            )
        except TransportFailure as failure:
            raise KsefUnavailable(f"Latarnia does not answer: {failure}", operation=operation) from None
        if answer.status != _OK:
            pause = answer.headers.get("retry-after", "")
            raise KsefUnavailable(
                f"Latarnia answered {answer.status}",
                operation=operation,
                http_status=answer.status,
                retry_after=float(pause) if pause.isdecimal() else None,
            )
        try:
            data: object = json.loads(answer.body)
        except ValueError:
            raise UnreadableAnswer("Latarnia's answer is no JSON", operation=operation) from None
        return data


def outages(messages: Iterable[Message]) -> tuple[Outage, ...]:
    """Join messages by their event into intervals.

    Args:
        messages: of the board, in any order, repeated ones included.

    Returns:
        The events in the order of their start. An event of an unknown category, or without any start, says
        nothing that could be counted with, and is left out.
    """
    events: dict[str, list[Message]] = {}
    for message in sorted(messages, key=attrgetter("version")):
        events.setdefault(message.event_id, []).append(message)
    found = (_joined(event_id, said) for event_id, said in events.items())
    return tuple(sorted((one for one in found if one), key=attrgetter("start", "event_id")))


def active(events: Sequence[Outage], moment: datetime) -> Outage | None:
    """The gravest outage at a moment: a total failure before a failure before a maintenance."""
    now = [one for one in events if one.is_active(moment)]
    return max(now, key=lambda one: (_GRAVITY[one.category], one.start), default=None)


_CATEGORIES = frozenset(Category)
_GRAVITY = {Category.MAINTENANCE: 0, Category.FAILURE: 1, Category.TOTAL_FAILURE: 2}


def _joined(event_id: str, said: Sequence[Message]) -> Outage | None:
    """One event from its messages, of which a later version comes later."""
    known = [one for one in said if one.category in _CATEGORIES]
    ends = [one for one in known if one.type == _END]
    starts = [one for one in known if one.type != _END]
    opening = (starts or ends)[-1:]
    if not opening:
        return None
    start = opening[0].start or opening[0].published
    if start is None:
        return None
    end = opening[0].end
    if ends:
        end = ends[-1].end or ends[-1].published or end
    if end is not None and end < start:
        end = start
    return Outage(event_id, Category(opening[0].category), start, end, opening[0].title)


def _availability(word: str) -> Availability:
    try:
        return Availability(word.upper())
    except ValueError:
        return Availability.UNKNOWN


def _messages(rows: Iterable[Fields]) -> tuple[Message, ...]:
    found = (_message(row) for row in rows)
    return tuple(one for one in found if one is not None)


def _message(row: Fields) -> Message | None:
    """One message, or None when it does not even say which event it is about."""
    event_id = _id(row, "eventId")
    category, kind = _word(row, "category"), _word(row, "type")
    if not event_id or not category:
        return None
    return Message(
        id=_id(row, "id"),
        event_id=event_id,
        category=category,
        type=kind,
        title=_word(row, "title"),
        text=_word(row, "text"),
        start=_moment(row, "start"),
        end=_moment(row, "end"),
        version=_number(row, "version"),
        published=_moment(row, "published"),
    )


def _id(row: Fields, name: str) -> str:
    """An id, which may be a number or a text."""
    return _word(row, name) or (str(number) if (number := _number(row, name)) else "")


def _word(row: Fields, name: str) -> str:
    try:
        return row.optional_text(name) or ""
    except FieldError:
        return ""


def _number(row: Fields, name: str) -> int:
    try:
        return row.optional_integer(name) or 0
    except FieldError:
        return 0


def _moment(row: Fields, name: str) -> datetime | None:
    try:
        return row.optional_moment(name)
    except FieldError:
        return None


def _network() -> Transport:
    from core.ksef.http import HttpTransport, Timeouts  # noqa: PLC0415  loads the HTTP library

    # the board answers at once or not at all, and nothing may wait for it for long
    return HttpTransport(Timeouts(connect=3.0, read=5.0, total=10.0))
