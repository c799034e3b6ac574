"""The archive looks at itself: all of it once in thirty days, some of it in every pass.

A page of documents costs some ten milliseconds, so that the work of the lanes does not feel it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from connector_app.keeping import options
from connector_app.keeping.verify import PAGE, Scope, Tally, count, look_at_documents, look_at_pages
from connector_app.pipeline.services import Services
from core.calendar import warsaw_day

ROUND = timedelta(days=30)
"""How often every file is read."""

_STATE = "archive-look"
_LEAST_A_DAY = 2_000
_PAGES_AT_ONCE = 5
_HEADROOM = 25
"""Days in which a round is to be done: five are left for days on which the program is off."""


def look(services: Services) -> Tally:
    """Look at the next portion, unless today's is done; damage is noted where it is found.

    Args:
        services: the installation.

    Returns:
        What was looked at now.
    """
    now = services.clock()
    with services.database() as session:
        seen = options.state(session, _STATE)
    seen = _of_today(services, seen, now)
    tally = Tally()
    if seen["done"]:
        if now - datetime.fromisoformat(seen["began"]) < ROUND:
            return tally
        seen |= _beginning(now)
    if seen["left"] <= 0:
        return tally
    if seen["after"] is not None:
        seen["after"] = look_at_documents(services, Scope(), seen["after"], PAGE, tally)
        seen["left"] -= tally.documents
    else:
        seller, reference, page = seen["page"]
        mark = look_at_pages(services, Scope(), (seller, reference, page), _PAGES_AT_ONCE, tally)
        seen["done"] = mark is None
        seen["page"] = list(mark) if mark else None
        if mark is None:
            seen["ended"] = now.isoformat()
    with services.database.begin() as session:
        options.put_state(session, _STATE, seen)
    return tally


def last_round(services: Services) -> datetime | None:
    """When the archive had been read whole the last time (aware UTC)."""
    with services.database() as session:
        ended = options.state(session, _STATE).get("ended")
    return datetime.fromisoformat(ended) if ended else None


def _of_today(services: Services, seen: dict[str, Any], now: datetime) -> dict[str, Any]:
    """The state with what is left of today's budget."""
    today = warsaw_day(now).isoformat()
    if not seen:
        seen = _beginning(now)
    if seen.get("day") != today:
        seen |= {"day": today, "left": max(_LEAST_A_DAY, count(services) // _HEADROOM)}
    return seen


def _beginning(now: datetime) -> dict[str, Any]:
    return {"began": now.isoformat(), "after": 0, "page": [0, "", 0], "done": False}
