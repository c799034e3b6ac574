"""Keys by consent in the shop: the asking, what the shop posts, and the browser that comes back."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import timedelta

from flask import abort, flash, redirect, request, url_for
from flask_login import login_required
from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from adapters import registry
from adapters.connecting import Consent
from adapters.contract import ShopError, UnreadableEvent
from connector_app.log_events import Said
from connector_app.logs import Log
from connector_app.store.consents import PendingConsent
from connector_app.store.models import Seller
from connector_app.stores import StoreRefused, connect_store, refuse_foreign, try_config
from connector_app.web import access
from connector_app.web.access import Right, audit
from connector_app.web.accounts.people import digest
from connector_app.web.here import here
from connector_app.web.language import say
from connector_app.web.safety import csrf, limiter
from connector_app.web.stores.blueprint import stores

_log = Log(__name__)

_LASTS = timedelta(hours=1)
_LARGEST = 16 * 1024


def callback_url(platform: str) -> str:
    """Our address that the shop sends the browser back to."""
    path = url_for("stores.callback", platform=platform)
    return f"{here().options.public_url or request.host_url.rstrip('/')}{path}"


def is_possible(platform: str) -> bool:
    """Whether a platform's shops can be asked from this installation."""
    agreed = registry.consent(platform)
    return agreed is not None and (not agreed.needs_https or here().options.public_url.startswith("https://"))


def ask(seller: Seller, code: str, platform: str, config: Mapping[str, str]) -> str:
    """Begin: the address in the shop for the person's browser.

    Args:
        seller: whose store.
        code: of the store.
        platform: whose shops can be asked.
        config: what was entered.

    Raises:
        ShopError: a value is malformed.
    """
    place = here()
    agreed = _consent(platform)
    if not is_possible(platform):
        abort(404)
    state = secrets.token_urlsafe(32)
    address = agreed.address(config, callback=callback_url(platform), state=state)
    now = place.services.clock()
    with place.services.database.begin() as session:
        session.execute(delete(PendingConsent).where(PendingConsent.expires_at < now - _LASTS))
        session.add(
            PendingConsent(
                state_sha256=digest(state),
                seller_id=seller.id,
                user_id=access.me().id,
                code=code,
                platform=platform,
                config=place.services.vault.seal(dict(config)),
                created_at=now,
                expires_at=now + _LASTS,
            )
        )
        audit(session, "store.ask", f"store:{code}", seller.id, {"platform": platform})
    return address


@stores.post("/oauth/<platform>/callback")
@csrf.exempt  # type: ignore[untyped-decorator]  # the shop posts; the state, which only it knows, counts
@limiter.limit("30/minute")
def delivery(platform: str) -> Response:
    """Keys that the shop itself posts; kept until the browser comes back."""
    request.max_content_length = _LARGEST
    agreed = _consent(platform)
    try:
        state, keys = agreed.delivered(request.get_data(cache=False))
    except UnreadableEvent:
        return Response(status=400)
    vault = here().services.vault
    with here().services.database.begin() as session:
        row = _pending(session, platform, state)
        if row is None:
            return Response(status=404)
        row.config = vault.seal({**_table(vault.unseal(row.config)), **keys})
    return Response(status=200)


@stores.get("/oauth/<platform>/callback")
@login_required  # type: ignore[untyped-decorator]
@limiter.limit("30/minute")
def callback(platform: str) -> Response:
    """The browser came back from the shop: take the keys and connect the store."""
    from connector_app.web.stores.connect import after_connecting  # noqa: PLC0415  it needs this module

    place = here()
    agreed = _consent(platform)
    params = request.args.to_dict()
    state = agreed.state_in(params)
    with place.services.database() as session:
        row = _pending(session, platform, state)
        if row is None or row.user_id != access.me().id:
            abort(404)
        seller = session.get_one(Seller, row.seller_id)
        access.the_seller(session, seller.nip, Right.OWN)
    config = _table(place.services.vault.unseal(row.config))
    try:
        keys = agreed.returned(config, params, state=state, now=place.services.clock())
        config |= keys
        try_config(platform, config)
        _finish(row, seller, config)
    except (ShopError, StoreRefused) as error:
        said = error.words if isinstance(error, ShopError) else error.text
        _log.warning(Said.STORE_FAILED, error, seller_id=seller.id, task="consent")
        flash(say(said), "danger")
        return redirect(url_for("stores.connect", nip=seller.nip, platform=platform))
    return after_connecting(row.code, row.seller_id)


def _finish(row: PendingConsent, seller: Seller, config: Mapping[str, str]) -> None:
    place = here()
    with place.services.database.begin() as session:
        pending = session.get_one(PendingConsent, row.id)
        if pending.done_at is not None:
            abort(404)
        pending.done_at = place.services.clock()
        # the keys stand in the store's row from now on
        pending.config = place.services.vault.seal({})
        owner = session.get_one(Seller, seller.id)
        refuse_foreign(session, row.code, owner)
        connect_store(place.services, session, owner, row.code, row.platform, config)
        details = {"platform": row.platform, "url": config["url"], "consent": True}
        audit(session, "store.connect", f"store:{row.code}", seller.id, details)


def _consent(platform: str) -> Consent:
    agreed = registry.consent(platform) if platform in registry.PLATFORMS else None
    if agreed is None:
        abort(404)
    return agreed


def _pending(session: Session, platform: str, state: str) -> PendingConsent | None:
    """The asking that a state belongs to, while it waits."""
    row = session.scalar(select(PendingConsent).where(PendingConsent.state_sha256 == digest(state)))
    now = here().services.clock()
    waits = row is not None and row.platform == platform and row.done_at is None and row.expires_at > now
    return row if waits else None


def _table(value: object) -> dict[str, str]:
    assert isinstance(value, dict), "connection data are a table"
    return value
