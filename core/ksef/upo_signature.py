"""The signature of a UPO: whether it holds, what it covers, and whose certificate made it.

What a good check proves: not one byte of the confirmation was changed since the owner of the embedded
certificate signed it, and that certificate was valid at the stated time of signing. What it does not
prove: that the owner is the Ministry. No certificate of the UPO's seal is published, so there is nothing
to compare with; anybody could sign a changed UPO with a certificate of their own. Who knows the Ministry's
certificate (or that of its issuer) gives it as trusted, and then every other signer is refused. Revocation
is not asked for, and the time of signing is the signer's own word.

Source: the UPO is signed XAdES; its schema 4-3 does not describe the signature and the examples carry none,
so that every usual form of an enveloped one is accepted: RSA (PKCS#1 v1.5, PSS) or ECDSA, SHA-256 and up.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from lxml import etree

from core.ksef.errors import ProofMismatch

if TYPE_CHECKING:
    from cryptography import x509

_DS = "{http://www.w3.org/2000/09/xmldsig#}"
_XADES = "{http://uri.etsi.org/01903/v1.3.2#}"
_ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_NEWER = "http://www.w3.org/2007/05/xmldsig-more#"
_CANONICAL = frozenset(
    f"{name}{comments}"
    for name in (
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
        "http://www.w3.org/2006/12/xml-c14n11",
        "http://www.w3.org/2001/10/xml-exc-c14n#",
    )
    for comments in ("", "WithComments" if name.endswith("#") else "#WithComments")
)
_METHODS = frozenset(
    [f"{_MORE}{key}-sha{bits}" for key in ("rsa", "ecdsa") for bits in (256, 384, 512)]
    + [f"{_NEWER}sha{bits}-rsa-MGF1" for bits in (256, 384, 512)]
)
_DIGESTS = frozenset(
    {
        "http://www.w3.org/2001/04/xmlenc#sha256",
        "http://www.w3.org/2001/04/xmldsig-more#sha384",
        "http://www.w3.org/2001/04/xmlenc#sha512",
    }
)
_FINGERPRINTS = frozenset({"sha1", "sha256", "sha384", "sha512"})


@dataclass(frozen=True, slots=True)
class UpoSignature:
    """What was found out about a UPO's signature.

    Attributes:
        certificate: the certificate whose key made it; None when its form could not be checked.
        signed_at: SigningTime, in the signer's own word; None when it says none.
        trusted: the signer is one of the given trusted certificates or issued by one; False when none were
            given.
        unchecked: why the form could not be checked, in English; empty when it was checked and holds.
    """

    certificate: x509.Certificate | None
    signed_at: datetime | None = None
    trusted: bool = False
    unchecked: str = ""


class _UnknownForm(Exception):
    """A signature made in a way that is not looked into here: neither good nor broken."""


def check_signature(xml: bytes, trusted: Sequence[x509.Certificate] = ()) -> UpoSignature:
    """Check that a UPO's signature covers the whole of it and holds; see the module for what that proves.

    About 2 ms for a document's UPO and 0.3 s for a page of 10 000 documents.

    Args:
        xml: the UPO, byte for byte.
        trusted: certificates of signers or of their issuers; with any of them every other signer is
            refused. Without them a signature of an unknown form is let through as ``unchecked``, so that a
            change at the Ministry never costs the proofs.

    Raises:
        ProofMismatch: there is no signature, it is broken, it covers only a part, its certificate was not
            valid when it was made, or the signer is not trusted.
    """
    root = _parse(xml)
    signature = _signature_of(root)
    try:
        _check_form(root, signature)
    except _UnknownForm as unknown:
        if trusted:
            raise ProofMismatch(f"the UPO's signature cannot be checked: {unknown}") from None
        return UpoSignature(None, unchecked=str(unknown))
    chain = _certificates(signature)
    signer = _signer(signature, chain)
    signed_at = _signed_at(signature)
    # the library reads the file again: a page of 10 000 documents need not be in memory twice
    del root, signature
    _verify(xml, signer, signed_at)
    is_trusted = _is_trusted(signer, chain, trusted)
    if trusted and not is_trusted:
        raise ProofMismatch(f"the UPO is signed by a certificate that is not trusted: {subject_of(signer)}")
    return UpoSignature(signer, signed_at, is_trusted)


def subject_of(certificate: x509.Certificate) -> str:
    """A certificate's subject as text; empty when it cannot be read."""
    try:
        return certificate.subject.rfc4514_string()
    except ValueError:
        return ""


def _parse(xml: bytes) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError:
        raise ProofMismatch("the UPO is not well-formed XML") from None
    # the stubs do not say that there may be none
    if cast("etree.DTD | None", root.getroottree().docinfo.internalDTD) is not None:
        raise ProofMismatch("the UPO carries a document type")
    return root


def _signature_of(root: etree._Element) -> etree._Element:
    """The one signature, which stands in the root element itself."""
    found = root.findall(f"{_DS}Signature")
    if len(found) != 1:
        raise ProofMismatch("the UPO is not signed" if not found else "the UPO has several signatures")
    return found[0]


def _check_form(root: etree._Element, signature: etree._Element) -> None:
    """See that the form is one that is checked here and that the signature speaks of the whole document.

    Raises:
        _UnknownForm: it is made in another way.
        ProofMismatch: it does not cover the whole document.
    """
    _algorithm(signature.find(f"{_DS}SignedInfo/{_DS}CanonicalizationMethod"), _CANONICAL)
    _algorithm(signature.find(f"{_DS}SignedInfo/{_DS}SignatureMethod"), _METHODS)
    whole = ("", *(f"#{root.get(name)}" for name in ("Id", "ID", "id") if root.get(name)))
    covered = False
    for reference in signature.findall(f"{_DS}SignedInfo/{_DS}Reference"):
        _algorithm(reference.find(f"{_DS}DigestMethod"), _DIGESTS)
        transforms = reference.findall(f"{_DS}Transforms/{_DS}Transform")
        for transform in transforms:
            _algorithm(transform, _CANONICAL | {_ENVELOPED})
        covered |= reference.get("URI") in whole and any(
            one.get("Algorithm") == _ENVELOPED for one in transforms
        )
    if not covered:
        raise ProofMismatch("the UPO's signature does not cover the whole of it")


def _algorithm(element: etree._Element | None, known: frozenset[str]) -> None:
    name = "" if element is None else element.get("Algorithm") or ""
    if name not in known:
        raise _UnknownForm(f"algorithm {name[:100] or 'missing'}")


def _certificates(signature: etree._Element) -> list[x509.Certificate]:
    """The certificates that came with the signature."""
    from cryptography import x509  # noqa: PLC0415  slow to load, and few callers check signatures

    path = f"{_DS}KeyInfo/{_DS}X509Data/{_DS}X509Certificate"
    texts = ["".join((one.text or "").split()) for one in signature.findall(path)]
    if not texts:
        raise ProofMismatch("the UPO's signature carries no certificate")
    try:
        return [x509.load_der_x509_certificate(base64.b64decode(text, validate=True)) for text in texts]
    except ValueError:
        raise ProofMismatch("the certificate of the UPO's signature cannot be read") from None


def _signer(signature: etree._Element, chain: Sequence[x509.Certificate]) -> x509.Certificate:
    """The certificate that the signed properties name first; the first that came where they name none."""
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415  see _certificates

    digest = next(signature.iter(f"{_XADES}CertDigest"), None)
    if digest is None or len(chain) == 1:
        return chain[0]
    method = digest.find(f"{_DS}DigestMethod")
    name = "" if method is None else (method.get("Algorithm") or "").rpartition("#")[2]
    wanted = "".join((digest.findtext(f"{_DS}DigestValue") or "").split())
    for one in chain if name in _FINGERPRINTS else ():
        made = hashlib.new(name, one.public_bytes(Encoding.DER), usedforsecurity=False).digest()
        if base64.b64encode(made).decode() == wanted:
            return one
    return chain[0]


def _signed_at(signature: etree._Element) -> datetime | None:
    element = next(signature.iter(f"{_XADES}SigningTime"), None)
    try:
        moment = datetime.fromisoformat(element.text or "") if element is not None else None
    except ValueError:
        raise ProofMismatch("the UPO's SigningTime is no time") from None
    return moment if moment is not None and moment.tzinfo is not None else None


def _verify(xml: bytes, signer: x509.Certificate, signed_at: datetime | None) -> None:
    """Verify digests, signature value and the signed properties; the certificate's time at ``signed_at``."""
    # imported here: takes 80 ms
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from signxml.exceptions import SignXMLException  # noqa: PLC0415
    from signxml.xades.xades import XAdESSignatureConfiguration, XAdESVerifier  # noqa: PLC0415

    config: Any = XAdESSignatureConfiguration(
        location="./",
        expect_references=True,
        # without a time of its own a signature is measured by the certificate alone
        verification_time=signed_at or signer.not_valid_before_utc,
    )
    fault = ""
    try:
        XAdESVerifier().verify(xml, x509_cert=signer, expect_config=config)
    except (SignXMLException, InvalidSignature, etree.LxmlError, ValueError, KeyError, TypeError) as error:
        fault = type(error).__name__
    if fault:
        # raised outside the handler: the library's messages quote the document
        raise ProofMismatch(f"the UPO's signature does not hold ({fault})")


def _is_trusted(
    signer: x509.Certificate, chain: Sequence[x509.Certificate], trusted: Sequence[x509.Certificate]
) -> bool:
    """Whether the signer, or an issuer of it that came along, is trusted or issued by a trusted one."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  see _certificates

    pending, seen = [signer], {signer}
    while pending:
        one = pending.pop()
        if one in trusted:
            return True
        for issuer in (*trusted, *chain):
            try:
                one.verify_directly_issued_by(issuer)
            except (ValueError, TypeError, InvalidSignature):
                continue
            if issuer not in seen:
                seen.add(issuer)
                pending.append(issuer)
    return False
