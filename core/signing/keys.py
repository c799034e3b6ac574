"""Keys and certificates with which a seller signs in and signs.

Accepted are what KSeF accepts (integrators' documentation, authentication): RSA of at least 2048 bits and EC
on P-256, P-384 or P-521, with an X.509 certificate. The errors are::

    KeyMaterialError
    ├── UnreadableKeyError           no key or certificate in the file, or a damaged one
    ├── WrongPasswordError           the file is encrypted and the password is missing or wrong
    ├── KeyMismatchError             the certificate belongs to another key
    ├── WeakKeyError                 too short, or a kind that KSeF does not accept
    └── CertificateNotValidError     expired, or not valid yet
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509.oid import NameOID

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
KeyKind = Literal["ec", "ec-384", "rsa"]

_MIN_RSA_BITS = 2048
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
# serialNumber of a person, organizationIdentifier of a seal (ETSI EN 319 412-1)
_IDENTIFIER = re.compile(r"(?P<kind>TINPL|PNOPL|VATPL)-(?P<value>\d{10,11})")


class KeyMaterialError(ValueError):
    """A key or certificate that cannot be used; the message never quotes key or password."""


class UnreadableKeyError(KeyMaterialError):
    """There is no key or certificate in the file, or it is damaged."""


class WrongPasswordError(KeyMaterialError):
    """The file is encrypted and the password is missing or wrong."""


class KeyMismatchError(KeyMaterialError):
    """The certificate belongs to another key."""


class WeakKeyError(KeyMaterialError):
    """The key is too short or of a kind that KSeF does not accept."""


class CertificateNotValidError(KeyMaterialError):
    """The certificate has expired or is not valid yet."""


@dataclass(frozen=True, slots=True)
class SubjectIdentifier:
    """Whose certificate it is, as KSeF reads it.

    Attributes:
        kind: ``nip`` or ``pesel``.
        value: ten or eleven digits.
    """

    kind: Literal["nip", "pesel"]
    value: str


@dataclass(frozen=True, slots=True)
class KeyMaterial:
    """A certificate and its private key; made by :func:`load_pem`, :func:`load_pkcs12`, :func:`self_signed`.

    Attributes:
        certificate: the X.509 certificate.
        private_key: RSA or EC key; never shown.
        chain: further certificates of the file, nearest issuer first as found.
    """

    certificate: x509.Certificate = field(repr=False)
    private_key: PrivateKey = field(repr=False)
    chain: tuple[x509.Certificate, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        _check_strength(self.private_key)
        if public_bytes(self.certificate) != public_bytes(self.private_key):
            raise KeyMismatchError("the certificate belongs to another key")

    def __repr__(self) -> str:
        return f"KeyMaterial({self.algorithm}, {self.fingerprint[:16]}…, until {self.valid_until:%Y-%m-%d})"

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, 64 upper-case hexadecimal digits (KSeF's certificateFingerprint)."""
        return self.certificate.fingerprint(hashes.SHA256()).hex().upper()

    @property
    def algorithm(self) -> str:
        """The key's kind and size, e.g. ``RSA 2048`` or ``EC secp256r1``."""
        if isinstance(self.private_key, rsa.RSAPrivateKey):
            return f"RSA {self.private_key.key_size}"
        return f"EC {self.private_key.curve.name}"

    @property
    def subject(self) -> str:
        """The certificate's subject for people (RFC 4514)."""
        return self.certificate.subject.rfc4514_string()

    @property
    def serial_number(self) -> str:
        """The certificate's serial number as KSeF writes it, see :func:`serial_text`."""
        return serial_text(self.certificate)

    @property
    def valid_from(self) -> datetime:
        """Start of validity, UTC."""
        return self.certificate.not_valid_before_utc

    @property
    def valid_until(self) -> datetime:
        """End of validity, UTC."""
        return self.certificate.not_valid_after_utc

    @property
    def identifier(self) -> SubjectIdentifier | None:
        """Whose certificate it is: NIP or PESEL of the subject, None when it names neither."""
        for oid in (NameOID.ORGANIZATION_IDENTIFIER, NameOID.SERIAL_NUMBER):
            for attribute in self.certificate.subject.get_attributes_for_oid(oid):
                match = _IDENTIFIER.fullmatch(str(attribute.value).strip())
                if match is None:
                    continue
                kind: Literal["nip", "pesel"] = "pesel" if match["kind"] == "PNOPL" else "nip"
                if len(match["value"]) == (11 if kind == "pesel" else 10):
                    return SubjectIdentifier(kind, match["value"])
        return None

    @property
    def nip(self) -> str | None:
        """NIP of the subject: ``VATPL-`` of a seal or ``TINPL-`` of a person; None when it names none."""
        identifier = self.identifier
        return identifier.value if identifier and identifier.kind == "nip" else None

    def check_validity(self, now: datetime) -> None:
        """Check that the certificate is valid at a moment.

        Raises:
            CertificateNotValidError: it has expired or is not valid yet.
        """
        if now > self.valid_until:
            raise CertificateNotValidError(
                f"the certificate expired on {self.valid_until:%Y-%m-%d %H:%M} UTC"
            )
        if now < self.valid_from:
            raise CertificateNotValidError(
                f"the certificate is valid from {self.valid_from:%Y-%m-%d %H:%M} UTC"
            )

    def certificate_pem(self) -> bytes:
        """The certificate and the rest of its chain, in PEM."""
        return b"".join(item.public_bytes(Encoding.PEM) for item in (self.certificate, *self.chain))

    def private_key_pem(self, password: str) -> bytes:
        """The private key in PEM (PKCS#8), always encrypted.

        Args:
            password: not empty.

        Raises:
            ValueError: the password is empty.
        """
        return key_pem(self.private_key, password)


def key_pem(key: PrivateKey, password: str) -> bytes:
    """A private key in PEM (PKCS#8), always encrypted.

    Args:
        key: the key.
        password: not empty.

    Raises:
        ValueError: the password is empty.
    """
    if not password:
        raise ValueError("a private key is never written without a password")
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password.encode()))


def load_pem(certificate: bytes, key: bytes, *, password: str | None = None, now: datetime) -> KeyMaterial:
    """Read a certificate and a key, in PEM or DER; both may come from the same PEM file.

    Args:
        certificate: file with the certificate, and its chain if any in any order.
        key: file with the private key, encrypted or not.
        password: of the key; ignored when the key is not encrypted.
        now: the certificate has to be valid then, aware time.

    Raises:
        KeyMaterialError: one of its kinds.
    """
    return _assemble(load_key(key, password), _certificates(certificate), now)


def load_pkcs12(data: bytes, *, password: str | None = None, now: datetime) -> KeyMaterial:
    """Read a PKCS#12 file (.p12, .pfx).

    Args:
        data: the file.
        password: of the file; None or empty when it has none.
        now: the certificate has to be valid then, aware time.

    Raises:
        KeyMaterialError: one of its kinds.
    """
    if not data.startswith(b"\x30"):
        raise UnreadableKeyError("this is no PKCS#12 file")
    found = None
    try:
        found = pkcs12.load_pkcs12(data, password.encode() if password else None)
    except (ValueError, TypeError):
        pass
    except UnsupportedAlgorithm:
        raise UnreadableKeyError("the file is encrypted in a way that is not supported") from None
    if found is None:
        # the library does not tell a wrong password from a damaged file: the password is the usual cause
        raise WrongPasswordError("the password is wrong, or the file is damaged")
    if found.key is None:
        raise UnreadableKeyError("there is no private key in the file")
    certificates = [item.certificate for item in (found.cert, *found.additional_certs) if item]
    return _assemble(_accepted(found.key), certificates, now)


def generate_key(kind: KeyKind = "ec") -> PrivateKey:
    """A new private key: EC P-256 (recommended), EC P-384 or RSA 2048."""
    if kind == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=_MIN_RSA_BITS)
    return ec.generate_private_key(ec.SECP384R1() if kind == "ec-384" else ec.SECP256R1())


def self_signed(
    nip: str,
    *,
    kind: Literal["seal", "person"] = "seal",
    key: KeyKind = "ec",
    offline: bool = False,
    valid_days: int = 365,
    now: datetime,
) -> KeyMaterial:
    """A self-signed certificate for the TEST environment and for sandboxes, which accept such ones.

    Args:
        nip: NIP of the subject, ten digits.
        kind: a company's seal (organizationIdentifier VATPL) or a person's signature (serialNumber TINPL).
        key: kind of key.
        offline: for signing QR code II (keyUsage nonRepudiation) instead of signing in (digitalSignature).
        valid_days: validity in days from an hour before ``now``.
        now: aware time.
    """
    names = {NameOID.COUNTRY_NAME: "PL", NameOID.COMMON_NAME: f"KSeF test {nip}"}
    if kind == "seal":
        names |= {
            NameOID.ORGANIZATION_NAME: f"KSeF test {nip}",
            NameOID.ORGANIZATION_IDENTIFIER: f"VATPL-{nip}",
        }
    else:
        names |= {
            NameOID.GIVEN_NAME: "Test",
            NameOID.SURNAME: "KSeF",
            NameOID.SERIAL_NUMBER: f"TINPL-{nip}",
        }
    private_key = generate_key(key)
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in names.items()])
    # an hour back: the other side's clock may be slow
    start = now - timedelta(hours=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=valid_days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(offline=offline), critical=True)
        .sign(private_key, hashes.SHA256())
    )
    return KeyMaterial(certificate, private_key)


def _usage(*, offline: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not offline,
        content_commitment=offline,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def load_key(data: bytes, password: str | None) -> PrivateKey:
    """Read a private key alone, in PEM or DER.

    Args:
        data: the file, encrypted or not.
        password: ignored when the key is not encrypted.

    Raises:
        KeyMaterialError: there is none, it is of a kind that KSeF does not accept, or the password is wrong.
    """
    pem = b"-----BEGIN" in data
    load = load_pem_private_key if pem else load_der_private_key
    secret = password.encode() if password else None
    try:
        return _accepted(load(data, secret))
    except TypeError:
        if secret is None:
            raise WrongPasswordError("the key is encrypted and no password was given") from None
    except UnsupportedAlgorithm:
        raise WeakKeyError("KSeF does not accept this kind of key") from None
    except KeyMaterialError:
        raise
    except ValueError:
        if secret is not None and (not pem or b"ENCRYPTED" in data):
            raise WrongPasswordError("the password is wrong, or the key is damaged") from None
        raise UnreadableKeyError("there is no readable private key in the file") from None
    # a password was given although the key has none
    return load_key(data, None)


def _certificates(data: bytes) -> list[x509.Certificate]:
    try:
        if b"-----BEGIN" in data:
            return x509.load_pem_x509_certificates(data)
        return [x509.load_der_x509_certificate(data)]
    except ValueError:
        raise UnreadableKeyError("there is no readable certificate in the file") from None


def _assemble(key: PrivateKey, certificates: list[x509.Certificate], now: datetime) -> KeyMaterial:
    """Join the key with the certificate that belongs to it, wherever it stands in the chain."""
    if not certificates:
        raise UnreadableKeyError("there is no certificate in the file")
    public = public_bytes(key)
    own = next((item for item in certificates if public_bytes(item) == public), None)
    if own is None:
        _check_strength(key)
        raise KeyMismatchError("the certificate belongs to another key")
    material = KeyMaterial(own, key, _without(certificates, own))
    material.check_validity(now)
    return material


def _without(certificates: Iterable[x509.Certificate], own: x509.Certificate) -> tuple[x509.Certificate, ...]:
    return tuple(item for item in certificates if item != own)


def _accepted(key: object) -> PrivateKey:
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise WeakKeyError("KSeF accepts RSA and EC keys only")
    return key


def _check_strength(key: PrivateKey) -> None:
    if isinstance(key, rsa.RSAPrivateKey):
        if key.key_size < _MIN_RSA_BITS:
            raise WeakKeyError(f"the RSA key has {key.key_size} bits; KSeF asks for at least {_MIN_RSA_BITS}")
    elif not isinstance(key.curve, _CURVES):
        raise WeakKeyError(f"KSeF does not accept the curve {key.curve.name}; use P-256, P-384 or P-521")


def serial_text(certificate: x509.Certificate) -> str:
    """A certificate's serial number as KSeF writes it: upper-case hexadecimal digits, at least 16 of them."""
    return f"{certificate.serial_number:016X}"


def public_bytes(holder: x509.Certificate | x509.CertificateSigningRequest | PrivateKey) -> bytes:
    """The public key of a certificate, request or key in DER: equal for those that belong together."""
    return holder.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
