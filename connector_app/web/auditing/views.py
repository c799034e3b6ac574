"""Pages of the audit log: a list by what whoever looks may see, and the same as a file."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, Response, abort, render_template, request, stream_with_context
from flask_login import login_required
from sqlalchemy import select
from sqlalchemy.orm import Session

from connector_app.people import trail
from connector_app.people.action_words import GROUPS, action_text
from connector_app.people.trail import Wanted
from connector_app.store.models import Seller
from connector_app.web import access
from connector_app.web.access import Right
from connector_app.web.here import here

auditing = Blueprint("auditing", __name__, template_folder="templates")


@auditing.get("/audit")
@login_required  # type: ignore[untyped-decorator]
def page() -> str:
    """Who did what, newest first."""
    with here().services.database() as session:
        wanted = _wanted(session)
        rows = trail.page(session, wanted, trail.read_mark(request.args.get("after", "")))
        sellers = session.execute(
            select(Seller.nip, Seller.name).where(Seller.id.in_(_owned(session))).order_by(Seller.name)
        ).all()
    filters = {name: one for name, one in request.args.items() if name in _FILTERS and one}
    older = {}
    if len(rows) == trail.PAGE:
        last = rows[-1][0]
        older = filters | {"after": trail.mark_text((last.at, last.id))}
    return render_template(
        "auditing/page.html",
        rows=rows,
        sellers=sellers,
        filters=filters,
        older=older,
        groups=GROUPS,
        action_text=action_text,
    )


@auditing.get("/audit.csv")
@login_required  # type: ignore[untyped-decorator]
def download() -> Response:
    """All entries of the same filter as a CSV file."""
    database = here().services.database
    with database() as session:
        wanted = _wanted(session)
    lines = stream_with_context(trail.as_csv(database, wanted))
    answer = Response(lines, content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return answer


_FILTERS = ("seller", "person", "group", "since", "until")


def _wanted(session: Session) -> Wanted:
    """What was asked for, within what may be seen; 403 for who owns nothing."""
    owned = _owned(session)
    everything = access.me().is_admin
    if not owned and not everything:
        abort(403)
    sellers: list[int] | None = None if everything and access.chosen() is None else owned
    if access.chosen() in owned:
        sellers = [one for one in owned if one == access.chosen()]
    nip = request.args.get("seller", "")
    if nip:
        sellers = [access.the_seller(session, nip, Right.OWN).id]
    group = request.args.get("group", "")
    return Wanted(
        sellers,
        person=request.args.get("person", "").strip()[:254],
        group=group if group in GROUPS else "",
        since=_day("since"),
        until=_day("until"),
    )


def _owned(session: Session) -> list[int]:
    return [one for one, has in access.rights(session).items() if has >= Right.OWN]


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None
