"""The signature of a UPO: good ones are taken, whatever breaks or bends one is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml.xades.xades import XAdESSigner

from core.ksef.errors import ProofMismatch
from core.ksef.upo_signature import check_signature, subject_of
from core.signing.keys import KeyMaterial, self_signed
from core.signing.xades import sign_enveloped

NOW = datetime.now(UTC).replace(microsecond=0)
SPACE = "http://upo.schematy.mf.gov.pl/KSeF/v4-3"
DS = "{http://www.w3.org/2000/09/xmldsig#}"
UPO = (
    f'<Potwierdzenie xmlns="{SPACE}"><NumerReferencyjnySesji>S</NumerReferencyjnySesji>'
    "<Dokument><SkrotDokumentu>abc=</SkrotDokumentu></Dokument></Potwierdzenie>"
).encode()


@pytest.fixture(scope="module")
def seal() -> KeyMaterial:
    """Who signs UPOs here."""
    return self_signed("5265877635", now=NOW)


@pytest.fixture(scope="module")
def signed(seal: KeyMaterial) -> bytes:
    """A signed UPO."""
    return sign_enveloped(UPO, seal, NOW)


@pytest.mark.parametrize("kind", ["rsa", "ec", "ec-384"])
def test_a_good_signature_holds_and_names_its_signer(kind: Literal["rsa", "ec", "ec-384"]) -> None:
    """The embedded certificate and the time of signing are given back; nobody said whom to trust."""
    key = self_signed("5265877635", key=kind, now=NOW)
    found = check_signature(sign_enveloped(UPO, key, NOW))
    assert found.certificate == key.certificate
    assert found.signed_at == NOW
    assert not found.unchecked
    assert not found.trusted


def _appended(xml: bytes) -> bytes:
    """A second document behind the signature."""
    return xml.replace(b"</Potwierdzenie>", b"<Dokument/></Potwierdzenie>")


def _wrapped(xml: bytes) -> bytes:
    """The signed document moved inside another one that names another hash."""
    inner = xml.partition(b"?>")[2].strip()
    return b'<Potwierdzenie xmlns="' + SPACE.encode() + b'"><Dokument/>' + inner + b"</Potwierdzenie>"


def _unsigned(xml: bytes) -> bytes:
    root = etree.fromstring(xml)
    for signature in root.findall(f"{DS}Signature"):
        root.remove(signature)
    return etree.tostring(root)


def _twice(xml: bytes) -> bytes:
    root = etree.fromstring(xml)
    signature = root.find(f"{DS}Signature")
    assert signature is not None
    root.append(etree.fromstring(etree.tostring(signature)))
    return etree.tostring(root)


def _other_certificate(xml: bytes) -> bytes:
    """The certificate of somebody else in the signature's place for it."""
    root = etree.fromstring(xml)
    element = next(root.iter(f"{DS}X509Certificate"))
    pem = self_signed("5265877635", now=NOW).certificate_pem().decode()
    element.text = "".join(pem.splitlines()[1:-1])
    return etree.tostring(root)


def _no_certificate(xml: bytes) -> bytes:
    root = etree.fromstring(xml)
    info = root.find(f"{DS}Signature/{DS}KeyInfo")
    assert info is not None
    info.clear()
    return etree.tostring(root)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda xml: xml.replace(b"abc=", b"abd="), "does not hold"),
        (lambda xml: xml.replace(b"<ds:SignatureValue>", b"<ds:SignatureValue>AAAA"), "does not hold"),
        (lambda xml: xml.replace(b"SigningTime>20", b"SigningTime>19"), "does not hold"),
        (_appended, "does not hold"),
        (_wrapped, "not signed"),
        (_unsigned, "not signed"),
        (_twice, "several"),
        (_other_certificate, "does not hold"),
        (_no_certificate, "no certificate"),
        (lambda xml: xml[:-5], "well-formed"),
        (lambda xml: b"<!DOCTYPE a>" + xml.partition(b"?>")[2].strip(), "document type"),
    ],
)
def test_what_is_broken_proves_nothing(signed: bytes, change: Callable[[bytes], bytes], words: str) -> None:
    """Changed, cut, extended, wrapped, unsigned, or with the certificate of somebody else."""
    bent = change(signed)
    assert bent != signed
    with pytest.raises(ProofMismatch, match=words):
        check_signature(bent)


def test_a_signature_of_a_part_proves_nothing(seal: KeyMaterial) -> None:
    """A good signature that speaks of one element only is no proof of the whole."""
    root = etree.fromstring(UPO)
    root[1].set("Id", "part")
    signer = XAdESSigner(signature_algorithm="ecdsa-sha256")
    made = signer.sign(root, key=seal.private_key, cert=[seal.certificate], reference_uri="#part")
    with pytest.raises(ProofMismatch, match="whole"):
        check_signature(etree.tostring(made))


def test_a_certificate_has_to_be_valid_when_it_signs(seal: KeyMaterial) -> None:
    """Signed at a time before the certificate began: refused. An old UPO is measured by its own time."""
    young = _issued("young", None, begins=NOW + timedelta(days=1))
    with pytest.raises(ProofMismatch, match="does not hold"):
        check_signature(_signed_by(young))
    old = _issued("old", None, begins=NOW - timedelta(days=10))
    assert check_signature(_signed_by(old)).certificate == old[0]


def test_trusted_certificates_refuse_every_other_signer(seal: KeyMaterial, signed: bytes) -> None:
    """The signer itself, its issuer, or the issuer of an intermediate that comes along is trusted."""
    root = _issued("root", None)
    middle = _issued("middle", root)
    leaf = _issued("leaf", middle)
    xml = _signed_by(leaf, middle[0])
    assert check_signature(signed, [seal.certificate]).trusted
    for trust in (leaf[0], middle[0], root[0]):
        found = check_signature(xml, [seal.certificate, trust])
        assert found.trusted
        assert found.certificate is not None
        assert subject_of(found.certificate) == "CN=leaf"
    with pytest.raises(ProofMismatch, match=r"not trusted: CN=leaf"):
        check_signature(xml, [seal.certificate])


def test_a_form_that_is_not_known_costs_no_proof_unless_trust_is_asked_for(
    seal: KeyMaterial, signed: bytes
) -> None:
    """Let through as unchecked where nothing is trusted; refused where somebody is."""
    odd = signed.replace(b"http://www.w3.org/2006/12/xml-c14n11", b"http://example.com/new-form", 1)
    found = check_signature(odd)
    assert found.certificate is None
    assert "new-form" in found.unchecked
    with pytest.raises(ProofMismatch, match="cannot be checked"):
        check_signature(odd, [seal.certificate])


Pair = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def _issued(name: str, issuer: Pair | None, *, begins: datetime = NOW - timedelta(days=1)) -> Pair:
    """A certificate, of its own making without an issuer."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=30))
        .sign(issuer[1] if issuer else key, hashes.SHA256())
    )
    return certificate, key


def _signed_by(pair: Pair, *chain: x509.Certificate) -> bytes:
    signer = XAdESSigner(signature_algorithm="ecdsa-sha256")
    made = signer.sign(etree.fromstring(UPO), key=pair[1], cert=[pair[0], *chain])
    return etree.tostring(made)
