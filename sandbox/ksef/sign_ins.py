"""Sign-ins after they were started: status, redeem, refresh, list and revoke.

Source: operations under ``/auth`` of open-api.json and the table of statuses of
``AuthenticationOperationStatusResponse``.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import datetime, timedelta

from sandbox.ksef import bearer
from sandbox.ksef.call import Answer, Call, continuation
from sandbox.ksef.errors import BadRequest, Gone, Json
from sandbox.ksef.permissions import access as permission_access
from sandbox.ksef.permissions import subjects
from sandbox.ksef.state import SandboxState, stamp

_RETENTION = timedelta(days=7)
_FAILED = "Uwierzytelnianie zakończone niepowodzeniem"
_STATUSES: Mapping[int, str] = {
    100: "Uwierzytelnianie w toku",
    200: "Uwierzytelnianie zakończone sukcesem",
    415: _FAILED,
    425: "Uwierzytelnienie unieważnione",
    450: f"{_FAILED} z powodu błędnego tokenu",
    460: f"{_FAILED} z powodu błędu certyfikatu",
    470: _FAILED,
    480: "Uwierzytelnienie zablokowane",
    500: "Nieznany błąd",
    550: "Operacja została anulowana przez system",
}
_METHODS: Mapping[str, Json] = {
    "Token": {"category": "Token", "code": "token.ksef", "displayName": "Token KSeF"},
    "InternalCertificate": {
        "category": "XadesSignature",
        "code": "xades.ksef-certificate",
        "displayName": "Certyfikat KSeF",
    },
    "QualifiedSeal": {
        "category": "XadesSignature",
        "code": "xades.qualified-seal",
        "displayName": "Pieczęć kwalifikowana",
    },
    "QualifiedSignature": {
        "category": "XadesSignature",
        "code": "xades.qualified-signature",
        "displayName": "Podpis kwalifikowany",
    },
}


def status(call: Call) -> Answer:
    """GET /auth/{referenceNumber}, with the token of the operation."""
    reference = call.reference("referenceNumber")
    row = _find(call.state, reference)
    if row is None or call.principal.authentication != reference:
        raise BadRequest(
            21304, f"Operacja uwierzytelniania o numerze referencyjnym {reference} nie została znaleziona."
        )
    if datetime.fromisoformat(row["started"]) + _RETENTION < call.state.now():
        raise Gone
    return Answer(_describe(call.state, row))


def redeem(call: Call) -> Answer:
    """POST /auth/token/redeem: the tokens are given once."""
    state = call.state
    row = _own(call)
    code, _ = _status(state, row)
    if row["redeemed"]:
        raise BadRequest(
            21301, f"Tokeny dla operacji uwierzytelniania {row['reference']} zostały już pobrane."
        )
    if code != 200:
        raise BadRequest(21301, f"Status uwierzytelniania ({code}) nie pozwala na pobranie tokenów.")
    access = _access_token(state, row, frozenset(json.loads(row["permissions"])))
    refresh_token = bearer.issue(
        state, bearer.REFRESH, row["reference"], state.settings.refresh_token_seconds
    )
    state.run(
        "UPDATE authentications SET redeemed = 1, refresh_until = ? WHERE reference = ?",
        (stamp(refresh_token.valid_until), row["reference"]),
    )
    return Answer({"accessToken": access.as_json(), "refreshToken": refresh_token.as_json()})


def refresh(call: Call) -> Answer:
    """POST /auth/token/refresh, with the refresh token."""
    state = call.state
    row = _own(call)
    code, _ = _status(state, row)
    if code != 200:
        raise BadRequest(
            21301, f"Status uwierzytelniania ({code}) nie pozwala na odświeżenie tokenu dostępowego."
        )
    if _token_revoked(state, row):
        raise BadRequest(21301, "Token KSeF został unieważniony.")
    permissions = _permissions_now(state, row)
    state.run(
        "UPDATE authentications SET refreshed = ? WHERE reference = ?", (stamp(state.now()), row["reference"])
    )
    return Answer({"accessToken": _access_token(state, row, permissions).as_json()})


def sessions(call: Call) -> Answer:
    """GET /auth/sessions: sign-ins of this context that were not revoked, newest first."""
    size, offset = call.page_size(largest=100), call.offset()
    rows = call.state.all(
        "SELECT * FROM authentications WHERE context_type = ? AND context_value = ? AND revoked = 0 "
        "AND redeemed = 1 AND refresh_until > ? ORDER BY started DESC, reference LIMIT ? OFFSET ?",
        (
            call.principal.context_type,
            call.principal.context_value,
            stamp(call.state.now()),
            size + 1,
            offset,
        ),
    )
    items = [
        {
            "referenceNumber": row["reference"],
            "isCurrent": row["reference"] == call.principal.authentication,
            **_describe(call.state, row),
        }
        for row in rows[:size]
    ]
    more = continuation(offset + size) if len(rows) > size else None
    return Answer({"continuationToken": more, "items": items})


def revoke_current(call: Call) -> Answer:
    """DELETE /auth/sessions/current: its refresh token stops working, access tokens live to their end."""
    return _revoke(call, call.principal.authentication)


def revoke(call: Call) -> Answer:
    """DELETE /auth/sessions/{referenceNumber}."""
    return _revoke(call, call.reference("referenceNumber"))


def _find(state: SandboxState, reference: str) -> sqlite3.Row | None:
    return state.one("SELECT * FROM authentications WHERE reference = ?", (reference,))


def _own(call: Call) -> sqlite3.Row:
    row = _find(call.state, call.principal.authentication)
    if row is None:
        raise BadRequest(21304)
    return row


def _status(state: SandboxState, row: sqlite3.Row) -> tuple[int, str]:
    if row["revoked"]:
        return 425, "Uwierzytelnienie i powiązane refresh tokeny zostały unieważnione przez użytkownika"
    if row["ready"] > stamp(state.now()):
        return 100, ""
    return row["code"], row["detail"]


def _access_token(state: SandboxState, row: sqlite3.Row, permissions: frozenset[str]) -> bearer.Issued:
    seconds = state.settings.access_token_seconds
    return bearer.issue(state, bearer.ACCESS, row["reference"], seconds, permissions)


def _permissions_now(state: SandboxState, row: sqlite3.Row) -> frozenset[str]:
    """What a sign-in may do when its token is refreshed: a KSeF token's own, else what is granted now."""
    if subjects.is_deceased(state, row["subject_value"]):
        raise BadRequest(21308)
    if row["token_reference"] is not None:
        return frozenset(json.loads(row["permissions"]))
    subject, context = (
        (row["subject_type"], row["subject_value"]),
        (row["context_type"], row["context_value"]),
    )
    found = permission_access.effective(state, subject, context)
    if found is None:
        raise BadRequest(
            21301, "Status uwierzytelniania (415) nie pozwala na odświeżenie tokenu dostępowego."
        )
    return found


def _token_revoked(state: SandboxState, row: sqlite3.Row) -> bool:
    if row["token_reference"] is None:
        return False
    token = state.one("SELECT revoked FROM tokens WHERE reference = ?", (row["token_reference"],))
    return token is None or bool(token["revoked"])


def _describe(state: SandboxState, row: sqlite3.Row) -> Json:
    code, detail = _status(state, row)
    answer: Json = {
        "startDate": row["started"],
        "authenticationMethod": row["method"],
        "authenticationMethodInfo": dict(_METHODS[row["method"]]),
        "status": {
            "code": code,
            "description": _STATUSES.get(code, "Nieznany błąd"),
            "details": [detail] if detail else None,
        },
        "isTokenRedeemed": bool(row["redeemed"]),
    }
    if row["refresh_until"] is not None:
        answer["refreshTokenValidUntil"] = row["refresh_until"]
    if row["refreshed"] is not None:
        answer["lastTokenRefreshDate"] = row["refreshed"]
    return answer


def _revoke(call: Call, reference: str) -> Answer:
    row = _find(call.state, reference)
    own = row is not None and (row["context_type"], row["context_value"]) == (
        call.principal.context_type,
        call.principal.context_value,
    )
    if not own:
        raise BadRequest(21405, f"Sesja uwierzytelnienia {reference} nie została znaleziona.")
    call.state.run("UPDATE authentications SET revoked = 1 WHERE reference = ?", (reference,))
    return Answer(status=204)
