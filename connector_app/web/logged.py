"""Requests in the log: each line that one causes says which it was, by an id that the answer names too.

Addresses are not written: they hold links' secrets and what people search for. Views are named as in the
code, and ids of documents, orders and the like are taken from the address by name.
"""

from __future__ import annotations

import re
import time
from contextlib import ExitStack
from uuid import uuid4

from flask import Flask, Response, g, request

from connector_app.log_events import Said
from connector_app.logs import Fact, Log, bound
from connector_app.web.here import here

_log = Log(__name__)

HEADER = "X-Request-ID"
_SANE = re.compile(r"[A-Za-z0-9._-]{8,64}")
_ERROR = 400


class LoggedFlask(Flask):
    """Flask whose unexpected errors are logged without the address."""

    def log_exception(self, exc_info: object) -> None:
        """Log an error that no view expected."""
        error = exc_info[1] if isinstance(exc_info, tuple) else None
        if isinstance(error, BaseException):
            _log.failed(Said.WEB_FAILED, error, endpoint=request.endpoint)


def request_id(given: str, *, is_believed: bool) -> str:
    """The id of a request: what a proxy gave it, else a new one.

    Args:
        given: as it came; empty when nothing did.
        is_believed: a proxy stands before this server.
    """
    return given if is_believed and _SANE.fullmatch(given) else uuid4().hex[:16]


def add_request_log(app: Flask) -> None:
    """Bind an id to each request, and log those that change something or fail."""

    @app.before_request
    def begin() -> None:
        g.log_ids = ExitStack()
        g.log_began = time.perf_counter()
        g.request_id = request_id(request.headers.get(HEADER, ""), is_believed=bool(here().options.proxies))
        g.log_ids.enter_context(bound(request_id=g.request_id, endpoint=request.endpoint, **_ids()))

    @app.after_request
    def measure(response: Response) -> Response:
        began = g.get("log_began")
        if began is None:
            return response
        response.headers[HEADER] = g.request_id
        changes = request.method not in {"GET", "HEAD", "OPTIONS"}
        write = _log.info if changes or response.status_code >= _ERROR else _log.debug
        took = round((time.perf_counter() - began) * 1000)
        write(Said.WEB_REQUEST, method=request.method[:8], status=response.status_code, ms=took)
        return response

    @app.teardown_request
    def end(_error: BaseException | None) -> None:
        stack = g.pop("log_ids", None)
        if stack is not None:
            stack.close()


def _ids() -> dict[str, Fact]:
    """Numbers that the address names: they are ids of rows."""
    return {name: one for name, one in (request.view_args or {}).items() if isinstance(one, int)}
