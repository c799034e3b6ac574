"""The verification page behind QR code I, and Latarnia, KSeF's board of availability.

Source: the Ministry's page on QR codes: ``{base}/invoice/{NIP}/{DD-MM-YYYY}/{SHA-256 in Base64URL}``, and the
facts about Latarnia: GET /status and GET /messages without authentication.
"""

from __future__ import annotations

import base64
import html
import json

from sandbox.ksef.call import Answer, Call
from sandbox.ksef.processing import settle
from sandbox.ksef.state import SandboxState

_PAGE = """<!DOCTYPE html>
<html lang="pl">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Weryfikacja faktury - piaskownica KSeF</title></head>
<body><h1>{title}</h1>
<dl>{rows}</dl>
<p>To jest piaskownica: żadna z tych faktur nie trafiła do Krajowego Systemu e-Faktur.</p></body>
</html>
"""


def invoice_page(call: Call) -> Answer:
    """GET /qr/invoice/{nip}/{day}/{hash}: says in Polish whether the document is in KSeF."""
    settle(call.state)
    nip, day, given = call.path["nip"], call.path["day"], call.path["hash"]
    row = _find(call.state, nip, day, _plain_hash(given))
    asked = [("NIP sprzedawcy", nip), ("Data wystawienia", day), ("Skrót", given)]
    if row is None:
        return _html("Nie znaleziono faktury w KSeF", asked, 404)
    facts = json.loads(row["meta"])
    found = [
        ("Numer KSeF", row["ksef_number"]),
        ("Numer faktury", row["number"]),
        ("NIP sprzedawcy", row["seller"]),
        ("Sprzedawca", facts["seller_name"]),
        ("Data wystawienia", day),
        ("Kwota należności ogółem", f"{facts['gross']} {facts['currency']}"),
        ("Data nadania numeru KSeF", row["acquired"]),
    ]
    return _html("Faktura znajduje się w KSeF", found, 200)


def latarnia_status(call: Call) -> Answer:
    """GET /latarnia/status: the sandbox is always available; a later part of the sandbox changes it."""
    del call
    return Answer({"status": "AVAILABLE"})


def latarnia_messages(call: Call) -> Answer:
    """GET /latarnia/messages: nothing is announced."""
    del call
    return Answer([])


def _plain_hash(text: str) -> str:
    """Base64URL without padding as the Base64 in which hashes are stored; empty when it is neither."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return ""
    return base64.b64encode(raw).decode()


def _find(state: SandboxState, nip: str, day: str, digest: str) -> dict[str, str] | None:
    """The accepted document, also under the hash of the refused one that it corrected technically."""
    written = "-".join(reversed(day.split("-")))
    row = state.one(
        "SELECT * FROM invoices "
        "WHERE code = 200 AND seller = ? AND issued = ? AND (hash = ? OR corrects = ?)",
        (nip, written, digest, digest),
    )
    return None if row is None else dict(row)


def _html(title: str, rows: list[tuple[str, str]], status: int) -> Answer:
    inner = "".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd>" for name, value in rows)
    page = _PAGE.format(title=html.escape(title), rows=inner)
    return Answer(page.encode(), status, {"Content-Type": "text/html; charset=utf-8"})
