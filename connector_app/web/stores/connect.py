"""Pages: connecting a new store, and changing the connection of one."""

from __future__ import annotations

from collections.abc import Mapping

from flask import abort, flash, redirect, render_template, request, url_for
from flask_login import login_required
from flask_wtf import FlaskForm
from sqlalchemy import select
from werkzeug.wrappers import Response

from adapters import registry
from adapters.connecting import Connecting, Way
from adapters.contract import ShopError
from connector_app.store.models import Seller, Store
from connector_app.stores import (
    StoreRefused,
    connect_store,
    refuse_foreign,
    suggested_code,
    try_config,
)
from connector_app.vault import VaultLocked
from connector_app.web import access
from connector_app.web.access import Right, audit
from connector_app.web.flow import in_setup
from connector_app.web.here import here
from connector_app.web.language import say, t
from connector_app.web.stores import checking
from connector_app.web.stores.blueprint import stores, the_shop
from connector_app.web.stores.consent import ask, callback_url, is_possible
from connector_app.web.stores.forms import ADDRESS, CODE, connection_form, entered, kept_secrets


@stores.route("/sellers/<nip>/stores/new", methods=["GET", "POST"])
@login_required  # type: ignore[untyped-decorator]
def connect(nip: str) -> str | Response:
    """Choose a platform, then enter address and keys; they are checked as soon as they are stored."""
    place = here()
    with place.services.database() as session:
        seller = access.the_seller(session, nip, Right.OWN)
    platform = request.args.get("platform", "")
    if platform not in registry.PLATFORMS:
        platforms = [(one, registry.connecting(one)) for one in registry.PLATFORMS]
        return render_template("stores/platforms.html", seller=seller, platforms=platforms)
    about = registry.connecting(platform)
    way = about.way(request.args.get("way", "")) or about.ways[0]
    played = place.options.sandbox.shops.get(platform, {}) if place.options.sandbox else {}
    form = connection_form(about, way, shown=played, has_code=True)
    if form.validate_on_submit():
        answer = _save_new(seller, platform, about, way, form)
        if answer is not None:
            return answer
    return _page(form, about, platform, way, seller=seller)


@stores.route("/stores/<code>/connection", methods=["GET", "POST"])
@login_required  # type: ignore[untyped-decorator]
def connection(code: str) -> str | Response:
    """Change address, keys and options of a store; secrets that are left empty stay."""
    services = here().services
    with services.database() as session:
        store = the_shop(session, code, Right.OWN)
        seller = store.seller
    before = _config_of(store)
    about = registry.connecting(store.platform)
    way = about.way(request.args.get("way", "")) or about.way_of(before)
    typed = request.form.get(ADDRESS, before.get(ADDRESS, ""))
    kept = kept_secrets(about, way, before, typed)
    secret = {one.name for one in (*way.fields, *about.options) if one.kind == "secret"}
    shown = {name: value for name, value in before.items() if name not in secret | about.given}
    form = connection_form(about, way, kept=kept, shown=shown)
    if form.validate_on_submit():
        answer = _save(store, seller, about, way, form, before)
        if answer is not None:
            return answer
    return _page(form, about, store.platform, way, seller=seller, store=store)


def _page(
    form: FlaskForm,
    about: Connecting,
    platform: str,
    way: Way,
    *,
    seller: Seller,
    store: Store | None = None,
) -> str:
    agreed = registry.consent(platform)
    return render_template(
        "stores/connect.html",
        form=form,
        about=about,
        platform=platform,
        way=way,
        ways=[one for one in about.ways if not one.by_consent or is_possible(platform)],
        seller=seller,
        store=store,
        main=[ADDRESS, *(one.name for one in way.fields), *([CODE] if CODE in form else [])],
        options=[one.name for one in about.options],
        has_faults=any(form[one.name].errors for one in about.options),
        callback=callback_url(platform) if way.by_consent and agreed is not None else "",
        is_open=any(form[one.name].data not in (None, "", one.default) for one in about.options),
    )


def _save_new(
    seller: Seller, platform: str, about: Connecting, way: Way, form: FlaskForm
) -> Response | str | None:
    services = here().services
    config = entered(form, about, way, {})
    with services.database() as session:
        code = str(form[CODE].data or "").strip() or suggested_code(session, config[ADDRESS])
        known = session.scalar(select(Store).where(Store.code == code))
    if known is not None and (known.closed_at is None or known.seller_id != seller.id):
        form[CODE].errors = [
            t(f"Kod {code} ma już inny sklep.", f"Another store has the code {code} already.")
        ]
        return None
    if way.by_consent:
        return _ask(seller, code, platform, config, form)
    return _store(seller, code, platform, config, form, "store.connect")


def _save(
    store: Store, seller: Seller, about: Connecting, way: Way, form: FlaskForm, before: Mapping[str, str]
) -> Response | str | None:
    config = entered(form, about, way, before)
    if way.by_consent and not (about.way_of(config).code == way.code and "again" not in request.form):
        return _ask(seller, store.code, store.platform, config, form)
    return _store(seller, store.code, store.platform, config, form, "store.connection")


def _ask(seller: Seller, code: str, platform: str, config: Mapping[str, str], form: FlaskForm) -> str | None:
    """Send the person to the shop, by a link: a form may not lead to another address."""
    try:
        address = ask(seller, code, platform, config)
    except ShopError as error:
        form[ADDRESS].errors = [say(error.words)]
        return None
    return render_template("stores/agree.html", address=address, about=registry.connecting(platform))


def _store(
    seller: Seller, code: str, platform: str, config: Mapping[str, str], form: FlaskForm, action: str
) -> Response | None:
    place = here()
    try:
        try_config(platform, config)
    except ShopError as error:
        form[ADDRESS].errors = [say(error.words)]
        return None
    with place.services.database.begin() as session:
        row = session.get_one(Seller, seller.id)
        try:
            refuse_foreign(session, code, row)
            connect_store(place.services, session, row, code, platform, config)
        except StoreRefused as error:
            flash(f"{say(error.text)} {say(error.hint)}", "danger")
            return None
        audit(session, action, f"store:{code}", seller.id, {"platform": platform, "url": config[ADDRESS]})
    return after_connecting(code, seller.id)


def after_connecting(code: str, seller_id: int) -> Response:
    """Look at a store that was just connected, and show what is seen."""
    checking.begin(code)
    here().wake(seller_id)
    flash(
        t("Połączenie zapisano. Sprawdzamy je.", "The connection is stored. It is being checked."), "success"
    )
    return redirect(url_for("stores.page", code=code, setup="1" if in_setup() else None))


def _config_of(store: Store) -> dict[str, str]:
    try:
        config = here().services.vault.unseal(store.config)
    except VaultLocked:
        abort(503)
    return config if isinstance(config, dict) else {}
