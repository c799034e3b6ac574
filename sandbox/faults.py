"""Faults on demand: what goes wrong with which requests to a shop.

==================  =====================================================================================
``drop_before``     the connection ends without an answer, nothing was done
``drop_after``      the connection ends without an answer, everything was done and stored
``slow``            everything was done, the answer comes ``value`` seconds later (default 5)
``http_500``        500 with an error page in HTML, nothing was done
``http_503``        503, with Retry-After ``value`` when it is given, nothing was done
``http_429``        429, with Retry-After ``value`` when it is given, nothing was done
``html``            a firewall's page with status ``value`` (default 200), nothing was done
``truncate``        everything was done, only the first half of the body arrives
``cut``             everything was done, half of the body arrives as if it were all
``redirect``        301 to another host, nothing was done
``huge``            a JSON text of ``value`` bytes (default 5 000 000), nothing was done
==================  =====================================================================================
"""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

KINDS = frozenset(
    {
        "drop_before",
        "drop_after",
        "slow",
        "http_500",
        "http_503",
        "http_429",
        "html",
        "truncate",
        "cut",
        "redirect",
        "huge",
    }
)
_CONTROL = "/sandbox/"
_PAGE = "<!DOCTYPE html><html lang='pl'><title>{0}</title><h1>{0}</h1></html>"
_PAUSED = {
    "http_503": ("503 Service Unavailable", "Przerwa techniczna"),
    "http_429": ("429 Too Many Requests", "Too Many Requests"),
}
_CRITICAL = "There has been a critical error on this website."


class FaultError(ValueError):
    """A fault that cannot be planned; the message says why."""


@dataclass(slots=True)
class Fault:
    """One planned fault.

    Attributes:
        kind: see the module's table.
        method: HTTP method it waits for; empty for any.
        path: regular expression searched in the path.
        times: how many requests it spoils yet.
        value: number whose meaning depends on the kind.
    """

    kind: str
    method: str = ""
    path: str = ""
    times: int = 1
    value: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise FaultError(f"unknown kind of fault {self.kind!r}; known: {', '.join(sorted(KINDS))}")
        if self.times < 1:
            raise FaultError(f"a fault needs at least one request to spoil, got {self.times}")
        try:
            re.compile(self.path)
        except re.error as error:
            raise FaultError(f"{self.path!r} is no regular expression: {error}") from None

    def fits(self, method: str, path: str) -> bool:
        """Whether it waits for such a request."""
        return self.method in {"", method} and re.search(self.path, path) is not None


@dataclass(slots=True)
class FaultPlan:
    """The faults that wait for their requests, in the order in which they were planned.

    Attributes:
        played: how often a fault of each kind has spoiled a request.
    """

    played: Counter[str] = field(default_factory=Counter)
    _faults: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, fault: Fault) -> None:
        """Plan a fault."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Forget every planned fault."""
        with self._lock:
            self._faults.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The first fault that waits for this request, one use of it spent."""
        with self._lock:
            for fault in self._faults:
                if fault.fits(method, path):
                    self.played[fault.kind] += 1
                    fault.times -= 1
                    if not fault.times:
                        self._faults.remove(fault)
                    return fault
        return None


@dataclass(frozen=True, slots=True)
class FaultMiddleware:
    """WSGI application in front of the shop that spoils the planned requests.

    Attributes:
        application: the shop.
        plan: where the faults wait.
        sleep: waits that many seconds.
    """

    application: WSGIApplication
    plan: FaultPlan
    sleep: Callable[[float], None] = time.sleep

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request, spoiled or not.

        Raises:
            ConnectionAbortedError: the server is to drop the connection.
        """
        path: str = environ.get("PATH_INFO", "")
        fault = None if path.startswith(_CONTROL) else self.plan.take(environ["REQUEST_METHOD"], path)
        if fault is None:
            return self.application(environ, start_response)
        if fault.kind == "drop_before":
            raise ConnectionAbortedError("dropped before the request was handled")
        page = _page_of(fault)
        if page is not None:
            status, headers, text = page
            start_response(status, headers)
            return [text.encode()]
        status, headers, body = run_whole(self.application, environ)
        return self._spoil_answer(fault, status, headers, body, start_response)

    def _spoil_answer(
        self,
        fault: Fault,
        status: str,
        headers: list[tuple[str, str]],
        body: bytes,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        if fault.kind == "drop_after":
            raise ConnectionAbortedError("dropped after the request was handled")
        if fault.kind == "slow":
            self.sleep(5.0 if fault.value is None else fault.value)
            start_response(status, headers)
            return [body]
        half = body[: len(body) // 2]
        length = len(body) if fault.kind == "truncate" else len(half)
        kept = [(name, value) for name, value in headers if name.lower() != "content-length"]
        start_response(status, [*kept, ("Content-Length", str(length)), ("Connection", "close")])
        return [half]


def _page_of(fault: Fault) -> tuple[str, list[tuple[str, str]], str] | None:
    """Status line, headers and body of a fault that answers in the shop's stead."""
    html = ("Content-Type", "text/html; charset=UTF-8")
    pause = [] if fault.value is None else [("Retry-After", f"{fault.value:g}")]
    match fault.kind:
        case "http_500":
            return "500 Internal Server Error", [html], _PAGE.format(_CRITICAL)
        case "http_503" | "http_429":
            status, title = _PAUSED[fault.kind]
            return status, [html, *pause], _PAGE.format(title)
        case "html":
            return f"{int(fault.value or 200)} Checked", [html], _PAGE.format("Checking your browser")
        case "redirect":
            location = ("Location", "https://www.shop.example/elsewhere/?signature=secret")
            return "301 Moved Permanently", [html, location], ""
        case "huge":
            size = int(fault.value or 5_000_000)
            return "200 OK", [("Content-Type", "application/json")], f'"{"x" * (size - 2)}"'
    return None


def run_whole(
    application: WSGIApplication, environ: WSGIEnvironment
) -> tuple[str, list[tuple[str, str]], bytes]:
    """Run a WSGI application to its end: its status line, headers, and body in bytes."""
    heads: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], _info: Any = None) -> Callable[[bytes], object]:
        heads.append((status, headers))
        return lambda _data: None

    chunks = application(environ, start)
    try:
        body = b"".join(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
    status, headers = heads[-1]
    return status, headers, body
