"""Signing in: challenge, XAdES signature and KSeF token. What follows is in :mod:`sandbox.ksef.sign_ins`.

Source: operations under ``/auth`` of open-api.json and their tables of exception codes and statuses.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from sandbox.ksef import bearer, consents, keys, xades
from sandbox.ksef.call import Answer, Body, Call
from sandbox.ksef.certificates import authority, registry
from sandbox.ksef.errors import BadRequest
from sandbox.ksef.identities import Identity
from sandbox.ksef.permissions import access, grants, subjects
from sandbox.ksef.permissions.grants import Grant
from sandbox.ksef.state import SandboxState, stamp

CONTEXT_TYPES = frozenset({"Nip", "InternalId", "NipVatUe", "PeppolId"})
_BLOCKED = (
    "Podejrzenie incydentu bezpieczeństwa. "
    "Skontaktuj się z Ministerstwem Finansów przez formularz zgłoszeniowy."
)
_DECEASED = "Próba wykorzystania metod autoryzacyjnych osoby zmarłej"


@dataclass(frozen=True, slots=True)
class _Verdict:
    """How a sign-in ends: status code, sentence, and what the subject may do."""

    code: int = 200
    detail: str = ""
    permissions: frozenset[str] = frozenset()


def challenge(call: Call) -> Answer:
    """POST /auth/challenge."""
    state = call.state
    now = state.now()
    milliseconds = int(now.timestamp() * 1000)
    text = state.new_reference("CR")
    expires = now + timedelta(seconds=state.settings.challenge_seconds)
    state.insert("challenges", challenge=text, issued_ms=milliseconds, expires=stamp(expires))
    moment = datetime.fromtimestamp(milliseconds / 1000, now.tzinfo)
    return Answer(
        {
            "challenge": text,
            "timestamp": moment.isoformat(),
            "timestampMs": milliseconds,
            "clientIp": call.client,
        }
    )


def xades_signature(call: Call) -> Answer:
    """POST /auth/xades-signature: the body is a signed AuthTokenRequest."""
    state = call.state
    request = xades.read(call.body)
    _use_challenge(state, request.challenge)
    if request.subject_type == "Nip" and request.context_type == "PeppolId":
        raise BadRequest(21117)
    issued = registry.matching(state, request.certificate)
    subject = _subject(request, issued)
    problem = _certificate_problem(call, request.certificate, issued)
    if problem:
        verdict = _Verdict(460, problem)
    else:
        verdict = _permitted(state, subject, (request.context_type, request.context_value))
    if issued is not None and verdict.code == 200:
        registry.note_use(state, issued.serial)
    return _start(
        call,
        verdict,
        method=request.method if issued is None else "InternalCertificate",
        context=(request.context_type, request.context_value),
        subject=subject,
        document_hash=request.document_hash,
        certificate=request.certificate.public_bytes(serialization.Encoding.DER),
        policy=request.policy,
    )


def ksef_token(call: Call) -> Answer:
    """POST /auth/ksef-token."""
    state = call.state
    body = call.json()
    text = body.required_text("challenge", shortest=36, longest=36)
    context_body = body.required_object("contextIdentifier")
    context = (context_body.required_text("type"), context_body.required_text("value"))
    if context[0] not in CONTEXT_TYPES:
        raise BadRequest(21405, f"contextIdentifier.type: wartość {context[0]!r} nie jest dozwolona.")
    encrypted = body.base64("encryptedToken")
    public_key_id = body.text("publicKeyId", shortest=44, longest=44, required=False)
    pairs = keys.choose(state, keys.TOKENS, public_key_id)
    policy = _policy(body)
    issued_ms = _use_challenge(state, text)
    row, verdict = _read_token(state, pairs, encrypted, issued_ms, context)
    if row is not None:
        state.run(
            "UPDATE tokens SET last_used = ? WHERE reference = ?", (stamp(state.now()), row["reference"])
        )
    return _start(
        call,
        verdict,
        method="Token",
        context=context,
        subject=(row["author_type"], row["author_value"]) if row is not None else context,
        token_reference=row["reference"] if row is not None else None,
        policy=policy,
    )


def grant(
    state: SandboxState, *, subject_type: str, subject_value: str, context: str, permissions: frozenset[str]
) -> None:
    """Let a subject act in a context that is not its own; it has exactly these permissions afterwards.

    Args:
        state: where it is kept.
        subject_type: Nip, Pesel or Fingerprint (SHA-256 of the certificate, upper-case hexadecimal).
        subject_value: who.
        context: NIP of the context.
        permissions: what it may do.
    """
    subject, where, now = (subject_type, subject_value), ("Nip", context), state.now()
    grants.end_of(state, subject, context=where, ended=now)
    grants.add(
        state,
        [
            Grant(grants.PERSON, subject, where, where, grants.SYSTEM, permission, "Nadane w piaskownicy")
            for permission in sorted(permissions)
        ],
        started=now,
    )


def check_address(state: SandboxState, authentication: str, address: str) -> bool:
    """Whether the sign-in's policy of allowed addresses lets this address in."""
    row = state.one("SELECT policy FROM authentications WHERE reference = ?", (authentication,))
    policy: dict[str, list[str]] = json.loads(row["policy"]) if row is not None else {}
    if not any(policy.values()):
        return True
    caller = ipaddress.ip_address(address)
    if address in policy.get("ip4Addresses", []):
        return True
    if any(
        caller in ipaddress.ip_network(mask, strict=False)
        for mask in policy.get("ip4Masks", [])
        if caller.version == 4
    ):
        return True
    for span in policy.get("ip4Ranges", []):
        first, _, last = span.partition("-")
        if int(ipaddress.ip_address(first)) <= int(caller) <= int(ipaddress.ip_address(last)):
            return True
    return False


def _subject(request: xades.AuthTokenRequest, issued: registry.Issued | None) -> tuple[str, str]:
    """Who signed in: the holder of a KSeF certificate, else whom the foreign certificate names.

    A KSeF certificate stands for the identity it was issued to. Only a request that asks for the
    certificate's own fingerprint, of a holder who is known otherwise, stays what it says.
    """
    if issued is not None and (issued.subject[0] == "Fingerprint" or request.subject_type != "Fingerprint"):
        return issued.subject
    return request.subject_type, request.subject_value


def _certificate_problem(call: Call, certificate: x509.Certificate, issued: registry.Issued | None) -> str:
    """Detail of status 460 for a certificate that may not sign in; empty when it may.

    Self-made certificates are taken, as on KSeF TEST, unless the caller asks to verify the chain.
    """
    state = call.state
    now = state.now()
    if issued is not None:
        return _issued_problem(issued, now)
    if certificate.issuer == authority.of(state).certificate.subject:
        return "Niepoprawny certyfikat"
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        return "Nieważny certyfikat"
    if call.query.get("verifyCertificateChain", ["false"])[-1].lower() == "true":
        return "Niezaufany łańcuch certyfikatów"
    return ""


def _issued_problem(issued: registry.Issued, moment: datetime) -> str:
    """Detail of status 460 for a certificate of the sandbox's authority; empty when it may sign in."""
    if issued.kind != registry.AUTHENTICATION:
        return "Niepoprawny certyfikat"
    if issued.is_valid(moment):
        return ""
    reasons = {registry.REVOKED: "Certyfikat odwołany", registry.BLOCKED: "Certyfikat zawieszony"}
    return reasons.get(issued.status(moment), "Nieważny certyfikat")


def _use_challenge(state: SandboxState, text: str) -> int:
    """Spend a challenge; returns the milliseconds of its making."""
    row = state.one("SELECT * FROM challenges WHERE challenge = ?", (text,))
    if row is None or row["used"] or row["expires"] < stamp(state.now()):
        raise BadRequest(21111)
    state.run("UPDATE challenges SET used = 1 WHERE challenge = ?", (text,))
    return int(row["issued_ms"])


def _permitted(state: SandboxState, subject: Identity, context: Identity) -> _Verdict:
    found = access.effective(state, subject, context)
    if found is None:
        return _Verdict(415, "Brak przypisanych uprawnień")
    return _Verdict(permissions=found)


def _obstacle(state: SandboxState, subject: Identity, context: Identity) -> _Verdict | None:
    """What keeps a subject from signing in whatever it signed with; None when nothing does."""
    if consents.is_blocked(state, context):
        return _Verdict(480, _BLOCKED)
    if subjects.is_deceased(state, subject[1]):
        return _Verdict(470, _DECEASED)
    return None


def _read_token(
    state: SandboxState, pairs: list[keys.KeyPair], encrypted: bytes, issued_ms: int, context: tuple[str, str]
) -> tuple[sqlite3.Row | None, _Verdict]:
    try:
        token, _, milliseconds = keys.decrypt(pairs, encrypted).decode("utf-8").rpartition("|")
    except keys.DecryptionError:
        return None, _Verdict(450, "Nieprawidłowe szyfrowanie tokena")
    except UnicodeDecodeError:
        return None, _Verdict(450, "Nieprawidłowe kodowanie tokena")
    row = state.one("SELECT * FROM tokens WHERE digest = ?", (digest(token),))
    problem = _token_problem(state, row, context)
    if not milliseconds.isdecimal() or int(milliseconds) != issued_ms:
        problem = "Nieprawidłowy czas tokena"
    if row is None or problem:
        return row, _Verdict(450, problem)
    return row, _Verdict(permissions=frozenset(json.loads(row["permissions"])))


def _token_problem(state: SandboxState, row: sqlite3.Row | None, context: tuple[str, str]) -> str:
    """Why a KSeF token may not sign in to a context; empty when it may."""
    if row is None:
        return "Nieprawidłowy token"
    if row["revoked"]:
        return "Token unieważniony"
    if row["active"] > stamp(state.now()):
        return "Token nieaktywny"
    if (row["context_type"], row["context_value"]) != context:
        return f"Token nie może być użyty w kontekście {context[1]}"
    return ""


def digest(token: str) -> str:
    """What is kept of a KSeF token: the SHA-256 of its text in hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()


def _start(
    call: Call,
    verdict: _Verdict,
    *,
    method: str,
    context: tuple[str, str],
    subject: tuple[str, str],
    policy: dict[str, list[str]],
    document_hash: str | None = None,
    token_reference: str | None = None,
    certificate: bytes | None = None,
) -> Answer:
    state = call.state
    now = state.now()
    verdict = _obstacle(state, subject, context) or verdict
    if call.forced_status is not None:
        verdict = _Verdict(call.forced_status, "Status wywołany na żądanie w piaskownicy")
    reference = state.new_reference("AU")
    state.insert(
        "authentications",
        reference=reference,
        started=stamp(now),
        ready=stamp(now + timedelta(seconds=state.settings.processing_seconds)),
        method=method,
        context_type=context[0],
        context_value=context[1],
        subject_type=subject[0],
        subject_value=subject[1],
        permissions=json.dumps(sorted(verdict.permissions)),
        code=verdict.code,
        detail=verdict.detail,
        document_hash=document_hash,
        token_reference=token_reference,
        certificate=certificate,
        policy=json.dumps(policy),
    )
    token = bearer.issue(state, bearer.OPERATION, reference, state.settings.operation_token_seconds)
    return Answer({"referenceNumber": reference, "authenticationToken": token.as_json()}, status=202)


def _policy(body: Body) -> dict[str, list[str]]:
    policy = body.object("authorizationPolicy", required=False)
    allowed = policy.object("allowedIps", required=False) if policy is not None else None
    if allowed is None:
        return {}
    found: dict[str, list[str]] = {}
    for name, form in xades.ADDRESS_FORMS.items():
        values = allowed.texts(name, required=False)
        if len(values) > 10 or not all(form.fullmatch(value) for value in values):
            raise BadRequest(21405, f"authorizationPolicy.allowedIps.{name}: niepoprawna lista adresów.")
        found[name] = values
    return found
