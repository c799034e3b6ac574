"""The sandbox as a running server on localhost."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from werkzeug.serving import WSGIRequestHandler, make_server

from sandbox.ksef import keys
from sandbox.ksef.app import create_app
from sandbox.ksef.operations import BASE_PATH
from sandbox.ksef.state import SandboxState, Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

HOST = "127.0.0.1"


class _Handler(WSGIRequestHandler):
    """HTTP/1.1 without the delay that Nagle's algorithm adds to an answer written in two pieces."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def connection_dropped(self, error: BaseException, environ: WSGIEnvironment | None = None) -> None:
        """Close the connection: a planned drop must reach the caller at once."""
        del error, environ
        self.close_connection = True

    def send_response(self, code: int, message: str | None = None) -> None:
        """Begin an answer without ``Date``: the application states the sandbox's own time."""
        self.send_response_only(code, message)
        self.send_header("Server", self.version_string())

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: addresses of downloads carry signatures."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002  the base class names it so
        """Log nothing: a dropped connection is often what a test asked for."""


class KsefSandbox:
    """A KSeF sandbox that serves in a thread; use it as a context manager or call start and stop.

    Args:
        port: port on 127.0.0.1; 0 takes a free one.
        state: what it remembers; None opens one. A state that is passed in is not closed by :meth:`stop`.
        database: SQLite file of a state opened here; None keeps it in memory.
        processing_seconds: delay before verdicts, of a state opened here.
        rate_limits: whether the published rate limits are enforced, of a state opened here.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        state: SandboxState | None = None,
        database: Path | None = None,
        processing_seconds: float = 1.0,
        rate_limits: bool = False,
    ) -> None:
        self._owns_state = state is None
        self.state = state or SandboxState.open(
            database, settings=Settings(processing_seconds=processing_seconds, rate_limits=rate_limits)
        )
        self._server = make_server(
            HOST, port, create_app(self.state), threaded=True, request_handler=_Handler
        )
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.02},
            name="ksef-sandbox",
            daemon=True,
        )

    @property
    def port(self) -> int:
        """The port it serves on."""
        return self._server.server_port

    @property
    def origin(self) -> str:
        """Address of the server without a path."""
        return f"http://{HOST}:{self.port}"

    @property
    def api_url(self) -> str:
        """Base address of the API, as a client's environment names it."""
        return f"{self.origin}{BASE_PATH}"

    @property
    def qr_url(self) -> str:
        """Base address of the verification pages behind QR codes."""
        return f"{self.origin}/qr"

    @property
    def latarnia_url(self) -> str:
        """Base address of the board of availability."""
        return f"{self.origin}/latarnia"

    @property
    def admin_url(self) -> str:
        """Base address of the sandbox's own operations."""
        return f"{self.origin}/sandbox"

    def start(self) -> Self:
        """Make missing keys and begin to serve."""
        keys.published(self.state)
        keys.seal(self.state)
        self._thread.start()
        return self

    def stop(self) -> None:
        """End serving and close the state that was opened here."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        if self._owns_state:
            self.state.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def serve(port: int, database: Path | None, processing_seconds: float, *, rate_limits: bool = False) -> None:
    """Serve until interrupted (SIGINT or SIGTERM), and print the addresses; what the command line calls.

    Args:
        port: port on 127.0.0.1; 0 takes a free one.
        database: SQLite file that survives a restart; None keeps everything in memory.
        processing_seconds: delay before verdicts.
        rate_limits: whether the published rate limits are enforced.
    """
    ended = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda _number, _frame: ended.set())
    try:
        with KsefSandbox(
            port, database=database, processing_seconds=processing_seconds, rate_limits=rate_limits
        ) as sandbox:
            print(f"KSeF API   {sandbox.api_url}")
            print(f"QR         {sandbox.qr_url}")
            print(f"Latarnia   {sandbox.latarnia_url}")
            print(f"Sandbox    {sandbox.admin_url}/state", flush=True)
            ended.wait()
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)
