"""An address on this machine that keeps what it receives."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from adapters.contract import EventReader, ShopEvent
from tests.woocommerce.servers import serving

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

Received = tuple[dict[str, str], bytes]


@dataclass
class Inbox:
    """What an address received.

    Attributes:
        url: where it listens.
        status: how it answers from now on.
        requests: headers in lower case and body, in the order in which they came.
    """

    url: str = ""
    status: str = "200 OK"
    requests: list[Received] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def reply(self, environ: WSGIEnvironment) -> tuple[str, list[tuple[str, str]], bytes]:
        """Keep a request and answer it."""
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        headers = {
            key.removeprefix("HTTP_").replace("_", "-").lower(): value
            for key, value in environ.items()
            if key.startswith("HTTP_")
        }
        with self._lock:
            self.requests.append((headers, body))
        return self.status, [], b""

    def events(self, read: EventReader, secrets: Sequence[str]) -> list[ShopEvent]:
        """What the deliveries say."""
        return [read(headers, body, secrets) for headers, body in self.requests]


@contextmanager
def inbox() -> Iterator[Inbox]:
    """A running inbox."""
    made = Inbox()
    with serving(made.reply) as place:
        made.url = f"http://{place}/webhooks/shop/key"
        yield made
