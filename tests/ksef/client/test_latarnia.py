"""Latarnia, the board of availability: reading it, and joining its messages into intervals."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from core.ksef.errors import KsefUnavailable, UnreadableAnswer
from core.ksef.latarnia import Availability, Category, Latarnia, active, outages
from core.ksef.transport import Answer, Request, TransportFailure

START, END = "2026-11-24T08:00:00+00:00", "2026-11-24T12:00:00+00:00"


@dataclass
class Board:
    """A board in the same process that answers what it was told."""

    body: bytes = b"[]"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    failure: TransportFailure | None = None
    asked: list[str] = field(default_factory=list)

    def send(self, request: Request) -> Answer:
        """Answer, or fail."""
        self.asked.append(f"{request.method} {request.url}")
        if self.failure:
            raise self.failure
        return Answer(self.status, self.headers, self.body)

    @property
    def client(self) -> Latarnia:
        return Latarnia("https://latarnia.example/", self)


def says(*messages: dict[str, object]) -> Latarnia:
    return Board(json.dumps(messages).encode()).client


def message(kind: str, **changes: object) -> dict[str, object]:
    base: dict[str, object] = {
        "id": "1",
        "eventId": 7,
        "category": "FAILURE",
        "type": kind,
        "title": "Awaria",
        "text": "Trwa awaria.",
        "start": START,
        "end": None,
        "version": 1,
        "published": START,
    }
    return base | changes


def test_the_start_and_the_end_of_an_event_are_one_interval() -> None:
    """In whatever order they are listed; ids may be numbers or texts."""
    client = says(message("FAILURE_END", id="2", eventId="7", end=END), message("FAILURE_START"))
    (found,) = outages(client.messages())
    assert (found.event_id, found.category) == ("7", Category.FAILURE)
    assert (found.start, found.end) == (datetime.fromisoformat(START), datetime.fromisoformat(END))
    assert found.title == "Awaria"


def test_a_failure_goes_on_until_its_end_is_announced() -> None:
    """It is active from its first moment on."""
    (found,) = outages(says(message("FAILURE_START")).messages())
    assert found.end is None
    assert found.is_active(datetime(2027, 1, 1, tzinfo=UTC))
    assert not found.is_active(datetime(2026, 11, 24, 7, 59, tzinfo=UTC))


def test_a_maintenance_is_announced_ahead_and_a_newer_version_replaces_an_older() -> None:
    """The times of the highest version count."""
    plan = {"category": "MAINTENANCE", "eventId": "m"}
    client = says(
        message("MAINTENANCE_ANNOUNCEMENT", **plan, version=2, end="2026-11-24T20:00:00+00:00"),
        message("MAINTENANCE_ANNOUNCEMENT", **plan, version=1, end=END),
    )
    (found,) = outages(client.messages())
    assert found.end == datetime(2026, 11, 24, 20, 0, tzinfo=UTC)
    assert active([found], datetime(2026, 11, 24, 19, 0, tzinfo=UTC)) is found
    assert active([found], datetime(2026, 11, 24, 20, 0, tzinfo=UTC)) is None


def test_an_end_without_a_time_is_the_moment_of_its_publication() -> None:
    """The count of days has to begin somewhere, and the announcement is what the law names."""
    client = says(message("FAILURE_START"), message("FAILURE_END", version=2, end=None, published=END))
    assert outages(client.messages())[0].end == datetime.fromisoformat(END)


def test_unknown_members_values_and_messages_are_passed_over() -> None:
    """The board may grow; what is understood is still used."""
    client = says(
        message("FAILURE_START", severity={"level": 3}, version="2", published=17),
        message("NEWS", category="INFORMATION", eventId="x"),
        {"title": "no event"},
    )
    messages = client.messages()
    assert [one.event_id for one in messages] == ["7", "x"]
    assert [one.event_id for one in outages(messages)] == ["7"]


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("AVAILABLE", Availability.AVAILABLE),
        ("MAINTENANCE", Availability.MAINTENANCE),
        ("FAILURE", Availability.FAILURE),
        ("TOTAL_FAILURE", Availability.TOTAL_FAILURE),
        ("PARTLY_CLOUDY", Availability.UNKNOWN),
    ],
)
def test_the_status_is_read_with_the_messages_it_may_carry(word: str, meaning: Availability) -> None:
    """A list inside an object is understood as well as a plain one."""
    board = Board(json.dumps({"status": word, "messages": [message("FAILURE_START")]}).encode())
    status = board.client.status()
    assert status.availability is meaning
    assert board.client.messages() == status.messages
    assert board.asked == [
        "GET https://latarnia.example/status",
        "GET https://latarnia.example/messages",
    ]


@pytest.mark.parametrize(
    ("board", "error"),
    [
        (Board(b"<html>"), UnreadableAnswer),
        (Board(b'"text"'), UnreadableAnswer),
        (Board(b'[{"eventId": 1}, 5]'), UnreadableAnswer),
        (Board(status=503, headers={"retry-after": "30"}), KsefUnavailable),
        (Board(failure=TransportFailure("no connection", sent=False)), KsefUnavailable),
    ],
)
def test_a_board_that_cannot_be_read_is_a_typed_error(board: Board, error: type[KsefUnavailable]) -> None:
    """Nobody waits for the board: the caller keeps what it knew."""
    with pytest.raises(error) as caught:
        board.client.messages()
    assert caught.value.operation == "GET /messages"
    if board.status == 503:
        assert caught.value.retry_after == 30


def test_the_graver_of_two_outages_is_the_one_that_counts() -> None:
    """A failure during a maintenance makes it a failure."""
    found = outages(
        says(
            message("MAINTENANCE_ANNOUNCEMENT", category="MAINTENANCE", eventId="m", end=END),
            message("FAILURE_START"),
            message("FAILURE_START", category="TOTAL_FAILURE", eventId="t", end=END),
        ).messages()
    )
    now = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    grave = active(found, now)
    assert grave is not None
    assert grave.category is Category.TOTAL_FAILURE
    later = active(found, datetime(2026, 11, 24, 13, 0, tzinfo=UTC))
    assert later is not None
    assert later.category is Category.FAILURE
