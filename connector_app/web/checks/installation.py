"""The page on which owners of the installation see how it is, and have it examined as a whole."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from connector_app.checks.installation.run import Installation, examine
from connector_app.checks.installation.said import AREAS
from connector_app.pipeline.services import Services
from connector_app.store.desk import Job, JobState
from connector_app.web import jobs
from connector_app.web.access import admin_required
from connector_app.web.here import here
from core.findings import Text

KIND = "installation-check"
_SUBJECT = "installation"


def add_installation(blueprint: Blueprint) -> None:
    """Add the page to a blueprint."""
    view = admin_required(installation)
    blueprint.add_url_rule("/installation", "installation", view, methods=["GET", "POST"])


def installation() -> str | Response:
    """What is wrong with the installation; asking servers and reading all of the database is a job."""
    services = here().services
    if request.method == "POST":
        _start(network=request.form.get("network") == "yes")
        return redirect(url_for("checks.installation", whole="yes"))
    with services.database() as session:
        job = session.scalar(select(Job).where(Job.kind == KIND).order_by(Job.id.desc()).limit(1))
    whole = request.args.get("whole") == "yes" and job is not None
    if whole and job is not None and job.state == JobState.DONE and job.result:
        found: dict[str, Any] = job.result
    else:
        found = examine(Installation.of(services), services.clock(), network=False, deep=False).as_json()
    return render_template(
        "checks/installation.html",
        one=found,
        areas={area.value: name for area, name in AREAS.items()},
        made_at=datetime.fromisoformat(found["made_at"]),
        whole=whole,
        job=job if whole and job is not None and job.state != JobState.DONE else None,
        last=job if job is not None and job.state == JobState.DONE and not whole else None,
    )


def _start(*, network: bool) -> None:
    def work(services: Services, progress: jobs.Progress) -> dict[str, Any]:
        def tell(done: int, total: int) -> None:
            progress(done, total, Text(f"Zapytane serwery: {done}", f"Servers asked: {done}"))

        return examine(
            Installation.of(services), services.clock(), network=network, deep=True, tell=tell
        ).as_json()

    jobs.start(KIND, _SUBJECT, None, work)
