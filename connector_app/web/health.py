"""Health: whether the installation works, as JSON for machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import Flask, Response, jsonify, request
from flask_login import current_user
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from connector_app import outages
from connector_app.ksef_notices import Noticed, noticed
from connector_app.outages import Announced
from connector_app.pipeline.services import Services
from connector_app.store.database import trouble
from connector_app.store.models import Document, Store, WebhookEvent
from connector_app.store.recovered import IS_OPEN
from connector_app.web.here import Pulse, here
from core.calendar import WARSAW
from core.ksef.latarnia import Availability, active
from core.ksef.offline import OfflinePolicy, choose

_STOPPED = "Praca w tle stanęła: od dawna nie skończyła ani jednego przebiegu. Uruchom program ponownie."


@dataclass(frozen=True, slots=True)
class Seen:
    """How the installation is.

    Attributes:
        counts: documents by state. problems: in words.
        boards: what is known of each Latarnia, by its address.
        stores: how each shop is read, JSON-ready.
        works: whether the process itself works.
        noticed: what KSeF warns of, and clocks that are off.
    """

    counts: Mapping[str, int]
    problems: list[str]
    boards: Mapping[str, Announced]
    stores: list[dict[str, Any]]
    works: bool
    noticed: Noticed = field(default_factory=Noticed)


def add_health(app: Flask) -> None:
    """Add the address to the web application."""

    @app.get("/health")
    def health_json() -> tuple[Response, int]:
        place = here()
        services, pulse = place.services, place.pulse
        seen = look(services, pulse)
        status = "degraded" if seen.problems else "ok"
        if not _may_see_details():
            return jsonify({"status": status}), 200 if seen.works else 503
        values: Mapping[str, Any] = {
            "status": status,
            "last_pass": pulse.at.isoformat() if pulse.at else None,
            "problems": seen.problems,
            "documents": seen.counts,
            "stores": seen.stores,
            "latarnia": {url: _board_json(one, services.clock()) for url, one in seen.boards.items()},
            "notices": [*_sentences(seen.noticed), *pulse.notices],
            **seen.noticed.as_json(),
        }
        # KSeF or a shop being down is no fault of this process, and restarting it would not help
        return jsonify(values), 200 if seen.works else 503


def _may_see_details() -> bool:
    """Problems and stores name sellers: they are for this machine and for the installation's owners."""
    if current_user.is_authenticated:
        return bool(current_user.row.is_admin)
    # behind a reverse proxy everybody seems to come from this machine, and proxies say so by these headers
    relayed = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"))
    return not relayed and request.remote_addr in {"127.0.0.1", "::1", None}


def look(services: Services, pulse: Pulse) -> Seen:
    """What there is, and whether the process itself still works."""
    silent = pulse.is_silent(services.clock())
    problems = [*pulse.problems, *([_STOPPED] if silent else [])]
    try:
        with services.database() as session:
            said = noticed(session, services.clock())
        return Seen(
            _counts(services),
            problems,
            _boards(services),
            _stores(services),
            works=not silent,
            noticed=said,
        )
    except SQLAlchemyError as error:
        return Seen({}, [*problems, trouble(error).pl], {}, [], works=False)


def _sentences(said: Noticed) -> list[str]:
    """Warnings of KSeF and of the clock, in Polish, each with what to do."""
    return [f"{one.message.pl} {one.hint.pl}" for one in said.findings()]


def _boards(services: Services) -> dict[str, Announced]:
    with services.database() as session:
        return outages.boards_in_use(session)


def board_line(url: str, seen: Announced, now: datetime) -> str:
    """What a Latarnia says, in a Polish sentence."""
    if seen.asked_at is None:
        return f"Latarnia ({url}): jeszcze nie pytano."
    asked = f"{seen.asked_at.astimezone(WARSAW):%d.%m.%Y %H:%M}"
    if seen.failure:
        return f"Latarnia ({url}) nie odpowiada (pytano {asked}); obowiązuje to, co mówiła wcześniej."
    choice = choose(seen.in_force, now, OfflinePolicy.AUTOMATIC)
    said = choice.rule.pl if choice.outage else _AVAILABILITY[seen.availability]
    return f"Latarnia ({url}), {asked}: {said}"


_AVAILABILITY = {
    Availability.AVAILABLE: "KSeF jest dostępny.",
    Availability.MAINTENANCE: "KSeF jest niedostępny (prace planowane).",
    Availability.FAILURE: "awaria KSeF.",
    Availability.TOTAL_FAILURE: "awaria całkowita KSeF.",
    Availability.UNKNOWN: "stan KSeF nieznany.",
}


def _board_json(seen: Announced, now: datetime) -> dict[str, Any]:
    outage = active(seen.in_force, now)
    return {
        "status": seen.availability.value,
        "asked_at": seen.asked_at.isoformat() if seen.asked_at else None,
        "failure": seen.failure or None,
        "outage": None
        if outage is None
        else {
            "category": outage.category.value,
            "start": outage.start.isoformat(),
            "end": outage.end.isoformat() if outage.end else None,
        },
    }


def _stores(services: Services) -> list[dict[str, Any]]:
    """How shops are read: by the clock, and by what they tell themselves."""
    with services.database() as session:
        stores = session.scalars(select(Store).where(IS_OPEN).order_by(Store.id)).all()
        events = session.execute(
            select(WebhookEvent.store_id, func.count())
            .where(WebhookEvent.done_at.is_(None))
            .group_by(WebhookEvent.store_id)
        ).all()
    waiting: dict[int, int] = {row[0]: row[1] for row in events}
    return [
        {
            "code": store.code,
            "looked_at": store.looked_at.isoformat() if store.looked_at else None,
            "events_waiting": waiting.get(store.id, 0),
            "webhooks": "trouble" if store.webhook_trouble else "registered" if store.webhook else "none",
        }
        for store in stores
    ]


def _counts(services: Services) -> dict[str, int]:
    with services.database() as session:
        rows = session.execute(select(Document.state, func.count()).group_by(Document.state)).all()
    return {str(row[0]): int(row[1]) for row in rows}
