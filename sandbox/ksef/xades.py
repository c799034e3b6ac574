"""Reading and verifying a signed AuthTokenRequest.

Source: POST /auth/xades-signature, the schemas of AuthTokenRequest 2.0 and 2.1, and the Ministry's page on
signatures: XAdES enveloped or enveloping (never detached), RSA of 2048 bits and more (PKCS#1 v1.5 or PSS),
ECDSA on P-256 and larger with the value as R||S, SHA-256, SHA-384 or SHA-512.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature as WrongSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.xades.xades import XAdESSignatureConfiguration, XAdESVerifier

from sandbox.ksef.documents import DocumentError, parse_xml
from sandbox.ksef.errors import BadRequest

NAMESPACES = ("http://ksef.mf.gov.pl/auth/token/2.0", "http://ksef.mf.gov.pl/auth/token/2.1")
_DS = "http://www.w3.org/2000/09/xmldsig#"
_XADES = "http://uri.etsi.org/01903/v1.3.2#"
_SIGNATURE = f"{{{_DS}}}Signature"
_METHODS = frozenset(
    {
        SignatureMethod.RSA_SHA256,
        SignatureMethod.RSA_SHA384,
        SignatureMethod.RSA_SHA512,
        SignatureMethod.SHA256_RSA_MGF1,
        SignatureMethod.SHA384_RSA_MGF1,
        SignatureMethod.SHA512_RSA_MGF1,
        SignatureMethod.ECDSA_SHA256,
        SignatureMethod.ECDSA_SHA384,
        SignatureMethod.ECDSA_SHA512,
    }
)
_DIGESTS = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})
_CHALLENGE = re.compile(r"\d{8}-CR-[A-F0-9]{10}-[A-F0-9]{10}-[A-F0-9]{2}")
_NIP = r"[1-9](?:\d[1-9]|[1-9]\d)\d{7}"
_CONTEXTS = {
    "Nip": re.compile(_NIP),
    "InternalId": re.compile(_NIP + r"-\d{5}"),
    "NipVatUe": re.compile(_NIP + r"-[A-Z]{2}[A-Z0-9+*]{2,12}"),
    "PeppolId": re.compile(r"P[A-Z]{2}\d{6}"),
}
_IP = r"(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
ADDRESS_FORMS = {
    "ip4Addresses": re.compile(_IP),
    "ip4Ranges": re.compile(f"{_IP}-{_IP}"),
    "ip4Masks": re.compile(_IP + r"/(?:[12]?\d|3[0-2])"),
}
"""Member of AllowedIps -> form of its values."""

_POLICY = {"Ip4Address": "ip4Addresses", "Ip4Range": "ip4Ranges", "Ip4Mask": "ip4Masks"}
_SUBJECT = re.compile(r"(?:TINPL-(?P<nip>\d{10})|PNOPL-(?P<pesel>\d{11}))")
_ORGANIZATION = re.compile(r"VATPL-(?P<value>\d{10})")


@dataclass(frozen=True, slots=True)
class AuthTokenRequest:
    """What a verified request says.

    Attributes:
        challenge: the challenge it answers.
        context_type: Nip, InternalId, NipVatUe or PeppolId.
        context_value: the context to sign in to.
        subject_type: Nip, Pesel or Fingerprint.
        subject_value: who signed.
        method: QualifiedSeal for a certificate of an organization, else QualifiedSignature.
        policy: allowed addresses: member of AllowedIps -> values; empty without a policy.
        document_hash: SHA-256 of the signed file in Base64 (SkrotDokumentuUwierzytelniajacego).
        certificate: the certificate that signed.
    """

    challenge: str
    context_type: str
    context_value: str
    subject_type: str
    subject_value: str
    method: str
    policy: dict[str, list[str]]
    document_hash: str
    certificate: x509.Certificate


def read(content: bytes) -> AuthTokenRequest:
    """Verify a signed request and read it from what the signature covers.

    Args:
        content: bytes of the request's body.

    Raises:
        BadRequest: 9101, 9102, 9103, 9105, 21115, 21217 or 21401.
    """
    root = _parse(content)
    signatures = root.findall(f".//{_SIGNATURE}")
    if root.tag == _SIGNATURE:
        signatures.insert(0, root)
    if not signatures:
        raise BadRequest(9102)
    if len(signatures) > 1:
        raise BadRequest(9103)
    certificate = _certificate(signatures[0])
    request = _signed_request(content, certificate)
    fields = _fields(request)
    subject_type, subject_value, method = _subject(certificate, fields["SubjectIdentifierType"].text or "")
    context = fields["ContextIdentifier"][0]
    return AuthTokenRequest(
        challenge=(fields["Challenge"].text or "").strip(),
        context_type=etree.QName(context).localname,
        context_value=context.text or "",
        subject_type=subject_type,
        subject_value=subject_value,
        method=method,
        policy=_policy(fields.get("AuthorizationPolicy")),
        document_hash=base64.b64encode(hashlib.sha256(content).digest()).decode(),
        certificate=certificate,
    )


def _parse(content: bytes) -> etree._Element:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequest(21217) from None
    try:
        return parse_xml(content).getroot()
    except DocumentError as error:
        raise BadRequest(9101, str(error)) from None


def _certificate(signature: etree._Element) -> x509.Certificate:
    text = signature.findtext(f"{{{_DS}}}KeyInfo/{{{_DS}}}X509Data/{{{_DS}}}X509Certificate")
    if text is None:
        raise BadRequest(21115, "Podpis nie zawiera certyfikatu.")
    try:
        certificate = x509.load_der_x509_certificate(base64.b64decode("".join(text.split()), validate=True))
        key = certificate.public_key()
    except ValueError as error:
        raise BadRequest(21115, f"Nie można odczytać certyfikatu: {error}") from None
    if isinstance(key, rsa.RSAPublicKey):
        enough = key.key_size >= 2048
    elif isinstance(key, ec.EllipticCurvePublicKey):
        enough = key.key_size >= 256
    else:
        raise BadRequest(21115, "Dozwolone są klucze RSA i EC.")
    if not enough:
        raise BadRequest(21115, f"Klucz o długości {key.key_size} bitów jest za krótki.")
    return certificate


def _signed_request(content: bytes, certificate: x509.Certificate) -> etree._Element:
    """The AuthTokenRequest as the signature covers it: only this may be trusted."""
    config = XAdESSignatureConfiguration(
        location=".//",
        expect_references=True,
        signature_methods=_METHODS,
        digest_algorithms=_DIGESTS,
        # whether the certificate is valid now is a matter of the operation's status, not of the signature
        verification_time=certificate.not_valid_before_utc,
    )
    try:
        results = XAdESVerifier().verify(content, x509_cert=certificate, expect_config=config)
    except (SignXMLException, WrongSignature, etree.LxmlError, ValueError, KeyError) as error:
        raise BadRequest(9105, str(error)) from None
    signed: Sequence[etree._Element] = [
        result.signed_xml for result in results if result.signed_xml is not None
    ]
    properties = [element for element in signed if element.tag == f"{{{_XADES}}}SignedProperties"]
    if not properties or properties[0].find(f".//{{{_XADES}}}SigningTime") is None:
        raise BadRequest(9105, "Podpis nie obejmuje SigningTime.")
    for element in signed:
        inner = element[0] if element.tag == f"{{{_DS}}}Object" and len(element) == 1 else element
        if etree.QName(inner).localname == "AuthTokenRequest":
            return inner
    raise BadRequest(9105, "Podpis nie obejmuje dokumentu AuthTokenRequest.")


def _fields(request: etree._Element) -> dict[str, etree._Element]:
    """The children by name, after the checks that the schema of AuthTokenRequest states."""
    namespace = etree.QName(request).namespace
    if namespace not in NAMESPACES:
        raise BadRequest(21401, f"Nieznana przestrzeń nazw {namespace!r}.")
    if any(not isinstance(child.tag, str) for child in request):
        raise BadRequest(21401, "Komentarze i instrukcje nie są dozwolone.")
    names = [etree.QName(child).localname for child in request if child.tag != _SIGNATURE]
    required = ["Challenge", "ContextIdentifier", "SubjectIdentifierType"]
    if names not in (required, [*required, "AuthorizationPolicy"]):
        raise BadRequest(21401, f"Nieoczekiwany układ elementów: {', '.join(names)}.")
    if any(etree.QName(child).namespace != namespace for child in request if child.tag != _SIGNATURE):
        raise BadRequest(21401, "Element spoza przestrzeni nazw dokumentu.")
    fields = {etree.QName(child).localname: child for child in request if child.tag != _SIGNATURE}
    challenge = (fields["Challenge"].text or "").strip()
    if not _CHALLENGE.fullmatch(challenge):
        raise BadRequest(21401, f"Challenge: wartość {challenge!r} ma niepoprawną postać.")
    context = fields["ContextIdentifier"]
    kind = etree.QName(context[0]).localname if len(context) == 1 else ""
    if kind not in _CONTEXTS or not _CONTEXTS[kind].fullmatch(context[0].text or ""):
        raise BadRequest(21401, "ContextIdentifier: wartość ma niepoprawną postać.")
    chosen = fields["SubjectIdentifierType"].text
    if chosen not in ("certificateSubject", "certificateFingerprint"):
        raise BadRequest(21401, f"SubjectIdentifierType: wartość {chosen!r} nie jest dozwolona.")
    return fields


def _subject(certificate: x509.Certificate, chosen: str) -> tuple[str, str, str]:
    """(type, value, authentication method) of who signed."""
    organization = _attribute(certificate, NameOID.ORGANIZATION_IDENTIFIER, _ORGANIZATION)
    method = "QualifiedSeal" if organization is not None else "QualifiedSignature"
    if chosen == "certificateFingerprint":
        return "Fingerprint", certificate.fingerprint(hashes.SHA256()).hex().upper(), method
    if organization is not None:
        return "Nip", organization["value"], method
    person = _attribute(certificate, NameOID.SERIAL_NUMBER, _SUBJECT)
    if person is None:
        raise BadRequest(21115, "Certyfikat nie zawiera numeru NIP ani PESEL.")
    if person["nip"] is not None:
        return "Nip", person["nip"], method
    return "Pesel", person["pesel"], method


def _attribute(
    certificate: x509.Certificate, oid: x509.ObjectIdentifier, form: re.Pattern[str]
) -> re.Match[str] | None:
    for attribute in certificate.subject.get_attributes_for_oid(oid):
        match = form.fullmatch(str(attribute.value))
        if match is not None:
            return match
    return None


def _policy(element: etree._Element | None) -> dict[str, list[str]]:
    policy: dict[str, list[str]] = {}
    if element is None:
        return policy
    if [etree.QName(child).localname for child in element] != ["AllowedIps"]:
        raise BadRequest(21401, "AuthorizationPolicy: oczekiwano AllowedIps.")
    for entry in element[0]:
        name = _POLICY.get(etree.QName(entry).localname, "")
        value = (entry.text or "").strip()
        if not name or not ADDRESS_FORMS[name].fullmatch(value):
            raise BadRequest(21401, f"AllowedIps: wartość {value!r} ma niepoprawną postać.")
        policy.setdefault(name, []).append(value)
        if len(policy[name]) > 10:
            raise BadRequest(21401, "AllowedIps: najwyżej dziesięć wartości każdego rodzaju.")
    return policy
