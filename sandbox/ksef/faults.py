"""Faults on demand: a plan of what goes wrong, and the middleware that plays it.

A fault waits for calls whose ``METHOD /path`` its pattern matches and spoils as many of them as it was told
to. Kinds:

==================  =====================================================================================
``drop_before``     the connection ends without an answer, nothing was done
``drop_after``      the connection ends without an answer, everything was done and stored
``slow``            the answer comes ``value`` seconds later (default 5)
``http_500``        500 with problem details, nothing was done
``http_503``        503 with problem details and Retry-After ``value`` (default 1), nothing was done
``http_429``        429 with Retry-After ``value`` (default 1), nothing was done
``http_401``        401 as for an expired token, nothing was done
``http_410``        410 as for a result that is no longer kept, nothing was done
``html``            an HTML page with HTTP status ``value`` (default 200), nothing was done
``truncate``        everything was done, only half of the answer's body arrives
``status_550``      the document, sign-in or export that this call starts ends with status 550; at the close
                    of a batch: every document of the batch
``refuse_code``     ``value`` of three digits: the document, sign-in or export that this call starts, or the
                    batch that it closes, ends with that status; of five digits: the call is refused with
                    that exception code
==================  =====================================================================================
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sandbox.faults import run_whole
from sandbox.ksef.errors import (
    BadRequest,
    Gone,
    Json,
    PlainProblem,
    Refusal,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    render,
)

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
        "http_401",
        "http_410",
        "html",
        "truncate",
        "status_550",
        "refuse_code",
    }
)
FORCED_STATUS = "sandbox.forced_status"
"""Key of the WSGI environment under which a forced status reaches the operation."""

_PAGE = "<!DOCTYPE html><html lang='pl'><title>Przerwa techniczna</title><h1>Przerwa techniczna</h1></html>"


class FaultError(ValueError):
    """A fault that cannot be planned; the message says why."""


@dataclass(slots=True)
class Fault:
    """One planned fault.

    Attributes:
        kind: see the module's table.
        operation: regular expression searched in ``METHOD /path``, e.g. ``POST /v2/sessions/online$``.
        times: how many calls it spoils yet.
        value: number whose meaning depends on the kind.
    """

    kind: str
    operation: str
    times: int = 1
    value: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise FaultError(f"unknown kind of fault {self.kind!r}; known: {', '.join(sorted(KINDS))}")
        if self.times < 1:
            raise FaultError(f"a fault needs at least one call to spoil, got {self.times}")
        if self.kind == "refuse_code" and self.value is None:
            raise FaultError("refuse_code needs a value: a status of three digits or a code of five")
        try:
            re.compile(self.operation)
        except re.error as error:
            raise FaultError(f"{self.operation!r} is no regular expression: {error}") from None

    def as_json(self) -> Json:
        """The fault as JSON-ready values."""
        return {"kind": self.kind, "operation": self.operation, "times": self.times, "value": self.value}


@dataclass(slots=True)
class FaultPlan:
    """The faults that wait for their calls, in the order in which they were planned.

    Attributes:
        played: how often a fault of each kind has spoiled a call.
    """

    played: Counter[str] = field(default_factory=Counter)
    _faults: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, kind: str, operation: str = "", *, times: int = 1, value: float | None = None) -> None:
        """Plan a fault; see :class:`Fault` for the arguments.

        Raises:
            FaultError: unknown kind, bad pattern or number.
        """
        fault = Fault(kind, operation, times, value)
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Forget every planned fault."""
        with self._lock:
            self._faults.clear()

    def waiting(self) -> list[Fault]:
        """Copies of the faults that are still planned."""
        with self._lock:
            return [Fault(fault.kind, fault.operation, fault.times, fault.value) for fault in self._faults]

    def take(self, method: str, path: str) -> Fault | None:
        """The first fault that waits for this call, one use of it spent; None when nothing waits."""
        with self._lock:
            for fault in self._faults:
                if re.search(fault.operation, f"{method} {path}"):
                    self.played[fault.kind] += 1
                    fault.times -= 1
                    if fault.times == 0:
                        self._faults.remove(fault)
                    return fault
        return None


@dataclass(frozen=True, slots=True)
class FaultMiddleware:
    """WSGI application in front of the sandbox that spoils the planned calls.

    Attributes:
        application: the sandbox.
        plan: where the faults wait.
        sleep: waits that many seconds.
    """

    application: WSGIApplication
    plan: FaultPlan
    sleep: Callable[[float], None] = time.sleep

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one call, spoiled or not."""
        path: str = environ.get("PATH_INFO", "")
        if path.startswith("/sandbox/"):
            return self.application(environ, start_response)
        fault = self.plan.take(environ["REQUEST_METHOD"], path)
        if fault is None:
            return self.application(environ, start_response)
        refusal = _refusal(fault)
        if refusal is not None:
            asked = environ.get("HTTP_X_ERROR_FORMAT") == "problem-details"
            body, status, headers = render(
                refusal, path=path, moment=datetime.now(UTC), problem_details=asked
            )
            text = json.dumps(body, ensure_ascii=False).encode()
            start_response(f"{status} {refusal.title}", list(headers.items()))
            return [text]
        return self._spoil(fault, environ, start_response)

    def _spoil(
        self, fault: Fault, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        match fault.kind:
            case "drop_before":
                raise ConnectionAbortedError("dropped before the call was handled")
            case "drop_after":
                run_whole(self.application, environ)
                raise ConnectionAbortedError("dropped after the call was handled")
            case "truncate":
                return _truncated(self.application, environ, start_response)
            case "html":
                status = int(fault.value or 200)
                start_response(f"{status} Spoiled", [("Content-Type", "text/html; charset=utf-8")])
                return [_PAGE.encode()]
            case "slow":
                self.sleep(5.0 if fault.value is None else fault.value)
            case "status_550":
                environ[FORCED_STATUS] = 550
            case _:
                environ[FORCED_STATUS] = int(fault.value or 0)
        return self.application(environ, start_response)


def _refusal(fault: Fault) -> Refusal | None:
    """The refusal that a fault stands for; None for a fault of another kind."""
    seconds = int(fault.value or 1)
    too_many = f"Przekroczono limit żądań. Spróbuj ponownie po {seconds} sekundach."
    made: dict[str, Callable[[], Refusal]] = {
        "http_500": lambda: PlainProblem(500, "Internal Server Error", "Nieznany błąd."),
        "http_503": lambda: Unavailable(seconds),
        "http_429": lambda: TooManyRequests(too_many, seconds),
        "http_401": lambda: Unauthorized("Token wygasł."),
        "http_410": Gone,
    }
    if fault.kind in made:
        return made[fault.kind]()
    if fault.kind == "refuse_code" and fault.value is not None and fault.value >= 1000:
        return BadRequest(int(fault.value), "Błąd wywołany na żądanie w piaskownicy.")
    return None


def _truncated(
    application: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    status, headers, body = run_whole(application, environ)
    length = str(max(len(body), 2))
    kept = [(name, value) for name, value in headers if name.lower() != "content-length"]
    start_response(status, [*kept, ("Content-Length", length)])
    return [body[: len(body) // 2]]
