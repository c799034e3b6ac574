"""The sandbox as a web application: one way through which every call goes.

Each call: planned faults, outages, then bearer token, addresses allowed at sign-in, rate limits, permissions,
one transaction around the operation, and the answer or the refusal in the form of the contract.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, cast

from flask import Flask, Response, request, send_file
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map
from werkzeug.wrappers.response import Response as BaseResponse

from sandbox.ksef import allowances, auth, bearer, outages
from sandbox.ksef.call import Answer, Call
from sandbox.ksef.dates import DateMiddleware
from sandbox.ksef.errors import Forbidden, PlainProblem, Refusal, render
from sandbox.ksef.faults import FORCED_STATUS, FaultMiddleware
from sandbox.ksef.limits import GLOBAL
from sandbox.ksef.operation import Operation
from sandbox.ksef.operations import API, BASE_PATH, BESIDE
from sandbox.ksef.state import SandboxState

_MOST_BYTES = 8 * 1024 * 1024
_SURFACES = ((BASE_PATH, API), ("", BESIDE))


def create_app(state: SandboxState) -> Flask:
    """The sandbox's web application.

    Args:
        state: what it remembers; :meth:`SandboxState.open` makes one.
    """
    app = _new()
    app.url_map = _addresses()
    for prefix, operations in _SURFACES:
        for operation in operations:
            app.view_functions[_endpoint(operation)] = _view(state, operation, is_api=prefix == BASE_PATH)
    app.register_error_handler(HTTPException, lambda error: _http_error(state, error))
    spoiled = FaultMiddleware(app.wsgi_app, state.faults, state.sleep)
    app.wsgi_app = DateMiddleware(spoiled, state.now)  # type: ignore[method-assign]
    return app


def _new() -> Flask:
    app = Flask("sandbox.ksef", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = _MOST_BYTES
    return app


@functools.cache
def _addresses() -> Map:
    """The addresses of all operations; made once, for it takes longer than the rest of a sandbox."""
    app = _new()
    for prefix, operations in _SURFACES:
        for operation in operations:
            app.add_url_rule(prefix + operation.rule, _endpoint(operation), methods=[operation.method])
    app.url_map.update()
    return app.url_map


def _endpoint(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


def _view(state: SandboxState, operation: Operation, *, is_api: bool) -> Callable[..., BaseResponse]:
    def view(**path: str) -> BaseResponse:
        try:
            if is_api:
                outages.check(state)
            call = _call(state, operation, path)
            return _respond(_perform(state, operation, call), state.settings.system_warning if is_api else "")
        except Refusal as refusal:
            return _refuse(state, refusal)

    return view


def _perform(state: SandboxState, operation: Operation, call: Call) -> Answer:
    if operation.tokens:
        principal = bearer.read(state, call.headers.get("authorization", ""), operation.tokens)
        call = replace(call, signed_in=principal)
        if not auth.check_address(state, principal.authentication, call.client):
            raise Forbidden(
                "ip-not-allowed",
                "Żądanie pochodzi z adresu IP innego niż wskazany podczas uwierzytelnienia.",
                {"clientIp": call.client},
            )
    _count(state, operation, call)
    if operation.permissions and not operation.permissions & call.principal.permissions:
        raise Forbidden(
            "missing-permissions",
            "Brak wymaganych uprawnień do wykonania operacji w bieżącym kontekście.",
            {
                "requiredAnyOfPermissions": sorted(operation.permissions),
                "presentPermissions": sorted(call.principal.permissions),
            },
        )
    if operation.most_streamed:
        return operation.act(call)
    with state.transaction():
        return operation.act(call)


def _count(state: SandboxState, operation: Operation, call: Call) -> None:
    """Count a call against the limit of all calls of its address, and against that of its group."""
    if not operation.group:
        return
    moment = state.now()
    if state.settings.rate_limits:
        state.limiter.count(GLOBAL, context="", address=call.client, moment=moment)
    context = "" if call.signed_in is None else call.signed_in.context_value
    limits = allowances.rates(state, context)
    if limits is not None:
        state.limiter.count(
            operation.group, context=context, address=call.client, moment=moment, limits=limits
        )


def _call(state: SandboxState, operation: Operation, path: dict[str, str]) -> Call:
    streams = operation.most_streamed > 0
    if streams:
        request.max_content_length = operation.most_streamed
    forced = request.environ.get(FORCED_STATUS)
    return Call(
        state=state,
        path=path,
        query=request.args.to_dict(flat=False),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=b"" if streams else request.get_data(cache=False),
        client=request.remote_addr or "127.0.0.1",
        origin=request.host_url.rstrip("/"),
        forced_status=cast("int | None", forced),
        location=request.path,
        stream=cast("BinaryIO", request.stream) if streams else None,
    )


def _respond(answer: Answer, planned_warning: str) -> BaseResponse:
    headers = dict(answer.headers)
    warning = request.headers.get("X-Test-System-Warning") or planned_warning
    if warning:
        headers["X-System-Warning"] = warning.encode("ascii", "ignore").decode()
    if answer.body is None:
        response = Response(status=answer.status)
        del response.headers["Content-Type"]
    elif isinstance(answer.body, bytes):
        response = Response(answer.body, status=answer.status, mimetype="application/xml")
    elif isinstance(answer.body, Path):
        response = send_file(answer.body.resolve(), mimetype="application/octet-stream", etag=False)
    else:
        text = json.dumps(answer.body, ensure_ascii=False)
        response = Response(text, status=answer.status, mimetype="application/json")
    response.headers.update(headers)
    return response


def _refuse(state: SandboxState, refusal: Refusal) -> BaseResponse:
    body, status, headers = render(
        refusal,
        path=request.path,
        moment=state.now(),
        problem_details=request.headers.get("X-Error-Format") == "problem-details",
    )
    response = Response(json.dumps(body, ensure_ascii=False), status=status)
    response.headers.update(headers)
    return response


def _http_error(state: SandboxState, error: HTTPException) -> BaseResponse:
    return _refuse(state, PlainProblem(error.code or 500, error.name, error.description or error.name))
