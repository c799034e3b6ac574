"""Certification requests (PKCS#10) for KSeF certificates.

Source: ``CertificateEnrollmentDataResponse`` and ``POST /certificates/enrollments`` of the API contract: the
request's subject has exactly the attributes that KSeF gave; keys are EC P-256 (recommended) or RSA 2048.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from core.signing.keys import PrivateKey

_NAMES: Mapping[str, x509.ObjectIdentifier] = {
    "country_name": NameOID.COUNTRY_NAME,
    "organization_name": NameOID.ORGANIZATION_NAME,
    "organization_identifier": NameOID.ORGANIZATION_IDENTIFIER,
    "given_name": NameOID.GIVEN_NAME,
    "surname": NameOID.SURNAME,
    "serial_number": NameOID.SERIAL_NUMBER,
    "unique_identifier": NameOID.X500_UNIQUE_IDENTIFIER,
    "common_name": NameOID.COMMON_NAME,
}


class SubjectError(ValueError):
    """KSeF gave subject data from which no certification request can be made."""


@dataclass(frozen=True, slots=True)
class SubjectAttributes:
    """Whom a certificate is asked for; attributes that are None are left out of the request.

    Attributes:
        common_name: CN (2.5.4.3).
        country_name: C (2.5.4.6), two letters.
        given_name: 2.5.4.42, of a person.
        surname: 2.5.4.4, of a person.
        serial_number: 2.5.4.5, e.g. ``TINPL-`` or ``PNOPL-`` with the person's number.
        unique_identifier: 2.5.4.45, fingerprint of a certificate that names no number.
        organization_name: 2.5.4.10, of a seal.
        organization_identifier: 2.5.4.97, ``VATPL-`` with the NIP of a seal.
    """

    common_name: str
    country_name: str
    given_name: str | None = None
    surname: str | None = None
    serial_number: str | None = None
    unique_identifier: str | None = None
    organization_name: str | None = None
    organization_identifier: str | None = None


def certification_request(subject: SubjectAttributes, key: PrivateKey) -> bytes:
    """A PKCS#10 request in DER, signed with the key it asks a certificate for (SHA-256).

    Args:
        subject: exactly what KSeF gave.
        key: EC P-256 or RSA 2048.

    Raises:
        SubjectError: an attribute has a form that X.509 does not allow.
    """
    values = {oid: getattr(subject, name) for name, oid in _NAMES.items()}
    try:
        name = x509.Name([x509.NameAttribute(oid, value) for oid, value in values.items() if value])
        request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    except (ValueError, TypeError) as error:
        raise SubjectError(f"no certification request can be made of KSeF's data: {error}") from None
    return request.public_bytes(Encoding.DER)
