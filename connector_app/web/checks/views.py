"""Pages of the numbers check of a seller; the check itself runs as a job, because KSeF takes its time."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask_login import login_required
from sqlalchemy import select
from sqlalchemy.orm import defer
from werkzeug.wrappers import Response as AnyResponse

from connector_app.checks.labels import PARTS, RESULTS
from connector_app.checks.output import as_csv, as_html, words_of
from connector_app.checks.period import BadPeriod, Period
from connector_app.checks.report import Part
from connector_app.checks.run import Watch, check_numbers
from connector_app.pipeline.services import Services
from connector_app.store.desk import Job, JobState
from connector_app.store.models import Seller
from connector_app.store.types import LARGEST_ID
from connector_app.web import access, jobs
from connector_app.web.access import Right, audit
from connector_app.web.checks.installation import add_installation
from connector_app.web.here import here
from connector_app.web.language import language, say
from core.calendar import warsaw_day
from core.findings import Text

checks = Blueprint("checks", __name__, template_folder="templates")
add_installation(checks)

KIND = "numbers-check"
_KEPT = 12
"""Earlier results that the page lists."""
_SHOWN = 50
"""Findings of one kind that the page shows; the files have more."""
_PAUSE = 0.5
_TYPES = {
    "html": "text/html; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json; charset=utf-8",
}


@checks.get("/checks")
@login_required  # type: ignore[untyped-decorator]
def index() -> str | AnyResponse:
    """The sellers whose numbers the person may check; straight to an only one."""
    with here().services.database() as session:
        found = access.sellers(session, Right.EXPORT)
    if not found:
        abort(403)
    if len(found) == 1:
        return redirect(url_for(".numbers", nip=found[0].nip))
    return render_template("checks/index.html", sellers=found)


@checks.route("/sellers/<nip>/numbers-check", methods=["GET", "POST"])
@login_required  # type: ignore[untyped-decorator]
def numbers(nip: str) -> str | AnyResponse:
    """Choose the months and start; what is at work, and earlier results."""
    services = here().services
    with services.database() as session:
        seller = access.the_seller(session, nip, Right.EXPORT)
    usual = warsaw_day(services.clock()).replace(day=1) - timedelta(days=1)
    begin = request.form.get("begin", "").strip() or f"{usual:%Y-%m}"
    end = request.form.get("end", "").strip() or begin
    fault = None
    if request.method == "POST" and request.form.get("begin"):
        try:
            period = Period.between(begin, end)
        except BadPeriod as error:
            fault = say(error.text)
        else:
            _start(seller, period, with_ksef=request.form.get("ksef") == "yes")
            return redirect(url_for(".numbers", nip=nip))
    of_seller = (Job.kind == KIND, Job.seller_id == seller.id)
    with services.database() as session:
        newest = session.scalar(
            select(Job).where(*of_seller).options(defer(Job.result)).order_by(Job.id.desc()).limit(1)
        )
        # a result may be long: only what the list shows is read of it
        results = session.execute(
            select(
                Job.id,
                Job.ended_at,
                Job.result["result"].as_string().label("result"),
                Job.result[("period", "label")].as_string().label("period"),
            )
            .where(*of_seller, Job.state == JobState.DONE)
            .order_by(Job.id.desc())
            .limit(_KEPT)
        ).all()
    return render_template(
        "checks/numbers.html",
        seller=seller,
        begin=begin,
        end=end,
        fault=fault,
        job=newest if newest is not None and newest.state != JobState.DONE else None,
        results=results,
        verdicts={one.value: name for one, name in RESULTS.items()},
    )


def _start(seller: Seller, period: Period, *, with_ksef: bool) -> None:
    seller_id = seller.id

    def work(services: Services, progress: jobs.Progress) -> dict[str, Any]:
        said_at = 0.0

        def tell(part: Part, done: int, total: int | None) -> None:
            nonlocal said_at
            if time.monotonic() - said_at >= _PAUSE:
                said_at = time.monotonic()
                name = PARTS[part]
                progress(done, total, Text(f"{name.pl}: {done}", f"{name.en}: {done}"))

        def waiting(seconds: float) -> None:
            until = f"{seconds / 60:.0f} min"
            progress(0, None, Text(f"Limit KSeF, przerwa {until}", f"Limit of KSeF, a pause of {until}"))

        watch = Watch(tell, waiting)
        return check_numbers(services, seller_id, period, with_ksef=with_ksef, watch=watch).as_json()

    jobs.start(KIND, f"{seller.nip}:{period.label}"[:128], seller_id, work)
    details = {"from": period.first.isoformat(), "to": period.last.isoformat(), "ksef": with_ksef}
    with here().services.database.begin() as session:
        audit(session, "seller.numbers-check", f"seller:{seller.nip}", seller_id, details)


@checks.get("/sellers/<nip>/numbers-check/<int:job_id>")
@login_required  # type: ignore[untyped-decorator]
def result(nip: str, job_id: int) -> str:
    """One result, made to be read and printed."""
    seller, report = _report(nip, job_id)
    return render_template(
        "checks/result.html",
        seller=seller,
        one=report,
        job_id=job_id,
        made_at=datetime.fromisoformat(report["made_at"]),
        link=_link,
        shown=_SHOWN,
        **words_of(report),
    )


@checks.get("/sellers/<nip>/numbers-check/<int:job_id>/<any(html, csv, json):form>")
@login_required  # type: ignore[untyped-decorator]
def file(nip: str, job_id: int, form: str) -> Response:
    """The result as a file to keep."""
    seller, report = _report(nip, job_id)
    if form == "html":
        content: str | bytes = as_html(report, language())
    elif form == "csv":
        content = as_csv(report, language())
    else:
        content = json.dumps(report, ensure_ascii=False, indent=2)
    answer = Response(content, content_type=_TYPES[form])
    name = f"numery-{seller.nip}-{report['period']['from']}-{report['period']['to']}.{form}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _report(nip: str, job_id: int) -> tuple[Seller, dict[str, Any]]:
    """A seller's result, or 404."""
    with here().services.database() as session:
        seller = access.the_seller(session, nip, Right.EXPORT)
        row = session.get(Job, job_id) if job_id <= LARGEST_ID else None
        if row is None or row.kind != KIND or row.seller_id != seller.id or not row.result:
            abort(404)
        return seller, row.result


def _link(path: str) -> str:
    """Where a finding leads; empty when it is of nothing here."""
    what, _, key = path.partition(":")
    if what == "document":
        return url_for("documents.page", document_id=key)
    return url_for("orders.page", order_id=key) if what == "order" else ""
