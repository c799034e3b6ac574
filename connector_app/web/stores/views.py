"""Pages: how a store stands, and what a person can let the connector do with it."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask_login import login_required
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from adapters import registry
from connector_app import subscriptions
from connector_app.pipeline import backfill as reading
from connector_app.pipeline.services import Services
from connector_app.policies import StorePolicy
from connector_app.store.models import Store
from connector_app.store_closing import UnderWay, WebhooksRemain, close_store, open_ones
from connector_app.web import access, jobs
from connector_app.web.access import Right, audit
from connector_app.web.formats import day as shown_day
from connector_app.web.formats import moment
from connector_app.web.here import here
from connector_app.web.jobs import Progress
from connector_app.web.language import say, t
from connector_app.web.stores import checking, connect, consent, mail, policy, texts
from connector_app.web.stores.blueprint import stores, the_shop
from connector_app.web.stores.state import progress_of, standing
from core.calendar import warsaw_day
from core.findings import Text

__all__ = ["connect", "consent", "mail", "policy", "stores", "texts"]

WEBHOOKS = "store-webhooks"


@stores.get("/stores/<code>")
@login_required  # type: ignore[untyped-decorator]
def page(code: str) -> str:
    """The state of a store."""
    services = here().services
    with services.database() as session:
        store = the_shop(session, code, Right.READ, closed=True)
        seen = standing(session, store, services.clock())
        return render_template(
            "stores/page.html",
            seen=seen,
            store=store,
            seller=store.seller,
            about=registry.connecting(store.platform),
            sends_events=registry.sends_events(store.platform),
            registering=checking.last(session, WEBHOOKS, code),
            can=_can(session, store),
            public_url=here().options.public_url,
            today=warsaw_day(services.clock()),
            resting=store.quiet_until is not None and store.quiet_until > services.clock(),
        )


def _can(session: Session, store: Store) -> dict[str, bool]:
    """What the person may do with an open store."""
    is_open = store.closed_at is None
    return {
        "operate": is_open and access.may(session, store.seller_id, Right.OPERATE),
        "own": is_open and access.may(session, store.seller_id, Right.OWN),
        "reopen": not is_open and access.may(session, store.seller_id, Right.OWN),
    }


@stores.post("/stores/<code>/look")
@login_required  # type: ignore[untyped-decorator]
def look(code: str) -> Response:
    """Let the background work look for something to do at once."""
    place = here()
    with place.services.database.begin() as session:
        store = the_shop(session, code, Right.OPERATE)
        audit(session, "store.look", f"store:{code}", store.seller_id)
        quiet, seller_id = store.quiet_until, store.seller_id
    place.wake(seller_id)
    if quiet is not None and quiet > place.services.clock():
        said = t(
            f"Sklep poprosił o przerwę do {moment(quiet)}; łącznik zajrzy do niego potem.",
            f"The shop asked for a pause until {moment(quiet)}; the connector looks after it.",
        )
        flash(said, "warning")
    else:
        flash(t("Łącznik zagląda do sklepu.", "The connector is looking at the shop."), "success")
    return _back(code)


@stores.post("/stores/<code>/check")
@login_required  # type: ignore[untyped-decorator]
def check(code: str) -> Response:
    """Look at connection, permissions and settings."""
    with here().services.database.begin() as session:
        store = the_shop(session, code, Right.OPERATE)
        audit(session, "store.check", f"store:{code}", store.seller_id)
    checking.begin(code)
    return _back(code)


@stores.post("/stores/<code>/webhooks")
@login_required  # type: ignore[untyped-decorator]
def register(code: str) -> Response:
    """Register the store's webhooks, or put them right."""
    place = here()
    base = place.options.public_url
    with place.services.database.begin() as session:
        store = the_shop(session, code, Right.OWN)
        store_id, seller_id = store.id, store.seller_id
        if base and registry.sends_events(store.platform):
            audit(session, "store.webhooks", f"store:{code}", seller_id)
    if not base or not registry.sends_events(store.platform):
        flash(
            t(
                "Bez publicznego adresu https sklep nie ma dokąd dawać znać o zmianach.",
                "Without a public https address the shop has nowhere to tell of changes.",
            ),
            "warning",
        )
        return _back(code)

    def work(services: Services, _progress: Progress) -> dict[str, Any] | None:
        subscriptions.register(services, store_id, base)
        return None

    jobs.start(WEBHOOKS, checking.subject(code), seller_id, work)
    return _back(code)


@stores.post("/stores/<code>/backfill")
@login_required  # type: ignore[untyped-decorator]
def backfill(code: str) -> Response:
    """Read a store's orders since a day anew; the background work does it, and goes on after a restart."""
    place = here()
    since = _day(request.form.get("since", ""))
    today = warsaw_day(place.services.clock())
    with place.services.database() as session:
        store = the_shop(session, code, Right.OPERATE)
    if since is None or since > today:
        flash(t("Podaj dzień, nie z przyszłości.", "Give a day, not in the future."), "danger")
        return _back(code)
    with place.services.database.begin() as session:
        audit(session, "store.backfill", f"store:{code}", store.seller_id, {"since": since.isoformat()})
    reading.ask(place.services, store.id, since)
    place.wake(store.seller_id)
    start = StorePolicy.from_json(store.policy).start_day
    if start is not None and since < start:
        flash(
            t(
                f"Zamówienia złożone przed {shown_day(start)} zostaną przeczytane, ale nie zafakturowane.",
                f"Orders placed before {shown_day(start)} are read, but not invoiced.",
            ),
            "info",
        )
    return _back(code)


@stores.get("/stores/<code>/backfill.json")
@login_required  # type: ignore[untyped-decorator]
def backfill_state(code: str) -> Response:
    """Progress for the page's script, in percent of the time that is read."""
    services = here().services
    with services.database() as session:
        store = the_shop(session, code, Right.READ, closed=True)
    progress = progress_of(store, services.clock())
    if progress is None:
        return jsonify({"state": "done", "done": 100, "total": 100})
    return jsonify({"state": "running", "done": progress.share, "total": 100})


@stores.route("/stores/<code>/remove", methods=["GET", "POST"])
@login_required  # type: ignore[untyped-decorator]
def remove(code: str) -> str | Response:
    """End the work with a shop, after saying what stays."""
    services = here().services
    with services.database() as session:
        store = the_shop(session, code, Right.OWN)
        waiting = open_ones(session, store.id)
        about = registry.connecting(store.platform)
    trouble: Text | None = None
    can_force = False
    if request.method == "POST":

        def note(session: Session, row: Store) -> None:
            audit(session, "store.remove", f"store:{row.code}", row.seller_id)

        try:
            close_store(services, store.id, force=request.form.get("force") == "yes", note=note)
        except WebhooksRemain as error:
            trouble, can_force = error.text, True
        except UnderWay as error:
            trouble = Text(f"{error.text.pl} {error.hint.pl}", f"{error.text.en} {error.hint.en}")
        else:
            flash(
                t(
                    "Sklep jest zamknięty; jego dokumenty zostają.",
                    "The store is closed; its documents stay.",
                ),
                "success",
            )
            return _back(code)
    return render_template(
        "stores/remove.html",
        store=store,
        about=about,
        waiting=waiting,
        trouble=say(trouble),
        can_force=can_force,
    )


def _back(code: str) -> Response:
    return redirect(url_for("stores.page", code=code))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
