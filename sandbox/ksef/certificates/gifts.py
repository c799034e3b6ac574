"""A certificate with its key, without signing in and enrolling: an operation of the sandbox's own."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from sandbox.ksef.call import Answer, Call
from sandbox.ksef.certificates import authority, registry
from sandbox.ksef.errors import BadRequest


def give(call: Call) -> Answer:
    """POST /sandbox/certificates {nip, kind, key}: a KSeF certificate of a company and its private key.

    ``kind`` is ``Authentication`` or ``Offline`` (default), ``key`` is ``ec`` (default, P-256) or ``rsa``.
    """
    body = call.json()
    nip = body.required_text("nip", shortest=10, longest=10)
    kind = body.text("kind", required=False) or authority.OFFLINE
    if kind not in (authority.AUTHENTICATION, authority.OFFLINE):
        raise BadRequest(21405, f"kind: oczekiwano {authority.AUTHENTICATION} albo {authority.OFFLINE}.")
    key = _key(body.text("key", required=False) or "ec")
    state = call.state
    now = state.now()
    start = now.replace(microsecond=0)
    number = authority.new_serial(state)
    name = f"Firma {nip}"
    certificate = authority.of(state).issue(
        subject=x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "PL"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, name),
                x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, f"VATPL-{nip}"),
                x509.NameAttribute(NameOID.COMMON_NAME, name),
            ]
        ),
        public_key=key.public_key(),
        kind=kind,
        serial=number,
        valid_from=start,
        valid_to=start + authority.LIFE,
    )
    issued = registry.Issued(
        serial=f"{number:016X}",
        name="Piaskownica",
        kind=kind,
        subject=("Nip", nip),
        common_name=name,
        requested=now,
        valid_from=start,
        valid_to=start + authority.LIFE,
        blocked_at=None,
        revoked_at=None,
        last_used=None,
        certificate=certificate,
    )
    registry.add(state, issued)
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    return Answer(
        {
            "serialNumber": issued.serial,
            "certificate": certificate.public_bytes(pem).decode(),
            "privateKey": secret.decode(),
        },
        status=201,
    )


def _key(kind: str) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    if kind == "ec":
        return ec.generate_private_key(ec.SECP256R1())
    if kind == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    raise BadRequest(21405, "key: oczekiwano ec albo rsa.")
