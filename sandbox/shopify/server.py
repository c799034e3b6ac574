"""The sandbox shop as a real HTTP server on localhost."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit

from graphql import GraphQLSchema
from werkzeug.serving import WSGIRequestHandler

from sandbox.background import BackgroundServer
from sandbox.faults import Fault, FaultMiddleware, FaultPlan
from sandbox.shopify.app import Shop, create_app
from sandbox.shopify.cost import Bucket
from sandbox.shopify.schema import pruned_schema
from sandbox.shopify.state import Json, ShopState, Token
from sandbox.shopify.webhooks import WebhookSender

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# credentials of a shop that lives on localhost only
DEMO_TOKEN: Final = "shpat_" + "a1" * 16
DEMO_CLIENT_ID: Final = "b2" * 16
DEMO_CLIENT_SECRET: Final = "shpss_" + "c3" * 16


class ShopifySandbox(BackgroundServer):
    """A Shopify shop on a localhost port, running inside a ``with`` block.

    Args:
        orders: in the shape of :mod:`sandbox.shopify.shapes`.
        clock: the time now, aware UTC.
        schema: what operations are answered by; the committed part when not given.
        settings: fields of ``Shop`` that differ.
        port: 0 takes a free one.
        state_path: file that keeps the shop over a restart; ``None`` keeps it in memory.
        sleep: waits the given seconds in a ``slow`` fault; ``None`` really waits.
    """

    token: str = DEMO_TOKEN
    client_id: str = DEMO_CLIENT_ID
    client_secret: str = DEMO_CLIENT_SECRET

    def __init__(
        self,
        orders: Iterable[Json] = (),
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        schema: GraphQLSchema | None = None,
        settings: Json | None = None,
        port: int = 0,
        state_path: Path | str | None = None,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        super().__init__(port, _QuietHandler)
        path = Path(state_path) if state_path else None
        self.state = ShopState(clock, self.client_id, self.client_secret, path=path)
        self.state.load()
        self.state.tokens[self.token] = Token()
        self.state.take_over(orders)
        self.state.save()
        self.shop = Shop(self.state, schema or pruned_schema(), Bucket(clock), settings or {})
        self.webhooks = WebhookSender(self.state, self.client_secret)
        self.state.happened = self.webhooks.emit
        self.calls: list[str] = []
        self._faults = FaultPlan()
        self._sleep = sleep

    def start(self) -> Self:
        """Listen and answer; deliveries name the address that stores connect to as the shop's domain."""
        super().start()
        self.webhooks.domain = urlsplit(self.url).netloc
        return self

    def application(self) -> WSGIApplication:
        """The shop behind its planned faults."""
        named = _Renamed(create_app(self.shop))
        faulty = (
            FaultMiddleware(named, self._faults)
            if self._sleep is None
            else FaultMiddleware(named, self._faults, self._sleep)
        )
        return _Naming(faulty, self.calls)

    def fault(self, kind: str, operation: str = "", *, times: int = 1, value: float | None = None) -> None:
        """Plan a fault; see :mod:`sandbox.faults`.

        Args:
            kind: what goes wrong.
            operation: regular expression for the operation's name, or ``access_token``.
            times: how many requests are spoiled.
            value: number whose meaning depends on the kind.

        Raises:
            FaultError: a fault that does not exist.
        """
        self._faults.add(Fault(kind, "", operation, times, value))

    def clear_faults(self) -> None:
        """Forget every planned fault."""
        self._faults.clear()


@dataclass(frozen=True, slots=True)
class _Naming:
    """Shows the faults an operation's name as the path, because all operations have one address."""

    application: WSGIApplication
    calls: list[str]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        environ["sandbox.path"] = environ["PATH_INFO"]
        try:
            name = str(json.loads(body)["operationName"])
        except (ValueError, KeyError, TypeError):
            name = environ["PATH_INFO"].rsplit("/", 1)[-1]
        self.calls.append(name)
        environ["PATH_INFO"] = name
        return self.application(environ, start_response)


@dataclass(frozen=True, slots=True)
class _Renamed:
    """Gives the path back."""

    application: WSGIApplication

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["PATH_INFO"] = environ["sandbox.path"]
        return self.application(environ, start_response)


class _QuietHandler(WSGIRequestHandler):
    """HTTP/1.1 without a log, which would show tokens."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""

    def connection_dropped(self, *_: Any) -> None:
        """Close the connection that a fault dropped."""
        self.close_connection = True
