"""The sandbox as a web application: a table of operations, and one way through which every call goes.

Each call: planned faults, then bearer token, addresses allowed at sign-in, rate limits, permissions, one
transaction around the operation, and the answer or the refusal in the form of the contract.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers.response import Response as BaseResponse

from sandbox.ksef import admin, auth, bearer, links, qr, queries, results, sessions, sign_ins, tokens
from sandbox.ksef.call import Answer, Call
from sandbox.ksef.errors import Forbidden, PlainProblem, Refusal, render
from sandbox.ksef.faults import FORCED_STATUS, FaultMiddleware
from sandbox.ksef.state import SandboxState

BASE_PATH = "/v2"
_MOST_BYTES = 8 * 1024 * 1024
_ACCESS = frozenset({bearer.ACCESS})
_OPERATION = frozenset({bearer.OPERATION})
_WRITE = frozenset({"InvoiceWrite", "PefInvoiceWrite", "EnforcementOperations"})
_LOOK = _WRITE | {"Introspection"}
_LIST = frozenset({"InvoiceWrite", "Introspection", "EnforcementOperations"})
_READ = frozenset({"InvoiceRead"})


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the contract or of the sandbox itself.

    Attributes:
        method: HTTP method.
        path: path with parameters in braces, as the contract writes it.
        act: what it does.
        tokens: kinds of bearer token it takes; empty when it takes none.
        group: group of rate limits, see :mod:`sandbox.ksef.limits`; empty means no limit.
        permissions: any one of these is needed; empty means none.
    """

    method: str
    path: str
    act: Callable[[Call], Answer]
    tokens: frozenset[str] = frozenset()
    group: str = ""
    permissions: frozenset[str] = frozenset()

    @property
    def rule(self) -> str:
        """The path in the web framework's notation."""
        return self.path.replace("{", "<").replace("}", ">")


_SESSION = "/sessions/{referenceNumber}"
_ONLINE = "/sessions/online/{referenceNumber}"

API: tuple[Operation, ...] = (
    Operation("POST", "/auth/challenge", auth.challenge, group="anonymous"),
    Operation("POST", "/auth/xades-signature", auth.xades_signature, group="anonymous"),
    Operation("POST", "/auth/ksef-token", auth.ksef_token, group="anonymous"),
    Operation("POST", "/auth/token/redeem", sign_ins.redeem, _OPERATION, "anonymous"),
    Operation("POST", "/auth/token/refresh", sign_ins.refresh, frozenset({bearer.REFRESH}), "anonymous"),
    Operation("GET", "/auth/sessions", sign_ins.sessions, _ACCESS, "other"),
    Operation(
        "DELETE", "/auth/sessions/current", sign_ins.revoke_current, _ACCESS | {bearer.REFRESH}, "other"
    ),
    Operation("DELETE", "/auth/sessions/{referenceNumber}", sign_ins.revoke, _ACCESS, "other"),
    Operation("GET", "/auth/{referenceNumber}", sign_ins.status, _OPERATION, "anonymous"),
    Operation("GET", "/security/public-key-certificates", queries.public_keys, group="anonymous"),
    Operation("POST", "/sessions/online", sessions.open_online, _ACCESS, "onlineSession", _WRITE),
    Operation("POST", f"{_ONLINE}/invoices", sessions.send, _ACCESS, "invoiceSend", _WRITE),
    Operation("POST", f"{_ONLINE}/close", sessions.close, _ACCESS, "onlineSessionClose", _WRITE),
    Operation("GET", "/sessions", results.session_list, _ACCESS, "sessionList", _LIST),
    Operation("GET", _SESSION, results.session, _ACCESS, "sessionMisc", _LOOK),
    Operation("GET", f"{_SESSION}/invoices", results.invoices, _ACCESS, "sessionInvoiceList", _LOOK),
    Operation(
        "GET", f"{_SESSION}/invoices/failed", results.failed_invoices, _ACCESS, "sessionInvoiceList", _LOOK
    ),
    Operation(
        "GET",
        f"{_SESSION}/invoices/{{invoiceReferenceNumber}}",
        results.invoice,
        _ACCESS,
        "invoiceStatus",
        _LOOK,
    ),
    Operation(
        "GET",
        f"{_SESSION}/invoices/ksef/{{ksefNumber}}/upo",
        results.ksef_upo,
        _ACCESS,
        "sessionMisc",
        _LOOK,
    ),
    Operation(
        "GET",
        f"{_SESSION}/invoices/{{invoiceReferenceNumber}}/upo",
        results.invoice_upo,
        _ACCESS,
        "sessionMisc",
        _LOOK,
    ),
    Operation(
        "GET", f"{_SESSION}/upo/{{upoReferenceNumber}}", results.session_upo, _ACCESS, "sessionMisc", _LOOK
    ),
    Operation("GET", "/invoices/ksef/{ksefNumber}", results.document, _ACCESS, "invoiceDownload", _READ),
    Operation("POST", "/invoices/query/metadata", queries.metadata, _ACCESS, "invoiceMetadata", _READ),
    Operation("POST", "/tokens", tokens.generate, _ACCESS, "other"),
    Operation("GET", "/tokens", tokens.listing, _ACCESS, "other"),
    Operation("GET", "/tokens/{referenceNumber}", tokens.status, _ACCESS, "other"),
    Operation("DELETE", "/tokens/{referenceNumber}", tokens.revoke, _ACCESS, "other"),
    Operation("GET", "/limits/context", queries.context_limits, _ACCESS, "other"),
    Operation("GET", "/limits/subject", queries.subject_limits, _ACCESS, "other"),
    Operation("GET", "/rate-limits", queries.rate_limits, _ACCESS, "other"),
)
"""Operations of the contract, below :data:`BASE_PATH`."""

BESIDE: tuple[Operation, ...] = (
    Operation("GET", "/storage/upo/{reference}.xml", links.download_upo),
    Operation("GET", "/qr/invoice/{nip}/{day}/{hash}", qr.invoice_page),
    Operation("GET", "/latarnia/status", qr.latarnia_status),
    Operation("GET", "/latarnia/messages", qr.latarnia_messages),
    Operation("GET", "/sandbox/faults", admin.list_faults),
    Operation("POST", "/sandbox/faults", admin.plan_fault),
    Operation("DELETE", "/sandbox/faults", admin.clear_faults),
    Operation("GET", "/sandbox/documents", admin.list_documents),
    Operation("GET", "/sandbox/documents/{ksefNumber}.xml", admin.read_document),
    Operation("GET", "/sandbox/state", admin.describe),
    Operation("POST", "/sandbox/settings", admin.change_settings),
    Operation("POST", "/sandbox/clock", admin.advance_clock),
    Operation("POST", "/sandbox/keys/rotate", admin.rotate_keys),
    Operation("POST", "/sandbox/tokens", admin.issue_token),
    Operation("POST", "/sandbox/grants", admin.grant),
)
"""Operations outside the contract, at the server's root."""


def create_app(state: SandboxState) -> Flask:
    """The sandbox's web application.

    Args:
        state: what it remembers; :meth:`SandboxState.open` makes one.
    """
    app = Flask("sandbox.ksef", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = _MOST_BYTES
    for prefix, operations in ((BASE_PATH, API), ("", BESIDE)):
        for operation in operations:
            app.add_url_rule(
                prefix + operation.rule,
                endpoint=f"{operation.method} {operation.path}",
                view_func=_view(state, operation),
                methods=[operation.method],
            )
    app.register_error_handler(HTTPException, lambda error: _http_error(state, error))
    app.wsgi_app = FaultMiddleware(app.wsgi_app, state.faults)  # type: ignore[method-assign]
    return app


def _view(state: SandboxState, operation: Operation) -> Callable[..., BaseResponse]:
    def view(**path: str) -> BaseResponse:
        try:
            call = _call(state, path)
            return _respond(_perform(state, operation, call))
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
    if operation.group and state.settings.rate_limits:
        context = "" if call.signed_in is None else call.signed_in.context_value
        state.limiter.count(operation.group, context=context, address=call.client, moment=state.now())
    if operation.permissions and not operation.permissions & call.principal.permissions:
        raise Forbidden(
            "missing-permissions",
            "Brak wymaganych uprawnień do wykonania operacji w bieżącym kontekście.",
            {
                "requiredAnyOfPermissions": sorted(operation.permissions),
                "presentPermissions": sorted(call.principal.permissions),
            },
        )
    with state.transaction():
        return operation.act(call)


def _call(state: SandboxState, path: dict[str, str]) -> Call:
    forced = request.environ.get(FORCED_STATUS)
    return Call(
        state=state,
        path=path,
        query=request.args.to_dict(flat=False),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.get_data(cache=False),
        client=request.remote_addr or "127.0.0.1",
        origin=request.host_url.rstrip("/"),
        forced_status=cast("int | None", forced),
    )


def _respond(answer: Answer) -> BaseResponse:
    headers = dict(answer.headers)
    warning = request.headers.get("X-Test-System-Warning")
    if warning:
        headers["X-System-Warning"] = warning.encode("ascii", "ignore").decode()
    if answer.body is None:
        response = Response(status=answer.status)
        del response.headers["Content-Type"]
    elif isinstance(answer.body, bytes):
        response = Response(answer.body, status=answer.status, mimetype="application/xml")
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
