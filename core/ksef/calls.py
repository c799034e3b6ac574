"""Carrying out one operation of the API: budget, request, answer, errors, repeating where that is safe."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, urlencode

from core.ksef.answers import SystemWarning, read_warnings
from core.ksef.clock import ClockReading, compare, stated_time
from core.ksef.environments import Environment
from core.ksef.errors import KsefBusy, KsefError, KsefUnavailable, UnreadableAnswer
from core.ksef.fields import FieldError, Fields
from core.ksef.limits import Budget
from core.ksef.problems import error_for
from core.ksef.transport import Answer, Request, Transport, TransportFailure

if TYPE_CHECKING:
    from tenacity import RetryCallState

log = logging.getLogger(__name__)

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Retry:
    """How GET requests are repeated when no usable answer came; nothing else is ever repeated here.

    Attributes:
        attempts: tries in all.
        first_pause: seconds before the second try; doubled each time and jittered by half.
        longest_pause: seconds.
    """

    attempts: int = 3
    first_pause: float = 0.5
    longest_pause: float = 5.0


DEFAULT_RETRY = Retry()


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the contract.

    Attributes:
        name: method and path as the contract writes them.
        changes: a lost answer leaves open what happened at KSeF.
    """

    name: str
    changes: bool = False

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self.name.partition(" ")[0]

    @property
    def path(self) -> str:
        """The path with its parameters in braces."""
        return self.name.partition(" ")[2]


def utc_now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)


def log_warning(warning: SystemWarning) -> None:
    """Log a system warning of KSeF: what is done with warnings by default."""
    log.warning("KSeF warns [%s] on %s: %s", warning.code or "no code", warning.operation, warning.message)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer, for whoever measures.

    Attributes:
        operation: as the contract writes it.
        status: of the answer; ``None``: none came.
        seconds: from sending to the end of the answer.
    """

    operation: str
    status: int | None
    seconds: float


def ignore(_exchange: Exchange) -> None:
    """Measure nothing: what is done with exchanges by default."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Carries out operations for one context of one environment.

    Attributes:
        environment: where to.
        transport: carries the requests.
        budget: counts requests; None counts nothing.
        context: NIP whose budget is used.
        max_wait: longest time in seconds to wait for the budget.
        retry: how GET requests are repeated.
        on_warning: called with each system warning.
        on_clock: called with each comparison of the clocks, good ones included.
        on_exchange: called after each request.
        clock: time, aware UTC.
        sleep: waits for so many seconds.
        jitter: random number in [0, 1).
    """

    environment: Environment
    transport: Transport
    budget: Budget | None
    context: str
    max_wait: float
    retry: Retry
    on_warning: Callable[[SystemWarning], None]
    on_clock: Callable[[ClockReading], None]
    on_exchange: Callable[[Exchange], None]
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    jitter: Callable[[], float]

    def for_context(self, nip: str) -> Caller:
        """The same for another context."""
        return replace(self, context=nip)

    def compare_clock(self, theirs: datetime, before: datetime, operation: str) -> None:
        """Tell how our clock stands to a time that KSeF stated in an answer which has just come.

        Args:
            theirs: KSeF's time, aware.
            before: our time before the request, aware.
            operation: which one was answered.
        """
        self.on_clock(ClockReading(compare(theirs, before, self.clock()), operation))

    def ask(
        self,
        operation: Operation,
        read: Callable[[Fields], Value],
        *,
        parameters: Mapping[str, str] | None = None,
        token: str = "",
        json_body: Mapping[str, object] | None = None,
        xml_body: bytes = b"",
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        wrap: str = "",
    ) -> Value:
        """Carry out one operation and read its JSON answer into a value.

        Args:
            operation: which one.
            read: makes the value; may raise FieldError.
            parameters: values for the braces in its path.
            token: bearer token; empty for none.
            json_body: body to send as JSON.
            xml_body: or body to send as XML.
            query: parameters behind the path.
            headers: further headers.
            wrap: name under which a bare list is handed to ``read``; empty for objects.

        Raises:
            KsefError: whatever went wrong, see :mod:`core.ksef.errors`.
        """
        request = self._request(operation, parameters, token, query, headers)
        if json_body is not None:
            request = _with_body(request, json.dumps(json_body).encode(), "application/json")
        elif xml_body:
            request = _with_body(request, xml_body, "application/xml")
        return self._perform(operation, request, lambda answer: _read(operation, answer, read, wrap))

    def call(
        self,
        operation: Operation,
        *,
        parameters: Mapping[str, str] | None = None,
        token: str = "",
        json_body: Mapping[str, object] | None = None,
        accept: str = "application/json",
    ) -> Answer:
        """Carry out one operation whose answer is a file or nothing.

        Args:
            operation: which one.
            parameters: values for the braces in its path.
            token: bearer token; empty for none.
            json_body: body to send as JSON.
            accept: media type of a good answer.

        Raises:
            KsefError: whatever went wrong, see :mod:`core.ksef.errors`.
        """
        request = self._request(operation, parameters, token, None, None, accept)
        if json_body is not None:
            request = _with_body(request, json.dumps(json_body).encode(), "application/json")
        return self._perform(operation, request, lambda answer: answer)

    def fetch(self, operation: Operation, url: str) -> Answer:
        """GET an address outside the API, without token, budget or API headers."""
        return self._repeat(lambda: self._once(operation, Request("GET", url)))

    def _request(
        self,
        operation: Operation,
        parameters: Mapping[str, str] | None,
        token: str,
        query: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        accept: str = "application/json",
    ) -> Request:
        path = operation.path
        for name, value in (parameters or {}).items():
            path = path.replace(f"{{{name}}}", quote(value, safe=""))
        sent = {
            "Accept": f"{accept}, application/problem+json, application/json;q=0.9",
            "X-Error-Format": "problem-details",
            "User-Agent": "ksef-shop-connector",
            **(headers or {}),
        }
        if token:
            sent["Authorization"] = f"Bearer {token}"
        url = f"{self.environment.api_url}{path}{'?' + urlencode(query) if query else ''}"
        return Request(operation.method, url, sent)

    def _perform(self, operation: Operation, request: Request, finish: Callable[[Answer], Value]) -> Value:
        """Wait for the budget, send and finish; a GET is repeated when any of it gave nothing usable."""

        def attempt() -> Value:
            self._wait_for_budget(operation)
            return finish(self._once(operation, request))

        return self._repeat(attempt) if operation.method == "GET" else attempt()

    def _repeat(self, attempt: Callable[[], Value]) -> Value:
        """Carry out something that may be repeated, a few times with growing, jittered pauses."""
        from tenacity import Retrying, retry_if_exception, stop_after_attempt  # noqa: PLC0415  slow to load

        def pause(state: RetryCallState) -> float:
            full = self.retry.first_pause * 2.0 ** (state.attempt_number - 1)
            own = min(full, self.retry.longest_pause) * (0.5 + self.jitter() / 2)
            error = state.outcome.exception() if state.outcome else None
            asked = error.retry_after if isinstance(error, KsefUnavailable) else None
            return max(own, asked or 0.0)

        def repeatable(error: BaseException) -> bool:
            if not isinstance(error, KsefUnavailable) or isinstance(error, KsefBusy):
                return False
            return (error.retry_after or 0.0) <= self.retry.longest_pause

        policy = Retrying(
            stop=stop_after_attempt(self.retry.attempts),
            wait=pause,
            retry=retry_if_exception(repeatable),
            sleep=self.sleep,
            reraise=True,
        )
        return policy(attempt)

    def _wait_for_budget(self, operation: Operation) -> None:
        """Wait until the budget takes the request, or raise KsefBusy when that takes too long."""
        if self.budget is None:
            return
        waited = 0.0
        while (seconds := self.budget.take(operation.name, self.context)) > 0:
            if waited + seconds > self.max_wait:
                raise KsefBusy(
                    "the published request limit is used up",
                    retry_after=seconds,
                    own_budget=True,
                    operation=operation.name,
                )
            self.sleep(seconds)
            waited += seconds

    def _once(self, operation: Operation, request: Request) -> Answer:
        """Send once; give the successful answer or raise what fits."""
        failure: TransportFailure | None = None
        before, began = self.clock(), time.perf_counter()
        try:
            answer = self.transport.send(request)
        except TransportFailure as caught:
            failure = caught
        status = None if failure is not None else answer.status
        self.on_exchange(Exchange(operation.name, status, time.perf_counter() - began))
        if failure is not None:
            # raised outside the handler: the cause may quote a whole address
            raise KsefUnavailable(
                str(failure),
                operation=operation.name,
                outcome_ambiguous=operation.changes and failure.sent,
            )
        for warning in read_warnings(answer.headers.get("x-system-warning", ""), operation.name):
            self.on_warning(warning)
        stated = stated_time(answer.headers)
        if stated is not None and request.url.startswith(self.environment.api_url):
            self.compare_clock(stated, before, operation.name)
        if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            return answer
        raise self._error(operation, answer)

    def _error(self, operation: Operation, answer: Answer) -> KsefError:
        """The exception for an answer that is no success; a 429 also closes the budget."""
        error = error_for(
            operation.name,
            answer.status,
            _json_or_none(answer.body),
            retry_after=self.retry_after(answer),
            ambiguous=operation.changes,
        )
        if isinstance(error, KsefBusy) and self.budget is not None:
            self.budget.close(operation.name, self.context, error.retry_after)
        return error

    def retry_after(self, answer: Answer) -> float | None:
        """Seconds of the header ``Retry-After``, which may also be a date (RFC 9110); None without one."""
        text = answer.headers.get("retry-after", "").strip()
        if text.isdecimal():
            return float(text)
        try:
            return max((parsedate_to_datetime(text) - self.clock()).total_seconds(), 0.0)
        except (ValueError, TypeError):
            return None


def _with_body(request: Request, body: bytes, kind: str) -> Request:
    return replace(request, body=body, headers={**request.headers, "Content-Type": kind})


def _read(operation: Operation, answer: Answer, read: Callable[[Fields], Value], wrap: str) -> Value:
    """Read a successful answer's JSON into a value, or raise UnreadableAnswer."""
    reason = "the answer is no JSON"
    try:
        # amounts are numbers in the contract; none of them may become a binary fraction
        data: object = json.loads(answer.body, parse_float=Decimal)
        return read(Fields({wrap: data} if wrap else data))
    except FieldError as error:
        reason = f"the answer is not what the contract says: {error}"
    except (ValueError, RecursionError):
        pass
    raise UnreadableAnswer(
        reason,
        operation=operation.name,
        http_status=answer.status,
        outcome_ambiguous=operation.changes,
    )


def _json_or_none(body: bytes) -> object:
    try:
        data: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return data
