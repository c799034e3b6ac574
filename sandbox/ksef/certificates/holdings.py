"""Certificates that exist: retrieve, revoke, query, and shorten for tests.

Source: POST /certificates/retrieve, POST /certificates/{certificateSerialNumber}/revoke,
POST /certificates/query and PUT /testdata/certificates/{serialNumber} of open-api.json.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

from sandbox.ksef.call import Answer, Body, Call, parse_moment
from sandbox.ksef.certificates import registry
from sandbox.ksef.certificates.authority import AUTHENTICATION, OFFLINE
from sandbox.ksef.certificates.enrollments import settle
from sandbox.ksef.errors import BadRequest, Forbidden, Json
from sandbox.ksef.identities import linked

_SERIAL = re.compile(r"[0-9A-F]{16}")
_REASONS = ("Unspecified", "Superseded", "KeyCompromise")
_MOST_RETRIEVED = 10


def retrieve(call: Call) -> Answer:
    """POST /certificates/retrieve: the caller's certificates of these serial numbers."""
    serials = call.json().texts("certificateSerialNumbers")
    if not 1 <= len(serials) <= _MOST_RETRIEVED:
        raise BadRequest(21405, "certificateSerialNumbers: oczekiwano od 1 do 10 numerów seryjnych.")
    for serial in serials:
        _check_form(serial, "certificateSerialNumbers")
    own = {issued.serial: issued for issued in _own(call)}
    return Answer(
        {
            "certificates": [
                {
                    "certificate": base64.b64encode(own[serial].der).decode(),
                    "certificateName": own[serial].name,
                    "certificateSerialNumber": serial,
                    "certificateType": own[serial].kind,
                }
                for serial in dict.fromkeys(serials)
                if serial in own
            ]
        }
    )


def revoke(call: Call) -> Answer:
    """POST /certificates/{certificateSerialNumber}/revoke; not for those who signed in by token."""
    if call.principal.token_reference is not None:
        raise Forbidden(
            "auth-method-not-allowed",
            "Ta operacja nie jest dostępna dla użytej metody uwierzytelnienia.",
            {"authenticationMethodCategory": "Token"},
        )
    serial = _check_form(call.path["certificateSerialNumber"], "certificateSerialNumber")
    reason = call.optional_json().one_of("revocationReason", _REASONS) or _REASONS[0]
    issued = _find(call, serial)
    if issued.status(call.state.now()) != registry.ACTIVE:
        raise BadRequest(25009)
    registry.revoke(call.state, serial, reason)
    return Answer(status=204)


def query(call: Call) -> Answer:
    """POST /certificates/query: the caller's certificates, latest request first."""
    size = call.page_size(largest=50)
    page = call.page_offset()
    keep = _filter(call, call.optional_json())
    found = [issued for issued in _own(call) if keep(issued)]
    return Answer(
        {
            "certificates": [_describe(call, issued) for issued in found[page * size : (page + 1) * size]],
            "hasMore": len(found) > (page + 1) * size,
        }
    )


def shorten(call: Call) -> Answer:
    """PUT /testdata/certificates/{serialNumber}: end a certificate's life earlier."""
    serial = _check_form(call.path["serialNumber"], "serialNumber")
    end = parse_moment(call.json().required_text("validTo"), "validTo")
    issued = _find(call, serial)
    if end > issued.valid_to:
        raise BadRequest(21405, f"validTo: data nie może być późniejsza niż {issued.valid_to.isoformat()}.")
    registry.shorten(call.state, serial, end)
    return Answer()


def _check_form(serial: str, name: str) -> str:
    if not _SERIAL.fullmatch(serial):
        raise BadRequest(21405, f"{name}: numer seryjny ma 16 cyfr szesnastkowych.")
    return serial


def _own(call: Call) -> list[registry.Issued]:
    settle(call.state)
    principal = call.principal
    return registry.of(call.state, linked(call.state, (principal.subject_type, principal.subject_value)))


def _find(call: Call, serial: str) -> registry.Issued:
    for issued in _own(call):
        if issued.serial == serial:
            return issued
    raise BadRequest(25008)


def _filter(call: Call, body: Body) -> Callable[[registry.Issued], bool]:
    """The criteria of QueryCertificatesRequest as one predicate."""
    serial = body.text("certificateSerialNumber", required=False)
    if serial is not None:
        _check_form(serial, "certificateSerialNumber")
    name = body.text("name", required=False) or ""
    kind = body.one_of("type", (AUTHENTICATION, OFFLINE))
    status = body.one_of("status", tuple(sorted(registry.STATUSES)))
    after_text = body.text("expiresAfter", required=False)
    after = None if after_text is None else parse_moment(after_text, "expiresAfter")
    now = call.state.now()

    def keep(issued: registry.Issued) -> bool:
        return (
            serial in (None, issued.serial)
            and name.lower() in issued.name.lower()
            and kind in (None, issued.kind)
            and status in (None, issued.status(now))
            and (after is None or issued.valid_to > after)
        )

    return keep


def _describe(call: Call, issued: registry.Issued) -> Json:
    """CertificateListItem of the contract."""
    return {
        "certificateSerialNumber": issued.serial,
        "name": issued.name,
        "type": issued.kind,
        "commonName": issued.common_name,
        "status": issued.status(call.state.now()),
        "subjectIdentifier": {"type": issued.subject[0], "value": issued.subject[1]},
        "validFrom": issued.valid_from.isoformat(),
        "validTo": issued.valid_to.isoformat(),
        "lastUseDate": None if issued.last_used is None else issued.last_used.isoformat(),
        "requestDate": issued.requested.isoformat(),
    }
