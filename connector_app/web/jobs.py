"""Long work that a person started in the browser: in a thread, with progress, looked at on a page of its own.

A job may be cut at any moment: what it does must be safe to begin again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from flask import Blueprint, abort, jsonify, render_template
from flask_login import login_required
from sqlalchemy import select, update
from werkzeug.wrappers import Response

from adapters.contract import ShopError
from connector_app.log_events import Said
from connector_app.logs import Log, bound
from connector_app.pipeline.services import Services, dump_text
from connector_app.store.desk import Job, JobState
from connector_app.store.sessions import lane_of
from connector_app.web import access
from connector_app.web.access import Right
from connector_app.web.here import here
from core.findings import SaidError, Text

_log = Log(__name__)

jobs = Blueprint("jobs", __name__)

_BROKEN = Text(
    "Wewnętrzny błąd; szczegóły są w dzienniku programu.", "An internal error; the program's log has details."
)


class JobFailed(SaidError):
    """What a job says when it cannot go on.

    Attributes:
        text: why, and what to do, for a person.
    """


class Progress:
    """Tells how far a job came; writes at most once for each step that it is told of.

    Args:
        services: the installation.
        job_id: its row.
    """

    def __init__(self, services: Services, job_id: int) -> None:
        self._services, self._job_id = services, job_id

    def __call__(self, done: int, total: int | None = None, says: Text | None = None) -> None:
        """So many of so many are done, and this is what happens now."""
        values: dict[str, Any] = {"done": done, "total": total}
        if says is not None:
            values["says"] = dump_text(says)
        with self._services.database.begin(lane_of(f"job {self._job_id}")) as session:
            session.execute(update(Job).where(Job.id == self._job_id).values(**values))


Work = Callable[[Services, Progress], "dict[str, Any] | None"]
"""Does the work and returns its result, JSON-ready."""


def start(kind: str, subject: str, seller_id: int | None, work: Work) -> int:
    """Begin long work for the current person, unless the same runs already.

    Args:
        kind: what work, such as ``dry-run``.
        subject: what it is about, such as ``store:demo``.
        seller_id: whose data it works on; who may read that seller may look at the job.
        work: called in a thread; raises :class:`JobFailed` or a shop's error to say why it cannot go on.

    Returns:
        The job's id.
    """
    place = here()
    with place.services.database.begin() as session:
        running = session.scalar(
            select(Job.id).where(
                Job.kind == kind,
                Job.subject == subject,
                Job.seller_id == seller_id,
                Job.state == JobState.RUNNING,
            )
        )
        if running is not None:
            return running
        row = Job(
            kind=kind,
            subject=subject,
            seller_id=seller_id,
            user_id=access.me().id,
            worker=place.worker or None,
            state=JobState.RUNNING,
            done=0,
            created_at=place.services.clock(),
        )
        session.add(row)
        session.flush()
        job_id = row.id
    threading.Thread(
        target=_run,
        args=(place.services, job_id, kind, seller_id, work),
        name=f"job-{job_id}",
        daemon=True,
    ).start()
    return job_id


def _run(services: Services, job_id: int, kind: str, seller_id: int | None, work: Work) -> None:
    with bound(task=kind, job_id=job_id, seller_id=seller_id):
        _run_bound(services, job_id, work)


def _run_bound(services: Services, job_id: int, work: Work) -> None:
    state, says, result = JobState.DONE, None, None
    try:
        result = work(services, Progress(services, job_id))
    except JobFailed as error:
        state, says = JobState.FAILED, error.text
    except ShopError as error:
        state, says = JobState.FAILED, error.words
    except Exception as error:
        _log.failed(Said.JOB_FAILED, error)
        state, says = JobState.FAILED, _BROKEN
    with services.database.begin() as session:
        row = session.get_one(Job, job_id)
        row.state, row.result, row.ended_at = state.value, result, services.clock()
        row.says = dump_text(says) if says else row.says


def visible_job(job_id: int) -> Job:
    """A job that the current person may look at, or 404."""
    with here().services.database() as session:
        row = session.get(Job, job_id)
        if row is None:
            abort(404)
        allowed = (
            row.user_id == access.me().id
            if row.seller_id is None
            else access.may(session, row.seller_id, Right.READ)
        )
        if not allowed:
            abort(404)
        return row


@jobs.get("/jobs/<int:job_id>")
@login_required  # type: ignore[untyped-decorator]
def page(job_id: int) -> str:
    """Progress; kinds with a page of their own show the result there."""
    return render_template("job.html", job=visible_job(job_id))


@jobs.get("/jobs/<int:job_id>.json")
@login_required  # type: ignore[untyped-decorator]
def state(job_id: int) -> Response:
    """The same for the page's script."""
    row = visible_job(job_id)
    return jsonify({"state": row.state, "done": row.done, "total": row.total})
