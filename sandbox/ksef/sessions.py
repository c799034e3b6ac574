"""Interactive sessions: open, send, close. Reading their results is in :mod:`sandbox.ksef.results`.

Source: operations under ``/sessions/online`` of open-api.json and their tables of exception codes.
"""

from __future__ import annotations

import base64
import hashlib
import sqlite3
from datetime import timedelta

from sandbox.ksef import allowances, encryption, form_codes
from sandbox.ksef.call import Answer, Body, Call
from sandbox.ksef.errors import BadRequest
from sandbox.ksef.processing import settle
from sandbox.ksef.session_status import find_session, session_status
from sandbox.ksef.state import SandboxState, stamp


def open_online(call: Call) -> Answer:
    """POST /sessions/online."""
    state = call.state
    body = call.json()
    system_code, schema_version = form_codes.read(body.required_object("formCode"))
    given = encryption.read(state, body.required_object("encryption"))
    now = state.now()
    until = now + timedelta(seconds=state.settings.session_seconds)
    reference = state.new_reference("SO")
    state.insert(
        "sessions",
        reference=reference,
        kind="Online",
        context_type=call.principal.context_type,
        context_value=call.principal.context_value,
        authentication=call.principal.authentication,
        system_code=system_code,
        schema_version=schema_version,
        symmetric_key=given.key,
        vector=given.vector,
        created=stamp(now),
        updated=stamp(now),
        valid_until=stamp(until),
    )
    return Answer({"referenceNumber": reference, "validUntil": until.isoformat()}, status=201)


def send(call: Call) -> Answer:
    """POST /sessions/online/{referenceNumber}/invoices."""
    state = call.state
    session = find_session(call, kind="Online", missing="odnaleziona")
    code = session_status(state, session).code
    if code != 100:
        raise BadRequest(21180, f"Status sesji {code} uniemożliwia wysyłkę faktur.")
    body = call.json()
    digest = body.sha256("invoiceHash")
    size = body.whole("invoiceSize", smallest=1)
    content = _encrypted(body)
    offline = body.flag("offlineMode")
    corrects = body.sha256("hashOfCorrectedInvoice", required=False)
    if corrects is not None:
        _check_correction(call, corrects, offline=offline)
    count = _count(state, session["reference"])
    limit = allowances.of_context(state, call.principal.context_value).online.max_invoices
    if count >= limit:
        raise BadRequest(
            21155,
            f"Sesja o numerze referencyjnym {session['reference']} osiągnęła dozwolony limit liczby "
            f"faktur {limit}.",
        )
    now = state.now()
    reference = state.new_reference("EE")
    state.insert(
        "invoices",
        reference=reference,
        session=session["reference"],
        ordinal=count + 1,
        received=stamp(now),
        ready=stamp(
            now + timedelta(seconds=state.settings.processing_seconds + state.settings.document_seconds)
        ),
        hash=digest,
        size=size,
        encrypted=content,
        offline=int(offline),
        corrects=corrects,
        forced=call.forced_status,
    )
    state.run("UPDATE sessions SET updated = ? WHERE reference = ?", (stamp(now), session["reference"]))
    return Answer({"referenceNumber": reference}, status=202)


def close(call: Call) -> Answer:
    """POST /sessions/online/{referenceNumber}/close: starts the collective UPO."""
    state = call.state
    session = find_session(call, kind="Online", missing="odnaleziona")
    code = session_status(state, session).code
    if session["closed"] is not None or code not in (100, 415):
        raise BadRequest(21180, f"Status sesji {code} uniemożliwia jej zamknięcie.")
    now = stamp(state.now())
    state.run(
        "UPDATE sessions SET closed = ?, updated = ? WHERE reference = ?", (now, now, session["reference"])
    )
    return Answer(status=204)


def close_all(state: SandboxState) -> int:
    """Close every open interactive session as KSeF does by itself; tells how many there were."""
    now = stamp(state.now())
    is_open = "kind = 'Online' AND closed IS NULL AND valid_until > ?"
    with state.transaction():
        found = state.all(f"SELECT reference FROM sessions WHERE {is_open}", (now,))  # noqa: S608
        state.run(f"UPDATE sessions SET closed = ?, updated = ? WHERE {is_open}", (now, now, now))  # noqa: S608
    return len(found)


def _encrypted(body: Body) -> bytes:
    """The encrypted document, compared with its declared size and hash."""
    size = body.whole("encryptedInvoiceSize", smallest=1)
    digest = body.sha256("encryptedInvoiceHash")
    content = body.base64("encryptedInvoiceContent")
    if len(content) != size:
        raise BadRequest(21402, "Długość treści nie zgadza się z rozmiarem pliku.")
    if base64.b64encode(hashlib.sha256(content).digest()).decode() != digest:
        raise BadRequest(21403, "Skrót treści nie zgadza się ze skrótem pliku.")
    return content


def _check_correction(call: Call, corrects: str, *, offline: bool) -> None:
    """Technical correction: only of an offline document that was refused and not yet corrected."""
    if not offline:
        raise BadRequest(21405, "hashOfCorrectedInvoice: korekta techniczna wymaga offlineMode = true.")
    settle(call.state)
    original = _latest(call, "invoices.hash = ?", corrects)
    if original is None:
        raise BadRequest(21405, "hashOfCorrectedInvoice: nie znaleziono korygowanej faktury.")
    if original["code"] is None or original["code"] == 200:
        raise BadRequest(21167, "Nie można wysłać korekty technicznej do prawidłowo przetworzonej faktury.")
    if original["code"] == 410:
        raise BadRequest(21167, "Korekta techniczna nie dotyczy braku uprawnień.")
    if _latest(call, "invoices.corrects = ? AND invoices.code = 200", corrects) is not None:
        raise BadRequest(21166, "Faktura posiada już przetworzoną prawidłowo korektę techniczną.")


def _latest(call: Call, condition: str, digest: str) -> sqlite3.Row | None:
    return call.state.one(
        "SELECT invoices.* FROM invoices JOIN sessions ON sessions.reference = invoices.session "  # noqa: S608
        f"WHERE sessions.context_value = ? AND {condition} ORDER BY invoices.sequence DESC",
        (call.principal.context_value, digest),
    )


def _count(state: SandboxState, reference: str) -> int:
    row = state.one("SELECT COUNT(*) AS n FROM invoices WHERE session = ?", (reference,))
    return 0 if row is None else int(row["n"])
