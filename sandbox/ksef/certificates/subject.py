"""Attributes of a certificate's subject, as GET /certificates/enrollments/data names them.

They are read from the certificate that signed in; a request for a KSeF certificate must carry exactly them.
"""

from __future__ import annotations

from collections.abc import Mapping

from cryptography import x509
from cryptography.x509.oid import NameOID

ATTRIBUTES: Mapping[str, x509.ObjectIdentifier] = {
    "commonName": NameOID.COMMON_NAME,
    "countryName": NameOID.COUNTRY_NAME,
    "givenName": NameOID.GIVEN_NAME,
    "surname": NameOID.SURNAME,
    "serialNumber": NameOID.SERIAL_NUMBER,
    "uniqueIdentifier": NameOID.X500_UNIQUE_IDENTIFIER,
    "organizationName": NameOID.ORGANIZATION_NAME,
    "organizationIdentifier": NameOID.ORGANIZATION_IDENTIFIER,
}
"""Member of CertificateEnrollmentDataResponse -> attribute of an X.509 name."""

_COUNTRY = "PL"


def attributes(certificate: x509.Certificate, subject_type: str, subject_value: str) -> dict[str, str]:
    """The attributes that a request of this subject must carry.

    Args:
        certificate: the one that signed in.
        subject_type: Nip, Pesel or Fingerprint.
        subject_value: who signed in.

    Returns:
        Member of CertificateEnrollmentDataResponse -> value, present ones only. The contract requires
        ``commonName`` and ``countryName``: where a self-made certificate lacks them, the subject's identifier
        and PL stand in. A subject known by fingerprint carries it as ``uniqueIdentifier``.
    """
    found: dict[str, str] = {}
    for name, oid in ATTRIBUTES.items():
        values = [str(entry.value) for entry in certificate.subject.get_attributes_for_oid(oid)]
        if values:
            found[name] = " ".join(values)
    found.setdefault("commonName", subject_value)
    found.setdefault("countryName", _COUNTRY)
    if subject_type == "Fingerprint":
        found["uniqueIdentifier"] = subject_value
    return found


def differences(request: x509.CertificateSigningRequest, expected: Mapping[str, str]) -> list[str]:
    """Polish sentences about how a request's subject differs from what is expected; empty when equal."""
    names = {oid: name for name, oid in ATTRIBUTES.items()}
    found: dict[str, list[str]] = {}
    for entry in request.subject:
        name = names.get(entry.oid, entry.oid.dotted_string)
        found.setdefault(name, []).append(str(entry.value))
    problems = [f"Nadmiarowy atrybut {name}." for name in found if name not in expected]
    problems += [f"Brak atrybutu {name}." for name in expected if name not in found]
    problems += [
        f"Niezgodna wartość atrybutu {name}."
        for name, value in expected.items()
        if name in found and found[name] != [value]
    ]
    return problems
