"""Servers whose answers a test makes up, and a clock that a test moves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from werkzeug.serving import WSGIRequestHandler, make_server

from adapters.woocommerce import WooCommerceAdapter
from adapters.woocommerce.client import Credentials, WooClient

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

KEYS = Credentials("ck_key", "cs_secret")
Reply = Callable[["WSGIEnvironment"], tuple[str, list[tuple[str, str]], bytes]]
Connect = Callable[..., WooCommerceAdapter]


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        """Move it."""
        self.now += timedelta(seconds=seconds)


class _Silent(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None: ...


@contextmanager
def serving(reply: Reply, **options: Any) -> Iterator[str]:
    """A server that answers as ``reply`` says; gives host and port."""

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        status, headers, body = reply(environ)
        start_response(status, headers)
        return [body]

    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_Silent, **options)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def client_of(url: str, credentials: Credentials = KEYS, **options: Any) -> Iterator[WooClient]:
    """A client that does not really pause."""
    client = WooClient(url, credentials, sleep=lambda _seconds: None, **options)
    try:
        yield client
    finally:
        client.close()


def json_reply(body: bytes, status: str = "200 OK", **headers: str) -> Reply:
    """A fixed answer."""
    sent = [("Content-Type", "application/json"), *((key.replace("_", "-"), v) for key, v in headers.items())]
    return lambda _environ: (status, sent, body)
