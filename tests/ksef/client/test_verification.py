"""QR code II: its address, its signature, and the certificates that may make it."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from core.ksef.verification import ContextKind, NoOfflineCertificate, certificate_link
from core.signing.keys import KeyKind, KeyMaterial, self_signed

NIP = "5265877635"
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
HASH = base64.b64encode(hashlib.sha256(b"<Faktura/>").digest()).decode()
QR = "https://qr-test.ksef.mf.gov.pl"


def _offline(key: KeyKind = "ec") -> KeyMaterial:
    return self_signed(NIP, key=key, offline=True, now=NOW)


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_the_address_names_context_seller_certificate_and_document() -> None:
    """In the order of the documentation, hash and signature as Base64URL without padding."""
    key = _offline()
    link = certificate_link(QR + "/", NIP, HASH, key)
    path = link.removeprefix(f"{QR}/").split("/")
    assert path[:5] == ["certificate", "Nip", NIP, NIP, key.serial_number]
    assert _bytes(path[5]) == hashlib.sha256(b"<Faktura/>").digest()
    assert len(path) == 7
    assert "=" not in link


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ContextKind.INTERNAL_ID, "5265877635-12345"),
        (ContextKind.NIP_VAT_UE, "5265877635-DE123456789"),
        (ContextKind.PEPPOL_ID, "PPL123456"),
    ],
)
def test_every_kind_of_context_is_named(kind: ContextKind, value: str) -> None:
    """The seller's NIP stands beside the context, whichever it is."""
    link = certificate_link(QR, NIP, HASH, _offline(), context_kind=kind, context_value=value)
    assert f"/certificate/{kind.value}/{value}/{NIP}/" in link


def test_an_rsa_key_signs_with_pss_over_the_address_without_scheme() -> None:
    """RSASSA-PSS, SHA-256, MGF1 with SHA-256, salt of 32 bytes."""
    key = _offline("rsa")
    address, _, signature = certificate_link(QR, NIP, HASH, key).rpartition("/")
    public = key.certificate.public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
    public.verify(_bytes(signature), address.removeprefix("https://").encode(), pss, hashes.SHA256())


def test_an_ec_key_signs_as_fixed_r_and_s() -> None:
    """ECDSA on P-256 with SHA-256, 64 bytes R||S (IEEE P1363); two calls give two valid signatures."""
    key = _offline()
    public = key.certificate.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    seen = set()
    for _ in range(2):
        address, _, signature = certificate_link(QR, NIP, HASH, key).rpartition("/")
        raw = _bytes(signature)
        assert len(raw) == 64
        der = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        public.verify(der, address.removeprefix("https://").encode(), ec.ECDSA(hashes.SHA256()))
        seen.add(signature)
    assert len(seen) == 2


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (self_signed(NIP, now=NOW), "Authentication kind"),
        (self_signed(NIP, key="ec-384", offline=True, now=NOW), "P-256"),
    ],
)
def test_other_certificates_are_refused(key: KeyMaterial, words: str) -> None:
    """A certificate for signing in never signs a code, nor does a curve that KSeF does not take."""
    with pytest.raises(NoOfflineCertificate, match=words):
        certificate_link(QR, NIP, HASH, key)


@pytest.mark.parametrize(("nip", "digest"), [("526587763", HASH), (NIP, "abc"), (NIP, HASH[:-4])])
def test_what_is_no_nip_or_hash_makes_no_address(nip: str, digest: str) -> None:
    """A wrong link would be printed on paper."""
    with pytest.raises(ValueError, match="is n"):
        certificate_link(QR, nip, digest, _offline())
