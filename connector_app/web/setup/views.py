"""Pages: who the company is, the list of steps, and the start of sending."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_login import current_user, login_required
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from connector_app import guided
from connector_app.policies import StorePolicy
from connector_app.profiles import BadProfile, parse
from connector_app.sellers import fill
from connector_app.store.models import Seller, Store
from connector_app.store.recovered import IS_OPEN
from connector_app.web import access
from connector_app.web.access import Right, admin_required, audit
from connector_app.web.flow import in_setup
from connector_app.web.here import here
from connector_app.web.ksef.reading import environment_name
from connector_app.web.language import say, t
from connector_app.web.safety import limiter
from connector_app.web.setup import steps
from connector_app.web.setup.companies import RegisterSilent, find_company
from connector_app.web.setup.forms import CompanyForm, NipForm, environment_of_choice
from core.fa import registry
from core.invoices.tax_ids import as_nip

setup = Blueprint("setup", __name__, template_folder="templates")


@setup.get("/setup")
@admin_required
def start() -> str | Response:
    """Who the company is: its NIP first."""
    with here().services.database() as session:
        unfinished = [
            row for row in session.scalars(select(Seller).order_by(Seller.id)) if row.setup is not None
        ]
    return render_template("setup/start.html", form=NipForm(), unfinished=unfinished, stage="nip")


@setup.post("/setup")
@limiter.limit("60/hour")
@admin_required
def look_up() -> str | Response:
    """What the public register says of a NIP, as a proposal."""
    form = NipForm()
    if not form.validate_on_submit():
        return render_template("setup/start.html", form=form, unfinished=[], stage="nip")
    nip = as_nip(str(form.nip.data)) or ""
    if (known := _known(nip)) is not None:
        return known
    found, remark = None, ""
    try:
        found = find_company(nip)
        if found is None:
            remark = t(
                "Wykaz podatników VAT nie zna tego NIP. Wpisz dane firmy.",
                "The list of VAT payers does not know this NIP. Type the company's data.",
            )
    except RegisterSilent:
        remark = t(
            "Wykaz podatników VAT nie odpowiada. Wpisz dane firmy.",
            "The list of VAT payers cannot be reached. Type the company's data.",
        )
    filled: Any = {"nip": nip, "environment": CompanyForm.default_choice()}
    if found is not None:
        filled |= {"name": found.name, "line1": found.line1, "line2": found.line2}
        remark = found.remark
    company = CompanyForm(formdata=None, data=filled)
    return render_template(
        "setup/start.html", form=company, stage="company", found=found is not None, remark=remark
    )


@setup.post("/setup/company")
@admin_required
def make() -> str | Response:
    """Make the seller; nothing of it is issued until its setup is finished."""
    form = CompanyForm()
    nip = as_nip(str(form.nip.data)) or ""
    if not form.validate_on_submit():
        return render_template("setup/start.html", form=form, stage="company")
    place = here()
    try:
        profile = parse(form.profile_values(nip))
    except BadProfile as error:
        return render_template(
            "setup/start.html", form=form, stage="company", faults=[say(one) for one in error.faults]
        )
    environment = environment_of_choice(str(form.environment.data))
    with place.services.database.begin() as session:
        if session.scalar(select(Seller.id).where(Seller.nip == nip)) is None:
            row = Seller(nip=nip, created_at=place.services.clock())
            fill(row, profile, environment, registry.schema_for("FA3"), "")
            guided.begin(row, place.services.clock())
            session.add(row)
            session.flush()
            audit(session, "seller.add", f"seller:{nip}", row.id, {"environment": str(form.environment.data)})
    flash(t("Firma jest zapisana.", "The company is saved."), "success")
    return redirect(url_for("setup.page", nip=nip))


def _known(nip: str) -> Response | None:
    """Where to go on when the seller is there already."""
    with here().services.database() as session:
        if session.scalar(select(Seller.id).where(Seller.nip == nip)) is None:
            return None
    flash(t("Ten sprzedawca już tu jest.", "This seller is here already."), "info")
    return redirect(url_for("setup.page", nip=nip))


@setup.get("/setup/<nip>")
@login_required  # type: ignore[untyped-decorator]
def page(nip: str) -> str:
    """The steps with their state, and what comes next."""
    services = here().services
    with services.database() as session:
        seller = access.the_seller(session, nip, Right.OWN)
        found = steps.steps(services, session, seller)
        return render_template(
            "setup/page.html",
            seller=seller,
            steps=found,
            following=steps.next_step(found),
            missing=steps.missing(found),
            environment=environment_name(seller),
            waiting=steps.waiting_orders(session, seller),
            stores=_stores(session, seller),
        )


def _stores(session: Session, seller: Seller) -> list[dict[str, Any]]:
    """What each store's start day is, for the last look before the start."""
    rows = session.scalars(select(Store).where(Store.seller_id == seller.id, IS_OPEN).order_by(Store.id))
    return [{"code": row.code, "start_day": StorePolicy.from_json(row.policy).start_day} for row in rows]


@setup.post("/setup/<nip>/seen/<step>")
@login_required  # type: ignore[untyped-decorator]
def see(nip: str, step: str) -> Response:
    """A person says that a step is fine as it is."""
    services = here().services
    with services.database.begin() as session:
        seller = access.the_seller(session, nip, Right.OWN)
        if step not in {one.name for one in steps.steps(services, session, seller) if one.may_skip}:
            abort(404)
        guided.see(seller, step)
        audit(session, "setup.step", f"seller:{nip}", seller.id, {"step": step})
    return redirect(url_for("setup.page", nip=nip))


@setup.post("/setup/<nip>/start")
@login_required  # type: ignore[untyped-decorator]
def go(nip: str) -> Response:
    """Start sending: what waits is issued from now on."""
    place = here()
    with place.services.database.begin() as session:
        seller = access.the_seller(session, nip, Right.OWN)
        lacking = steps.missing(steps.steps(place.services, session, seller))
        if lacking:
            flash(t("Najpierw: ", "First: ") + ", ".join(say(one.title) for one in lacking) + ".", "danger")
            return redirect(url_for("setup.page", nip=nip))
        if seller.setup is not None:
            guided.finish(seller)
            audit(session, "setup.start-sending", f"seller:{nip}", seller.id)
    place.wake(seller.id)
    flash(
        t(
            "Wysyłanie włączone. Pierwsze faktury pojawią się tu za chwilę.",
            "Sending has started. The first invoices show up here in a moment.",
        ),
        "success",
    )
    return redirect(url_for("home.page"))


@setup.after_app_request
def note_step(answer: Response) -> Response:
    """A settings page that was saved inside the setup leads back to it: its step is done."""
    step = steps.saved_step(request.endpoint)
    args = request.view_args or {}
    if request.method != "POST" or answer.status_code not in {302, 303} or step is None or not in_setup():
        return answer
    services = here().services
    with services.database.begin() as session:
        seller = _seller_of(session, args)
        if seller is not None and answer.location == url_for("setup.page", nip=seller.nip):
            guided.see(seller, step)
    return answer


@setup.app_context_processor
def header() -> dict[str, Any]:
    """The slim header of a page that is a step of the setup now."""
    if not in_setup() or not current_user.is_authenticated:
        return {"setup_of": None}
    try:
        return {"setup_of": _progress()}
    except SQLAlchemyError:
        # the page that tells of the database's trouble has no header
        return {"setup_of": None}


def _progress() -> dict[str, Any] | None:
    """How far the setup came that this page belongs to."""
    services = here().services
    with services.database() as session:
        seller = _seller_of(session, request.view_args or {})
        if seller is None or not access.may(session, seller.id, Right.OWN):
            return None
        found = steps.steps(services, session, seller)
    name = steps.step_of_page(request.endpoint)
    following = steps.next_step(found)
    return {
        "nip": seller.nip,
        "steps": found,
        "current": next((place for place, one in enumerate(found, 1) if one.name == name), None),
        "done": sum(one.state is steps.State.DONE for one in found),
        "following": None if following is None or following.name == name else following,
    }


def _seller_of(session: Session, args: dict[str, Any]) -> Seller | None:
    """The seller that a page's address names, itself or by its store."""
    if "nip" in args:
        return session.scalar(select(Seller).where(Seller.nip == args["nip"]))
    if "code" in args:
        return session.scalar(
            select(Seller).join(Store, Store.seller_id == Seller.id).where(Store.code == args["code"])
        )
    return None
