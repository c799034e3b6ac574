"""Pages of the dry run."""

from __future__ import annotations

import io
import time
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, send_file, url_for
from flask_login import login_required
from flask_wtf import FlaskForm
from sqlalchemy import select
from werkzeug.wrappers import Response
from wtforms import DateField
from wtforms.validators import InputRequired

from connector_app import ksef_access
from connector_app.dry_run import pictures
from connector_app.dry_run.keeping import LastRun
from connector_app.dry_run.outcomes import Outcome
from connector_app.dry_run.run import MOST_ORDERS, Period, last_quarter, last_run, run, wrong
from connector_app.pipeline.services import Services
from connector_app.store.desk import Job, JobState
from connector_app.store.models import Store
from connector_app.store.recovered import PLATFORM as RECOVERED
from connector_app.web import access, jobs
from connector_app.web.access import Right, audit
from connector_app.web.dry_run.words import CAUSES, OUTCOMES, duration, rate_name
from connector_app.web.flow import kept_setup
from connector_app.web.here import here
from connector_app.web.language import language, lazy, say
from core.calendar import warsaw_day
from core.findings import Text
from core.visual.errors import VisualError

dry_run = Blueprint("dryrun", __name__, template_folder="templates")

KIND = "dry-run"
_ROWS = 50
_MOMENT = timedelta(seconds=1)
_NEEDED = InputRequired(lazy("Podaj dzień.", "Give a day."))


class PeriodForm(FlaskForm):  # type: ignore[misc]  # the library ships no types
    """From one day to another."""

    first = DateField(lazy("Od dnia", "From"), [_NEEDED])
    last = DateField(lazy("Do dnia", "To"), [_NEEDED])


@dry_run.route("/stores/<code>/dry-run", methods=["GET", "POST"])
@login_required  # type: ignore[untyped-decorator]
def page(code: str) -> str | Response:
    """Choose a period and start; see the last result."""
    services = here().services
    today = warsaw_day(services.clock())
    with services.database() as session:
        posts = request.method == "POST"
        store = access.the_store(session, code, Right.OPERATE if posts else Right.READ)
        may_start = access.may(session, store.seller_id, Right.OPERATE) and _is_open(store)
        job = session.scalar(
            select(Job)
            .where(Job.kind == KIND, Job.subject == _subject(code), Job.seller_id == store.seller_id)
            .order_by(Job.id.desc())
            .limit(1)
        )
    usual = last_quarter(today)
    form = PeriodForm(first=usual.first, last=usual.last)
    if form.validate_on_submit() and form.first.data and form.last.data:
        period = Period(form.first.data, form.last.data)
        fault = wrong(period, today)
        if not _is_open(store):
            abort(404)
        if fault is None:
            _start(store, period)
            return redirect(url_for(".page", code=code, **kept_setup()))
        form.last.errors = [say(fault)]
    kept = last_run(services, store.id)
    result = kept.summary() if kept else None
    return render_template(
        "dry_run/page.html",
        store=store,
        form=form,
        job=job if job and _is_news(job, result) else None,
        may_start=may_start,
        result=result,
        made_at=datetime.fromisoformat(result["made_at"]) if result else None,
        orders=_orders(kept, result) if kept and result else None,
        **_words(),
    )


def _is_news(job: Job, result: dict[str, Any] | None) -> bool:
    """Whether a run still goes on, or ended after the last result without one of its own."""
    if result is None or job.state == JobState.RUNNING:
        return True
    return job.state != JobState.DONE and job.created_at > datetime.fromisoformat(result["made_at"])


def _is_open(store: Store) -> bool:
    return store.closed_at is None and store.platform != RECOVERED


def _subject(code: str) -> str:
    return f"store:{code}"


def _words() -> dict[str, Any]:
    return {
        "OUTCOMES": OUTCOMES,
        "CAUSES": CAUSES,
        "duration": duration,
        "rate_name": rate_name,
    }


def _start(store: Store, period: Period) -> None:
    store_id = store.id

    def work(services: Services, progress: jobs.Progress) -> dict[str, Any]:
        begin, now = period.begins, services.clock()
        said_at = 0.0

        def tell(seen: int, changed_at: datetime) -> None:
            nonlocal said_at
            if time.monotonic() - said_at < 0.5:
                return
            said_at = time.monotonic()
            part = (changed_at - begin) / max(now - begin, _MOMENT)
            progress(
                round(100 * min(max(part, 0.0), 1.0)),
                100,
                Text(f"Przeczytane zamówienia: {seen}", f"Orders read: {seen}"),
            )

        return {"orders": run(services, store_id, period, tell)["orders"]}

    services = here().services
    jobs.start(KIND, _subject(store.code), store.seller_id, work)
    with services.database.begin() as session:
        details = {"from": period.first.isoformat(), "to": period.last.isoformat()}
        audit(session, "store.dry-run", _subject(store.code), store.seller_id, details)


def _orders(kept: LastRun, result: dict[str, Any]) -> dict[str, Any]:
    """The rows that the address asks for."""
    raw, place = request.args.get("outcome", ""), request.args.get("group", type=int)
    outcome = Outcome(raw) if raw in set(Outcome) else None
    group = place if place is not None and 0 <= place < len(result["groups"]) else None
    number = min(max(1, request.args.get("page", 1, type=int)), MOST_ORDERS)
    found = kept.page((number - 1) * _ROWS, _ROWS, outcome=outcome, group=group)
    return {
        "rows": found.rows,
        "total": found.total,
        "page": number,
        "pages": max(1, -(-found.total // _ROWS)),
        "outcome": outcome,
        "group": group,
    }


@dry_run.get("/stores/<code>/dry-run/orders/<int:seq>")
@login_required  # type: ignore[untyped-decorator]
def order(code: str, seq: int) -> str:
    """One order: why, what is wrong, and pictures of its documents."""
    store, kept, result = _kept(code)
    row = kept.row(seq)
    if row is None:
        abort(404)
    drawn = []
    for one in row["documents"]:
        xml = kept.document(one["id"]) if one["id"] else None
        drawn.append((one, _pages(xml, store)))
    return render_template(
        "dry_run/order.html", store=store, row=row, drawn=drawn, stamp=result["made_at"], **_words()
    )


def _pages(xml: bytes | None, store: Store) -> int:
    """How many images there are; 0 when it cannot be drawn."""
    if xml is None:
        return 0
    try:
        return len(pictures.page_images(xml, _qr_url(store), language()))
    except VisualError:
        return 0


def _qr_url(store: Store) -> str:
    return ksef_access.environment_of(store.seller).qr_url


@dry_run.get("/stores/<code>/dry-run/documents/<int:document_id>/<kind>")
@login_required  # type: ignore[untyped-decorator]
def file(code: str, document_id: int, kind: str) -> Response:
    """A document of the run: ``xml``, ``pdf``, or ``picture`` with its page in the query."""
    store, kept, _ = _kept(code)
    xml = kept.document(document_id)
    if xml is None or kind not in {"xml", "pdf", "picture"}:
        abort(404)
    name = f"proba-{code}-{document_id}"
    try:
        if kind == "picture":
            images = pictures.page_images(xml, _qr_url(store), language())
            at = request.args.get("page", 1, type=int)
            if not 1 <= at <= len(images):
                abort(404)
            return _sent(images[at - 1], "image/png", f"{name}.png", as_attachment=False)
        if kind == "pdf":
            drawn = pictures.pdf(xml, _qr_url(store), language())
            return _sent(drawn, "application/pdf", f"{name}.pdf", as_attachment=True)
    except VisualError:
        abort(404)
    return _sent(xml, "application/xml", f"{name}.xml", as_attachment=True)


def _sent(data: bytes, kind: str, name: str, *, as_attachment: bool) -> Response:
    return send_file(io.BytesIO(data), mimetype=kind, download_name=name, as_attachment=as_attachment)


def _kept(code: str) -> tuple[Store, LastRun, dict[str, Any]]:
    services = here().services
    with services.database() as session:
        store = access.the_store(session, code, Right.READ)
        _ = store.seller.nip  # read before the session ends
    kept = last_run(services, store.id)
    result = kept.summary() if kept else None
    if kept is None or result is None:
        abort(404)
    return store, kept, result
