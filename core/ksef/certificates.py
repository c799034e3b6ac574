"""KSeF certificates: limits, enrolment, retrieval, revocation, listing.

Source: ``/certificates/*`` of the API contract. Certificates are issued to the identity that signed in by a
signature; a sign-in by KSeF token may not ask (25001, 25002). There are two kinds and a certificate is of one
only: ``Authentication`` signs in, ``Offline`` signs QR code II.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cryptography import x509

from core.ksef.answers import Status
from core.ksef.calls import Operation
from core.ksef.client import KsefClient
from core.ksef.errors import EnrollmentRefused
from core.ksef.fields import FieldError, Fields
from core.ksef.waiting import DEFAULT_PATIENCE, Patience, wait_for
from core.signing.csr import SubjectAttributes

_LIMITS = Operation("GET /certificates/limits")
_DATA = Operation("GET /certificates/enrollments/data")
_ENROLL = Operation("POST /certificates/enrollments", changes=True)
_STATUS = Operation("GET /certificates/enrollments/{referenceNumber}")
_RETRIEVE = Operation("POST /certificates/retrieve")
_REVOKE = Operation("POST /certificates/{certificateSerialNumber}/revoke", changes=True)
_QUERY = Operation("POST /certificates/query")

NAME_PATTERN = re.compile(r"[a-zA-Z0-9_\- ąćęłńóśźżĄĆĘŁŃÓŚŹŻ]{5,100}")
"""What a certificate may be called (``certificateName``)."""
_AT_ONCE = 10
_PAGE = 50


class CertificateKind(StrEnum):
    """``KsefCertificateType``."""

    AUTHENTICATION = "Authentication"
    """Signs in."""
    OFFLINE = "Offline"
    """Confirms the issuer of documents issued offline (QR code II)."""


class CertificateState(StrEnum):
    """``CertificateListItemStatus``."""

    ACTIVE = "Active"
    BLOCKED = "Blocked"
    REVOKED = "Revoked"
    EXPIRED = "Expired"


class RevocationReason(StrEnum):
    """``CertificateRevocationReason``."""

    UNSPECIFIED = "Unspecified"
    SUPERSEDED = "Superseded"
    KEY_COMPROMISE = "KeyCompromise"


@dataclass(frozen=True, slots=True)
class Limit:
    """``CertificateLimit``: how many there may be, and how many are left."""

    limit: int
    remaining: int

    @classmethod
    def read(cls, data: Fields) -> Limit:
        """Read the answer; raises FieldError."""
        return cls(data.integer("limit"), data.integer("remaining"))


@dataclass(frozen=True, slots=True)
class CertificateLimits:
    """``CertificateLimitsResponse``.

    Attributes:
        can_request: whether the identity may ask for a certificate now.
        enrollments: requests.
        certificates: active certificates.
    """

    can_request: bool
    enrollments: Limit
    certificates: Limit

    @classmethod
    def read(cls, data: Fields) -> CertificateLimits:
        """Read the answer; raises FieldError."""
        return cls(
            data.flag("canRequest"),
            Limit.read(data.child("enrollment")),
            Limit.read(data.child("certificate")),
        )


@dataclass(frozen=True, slots=True)
class EnrollmentStatus:
    """``CertificateEnrollmentStatusResponse``.

    Attributes:
        requested: when it was asked for.
        status: 100 in progress, 200 issued, others not.
        serial_number: of the certificate, 16 hexadecimal digits, once it is issued.
    """

    requested: datetime
    status: Status
    serial_number: str | None

    @classmethod
    def read(cls, data: Fields) -> EnrollmentStatus:
        """Read the answer; raises FieldError, also for an issued certificate without a number."""
        status = Status.read(data.child("status"))
        serial = data.optional_text("certificateSerialNumber")
        if status.code == 200 and serial is None:
            raise FieldError("an issued certificate has no certificateSerialNumber")
        return cls(data.moment("requestDate"), status, serial)


@dataclass(frozen=True, slots=True)
class IssuedCertificate:
    """``RetrieveCertificatesListItem``.

    Attributes:
        serial_number: 16 hexadecimal digits.
        name: as it was asked for.
        kind: what it is for.
        certificate: the certificate itself.
    """

    serial_number: str
    name: str
    kind: CertificateKind
    certificate: x509.Certificate

    @classmethod
    def read(cls, data: Fields) -> IssuedCertificate:
        """Read the answer; raises FieldError."""
        try:
            certificate = x509.load_der_x509_certificate(base64.b64decode(data.text("certificate")))
        except (ValueError, binascii.Error):
            raise FieldError("certificate is no certificate in DER") from None
        return cls(
            data.text("certificateSerialNumber"), data.text("certificateName"), _kind(data), certificate
        )


@dataclass(frozen=True, slots=True)
class CertificateEntry:
    """``CertificateListItem``: one certificate in KSeF's list.

    Attributes:
        serial_number: 16 hexadecimal digits.
        name: as it was asked for.
        kind: what it is for.
        common_name: CN of its subject.
        state: see :class:`CertificateState`.
        valid_from: start of validity.
        valid_until: end of validity.
        requested: when it was asked for.
        last_used: when it was used last; None for never.
    """

    serial_number: str
    name: str
    kind: CertificateKind
    common_name: str
    state: CertificateState
    valid_from: datetime
    valid_until: datetime
    requested: datetime
    last_used: datetime | None

    @classmethod
    def read(cls, data: Fields) -> CertificateEntry:
        """Read the answer; raises FieldError."""
        try:
            state = CertificateState(data.text("status"))
        except ValueError:
            raise FieldError("status is none of the contract's") from None
        return cls(
            serial_number=data.text("certificateSerialNumber"),
            name=data.text("name"),
            kind=_kind(data, "type"),
            common_name=data.text("commonName"),
            state=state,
            valid_from=data.moment("validFrom"),
            valid_until=data.moment("validTo"),
            requested=data.moment("requestDate"),
            last_used=data.optional_moment("lastUseDate"),
        )


def limits(client: KsefClient, access: str) -> CertificateLimits:
    """``GET /certificates/limits``: how many certificates the identity may still have."""
    return client.caller.ask(_LIMITS, CertificateLimits.read, token=access)


def enrollment_data(client: KsefClient, access: str) -> SubjectAttributes:
    """``GET /certificates/enrollments/data``: the subject that the request must have.

    Raises:
        KsefRefused: 25001, the sign-in was made with a token.
    """
    return client.caller.ask(_DATA, _subject, token=access)


def enroll(
    client: KsefClient,
    access: str,
    *,
    name: str,
    kind: CertificateKind,
    request: bytes,
    valid_from: datetime | None = None,
) -> str:
    """``POST /certificates/enrollments``: ask for a certificate.

    Args:
        client: the client.
        access: access token of a sign-in by a signature.
        name: see :data:`NAME_PATTERN`.
        kind: what it is for.
        request: PKCS#10 in DER.
        valid_from: start of validity; None for at once.

    Returns:
        Reference number of the enrolment.

    Raises:
        KsefRefused: 25002 to 25011, see :mod:`core.ksef.explanations`.
        KsefUnavailable: with ``outcome_ambiguous`` when the request may have arrived.
    """
    body: dict[str, object] = {
        "certificateName": name,
        "certificateType": kind.value,
        "csr": base64.b64encode(request).decode("ascii"),
    }
    if valid_from is not None:
        body["validFrom"] = valid_from.isoformat()
    return client.caller.ask(_ENROLL, lambda data: data.text("referenceNumber"), token=access, json_body=body)


def enrollment_status(client: KsefClient, access: str, reference: str) -> EnrollmentStatus:
    """``GET /certificates/enrollments/{referenceNumber}``: where an enrolment is.

    Raises:
        KsefRefused: 25005, no such enrolment.
        Expired: asked after more than 30 days.
    """
    return client.caller.ask(
        _STATUS, EnrollmentStatus.read, parameters={"referenceNumber": reference}, token=access
    )


def wait_for_certificate(
    ask: Callable[[], EnrollmentStatus],
    *,
    sleep: Callable[[float], None],
    patience: Patience = DEFAULT_PATIENCE,
) -> str:
    """Wait until a certificate is issued.

    Args:
        ask: asks :func:`enrollment_status`.
        sleep: waits for so many seconds.
        patience: for how long.

    Returns:
        Serial number of the certificate.

    Raises:
        EnrollmentRefused: it was not issued.
        KsefUnavailable: there is no result in time.
    """
    found = wait_for(
        ask,
        lambda seen: 100 <= seen.status.code < 200,
        sleep=sleep,
        patience=patience,
        operation=_STATUS.name,
        what="the enrolment",
    )
    if found.status.code == 200 and found.serial_number is not None:
        return found.serial_number
    raise EnrollmentRefused(
        "no certificate was issued",
        operation=_STATUS.name,
        code=found.status.code,
        description=found.status.description,
        details=found.status.details,
    )


def retrieve(client: KsefClient, access: str, serial_numbers: Sequence[str]) -> tuple[IssuedCertificate, ...]:
    """``POST /certificates/retrieve``: certificates by their numbers, asked for ten at a time.

    Args:
        client: the client.
        access: access token.
        serial_numbers: 16 hexadecimal digits each.
    """
    found: list[IssuedCertificate] = []
    for start in range(0, len(serial_numbers), _AT_ONCE):
        found += client.caller.ask(
            _RETRIEVE,
            lambda data: [IssuedCertificate.read(item) for item in data.children("certificates")],
            token=access,
            json_body={"certificateSerialNumbers": list(serial_numbers[start : start + _AT_ONCE])},
        )
    return tuple(found)


def revoke(
    client: KsefClient,
    access: str,
    serial_number: str,
    reason: RevocationReason = RevocationReason.UNSPECIFIED,
) -> None:
    """``POST /certificates/{certificateSerialNumber}/revoke``: end a certificate for good.

    Raises:
        KsefRefused: 25008 no such certificate, 25009 it is ended already.
        Forbidden: the sign-in was made with a token, or the certificate is another identity's.
    """
    client.caller.call(
        _REVOKE,
        parameters={"certificateSerialNumber": serial_number},
        token=access,
        json_body={"revocationReason": reason.value},
    )


def listing(
    client: KsefClient,
    access: str,
    *,
    kind: CertificateKind | None = None,
    state: CertificateState | None = None,
    name: str | None = None,
    page_size: int = _PAGE,
) -> Iterator[CertificateEntry]:
    """``POST /certificates/query``: the identity's certificates, newest request first, page after page.

    Args:
        client: the client.
        access: access token.
        kind: of this kind only.
        state: in this state only.
        name: whose name contains this.
        page_size: 10 to 50.
    """
    wanted = {"type": kind, "status": state, "name": name}
    body = {field: str(value) for field, value in wanted.items() if value is not None}
    page = 0
    while True:
        entries, more = client.caller.ask(
            _QUERY,
            lambda data: (
                [CertificateEntry.read(item) for item in data.children("certificates")],
                data.flag("hasMore"),
            ),
            token=access,
            json_body=body,
            query={"pageSize": str(page_size), "pageOffset": str(page)},
        )
        yield from entries
        if not more:
            return
        page += 1


def _kind(data: Fields, name: str = "certificateType") -> CertificateKind:
    try:
        return CertificateKind(data.text(name))
    except ValueError:
        raise FieldError(f"{name} is none of the contract's") from None


def _subject(data: Fields) -> SubjectAttributes:
    return SubjectAttributes(
        common_name=data.text("commonName"),
        country_name=data.text("countryName"),
        given_name=data.optional_text("givenName"),
        surname=data.optional_text("surname"),
        serial_number=data.optional_text("serialNumber"),
        unique_identifier=data.optional_text("uniqueIdentifier"),
        organization_name=data.optional_text("organizationName"),
        organization_identifier=data.optional_text("organizationIdentifier"),
    )
