"""Turning a refusing answer of the API into the exception that fits.

Both forms of the contract are read, whatever the content type says: ``exception.exceptionDetailList``
(``ExceptionResponse``) and RFC 9457 problem details (``BadRequestProblemDetails`` and its kin).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from core.ksef.errors import (
    AuthenticationFailed,
    Expired,
    Forbidden,
    InvalidSession,
    KeyRejected,
    KsefBusy,
    KsefError,
    KsefRefused,
    KsefUnavailable,
    NotFound,
    NotYetAvailable,
    OutsideData,
    PartMissing,
    SessionClosed,
    SessionFull,
    SessionUnavailable,
    TooManyExports,
    Unauthorized,
    UnreadableAnswer,
    UploadExpired,
)
from core.ksef.explanations import explain_reason
from core.ksef.fields import FieldError, Fields

DEFAULT_PAUSE = 60.0
"""Seconds to wait after a 429 that does not say for how long."""

_BY_CODE: dict[int, type[KsefRefused]] = {
    21155: SessionFull,
    21157: PartMissing,
    21164: NotFound,
    21165: NotYetAvailable,
    21173: InvalidSession,
    21175: NotFound,
    21178: NotFound,
    21180: SessionClosed,
    21205: PartMissing,
    21208: UploadExpired,
    21182: TooManyExports,
    21183: OutsideData,
    21470: KeyRejected,
}
_BY_STATUS: dict[int, type[KsefRefused]] = {
    HTTPStatus.UNAUTHORIZED: Unauthorized,
    HTTPStatus.GONE: Expired,
}
# signature and identity faults of POST /auth/*
_SIGN_IN_CODES = frozenset({9101, 9102, 9103, 9105, 21111, 21115, 21117, 21301, 21304, 21308, 21406})
_SESSION_IN_SERVICE = 21184


@dataclass(frozen=True, slots=True)
class Problem:
    """What an error body says.

    Attributes:
        code: first KSeF code, or None.
        description: the description that belongs to it.
        details: further sentences, those of further codes included.
        trace_id: KSeF's id of the event.
        reason: reason code of a 403.
        needed: permissions of which any one would do (403).
        present: permissions that the identity has (403).
    """

    code: int | None = None
    description: str = ""
    details: tuple[str, ...] = ()
    trace_id: str = ""
    reason: str = ""
    needed: tuple[str, ...] = ()
    present: tuple[str, ...] = ()


def read_problem(body: object) -> Problem:
    """Read an error body of any form of the contract.

    Raises:
        FieldError: it is none of them.
    """
    data = Fields(body)
    if "exception" in data:
        exception = data.child("exception")
        entries = [
            _Entry(item.optional_integer("exceptionCode"), item, "exceptionDescription")
            for item in exception.children("exceptionDetailList")
        ]
        trace = exception.optional_text("serviceCode") or exception.optional_text("referenceNumber") or ""
        return _from_entries(entries, "", trace)
    if "status" in data and "title" not in data:
        # TooManyRequestsResponse
        status = data.child("status")
        return Problem(description=status.optional_text("description") or "", details=status.texts("details"))
    data.text("title")
    entries = [_Entry(item.optional_integer("code"), item, "description") for item in data.children("errors")]
    problem = _from_entries(entries, data.optional_text("detail") or "", data.optional_text("traceId") or "")
    security = data.optional_child("security")
    return Problem(
        code=problem.code,
        description=problem.description,
        details=problem.details,
        trace_id=problem.trace_id,
        reason=data.optional_text("reasonCode") or "",
        needed=_names(security, "requiredAnyOfPermissions"),
        present=_names(security, "presentPermissions"),
    )


def _names(security: Fields | None, name: str) -> tuple[str, ...]:
    # free-form by the contract: what cannot be read must not hide the refusal
    try:
        return security.texts(name) if security else ()
    except FieldError:
        return ()


def error_for(
    operation: str,
    http_status: int,
    body: object,
    *,
    retry_after: float | None = None,
    ambiguous: bool = False,
) -> KsefError:
    """The exception for an answer that is not the expected success.

    Args:
        operation: as the contract writes it.
        http_status: HTTP status of the answer.
        body: the parsed JSON body; None when it was no JSON.
        retry_after: seconds of the header ``Retry-After``, if any.
        ambiguous: a failure at KSeF's side leaves open whether the request was carried out.
    """
    try:
        problem: Problem | None = read_problem(body)
    except FieldError:
        problem = None
    if http_status == HTTPStatus.TOO_MANY_REQUESTS:
        known = problem or Problem()
        return KsefBusy(
            "too many requests",
            retry_after=DEFAULT_PAUSE if retry_after is None else retry_after,
            operation=operation,
            http_status=http_status,
            description=known.description,
            details=known.details,
            trace_id=known.trace_id,
        )
    if http_status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _unavailable(operation, http_status, problem or Problem(), ambiguous, retry_after)
    if problem is None and http_status in _BY_STATUS:
        problem = Problem()
    if problem is None or 300 <= http_status < 400:
        reason = "is a redirect, which is never followed" if 300 <= http_status < 400 else "has no error body"
        return UnreadableAnswer(
            f"the answer (HTTP {http_status}) {reason}",
            operation=operation,
            http_status=http_status,
            outcome_ambiguous=ambiguous,
        )
    return _refused(operation, http_status, problem)


@dataclass(frozen=True, slots=True)
class _Entry:
    code: int | None
    fields: Fields
    description_name: str

    @property
    def description(self) -> str:
        return self.fields.optional_text(self.description_name) or ""

    @property
    def details(self) -> tuple[str, ...]:
        return self.fields.texts("details")


def _from_entries(entries: Sequence[_Entry], fallback: str, trace_id: str) -> Problem:
    if not entries:
        return Problem(description=fallback, trace_id=trace_id)
    # a code with a special exception decides, wherever it stands in the list
    first = next((entry for entry in entries if entry.code in _BY_CODE), entries[0])
    details = list(first.details)
    for entry in entries:
        if entry is not first:
            details.append(f"{entry.code} {entry.description}".strip())
            details.extend(entry.details)
    return Problem(first.code, first.description or fallback, tuple(details), trace_id)


def _unavailable(
    operation: str, http_status: int, problem: Problem, ambiguous: bool, retry_after: float | None
) -> KsefUnavailable:
    return KsefUnavailable(
        f"KSeF failed (HTTP {http_status})",
        operation=operation,
        http_status=http_status,
        code=problem.code,
        description=problem.description,
        details=problem.details,
        trace_id=problem.trace_id,
        outcome_ambiguous=ambiguous,
        retry_after=retry_after,
    )


def _refused(operation: str, http_status: int, problem: Problem) -> KsefError:
    message = f"refused (HTTP {http_status})"
    if problem.code == _SESSION_IN_SERVICE:
        return SessionUnavailable(
            "the session is being serviced",
            operation=operation,
            http_status=http_status,
            code=problem.code,
            description=problem.description,
            details=problem.details,
            trace_id=problem.trace_id,
        )
    if http_status == HTTPStatus.FORBIDDEN:
        hint = explain_reason(problem.reason, problem.needed)
        return Forbidden(
            message,
            reason=problem.reason,
            needed=problem.needed,
            present=problem.present,
            operation=operation,
            http_status=http_status,
            code=problem.code,
            description=problem.description,
            details=problem.details,
            hint=hint if hint.pl else None,
            trace_id=problem.trace_id,
        )
    kind = _BY_STATUS.get(http_status) or _BY_CODE.get(problem.code or 0, KsefRefused)
    if kind is KsefRefused and problem.code in _SIGN_IN_CODES:
        kind = AuthenticationFailed
    return kind(
        message,
        operation=operation,
        http_status=http_status,
        code=problem.code,
        description=problem.description,
        details=problem.details,
        trace_id=problem.trace_id,
    )
