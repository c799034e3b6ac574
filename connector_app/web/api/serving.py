"""The blueprint: who asks, what is read of a request, and how an operation's answer or error leaves."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request
from flask_limiter.util import get_remote_address
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from connector_app.keeping import damage
from connector_app.keeping.reading import ArchiveDamaged
from connector_app.log_events import Said
from connector_app.logs import Log
from connector_app.web.api import problems, replies, tokens
from connector_app.web.api.operation import OPERATIONS, PREFIX, Caller, File, Operation
from connector_app.web.api.problems import BY_STATUS, Code, Refusal
from connector_app.web.api.replies import Reply
from connector_app.web.api.typed import Fault, Unreadable, read, read_query, write
from connector_app.web.here import here
from connector_app.web.safety import LARGEST_UPLOAD, csrf, limiter
from core.findings import Text

_log = Log(__name__)

MOST_BY_CLIENT = "600 per minute"
"""Requests of one token."""
MOST_BY_ADDRESS = "1200 per minute"
"""Requests of one address, whatever tokens it tries."""
_JSON = "application/json"
_LARGEST_ID = 2**63 - 1


def _token_key() -> str:
    """Whose requests are counted: the token's, without keeping it."""
    given = request.headers.get("Authorization", "")
    return tokens.digest(given)[:24] if given else get_remote_address()


def blueprint() -> Blueprint:
    """The blueprint with every registered operation."""
    made = Blueprint("api", __name__, url_prefix=PREFIX, template_folder="templates")
    for one in OPERATIONS:
        made.add_url_rule(one.rule, one.name, _view(one), methods=[one.method])
    csrf.exempt(made)
    limiter.limit(MOST_BY_ADDRESS)(made)
    limiter.limit(MOST_BY_CLIENT, key_func=_token_key)(made)
    return made


def is_ours(path: str) -> bool:
    """Whether an address belongs to the interface, known or not."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def http_problem(error: HTTPException) -> Response:
    """What the framework found, as a problem."""
    made = problems.answer(BY_STATUS.get(error.code or 500, Code.INVALID_REQUEST))
    found = error.get_response()
    for name in ("Allow", "Retry-After"):
        if name in found.headers:
            made.headers[name] = found.headers[name]
    return made


def _view(one: Operation) -> Callable[..., Response]:
    def view(**ids: str) -> Response:
        try:
            return _serve(one, ids)
        except Exception as error:
            return _problem(one, error)

    return view


def _problem(one: Operation, error: Exception) -> Response:
    """What went wrong with an operation, as the caller is told."""
    if isinstance(error, Refusal):
        made = problems.answer(error.code, error.faults, error.text)
    elif isinstance(error, Unreadable):
        made = problems.answer(Code.INVALID_REQUEST, error.faults)
    elif isinstance(error, ArchiveDamaged):
        damage.note(here().services, error)
        made = problems.answer(Code.DAMAGED, text=error.said)
    elif isinstance(error, SQLAlchemyError):
        _log.warning(Said.DATABASE_FAILED, error, operation=one.name)
        made = problems.answer(Code.DATABASE)
    elif isinstance(error, HTTPException):
        made = http_problem(error)
    else:
        _log.failed(Said.WEB_FAILED, error, operation=one.name)
        made = problems.answer(Code.INTERNAL)
    return made


def _serve(one: Operation, ids: dict[str, str]) -> Response:
    caller = _caller()
    if one.writes and not caller.writes:
        raise Refusal(Code.READ_ONLY)
    if one.body is bytes:
        request.max_content_length = LARGEST_UPLOAD
    inputs: dict[str, Any] = {name: _id(raw) for name, raw in ids.items()}
    inputs |= _query(one)
    raw = b""
    if one.body is not None:
        raw = _body_bytes(one)
        inputs["body"] = raw if one.body is bytes else read(one.body, _parsed(raw))
    key = request.headers.get(replies.HEADER)
    if key is None or not one.takes_key:
        return _answer(one, one.view(caller, **inputs))
    return _once(one, caller, key, raw, inputs)


def _once(one: Operation, caller: Caller, key: str, raw: bytes, inputs: dict[str, Any]) -> Response:
    """Do the work of a key, or answer as before; refusals of the operation are remembered too."""
    same = replies.fingerprint(one.method, request.full_path, raw)
    known = replies.claim(caller.services, caller.seller_id, key, same)
    if known is not None:
        media = _JSON if known.status < 400 else problems.MEDIA
        made = Response(known.body, status=known.status, content_type=media)
        made.headers["Idempotency-Replayed"] = "true"
        return made
    try:
        answer = _answer(one, one.view(caller, **inputs))
    except Refusal as error:
        answer = problems.answer(error.code, error.faults, error.text)
    except BaseException:
        replies.release(caller.services, caller.seller_id, key)
        raise
    replies.keep(
        caller.services, caller.seller_id, key, Reply(answer.status_code, answer.get_data(as_text=True))
    )
    return answer


def _caller() -> Caller:
    """Who asks, by the header alone: cookies mean nothing here."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    services = here().services
    token = token.strip()
    row = (
        tokens.find(services, token)
        if scheme.lower() == "bearer" and token.startswith(tokens.PREFIX)
        else None
    )
    if row is None:
        raise Refusal(Code.UNAUTHORIZED)
    return Caller(services, row.id, row.name, row.seller_id, row.writes)


def _id(raw: str) -> int:
    if raw.isascii() and raw.isdigit() and len(raw) < 20 and 0 < int(raw) <= _LARGEST_ID:
        return int(raw)
    raise Refusal(Code.NOT_FOUND)


def _query(one: Operation) -> dict[str, Any]:
    given = {name: request.args.getlist(name) for name in request.args}
    if one.query is not None:
        return {"query": read_query(one.query, given)}
    if given:
        unknown = Text("Nie ma takiego parametru.", "There is no such parameter.")
        raise Unreadable([Fault(name[:100], unknown) for name in given])
    return {}


def _body_bytes(one: Operation) -> bytes:
    wanted = {"application/xml", "text/xml"} if one.body is bytes else {_JSON}
    if request.mimetype not in wanted:
        raise Refusal(Code.MEDIA_TYPE)
    return request.get_data(cache=False)


def _parsed(raw: bytes) -> object:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise Unreadable([Fault("", Text("To nie jest JSON.", "This is no JSON."))]) from None


def _answer(one: Operation, made: object) -> Response:
    if isinstance(made, File):
        answer = Response(made.data, content_type=made.media)
        answer.headers.set("Content-Disposition", "attachment", filename=made.name)
        return answer
    if one.answer is None:
        return Response(status=one.status)
    body = json.dumps(write(made), ensure_ascii=False)
    return Response(body, status=one.status, content_type=_JSON)
