"""Which requests a shop got, in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from sandbox.prestashop import PrestaSandbox

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


class Listener(PrestaSandbox):
    """A shop that remembers its requests, and lets a test act before each.

    Attributes:
        requests: method and path of each.
        queries: the query of each, decoded.
        before: called with each path before it is answered.
    """

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.requests: list[str] = []
        self.queries: list[dict[str, list[str]]] = []
        self.headers: list[WSGIEnvironment] = []
        self.before: Callable[[str], None] = lambda _path: None

    def application(self) -> WSGIApplication:
        inner = super().application()

        def listen(environ: WSGIEnvironment, start_response: Any) -> Any:
            self.requests.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
            self.queries.append(parse_qs(environ["QUERY_STRING"], keep_blank_values=True))
            self.headers.append(environ)
            self.before(environ["PATH_INFO"])
            return inner(environ, start_response)

        return listen


@contextmanager
def listening(*args: Any, **named: Any) -> Iterator[Listener]:
    """A running shop that remembers its requests."""
    with Listener(*args, **named) as shop:
        yield shop
