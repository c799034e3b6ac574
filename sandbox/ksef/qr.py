"""The pages behind QR codes I and II, for a phone or a browser.

Source: the Ministry's page on QR codes. Code I: ``{base}/invoice/{NIP}/{DD-MM-YYYY}/{SHA-256 in Base64URL}``.
Code II: ``{base}/certificate/{context kind}/{context value}/{NIP}/{serial}/{hash}/{signature}``. It signs
the address without scheme, up to and without the last slash, by the key of an Offline certificate:
RSASSA-PSS (SHA-256, MGF1 with SHA-256, salt of 32 bytes) or ECDSA on P-256 with SHA-256, as R||S or in DER.
"""

from __future__ import annotations

import base64
import html
import json
from dataclasses import dataclass
from urllib.parse import quote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from core.calendar import WARSAW
from sandbox.ksef.call import Answer, Call
from sandbox.ksef.certificates import registry
from sandbox.ksef.certificates.authority import PublicKey
from sandbox.ksef.processing import settle
from sandbox.ksef.state import SandboxState

_PAGE = """<!DOCTYPE html>
<html lang="pl">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} – piaskownica KSeF</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:38rem;margin:1.5rem auto;padding:0 1rem}}
h1{{font-size:1.3rem;padding:.7rem .9rem;border-left:.4rem solid {colour};background:#f3f5f8}}
dt{{color:#5b626d;font-size:.85rem}}dd{{margin:0 0 .7rem;overflow-wrap:anywhere}}
footer{{border-top:1px solid #c3c9d2;color:#5b626d;font-size:.85rem}}</style></head>
<body><h1>{title}</h1>
<dl>{rows}</dl>
<footer><p>To jest piaskownica: żadna z tych faktur nie trafiła do Krajowego Systemu e-Faktur.</p></footer>
</body></html>
"""
_GOOD, _BAD = "#1f7a3d", "#a3161b"
_CONTEXTS = frozenset({"Nip", "InternalId", "NipVatUe", "PeppolId"})
_SALT_BYTES = 32
_P256_BYTES = 32

Rows = list[tuple[str, str]]


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
        ("Tryb wystawienia", "offline" if row["mode"] == "Offline" else "online"),
    ]
    return _html("Faktura znajduje się w KSeF", found, 200)


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What the page of code II says."""

    title: str
    rows: Rows
    is_good: bool


def certificate_page(call: Call) -> Answer:
    """GET /qr/certificate/...: says in Polish whether a valid Offline certificate signed the code."""
    verdict = _judge(call)
    asked = [
        ("NIP sprzedawcy", call.path["nip"]),
        ("Kontekst", f"{call.path['kind']} {call.path['value']}"),
        ("Numer seryjny certyfikatu", call.path["serial"]),
        ("Skrót faktury", call.path["hash"]),
    ]
    return _html(verdict.title, [*verdict.rows, *asked], 200 if verdict.is_good else 404)


def _judge(call: Call) -> _Verdict:
    if call.path["kind"] not in _CONTEXTS or not _plain_hash(call.path["hash"]):
        return _Verdict("Nieprawidłowy kod certyfikatu", [], is_good=False)
    now = call.state.now()
    issued = registry.find(call.state, call.path["serial"].upper().zfill(16))
    if issued is None:
        return _Verdict("Nie znaleziono certyfikatu w KSeF", [], is_good=False)
    holder: Rows = [
        ("Właściciel certyfikatu", issued.common_name),
        ("Ważny do", f"{issued.valid_to.astimezone(WARSAW):%d.%m.%Y %H:%M}"),
    ]
    if issued.kind != registry.OFFLINE:
        return _Verdict("To nie jest certyfikat typu Offline", holder, is_good=False)
    if not any(
        _is_signed(issued.public_key, address, call.path["signature"]) for address in _addresses(call)
    ):
        return _Verdict("Podpis kodu jest nieprawidłowy", holder, is_good=False)
    if not issued.is_valid(now):
        return _Verdict("Certyfikat nie jest ważny", holder, is_good=False)
    return _Verdict("Certyfikat wystawcy faktury jest ważny", holder, is_good=True)


def _addresses(call: Call) -> list[str]:
    """What may have been signed: the address of this call, or this machine's other name in it."""
    names = ("kind", "value", "nip", "serial", "hash")
    path = "/".join(quote(call.path[name], safe="") for name in names)
    host = call.origin.partition("://")[2]
    _, colon, port = host.rpartition(":")
    hosts = [host, *(f"{name}{colon}{port}" for name in ("127.0.0.1", "localhost"))]
    return [f"{one}/qr/certificate/{path}" for one in dict.fromkeys(hosts)]


def _is_signed(key: PublicKey, address: str, given: str) -> bool:
    signature = _decoded(given)
    if signature is None:
        return False
    try:
        if isinstance(key, rsa.RSAPublicKey):
            scheme = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=_SALT_BYTES)
            key.verify(signature, address.encode(), scheme, hashes.SHA256())
        else:
            key.verify(_as_der(signature), address.encode(), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _as_der(signature: bytes) -> bytes:
    """An ECDSA signature in DER, whichever of the two accepted forms it came in."""
    if len(signature) != 2 * _P256_BYTES:
        return signature
    r, s = (int.from_bytes(signature[start : start + _P256_BYTES], "big") for start in (0, _P256_BYTES))
    return utils.encode_dss_signature(r, s)


def _decoded(text: str) -> bytes | None:
    """Base64URL without padding as bytes; None when it is none."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None


def _plain_hash(text: str) -> str:
    """Base64URL without padding as the Base64 in which hashes are stored; empty when it is neither."""
    raw = _decoded(text)
    return "" if raw is None else base64.b64encode(raw).decode()


def _find(state: SandboxState, nip: str, day: str, digest: str) -> dict[str, str] | None:
    """The accepted document, also under the hash of the refused one that it corrected technically."""
    written = "-".join(reversed(day.split("-")))
    row = state.one(
        "SELECT * FROM invoices "
        "WHERE code = 200 AND seller = ? AND issued = ? AND (hash = ? OR corrects = ?)",
        (nip, written, digest, digest),
    )
    return None if row is None else dict(row)


def _html(title: str, rows: Rows, status: int) -> Answer:
    inner = "".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd>" for name, value in rows)
    colour = _GOOD if status == 200 else _BAD
    page = _PAGE.format(title=html.escape(title), rows=inner, colour=colour)
    return Answer(page.encode(), status, {"Content-Type": "text/html; charset=utf-8"})
