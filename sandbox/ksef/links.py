"""Presigned addresses: downloads that need no token, expire, and refuse one.

Source: ``upoDownloadUrl`` and ``downloadUrl`` of open-api.json: GET without access token, outside the rate
limits, made anew at every look at a status, with the header ``x-ms-meta-hash``.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from sandbox.ksef import upo
from sandbox.ksef.call import Answer, Call
from sandbox.ksef.errors import PlainProblem
from sandbox.ksef.processing import settle
from sandbox.ksef.state import SandboxState

_FORBIDDEN = (403, "Forbidden", "Adres jest nieprawidłowy, wygasł albo żądanie zawiera token dostępowy.")


def upo_link(call: Call, reference: str) -> tuple[str, datetime]:
    """The address of a UPO and the aware UTC end of its life.

    Args:
        call: gives the state and the server's address.
        reference: reference number of the document (its UPO) or of a page of a session's UPO.
    """
    until = call.state.now() + timedelta(seconds=call.state.settings.link_seconds)
    until = until.astimezone(UTC).replace(microsecond=0)
    end = until.strftime("%Y-%m-%dT%H:%M:%SZ")
    query = urlencode({"se": end, "sp": "r", "sig": _signature(call.state, reference, end)})
    return f"{call.origin}/storage/upo/{reference}.xml?{query}", until


def download_upo(call: Call) -> Answer:
    """GET /storage/upo/{reference}.xml: what :func:`upo_link` points to."""
    state = call.state
    reference = call.path["reference"]
    end = call.query.get("se", [""])[-1]
    given = call.query.get("sig", [""])[-1]
    if "authorization" in call.headers or not hmac.compare_digest(
        given.encode(), _signature(state, reference, end).encode()
    ):
        raise PlainProblem(*_FORBIDDEN)
    if datetime.fromisoformat(end) <= state.now():
        raise PlainProblem(*_FORBIDDEN)
    settle(state)
    found = upo.find(state, reference)
    row = state.one("SELECT * FROM invoices WHERE reference = ? AND code = 200", (reference,))
    if found is None and row is not None:
        session = state.one("SELECT * FROM sessions WHERE reference = ?", (row["session"],))
        assert session is not None
        found = upo.of_invoice(state, session, row)
    if found is None:
        raise PlainProblem(404, "Not Found", "Nie znaleziono dokumentu.")
    return Answer(found.xml, headers={"x-ms-meta-hash": found.hash})


def _signature(state: SandboxState, reference: str, end: str) -> str:
    return hmac.new(state.secret("links"), f"{reference}\n{end}".encode(), hashlib.sha256).hexdigest()
