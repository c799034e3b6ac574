"""XAdES signatures, each verified by two independent implementations."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
import signxml.exceptions
import xmlsec
from lxml import etree
from signxml.xades.xades import XAdESSignatureConfiguration, XAdESVerifier

from core.signing.keys import CertificateNotValidError, KeyMaterial, self_signed
from core.signing.xades import XmlToSignError, sign_enveloped

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
REQUEST = (
    b'<?xml version="1.0" encoding="utf-8"?>\n'
    b'<AuthTokenRequest xmlns="http://ksef.mf.gov.pl/auth/token/2.1">'
    b"<Challenge>20250514-CR-226FB7B000-3ACF9BE4C0-10</Challenge>"
    b"<ContextIdentifier><Nip>5265877635</Nip></ContextIdentifier>"
    b"<SubjectIdentifierType>certificateSubject</SubjectIdentifierType></AuthTokenRequest>"
)
DS = "{http://www.w3.org/2000/09/xmldsig#}"
XADES = "{http://uri.etsi.org/01903/v1.3.2#}"


@pytest.fixture(scope="module", params=["rsa", "ec", "ec-384"])
def key(request: pytest.FixtureRequest) -> KeyMaterial:
    """A key of each accepted kind."""
    kind: Literal["rsa", "ec", "ec-384"] = request.param
    return self_signed("5265877635", key=kind, now=NOW)


@pytest.fixture(scope="module")
def signed(key: KeyMaterial) -> bytes:
    """The signed request."""
    return sign_enveloped(REQUEST, key, NOW)


def _verify_with_xmlsec(xml: bytes, key: KeyMaterial) -> None:
    root = etree.fromstring(xml)
    node = xmlsec.tree.find_node(root, "Signature")
    assert node is not None
    xmlsec.tree.add_ids(root, ["Id"])
    context = xmlsec.SignatureContext()
    pem = key.certificate_pem()
    context.key = xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatCertPem, None)
    context.verify(node)


def _verify_with_signxml(xml: bytes, key: KeyMaterial) -> None:
    XAdESVerifier().verify(
        xml,
        x509_cert=key.certificate_pem().decode(),
        expect_config=XAdESSignatureConfiguration(expect_references=3, verification_time=NOW),
    )


def test_xmlsec_accepts_the_signature(signed: bytes, key: KeyMaterial) -> None:
    """The independent implementation xmlsec verifies the signature."""
    _verify_with_xmlsec(signed, key)


def test_signxml_accepts_the_signature(signed: bytes, key: KeyMaterial) -> None:
    """signxml's own verifier accepts the signature with its XAdES properties."""
    _verify_with_signxml(signed, key)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"5265877635", b"5260250274"),
        (b"-3ACF9BE4C0-", b"-3ACF9BE4C1-"),
        (b"certificateSubject", b"certificateFingerprint"),
        (b"2026-11-24T10:00:00", b"2026-11-24T10:00:01"),
    ],
)
def test_tampered_document_is_refused(signed: bytes, key: KeyMaterial, old: bytes, new: bytes) -> None:
    """After any change of content or signing time both implementations refuse."""
    assert old in signed
    tampered = signed.replace(old, new, 1)
    with pytest.raises(xmlsec.Error):
        _verify_with_xmlsec(tampered, key)
    with pytest.raises((signxml.exceptions.InvalidInput, signxml.exceptions.InvalidSignature)):
        _verify_with_signxml(tampered, key)


def test_another_key_is_refused(signed: bytes) -> None:
    """The signature does not verify with another certificate."""
    with pytest.raises(xmlsec.Error):
        _verify_with_xmlsec(signed, self_signed("5265877635", key="rsa", now=NOW))


def test_signature_has_the_form_ksef_accepts(signed: bytes, key: KeyMaterial) -> None:
    """Enveloped, with the signing time given, the certificate's digest, and ECDSA values as R||S."""
    root = etree.fromstring(signed)
    signature = root[-1]
    assert signature.tag == f"{DS}Signature"
    assert signature.findtext(f".//{XADES}SigningTime") == "2026-11-24T10:00:00+00:00"
    assert signature.find(f".//{XADES}SigningCertificateV2") is not None
    uris = [reference.get("URI") for reference in signature.iter(f"{DS}Reference")]
    assert "" in uris
    value = base64.b64decode(signature.findtext(f"{DS}SignatureValue") or "")
    assert len(value) == {"RSA 2048": 256, "EC secp256r1": 64, "EC secp384r1": 96}[key.algorithm]


def test_expired_certificate_does_not_sign(key: KeyMaterial) -> None:
    """A certificate that is not valid at the time of signing signs nothing."""
    with pytest.raises(CertificateNotValidError):
        sign_enveloped(REQUEST, key, NOW + timedelta(days=400))


@pytest.mark.parametrize(
    "xml", [b"", b"<a>", b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', b"<!DOCTYPE a><a/>"]
)
def test_unfit_document_is_not_signed(key: KeyMaterial, xml: bytes) -> None:
    """What is not well-formed or has a document type is refused."""
    with pytest.raises(XmlToSignError):
        sign_enveloped(xml, key, NOW)
