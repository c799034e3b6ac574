"""Somebody else's program that takes messages of hooks, on localhost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Got:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """Answers with ``statuses`` one after the other, then with 204; keeps what came."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    extra: dict[str, str] = field(default_factory=dict)
    got: list[Got] = field(default_factory=list)
    judge: Callable[[Got], int] | None = None


@contextmanager
def receiver(*statuses: int, **extra: str) -> Iterator[Receiver]:
    """Run one; ``extra`` are headers of its answers, with ``_`` for ``-``."""
    made = Receiver(
        statuses=list(statuses), extra={name.replace("_", "-"): value for name, value in extra.items()}
    )

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            one = Got(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            made.got.append(one)
            status = made.judge(one) if made.judge else made.statuses.pop(0) if made.statuses else 204
            self.send_response(status)
            for name, value in made.extra.items():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
