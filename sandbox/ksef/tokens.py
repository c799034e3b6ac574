"""KSeF tokens: generate, list, read, revoke.

Source: operations under ``/tokens`` of open-api.json. Only a token's SHA-256 is kept; its text is shown once.
"""

from __future__ import annotations

import json
import sqlite3
from datetime import timedelta

from sandbox.ksef.auth import digest
from sandbox.ksef.call import Answer, Call, continuation
from sandbox.ksef.errors import BadRequest, Json
from sandbox.ksef.identities import linked
from sandbox.ksef.permissions.access import OWNER_PERMISSIONS
from sandbox.ksef.state import SandboxState, stamp

_AUTHOR_TYPES = frozenset({"Nip", "Pesel", "Fingerprint"})
_REVOKES_ALL = frozenset({"CredentialsManage"})
_SEES_ALL = _REVOKES_ALL | {"CredentialsRead"}
_SHORTEST_SEARCH = 3
_STATUSES = frozenset({"Pending", "Active", "Revoking", "Revoked", "Failed"})


def issue(
    state: SandboxState,
    nip: str,
    *,
    permissions: frozenset[str] = frozenset({"InvoiceRead", "InvoiceWrite"}),
    description: str = "Token piaskownicy",
) -> str:
    """Make a KSeF token for a NIP without signing in, active at once; returns its text.

    Args:
        state: where it is kept.
        nip: context and author of the token.
        permissions: what it may do.
        description: shown in the list of tokens.
    """
    with state.transaction():
        _, text = _make(state, ("Nip", nip), ("Nip", nip), permissions, description, delay=0.0)
    return text


def generate(call: Call) -> Answer:
    """POST /tokens."""
    body = call.json()
    permissions = frozenset(body.texts("permissions"))
    description = body.required_text("description", shortest=5, longest=256)
    unknown = permissions - OWNER_PERMISSIONS
    if unknown:
        raise BadRequest(21405, f"permissions: nieznane uprawnienia {', '.join(sorted(unknown))}.")
    principal = call.principal
    if principal.context_type not in ("Nip", "InternalId"):
        raise BadRequest(26002, f"Kontekst {principal.context_type}, dozwolone: Nip, InternalId.")
    missing = permissions - principal.permissions
    if missing:
        raise BadRequest(26001, f"Brakujące uprawnienia: {', '.join(sorted(missing))}.")
    reference, text = _make(
        call.state,
        (principal.context_type, principal.context_value),
        (principal.subject_type, principal.subject_value),
        permissions,
        description,
        delay=call.state.settings.processing_seconds,
    )
    return Answer({"referenceNumber": reference, "token": text}, status=202)


def listing(call: Call) -> Answer:
    """GET /tokens: the context's tokens, newest first."""
    size, offset = call.page_size(largest=100), call.offset()
    statuses = call.choices("status", _STATUSES)
    wanted = _search(call, "description")
    author = _search(call, "authorIdentifier")
    author_types = call.choices("authorIdentifierType", _AUTHOR_TYPES)
    principal = call.principal
    rows = call.state.all(
        "SELECT * FROM tokens WHERE context_type = ? AND context_value = ? ORDER BY created DESC, rowid DESC",
        (principal.context_type, principal.context_value),
    )
    seen = [
        described
        for row in rows
        if _reaches(call, row, _SEES_ALL)
        and (described := _describe(call.state, row))
        and (not statuses or described["status"] in statuses)
        and wanted in str(row["description"]).lower()
        and author in str(row["author_value"]).lower()
        and (not author_types or row["author_type"] in author_types)
    ]
    more = continuation(offset + size) if len(seen) > offset + size else None
    return Answer({"continuationToken": more, "tokens": seen[offset : offset + size]})


def status(call: Call) -> Answer:
    """GET /tokens/{referenceNumber}."""
    return Answer(_describe(call.state, _find(call, _SEES_ALL)))


def revoke(call: Call) -> Answer:
    """DELETE /tokens/{referenceNumber}."""
    row = _find(call, _REVOKES_ALL)
    call.state.run("UPDATE tokens SET revoked = 1 WHERE reference = ?", (row["reference"],))
    return Answer(status=204)


def _search(call: Call, name: str) -> str:
    """Text of a query to search for, in lower case; empty when absent.

    Raises:
        BadRequest: 21405, fewer than three characters.
    """
    values = call.query.get(name)
    if not values:
        return ""
    if len(values[-1]) < _SHORTEST_SEARCH:
        raise BadRequest(21405, f"{name}: należy podać co najmniej {_SHORTEST_SEARCH} znaki.")
    return values[-1].lower()


def _make(
    state: SandboxState,
    context: tuple[str, str],
    author: tuple[str, str],
    permissions: frozenset[str],
    description: str,
    *,
    delay: float,
) -> tuple[str, str]:
    reference = state.new_reference("EC")
    kind = context[0][0].lower() + context[0][1:]
    text = f"{reference}|{kind}-{context[1]}|{state.random_bytes(32).hex()}"
    now = state.now()
    state.insert(
        "tokens",
        reference=reference,
        digest=digest(text),
        context_type=context[0],
        context_value=context[1],
        author_type=author[0],
        author_value=author[1],
        description=description,
        permissions=json.dumps(sorted(permissions)),
        created=stamp(now),
        active=stamp(now + timedelta(seconds=delay)),
    )
    return reference, text


def _reaches(call: Call, row: sqlite3.Row, for_all: frozenset[str]) -> bool:
    """Whether a token is within the caller's reach.

    Args:
        call: who calls.
        row: the token.
        for_all: permissions of which one opens every token of the context; without them it is the token
            that signed in, or the tokens that the caller made.
    """
    principal = call.principal
    if principal.permissions & for_all:
        return True
    if principal.token_reference is not None:
        return bool(row["reference"] == principal.token_reference)
    own = linked(call.state, (principal.subject_type, principal.subject_value))
    return (row["author_type"], row["author_value"]) in own


def _find(call: Call, for_all: frozenset[str]) -> sqlite3.Row:
    reference = call.reference("referenceNumber")
    row = call.state.one(
        "SELECT * FROM tokens WHERE reference = ? AND context_type = ? AND context_value = ?",
        (reference, call.principal.context_type, call.principal.context_value),
    )
    if row is None or not _reaches(call, row, for_all):
        raise BadRequest(21405, f"Token o numerze referencyjnym {reference} nie został znaleziony.")
    return row


def _describe(state: SandboxState, row: sqlite3.Row) -> Json:
    current = "Pending" if row["active"] > stamp(state.now()) else "Active"
    if row["revoked"]:
        current = "Revoked"
    return {
        "referenceNumber": row["reference"],
        "authorIdentifier": {"type": row["author_type"], "value": row["author_value"]},
        "contextIdentifier": {"type": row["context_type"], "value": row["context_value"]},
        "description": row["description"],
        "requestedPermissions": json.loads(row["permissions"]),
        "dateCreated": row["created"],
        "lastUseDate": row["last_used"],
        "status": current,
        "statusDetails": [],
    }
