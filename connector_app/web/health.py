"""Health: whether the installation works, as JSON for machines.

Problems name stores and sellers, so they are for this machine and for owners of the installation only; others
learn the status.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import Flask, Response, jsonify
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from connector_app import outages
from connector_app.ksef_notices import Noticed, noticed
from connector_app.outages import Announced
from connector_app.pipeline.services import Services
from connector_app.running import workers
from connector_app.store.database import trouble
from connector_app.store.models import Document, Store, WebhookEvent
from connector_app.store.recovered import IS_OPEN
from connector_app.store.running import Worker
from connector_app.web import probes
from connector_app.web.here import Pulse, here
from core.ksef.latarnia import active

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
        workers: who works, JSON-ready.
    """

    counts: Mapping[str, int]
    problems: list[str]
    boards: Mapping[str, Announced]
    stores: list[dict[str, Any]]
    works: bool
    noticed: Noticed = field(default_factory=Noticed)
    workers: list[dict[str, Any]] = field(default_factory=list)


def add_health(app: Flask) -> None:
    """Add the address to the web application."""

    @app.get("/health")
    def health_json() -> tuple[Response, int]:
        place = here()
        services, pulse = place.services, place.pulse
        seen = look(services, pulse)
        status = "degraded" if seen.problems else "ok"
        if not probes.may_see_everything():
            return jsonify(status=status), 200 if seen.works else 503
        values: Mapping[str, Any] = {
            "status": status,
            "last_pass": pulse.at.isoformat() if pulse.at else None,
            "problems": seen.problems,
            "workers": seen.workers,
            "documents": seen.counts,
            "stores": seen.stores,
            "latarnia": {url: _board_json(one, services.clock()) for url, one in seen.boards.items()},
            "notices": [*_sentences(seen.noticed), *pulse.notices],
            **seen.noticed.as_json(),
        }
        # KSeF or a shop being down is no fault of this process, and restarting it would not help
        return jsonify(values), 200 if seen.works else 503


def look(services: Services, pulse: Pulse) -> Seen:
    """What there is, and whether the process itself still works."""
    problems, said = troubles(services, pulse)
    silent = pulse.is_silent(services.clock())
    try:
        counts, boards, stores = _counts(services), _boards(services), _stores(services)
        at_work = [_worker_json(one) for one in workers.alive(services)]
    except SQLAlchemyError as error:
        return Seen({}, problems or [trouble(error).pl], {}, [], works=False)
    return Seen(counts, problems, boards, stores, works=not silent, noticed=said, workers=at_work)


def troubles(services: Services, pulse: Pulse) -> tuple[list[str], Noticed]:
    """What holds something up, in Polish, and what KSeF warns of; quick, for a page that people wait for."""
    problems = [*pulse.problems, *([_STOPPED] if pulse.is_silent(services.clock()) else [])]
    try:
        with services.database() as session:
            return problems, noticed(session, services.clock())
    except SQLAlchemyError as error:
        return [*problems, trouble(error).pl], Noticed()


def _sentences(said: Noticed) -> list[str]:
    """Warnings of KSeF and of the clock, in Polish, each with what to do."""
    return [f"{one.message.pl} {one.hint.pl}" for one in said.findings()]


def _boards(services: Services) -> dict[str, Announced]:
    with services.database() as session:
        return outages.boards_in_use(session)


def _worker_json(row: Worker) -> dict[str, Any]:
    return {
        "role": row.role,
        "host": row.host,
        "pid": row.pid,
        "since": row.started_at.isoformat(),
        "seen": row.seen_at.isoformat(),
        "doing": row.doing,
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
