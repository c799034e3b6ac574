"""The first page after signing in."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_login import login_required
from werkzeug.wrappers import Response

from connector_app.overview import ksef, numbers, stores, work
from connector_app.overview.stores import Health
from connector_app.proposals import open_count
from connector_app.web import access
from connector_app.web.access import Right
from connector_app.web.health import troubles
from connector_app.web.here import here
from connector_app.web.home.chart import bars
from connector_app.web.home.deciding import decisions
from connector_app.web.safety import safe_next
from connector_app.web.setup.steps import flow_needed
from core.calendar import warsaw_day

home = Blueprint("home", __name__, template_folder="templates")

_NEEDED = 8
_DEADLINES = 5
_LANES = 5
_DAYS = 30


@home.get("/")
@login_required  # type: ignore[untyped-decorator]
def page() -> str | Response:
    """What needs a person, what is under way, numbers, and how shops and KSeF are."""
    place = here()
    services = place.services
    with services.database() as session:
        if flow_needed(session):
            return redirect(url_for("setup.start"))
    problems, said = troubles(services, place.pulse)
    now = services.clock()
    today = warsaw_day(now)
    with services.database() as session:
        sellers = access.visible(session)
        counts = work.counts(session, sellers)
        lines = stores.board(services, session, sellers)
        needed = work.needed(session, sellers, _NEEDED)
        values: dict[str, Any] = {
            "needed": needed,
            "decisions": decisions(session, [one.id for one in needed]),
            "proposals": open_count(session, access.visible(session, Right.OPERATE)),
            "needs": sum(counts[state] for state in work.NEEDS_A_PERSON),
            "under_way": [(state, counts[state]) for state in work.UNDER_WAY],
            "soon": work.waiting_soon(session, sellers),
            "deadlines": work.deadlines(session, sellers, today, _DEADLINES),
            "lanes": ksef.lanes(services, session, sellers, _LANES),
            "boards": ksef.boards(session, now),
            "may_check": access.may_anywhere(session, Right.EXPORT),
            **_numbers(session, sellers, today),
        }
    whole = access.me().is_admin
    return render_template(
        "home/page.html",
        stores=[one for one in lines if one.health is not Health.GOOD] or lines[:_LANES],
        all_stores=len(lines),
        sick=sum(one.health is not Health.GOOD for one in lines),
        problems=problems if whole else [],
        notices=place.pulse.notices if whole else [],
        findings=said.findings() if whole else [],
        today=today,
        **values,
    )


def _numbers(session: Any, sellers: list[int], today: date) -> dict[str, Any]:
    month = numbers.issued(session, sellers, today.replace(day=1), today)
    return {
        "day": numbers.issued(session, sellers, today, today),
        "month": month,
        "bars": bars(numbers.by_day(session, sellers, today, _DAYS)),
    }


@home.post("/seller")
@login_required  # type: ignore[untyped-decorator]
def choose_seller() -> Response:
    """Narrow all pages to one seller, or show all again."""
    raw = request.form.get("seller", "")
    with here().services.database() as session:
        wanted = int(raw) if raw.isascii() and raw.isdigit() else None
        access.choose(wanted if wanted is not None and access.may(session, wanted, Right.READ) else None)
    return redirect(safe_next(request.form.get("next")))
