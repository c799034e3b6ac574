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

Shops tell of thousands of changes within seconds, so a delivery is taken at the door of the server
(:class:`_Gate`), before Flask begins what pages need: sessions, sign-in, language, form tokens, limits of
requests, headers for browsers. That is more work than verifying and keeping, and nothing of it applies here.
"""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from flask import Flask, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.wrappers import Request, Response

from adapters.contract import Entity, ForgedEvent, ShopError, ShopEvent, UnreadableEvent
from connector_app.doors import Doors, OpenDoor
from connector_app.log_events import Said
from connector_app.logs import Log, bound
from connector_app.measures import REQUESTS, WEB, WEBHOOKS
from connector_app.pipeline.arrivals import Arrivals, Outdated
from connector_app.pipeline.services import Services
from connector_app.vault import VaultLocked
from connector_app.web import logged
from connector_app.web.here import Wake, WebOptions
from connector_app.web.safety import csrf

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_log = Log(__name__)

LARGEST_BODY = 2 * 1024 * 1024
"""Bytes; an order with a thousand lines takes about one and a half million."""

_ENDPOINT = "webhook"
_PATH = re.compile("/webhooks/([^/]+)/([^/]+)")
_REFUSED = {ForgedEvent: 401, UnreadableEvent: 400}
_OK = 200


def add_webhooks(app: Flask, services: Services, wake: Wake, options: WebOptions) -> None:
    """Add the address to the web application.

    Args:
        app: the application.
        services: the installation.
        wake: called when there is something new to read.
        options: how it is reached.
    """
    receiver = _Receiver(services, wake, is_proxied=bool(options.proxies))

    # among the addresses of the application, so that other methods are refused; the gate is passed before
    @app.post("/webhooks/<code>/<key>", endpoint=_ENDPOINT)
    @csrf.exempt  # type: ignore[untyped-decorator]  # the platform's signature is what counts
    def webhook(code: str, key: str) -> Response:
        return receiver.answer(request, code, key)

    app.wsgi_app = _Gate(app.wsgi_app, receiver.answer)  # type: ignore[assignment, method-assign]


class _Gate:
    """Takes deliveries out of what goes to the application."""

    def __init__(self, inner: WSGIApplication, answer: Callable[[Request, str, str], Response]) -> None:
        self._inner = inner
        self._answer = answer

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "POST":
            found = _PATH.fullmatch(environ.get("PATH_INFO", ""))
            if found is not None:
                return self._answer(Request(environ), found[1], found[2])(environ, start)
        return self._inner(environ, start)


class _Receiver:
    """Answers deliveries, each with an id in the log and measured like every other request."""

    def __init__(self, services: Services, wake: Wake, *, is_proxied: bool) -> None:
        self._services = services
        self._wake = wake
        self._is_proxied = is_proxied
        self._doors = Doors(services)
        self._arrivals = Arrivals(services)

    def answer(self, request: Request, code: str, key: str) -> Response:
        """Take a delivery to an address."""
        began = time.perf_counter()
        given = request.headers.get(logged.HEADER, "") if self._is_proxied else ""
        name = logged.request_id(given, is_believed=self._is_proxied)
        with bound(request_id=name, endpoint=_ENDPOINT):
            status = self._status(request, code, key)
            took = time.perf_counter() - began
            # what was kept has a line of its own
            if status != _OK:
                _log.info(Said.WEB_REQUEST, method="POST", status=status, ms=round(took * 1000))
        measures = self._services.measures
        measures.observe(WEB, took, "POST", _ENDPOINT)
        measures.count(REQUESTS, _ENDPOINT, str(status))
        measures.keep_now_and_then(self._services.database)
        headers = {
            logged.HEADER: name,
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        }
        return Response(status=status, headers=headers, content_type="text/plain")

    def _status(self, request: Request, code: str, key: str) -> int:
        request.max_content_length = LARGEST_BODY
        if (request.content_length or 0) > LARGEST_BODY:
            return 413
        try:
            return self._take(request, code, key)
        except RequestEntityTooLarge:
            return 413
        except HTTPException as error:  # the sender went away, or its request is broken
            return error.code or 400
        except (SQLAlchemyError, VaultLocked, Outdated) as error:
            _log.warning(Said.WEBHOOK_REFUSED, error)
            self._services.measures.count(WEBHOOKS, code, "not-kept")
            return 503
        except Exception as error:
            _log.failed(Said.WEB_FAILED, error)
            return 500

    def _take(self, request: Request, code: str, key: str) -> int:
        """Verify and keep one delivery; the HTTP status of the answer."""
        known = self._doors.remembered(code)
        if known is not None and _is_key_of(known, key):
            # what goes wrong here is said by the door as it is now
            with suppress(ShopError, Outdated):
                event = _read(known, request)
                if event.entity is not Entity.PING:
                    return self._keep(known, event)
        door = self._doors.look(code)
        if door is None or not _is_key_of(door, key):
            return 404
        try:
            event = _read(door, request)
        except ShopError as error:
            _log.warning(Said.WEBHOOK_REFUSED, error, store_id=door.store_id)
            self._services.measures.count(WEBHOOKS, door.code, "refused")
            return _REFUSED.get(type(error), 503)
        if event.entity is Entity.PING:
            self._services.measures.count(WEBHOOKS, door.code, "ping")
            return _OK
        return self._keep(door, event)

    def _keep(self, door: OpenDoor, event: ShopEvent) -> int:
        """Keep what a delivery said, unless the store changed since the door was looked at.

        Raises:
            Outdated: it did.
            SQLAlchemyError: the database cannot be used.
        """
        self._services.way.came()
        new = self._arrivals.keep(door.store_id, event, lane=door.seller_id, verified_with=door.sealed)
        self._services.measures.count(WEBHOOKS, door.code, "new" if new else "copy")
        if new:
            self._wake(door.seller_id)
        return _OK


def _is_key_of(door: OpenDoor, key: str) -> bool:
    return hmac.compare_digest(door.door.key.encode(), key.encode())


def _read(door: OpenDoor, request: Request) -> ShopEvent:
    """Verify and read the request's body.

    Raises:
        ShopError: forged, unreadable, or the store's own data do not let it be verified.
    """
    headers = {name.lower(): value for name, value in request.headers.items()}
    return door.read(headers, request.get_data())
