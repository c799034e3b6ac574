"""The header ``Date`` by the sandbox's own clock, so that moving that clock is seen by its callers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


@dataclass(frozen=True, slots=True)
class DateMiddleware:
    """WSGI application in front of the sandbox that states its time in every answer.

    Attributes:
        application: the sandbox, its faults included.
        now: the sandbox's aware time.
    """

    application: WSGIApplication
    now: Callable[[], datetime]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one call."""

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Callable[[bytes], object]:
            kept = [(name, value) for name, value in headers if name.lower() != "date"]
            stated = format_datetime(self.now().astimezone(UTC), usegmt=True)
            return start_response(status, [*kept, ("Date", stated)], *rest)

        return self.application(environ, start)
