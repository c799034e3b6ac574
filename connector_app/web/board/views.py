"""One page with a line for each store."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask_login import login_required

from connector_app.overview import stores
from connector_app.overview.stores import Health, StoreLine
from connector_app.web import access
from connector_app.web.access import Right
from connector_app.web.here import here

board = Blueprint("board", __name__, template_folder="templates")


@board.get("/stores")
@login_required  # type: ignore[untyped-decorator]
def page() -> str:
    """All stores that the person may see, those in trouble first when asked for."""
    place = here()
    with place.services.database() as session:
        lines = stores.board(place.services, session, access.visible(session))
        owns = [seller.nip for seller in access.sellers(session, Right.OWN)]
    wanted, text = request.args.get("health", ""), request.args.get("q", "").strip().casefold()
    shown = [one for one in lines if (not wanted or one.health == wanted) and _has(one, text)]
    return render_template(
        "board/page.html",
        lines=shown,
        total=len(lines),
        counts={health: sum(one.health is health for one in lines) for health in Health},
        wanted=wanted,
        owns=owns,
    )


def _has(one: StoreLine, text: str) -> bool:
    """Whether a line holds what somebody looks for."""
    return text in f"{one.code} {one.url} {one.seller} {one.nip} {one.platform}".casefold()
