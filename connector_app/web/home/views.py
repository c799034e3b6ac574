"""The first page after signing in."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request
from flask_login import login_required
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from connector_app.store.models import Document, DocumentState
from connector_app.web import access
from connector_app.web.access import Right
from connector_app.web.health import board_line, look
from connector_app.web.here import here
from connector_app.web.safety import safe_next

home = Blueprint("home", __name__, template_folder="templates")


@home.get("/")
@login_required  # type: ignore[untyped-decorator]
def page() -> str:
    """Counts, problems and notices."""
    place = here()
    seen = look(place.services, place.pulse)
    with place.services.database() as session:
        sellers = access.visible(session)
        rows = session.execute(
            select(Document.state, func.count())
            .where(Document.seller_id.in_(sellers))
            .group_by(Document.state)
        ).all()
    counts: dict[str, Any] = {row[0]: row[1] for row in rows}
    return render_template(
        "home/page.html",
        counts=[(state, counts.get(state.value, 0)) for state in DocumentState],
        # they name sellers and stores of the whole installation
        problems=seen.problems if access.me().is_admin else [],
        notices=place.pulse.notices if access.me().is_admin else [],
        findings=seen.noticed.findings(),
        boards=[board_line(url, one, place.services.clock()) for url, one in seen.boards.items()],
    )


@home.post("/seller")
@login_required  # type: ignore[untyped-decorator]
def choose_seller() -> Response:
    """Narrow all pages to one seller, or show all again."""
    raw = request.form.get("seller", "")
    with here().services.database() as session:
        wanted = int(raw) if raw.isdigit() else None
        access.choose(wanted if wanted is not None and access.may(session, wanted, Right.READ) else None)
    return redirect(safe_next(request.form.get("next")))
