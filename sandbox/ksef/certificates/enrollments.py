"""Asking for a KSeF certificate: limits, data, request, status.

Source: GET /certificates/limits and the operations under ``/certificates/enrollments`` of open-api.json.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.x509.oid import NameOID

from sandbox.ksef import allowances
from sandbox.ksef.call import Answer, Call, parse_moment
from sandbox.ksef.certificates import authority, csr, registry, subject
from sandbox.ksef.certificates.authority import AUTHENTICATION, OFFLINE
from sandbox.ksef.errors import BadRequest, Gone, Json
from sandbox.ksef.identities import Identity
from sandbox.ksef.state import SandboxState, stamp

_RETENTION = timedelta(days=30)
_CLOCK_SKEW = timedelta(minutes=5)
_NAME = r"[a-zA-Z0-9_\- ąćęłńóśźżĄĆĘŁŃÓŚŹŻ]+"
_STATUSES: Mapping[int, str] = {
    100: "Wniosek przyjęty do realizacji",
    200: "Wniosek obsłużony (certyfikat wygenerowany)",
    400: "Wniosek odrzucony",
    500: "Nieznany błąd",
    550: "Operacja została anulowana przez system",
}
_CANCELLED = "Przetwarzanie zostało przerwane z przyczyn wewnętrznych systemu. Spróbuj ponownie"


def limits(call: Call) -> Answer:
    """GET /certificates/limits."""
    state, owner = call.state, _owner(call)
    allowed = allowances.of_subject(state, owner)
    enrollments = max(0, allowed.max_enrollments - _asked(state, owner))
    certificates = max(0, allowed.max_certificates - _held(state, owner))
    return Answer(
        {
            "canRequest": _signed_in_with(call) is not None and enrollments > 0 and certificates > 0,
            "enrollment": {"remaining": enrollments, "limit": allowed.max_enrollments},
            "certificate": {"remaining": certificates, "limit": allowed.max_certificates},
        }
    )


def data(call: Call) -> Answer:
    """GET /certificates/enrollments/data: the attributes that a request must carry."""
    certificate = _signed_in_with(call)
    if certificate is None:
        raise BadRequest(25001)
    return Answer(subject.attributes(certificate, *_owner(call)))


def enroll(call: Call) -> Answer:
    """POST /certificates/enrollments."""
    state, owner = call.state, _owner(call)
    body = call.json()
    name = body.required_text("certificateName", shortest=5, longest=100, form=_NAME)
    kind = body.choice("certificateType", (AUTHENTICATION, OFFLINE))
    content = body.base64("csr")
    start_text = body.text("validFrom", required=False)
    start = None if start_text is None else parse_moment(start_text, "validFrom")
    now = state.now()
    if start is not None and start < now - _CLOCK_SKEW:
        raise BadRequest(21405, "validFrom: data rozpoczęcia ważności nie może być z przeszłości.")
    certificate = _signed_in_with(call)
    if certificate is None:
        raise BadRequest(25002)
    request, _ = csr.read(content)
    problems = subject.differences(request, subject.attributes(certificate, *owner))
    if problems:
        raise BadRequest(25003, *problems)
    allowed = allowances.of_subject(state, owner)
    if _asked(state, owner) >= allowed.max_enrollments:
        raise BadRequest(25006)
    if _held(state, owner) >= allowed.max_certificates:
        raise BadRequest(25007)
    reference = state.new_reference("CE")
    state.insert(
        "enrollments",
        reference=reference,
        requested=stamp(now),
        ready=stamp(now + timedelta(seconds=state.settings.processing_seconds)),
        subject_type=owner[0],
        subject_value=owner[1],
        name=name,
        kind=kind,
        csr=content,
        valid_from=None if start is None else stamp(start),
        forced=call.forced_status,
    )
    return Answer({"referenceNumber": reference, "timestamp": now.isoformat()}, status=202)


def status(call: Call) -> Answer:
    """GET /certificates/enrollments/{referenceNumber}."""
    reference = call.reference("referenceNumber")
    settle(call.state)
    row = call.state.one(
        "SELECT * FROM enrollments WHERE reference = ? AND subject_type = ? AND subject_value = ?",
        (reference, *_owner(call)),
    )
    if row is None:
        raise BadRequest(25005)
    if datetime.fromisoformat(row["requested"]) + _RETENTION < call.state.now():
        raise Gone
    code = 100 if row["code"] is None else row["code"]
    answer: Json = {
        "requestDate": row["requested"],
        "status": {
            "code": code,
            "description": _STATUSES.get(code, "Nieznany błąd"),
            "details": [row["detail"]] if row["detail"] else None,
        },
    }
    if row["serial"] is not None:
        answer["certificateSerialNumber"] = row["serial"]
    return Answer(answer)


def settle(state: SandboxState) -> None:
    """Decide every request whose processing time has passed."""
    rows = state.all(
        "SELECT * FROM enrollments WHERE code IS NULL AND ready <= ? ORDER BY ready, reference",
        (stamp(state.now()),),
    )
    for row in rows:
        code, detail, serial = _decide(state, row)
        state.run(
            "UPDATE enrollments SET code = ?, detail = ?, serial = ? WHERE reference = ?",
            (code, detail, serial, row["reference"]),
        )


def _decide(state: SandboxState, row: sqlite3.Row) -> tuple[int, str | None, str | None]:
    """(code, detail, serial number) of a request."""
    if row["forced"] is not None:
        return row["forced"], _CANCELLED if row["forced"] == 550 else None, None
    owner = (row["subject_type"], row["subject_value"])
    request, key = csr.read(row["csr"])
    earlier = registry.key_owner(state, key)
    if earlier is not None and earlier != owner:
        return 400, "Klucz publiczny został już certyfikowany przez inny podmiot.", None
    issued_at = datetime.fromisoformat(row["ready"])
    if _active(state, owner, issued_at) >= allowances.of_subject(state, owner).max_certificates:
        return 400, "Osiągnięto dopuszczalny limit posiadanych certyfikatów.", None
    asked = row["valid_from"]
    start = max(issued_at, datetime.fromisoformat(asked)) if asked is not None else issued_at
    # certificates count whole seconds
    start = start.replace(microsecond=0)
    number = authority.new_serial(state)
    certificate = authority.of(state).issue(
        subject=request.subject,
        public_key=key,
        kind=row["kind"],
        serial=number,
        valid_from=start,
        valid_to=start + authority.LIFE,
    )
    issued = registry.Issued(
        serial=f"{number:016X}",
        name=row["name"],
        kind=row["kind"],
        subject=owner,
        common_name=str(request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value),
        requested=datetime.fromisoformat(row["requested"]),
        valid_from=start,
        valid_to=start + authority.LIFE,
        blocked_at=None,
        revoked_at=None,
        last_used=None,
        certificate=certificate,
    )
    registry.add(state, issued)
    return 200, None, issued.serial


def _owner(call: Call) -> Identity:
    return call.principal.subject_type, call.principal.subject_value


def _signed_in_with(call: Call) -> x509.Certificate | None:
    """The certificate of the caller's sign-in; None when it signed in by a KSeF token."""
    row = call.state.one(
        "SELECT certificate FROM authentications WHERE reference = ?", (call.principal.authentication,)
    )
    if row is None or row["certificate"] is None:
        return None
    return x509.load_der_x509_certificate(row["certificate"])


def _asked(state: SandboxState, owner: Identity) -> int:
    """How many requests a subject has made."""
    row = state.one(
        "SELECT COUNT(*) AS n FROM enrollments WHERE subject_type = ? AND subject_value = ?", owner
    )
    return 0 if row is None else int(row["n"])


def _held(state: SandboxState, owner: Identity) -> int:
    """How many active certificates a subject holds now."""
    settle(state)
    return _active(state, owner, state.now())


def _active(state: SandboxState, owner: Identity, moment: datetime) -> int:
    return sum(issued.status(moment) == registry.ACTIVE for issued in registry.of(state, [owner]))
