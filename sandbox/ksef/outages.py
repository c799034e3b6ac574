"""Outages that a person plays: announced on Latarnia, and in force on the API.

An outage is a maintenance that is announced with both times, or a failure or total failure that begins and
goes on until somebody ends it. While one is in force the API answers 503, unless the setting
``outage_stops_api`` says otherwise. Times are the sandbox's, so that moving its clock begins and ends them.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from sandbox.ksef.call import Answer, Body, Call, parse_moment
from sandbox.ksef.errors import BadRequest, Json, PlainProblem, Unavailable
from sandbox.ksef.state import SandboxState, stamp

MAINTENANCE = "MAINTENANCE"
FAILURE = "FAILURE"
TOTAL_FAILURE = "TOTAL_FAILURE"
CATEGORIES = (MAINTENANCE, FAILURE, TOTAL_FAILURE)
"""Kinds of outages, the gravest last."""

_PATIENCE_SECONDS = 60
"""Retry-After while nobody knows the end."""


@dataclass(frozen=True, slots=True)
class Outage:
    """One outage.

    Attributes:
        event: its number, ``eventId`` on the board.
        category: one of :data:`CATEGORIES`.
        start: aware UTC.
        end: aware UTC; None while a failure goes on.
        published: when it was announced, aware UTC.
        end_published: when the end of a failure was announced, aware UTC; None before.
    """

    event: int
    category: str
    start: datetime
    end: datetime | None
    published: datetime
    end_published: datetime | None

    def is_active(self, moment: datetime) -> bool:
        """Whether it is in force at a moment."""
        return self.start <= moment and (self.end is None or moment < self.end)

    def as_json(self, moment: datetime) -> Json:
        """The outage as the sandbox's own operations show it."""
        return {
            "event": self.event,
            "category": self.category,
            "start": self.start.isoformat(),
            "end": self.end.isoformat() if self.end else None,
            "active": self.is_active(moment),
        }


def all_of(state: SandboxState) -> list[Outage]:
    """Every outage, in the order in which they were announced."""
    return [_read(row) for row in state.all("SELECT * FROM outages ORDER BY event")]


def active(state: SandboxState) -> Outage | None:
    """The gravest outage that is in force now."""
    now = state.now()
    found = [one for one in all_of(state) if one.is_active(now)]
    return max(found, key=lambda one: CATEGORIES.index(one.category), default=None)


def check(state: SandboxState) -> None:
    """Refuse a call of the API while an outage is in force.

    Raises:
        Unavailable: 503 with the seconds until the announced end.
    """
    outage = active(state) if state.settings.outage_stops_api else None
    if outage is None:
        return
    left = (outage.end - state.now()).total_seconds() if outage.end else _PATIENCE_SECONDS
    raise Unavailable(max(1, ceil(left)))


def announce(call: Call) -> Answer:
    """POST /sandbox/outages {category, start, end}: a maintenance needs an end, a failure may begin later."""
    state, body = call.state, call.json()
    category = body.required_text("category")
    if category not in CATEGORIES:
        raise BadRequest(21405, f"category: oczekiwano jednego z: {', '.join(CATEGORIES)}.")
    now = state.now()
    start = _moment(body, "start") or now
    end = _moment(body, "end")
    if category == MAINTENANCE and end is None:
        raise BadRequest(21405, "end: niedostępność ogłasza się z końcem.")
    if end is not None and end <= start:
        raise BadRequest(21405, "end: koniec musi być po początku.")
    state.insert(
        "outages",
        category=category,
        begins=stamp(start),
        ends=stamp(end) if end else None,
        published=stamp(now if category == MAINTENANCE else max(now, start)),
        end_published=stamp(end) if end and category != MAINTENANCE else None,
    )
    return Answer(all_of(state)[-1].as_json(now), status=201)


def end(call: Call) -> Answer:
    """POST /sandbox/outages/{event}/end: it ends now, and the board says so."""
    state = call.state
    number = call.path["event"]
    outage = next((one for one in all_of(state) if str(one.event) == number), None)
    if outage is None:
        raise PlainProblem(404, "Not Found", "Nie ma takiego zdarzenia.")
    now = state.now()
    if outage.end is not None and outage.end <= now:
        raise BadRequest(21405, "event: to zdarzenie już się zakończyło.")
    state.run(
        "UPDATE outages SET ends = ?, end_published = ?, begins = min(begins, ?) WHERE event = ?",
        (stamp(now), stamp(now), stamp(now), outage.event),
    )
    return Answer(next(one for one in all_of(state) if one.event == outage.event).as_json(now))


def listing(call: Call) -> Answer:
    """GET /sandbox/outages: every outage, and whether it is in force."""
    now = call.state.now()
    return Answer([one.as_json(now) for one in all_of(call.state)])


def clear(call: Call) -> Answer:
    """DELETE /sandbox/outages: as if nothing had ever been announced."""
    call.state.run("DELETE FROM outages")
    return Answer(status=204)


def _moment(body: Body, name: str) -> datetime | None:
    text = body.text(name, required=False)
    return None if text is None else parse_moment(text, name)


def _read(row: sqlite3.Row) -> Outage:
    return Outage(
        event=row["event"],
        category=row["category"],
        start=datetime.fromisoformat(row["begins"]),
        end=_optional(row["ends"]),
        published=datetime.fromisoformat(row["published"]),
        end_published=_optional(row["end_published"]),
    )


def _optional(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
