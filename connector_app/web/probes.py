"""``/healthz`` and ``/readyz``, for whatever restarts and routes to the process; and who may see more.

``/healthz``: the process answers; it looks at nothing else, so a busy database restarts nobody.
``/readyz``: the database answers, its tables have this program's form, and the background work is alive.
"""

from __future__ import annotations

from ipaddress import ip_address

from flask import Flask, Response, jsonify, request
from flask_login import current_user
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from connector_app.store.database import newest_form
from connector_app.web.access import me
from connector_app.web.here import here

_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")


def add_probes(app: Flask) -> None:
    """Add both addresses to the web application."""

    @app.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="ok")

    @app.get("/readyz")
    def readyz() -> tuple[Response, int]:
        checks = _checks()
        ready = all(checks.values())
        return jsonify(status="ok" if ready else "unavailable", checks=checks), 200 if ready else 503


def _checks() -> dict[str, bool]:
    place = here()
    database = migrations = False
    try:
        with place.services.database() as session:
            form = session.scalar(text("SELECT version_num FROM alembic_version"))
        database, migrations = True, form == newest_form()
    except SQLAlchemyError:
        pass  # what is wrong with it is said at /health
    # pages of a scaled installation are of use without workers: what they take in waits for them
    background = not place.pulse.is_silent(place.services.clock())
    return {"database": database, "migrations": migrations, "background": background}


def is_local() -> bool:
    """Whether a request comes from this very machine, not through a proxy on it."""
    try:
        address = ip_address((request.remote_addr or "").partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    if not (mapped or address).is_loopback:
        return False
    # a proxy that nobody told us of: its clients all look as if they were on this machine
    return here().options.proxies > 0 or not any(request.headers.get(name) for name in _FORWARDED)


def may_see_everything() -> bool:
    """Whether whoever asks may see all stores: from this machine, or as an owner of the installation."""
    return is_local() or bool(current_user and current_user.is_authenticated and me().is_admin)
