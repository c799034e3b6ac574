"""Presigned addresses: uploads and downloads that need no token, expire, and refuse one.

Source: ``upoDownloadUrl``, ``downloadUrl`` and ``partUploadRequests`` of open-api.json: without access token,
outside the rate limits; download addresses are made anew at every look at a status, and their answers carry
the header ``x-ms-meta-hash``.
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

READ = "r"
WRITE = "w"
_FORBIDDEN = (403, "Forbidden", "Adres jest nieprawidłowy, wygasł albo żądanie zawiera token dostępowy.")


def presign(call: Call, path: str, permission: str, until: datetime) -> str:
    """An address with its end and a signature over path, permission and end.

    Args:
        call: gives the state and the server's address.
        path: path of the address, without anything that needs escaping.
        permission: READ or WRITE.
        until: aware end of the address's life; fractions of a second are cut.
    """
    end = until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    signature = _signature(call.state, path, permission, end)
    return f"{call.origin}{path}?{urlencode({'se': end, 'sp': permission, 'sig': signature})}"


def check(call: Call, permission: str) -> None:
    """Check the called address.

    Raises:
        PlainProblem: 403, not signed by us for this permission, past its end, or called with a token.
    """
    end = call.query.get("se", [""])[-1]
    given = call.query.get("sig", [""])[-1]
    expected = _signature(call.state, call.location, permission, end)
    if "authorization" in call.headers or not hmac.compare_digest(given.encode(), expected.encode()):
        raise PlainProblem(*_FORBIDDEN)
    if datetime.fromisoformat(end) <= call.state.now():
        raise PlainProblem(*_FORBIDDEN)


def download_until(state: SandboxState) -> datetime:
    """The aware UTC end of a download address that is made now, in whole seconds."""
    until = state.now() + timedelta(seconds=state.settings.link_seconds)
    return until.astimezone(UTC).replace(microsecond=0)


def upo_link(call: Call, reference: str) -> tuple[str, datetime]:
    """The address of a UPO and the aware UTC end of its life.

    Args:
        call: gives the state and the server's address.
        reference: reference number of the document (its UPO) or of a page of a session's UPO.
    """
    until = download_until(call.state)
    return presign(call, f"/storage/upo/{reference}.xml", READ, until), until


def download_upo(call: Call) -> Answer:
    """GET /storage/upo/{reference}.xml: what :func:`upo_link` points to."""
    state = call.state
    reference = call.path["reference"]
    check(call, READ)
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


def _signature(state: SandboxState, path: str, permission: str, end: str) -> str:
    text = f"{permission}\n{path}\n{end}"
    return hmac.new(state.secret("links"), text.encode(), hashlib.sha256).hexdigest()
