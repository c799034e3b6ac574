"""A WSGI application that answers on localhost in the background of a test or a demo."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HOST = "127.0.0.1"


class BackgroundServer:
    """Starts and stops an application; a subclass gives it in :meth:`application`.

    Args:
        port: to listen on; 0 takes a free one.
        handler: speaks HTTP.
    """

    def __init__(self, port: int, handler: type[WSGIRequestHandler]) -> None:
        self._port = port
        self._handler = handler
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Address while it runs, without a trailing slash."""
        assert self._server is not None, "the server is not running"
        return f"http://{HOST}:{self._server.server_port}"

    def application(self) -> WSGIApplication:
        """What answers, made anew at each start."""
        raise NotImplementedError

    def start(self) -> Self:
        """Listen and answer in the background; the port is open when this returns."""
        self._server = make_server(
            HOST, self._port, self.application(), threaded=True, request_handler=self._handler
        )
        # a request that a slow fault holds must not hold the server open after its end
        self._server.daemon_threads = True  # type: ignore[attr-defined] # of the threaded server
        self._server.block_on_close = False  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = self._thread = None

    def wait(self) -> None:
        """Block until it is stopped."""
        if self._thread is not None:
            self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class ShopHandler(WSGIRequestHandler):
    """HTTP/1.1 without a log, which would show keys and signatures."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""

    def send_response(self, code: int, message: str | None = None) -> None:
        """Send the status line alone: the shop's own clock writes the date."""
        self.send_response_only(code, message)

    def connection_dropped(self, *_: Any) -> None:
        """Close the connection that a fault dropped."""
        self.close_connection = True
