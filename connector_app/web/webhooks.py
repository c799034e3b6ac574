"""Where shops' webhooks come in: verified, kept, answered at once; the reading is done by the runner.

==========  ================================================================================
``200``     kept, or known already, or a trial delivery
``400``     rightly signed, and not what the platform documents
``401``     no right signature
``404``     no such store, or not its address: both look alike
``413``     larger than any platform sends
``503``     it cannot be kept now
==========  ================================================================================

Nothing of a body reaches the log, an answer or anything but its reader.
"""

from __future__ import annotations

import hmac

from flask import Flask, Response, request
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import RequestEntityTooLarge

from adapters import registry
from adapters.contract import Entity, ForgedEvent, ShopError, ShopEvent, UnreadableEvent
from connector_app import subscriptions
from connector_app.log_events import Said
from connector_app.logs import Log
from connector_app.measures import WEBHOOKS
from connector_app.pipeline.arrivals import Arrivals
from connector_app.pipeline.services import Services
from connector_app.store.models import Store
from connector_app.store.recovered import IS_OPEN
from connector_app.subscriptions import Door
from connector_app.vault import VaultLocked
from connector_app.web.here import Wake
from connector_app.web.safety import csrf

_log = Log(__name__)

LARGEST_BODY = 2 * 1024 * 1024
"""Bytes; an order with a thousand lines takes about one and a half million."""


_REFUSED = {ForgedEvent: 401, UnreadableEvent: 400}


def add_webhooks(app: Flask, services: Services, wake: Wake) -> None:
    """Add the address to the web application.

    Args:
        app: the application.
        services: the installation.
        wake: called when there is something new to read.
    """
    arrivals = Arrivals(services)

    @app.post("/webhooks/<code>/<key>")
    @csrf.exempt  # type: ignore[untyped-decorator]  # the platform's signature is what counts
    def webhook(code: str, key: str) -> Response:
        request.max_content_length = LARGEST_BODY
        if (request.content_length or 0) > LARGEST_BODY:
            return _answer(413)
        try:
            return _answer(_take(services, arrivals, code, key, wake))
        except (SQLAlchemyError, VaultLocked) as error:
            _log.warning(Said.WEBHOOK_REFUSED, error)
            services.measures.count(WEBHOOKS, code, "not-kept")
            return _answer(503)


def _take(services: Services, arrivals: Arrivals, code: str, key: str, wake: Wake) -> int:
    """Verify and keep one delivery; the HTTP status of the answer."""
    with services.database() as session:
        store = session.scalar(select(Store).where(Store.code == code, IS_OPEN))
    door = subscriptions.door_of(services, store) if store is not None else None
    if store is None or door is None or not hmac.compare_digest(door.key.encode(), key.encode()):
        return 404
    try:
        event = _read(services, store, door)
    except RequestEntityTooLarge:
        return 413
    except ShopError as error:
        _log.warning(Said.WEBHOOK_REFUSED, error, store_id=store.id)
        services.measures.count(WEBHOOKS, store.code, "refused")
        return _REFUSED.get(type(error), 503)
    if event.entity is Entity.PING:
        services.measures.count(WEBHOOKS, store.code, "ping")
    else:
        new = arrivals.keep(store.id, event)
        _log.info(
            Said.WEBHOOK,
            store_id=store.id,
            topic=event.topic,
            entity=event.entity.value,
            entity_id=event.entity_id,
            is_new=new,
        )
        services.measures.count(WEBHOOKS, store.code, "new" if new else "copy")
        if new:
            wake(store.seller_id)
    return 200


def _read(services: Services, store: Store, door: Door) -> ShopEvent:
    """Verify and read the request's body.

    Raises:
        ShopError: forged, unreadable, or the store's own data do not let it be verified.
    """
    config = services.vault.unseal(store.config)
    assert isinstance(config, dict)
    read = registry.event_reader(store.platform, config)
    if read is None:
        raise UnreadableEvent("the platform sends no webhooks")
    headers = {name.lower(): value for name, value in request.headers.items()}
    return read(headers, request.get_data(cache=False), door.secrets)


def _answer(status: int) -> Response:
    return Response(status=status, content_type="text/plain")
