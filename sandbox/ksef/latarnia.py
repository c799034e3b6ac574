"""Latarnia, the board that announces when KSeF is unavailable.

Source: the facts about Latarnia: GET /status and GET /messages without authentication; a failure has a
message at its start and another at its end, joined by ``eventId``.
"""

from __future__ import annotations

from datetime import datetime

from core.calendar import WARSAW
from sandbox.ksef import outages
from sandbox.ksef.call import Answer, Call
from sandbox.ksef.errors import Json
from sandbox.ksef.outages import Outage

_TITLES = {
    outages.MAINTENANCE: "Planowana niedostępność KSeF",
    outages.FAILURE: "Awaria KSeF",
    outages.TOTAL_FAILURE: "Awaria całkowita KSeF",
}


def status(call: Call) -> Answer:
    """GET /latarnia/status: what is in force now."""
    outage = outages.active(call.state)
    return Answer({"status": outage.category if outage else "AVAILABLE"})


def messages(call: Call) -> Answer:
    """GET /latarnia/messages: everything that was announced until now, newest first."""
    now = call.state.now()
    said = [message for outage in outages.all_of(call.state) for message in _messages(outage, now)]
    return Answer(sorted(said, key=lambda message: str(message["published"]), reverse=True))


def _messages(outage: Outage, now: datetime) -> list[Json]:
    opening = "MAINTENANCE_ANNOUNCEMENT" if outage.category == outages.MAINTENANCE else "FAILURE_START"
    said = []
    if outage.published <= now:
        planned = outage.end if outage.category == outages.MAINTENANCE else None
        said.append(_message(outage, opening, planned, outage.published, 1))
    if outage.end_published is not None and outage.end_published <= now:
        kind = opening if outage.category == outages.MAINTENANCE else "FAILURE_END"
        said.append(_message(outage, kind, outage.end, outage.end_published, 2))
    return said


def _message(outage: Outage, kind: str, end: datetime | None, published: datetime, version: int) -> Json:
    since = f"{outage.start.astimezone(WARSAW):%d.%m.%Y %H:%M}"
    until = f" do {end.astimezone(WARSAW):%d.%m.%Y %H:%M}" if end else ""
    title = _TITLES[outage.category]
    return {
        "id": f"{outage.event}-{version}",
        "eventId": outage.event,
        "category": outage.category,
        "type": kind,
        "title": f"{title} – zakończenie" if kind == "FAILURE_END" else title,
        "text": f"{title} od {since}{until} (piaskownica).",
        "start": outage.start.isoformat(),
        "end": end.isoformat() if end else None,
        "version": version,
        "published": published.isoformat(),
    }
