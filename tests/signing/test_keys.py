"""Keys and certificates as merchants have them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from core.signing.keys import (
    CertificateNotValidError,
    KeyMaterial,
    KeyMismatchError,
    SubjectIdentifier,
    UnreadableKeyError,
    WeakKeyError,
    WrongPasswordError,
    generate_key,
    load_pem,
    load_pkcs12,
    self_signed,
)

AnyKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
NIP = "5265877635"
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


@pytest.fixture(scope="module", params=["ec", "ec-384", "rsa"])
def material(request: pytest.FixtureRequest) -> KeyMaterial:
    """A key of each accepted kind."""
    return self_signed(NIP, key=request.param, now=NOW)


def test_pem_with_encrypted_key_is_read_back(material: KeyMaterial) -> None:
    """Certificate and encrypted key survive being written and read."""
    loaded = load_pem(
        material.certificate_pem(), material.private_key_pem("hasło"), password="hasło", now=NOW
    )
    assert loaded.fingerprint == material.fingerprint
    assert loaded.private_key.private_numbers() == material.private_key.private_numbers()


def test_one_pem_file_may_hold_both(material: KeyMaterial) -> None:
    """Key and certificate may stand in the same file, in any order."""
    both = material.private_key_pem("hasło") + material.certificate_pem()
    assert load_pem(both, both, password="hasło", now=NOW).fingerprint == material.fingerprint


def test_der_files_are_read(material: KeyMaterial) -> None:
    """A certificate and an encrypted key in DER are read like PEM."""
    key = material.private_key.private_bytes(
        Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(b"pw")
    )
    certificate = material.certificate.public_bytes(Encoding.DER)
    assert load_pem(certificate, key, password="pw", now=NOW).fingerprint == material.fingerprint


def test_pkcs12_is_read_back(material: KeyMaterial) -> None:
    """A PKCS#12 file gives the key, its certificate and the chain."""
    issuer = self_signed("5260250274", now=NOW)
    data = pkcs12.serialize_key_and_certificates(
        b"ksef",
        material.private_key,
        material.certificate,
        [issuer.certificate],
        BestAvailableEncryption(b"haslo"),
    )
    loaded = load_pkcs12(data, password="haslo", now=NOW)
    assert loaded.fingerprint == material.fingerprint
    assert loaded.chain == (issuer.certificate,)


def test_needless_password_is_ignored(material: KeyMaterial) -> None:
    """A password for a key that is not encrypted does no harm."""
    key = material.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert load_pem(material.certificate_pem(), key, password="any", now=NOW).nip == NIP


@pytest.mark.parametrize("password", [None, "", "wrong"])
def test_wrong_or_missing_password_is_told(material: KeyMaterial, password: str | None) -> None:
    """A wrong or missing password is told apart from a damaged file, in PEM and in PKCS#12."""
    with pytest.raises(WrongPasswordError):
        load_pem(material.certificate_pem(), material.private_key_pem("good"), password=password, now=NOW)
    data = pkcs12.serialize_key_and_certificates(
        None, material.private_key, material.certificate, None, BestAvailableEncryption(b"good")
    )
    with pytest.raises(WrongPasswordError):
        load_pkcs12(data, password=password, now=NOW)


def test_key_of_another_certificate_is_told(material: KeyMaterial) -> None:
    """A certificate that belongs to another key is refused."""
    other = self_signed(NIP, now=NOW)
    with pytest.raises(KeyMismatchError):
        load_pem(other.certificate_pem(), material.private_key_pem("pw"), password="pw", now=NOW)
    with pytest.raises(KeyMismatchError):
        KeyMaterial(other.certificate, material.private_key)


@pytest.mark.parametrize("days", [-2, 366])
def test_certificate_out_of_its_time_is_told(material: KeyMaterial, days: int) -> None:
    """A certificate that is not valid yet or any more is refused with the date."""
    with pytest.raises(CertificateNotValidError, match=r"20\d\d-\d\d-\d\d"):
        load_pem(
            material.certificate_pem(),
            material.private_key_pem("pw"),
            password="pw",
            now=NOW + timedelta(days=days),
        )


def _self_signed_with(
    key: AnyKey,
) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "KSeF test")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
    )
    digest = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(key, digest).public_bytes(Encoding.PEM)


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(public_exponent=65537, key_size=1024),
        ec.generate_private_key(ec.SECP224R1()),
        ec.generate_private_key(ec.SECP256K1()),
        ed25519.Ed25519PrivateKey.generate(),
    ],
    ids=["rsa-1024", "p-224", "secp256k1", "ed25519"],
)
def test_weak_key_is_told(
    key: AnyKey,
) -> None:
    """A key that KSeF does not accept is refused before anything is sent."""
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(WeakKeyError):
        load_pem(_self_signed_with(key), pem, now=NOW)


@pytest.mark.parametrize(
    "junk", [b"", b"junk", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_file_that_is_no_key_is_told(material: KeyMaterial, junk: bytes) -> None:
    """Files without a key or certificate are told as such."""
    with pytest.raises(UnreadableKeyError):
        load_pem(junk, material.private_key_pem("pw"), password="pw", now=NOW)
    with pytest.raises(UnreadableKeyError):
        load_pem(material.certificate_pem(), junk, now=NOW)
    with pytest.raises(UnreadableKeyError):
        load_pkcs12(junk, password="pw", now=NOW)


def test_nip_of_a_seal_and_of_a_person() -> None:
    """The NIP is read from a seal's VATPL and from a person's TINPL."""
    assert self_signed(NIP, kind="seal", now=NOW).identifier == SubjectIdentifier("nip", NIP)
    assert self_signed(NIP, kind="person", now=NOW).identifier == SubjectIdentifier("nip", NIP)


@pytest.mark.parametrize(
    ("oid", "value", "expected"),
    [
        (NameOID.SERIAL_NUMBER, "PNOPL-00000000000", SubjectIdentifier("pesel", "00000000000")),
        (NameOID.SERIAL_NUMBER, "TINPL-526587763", None),
        (NameOID.SERIAL_NUMBER, "TINPL-52658776355", None),
        (NameOID.SERIAL_NUMBER, "PNODE-00000000000", None),
        (NameOID.ORGANIZATION_IDENTIFIER, "NTRPL-0000000000", None),
        (NameOID.COMMON_NAME, f"VATPL-{NIP}", None),
    ],
)
def test_subject_without_nip(
    oid: x509.ObjectIdentifier, value: str, expected: SubjectIdentifier | None
) -> None:
    """A PESEL is no NIP, and other or broken identifiers are none at all."""
    key = generate_key()
    name = x509.Name([x509.NameAttribute(oid, value)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    material = KeyMaterial(certificate, key)
    assert material.identifier == expected
    assert material.nip is None


def test_nothing_secret_is_shown(material: KeyMaterial) -> None:
    """Neither repr nor an error shows the key or the password."""
    pem = material.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    assert not any(line in repr(material) for line in pem.splitlines())
    with pytest.raises(WrongPasswordError) as caught:
        load_pem(material.certificate_pem(), material.private_key_pem("good"), password="S3kret", now=NOW)
    assert "S3kret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_key_is_never_written_without_password(material: KeyMaterial) -> None:
    """Writing a private key asks for a password."""
    with pytest.raises(ValueError, match="password"):
        material.private_key_pem("")


def test_fingerprint_is_sha256_in_hex(material: KeyMaterial) -> None:
    """The fingerprint has the form that KSeF's certificateFingerprint has."""
    assert len(material.fingerprint) == 64
    assert material.fingerprint == material.certificate.fingerprint(hashes.SHA256()).hex().upper()
