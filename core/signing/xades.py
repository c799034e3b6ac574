"""XAdES signatures of XML documents.

Source: the integrators' documentation of KSeF 2.0 (XAdES): enveloped, XAdES-BES, canonical XML 1.1, SHA-256
and up, ECDSA values as R||S. signxml's defaults are exactly that, with SigningCertificateV2.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree

from core.signing.keys import KeyMaterial

if TYPE_CHECKING:
    from signxml.algorithms import SignatureMethod


_XADES = "http://uri.etsi.org/01903/v1.3.2#"


class XmlToSignError(ValueError):
    """The document to sign is no well-formed XML, or carries a document type."""


def sign_enveloped(xml: bytes, key: KeyMaterial, now: datetime) -> bytes:
    """Sign a document; the signature becomes the last child of its root.

    Args:
        xml: the document, UTF-8.
        key: certificate and key.
        now: aware time of signing; goes into SigningTime, and the certificate has to be valid then.

    Returns:
        The signed document, UTF-8 with an XML declaration. Not one byte of it may change afterwards.

    Raises:
        CertificateNotValidError: the certificate is not valid at ``now``.
        XmlToSignError: the document cannot be signed.
    """
    # imported here: takes 80 ms, and only signing in needs it
    from signxml.xades.xades import XAdESSigner  # noqa: PLC0415

    key.check_validity(now)
    signer = XAdESSigner(signature_algorithm=_algorithm(key))
    annotators = signer.signed_signature_properties_annotators
    # signxml would take the time from the machine's clock
    annotators[annotators.index(signer.add_signing_time)] = _signing_time(now)
    signed = signer.sign(_parse(xml), key=key.private_key, cert=[key.certificate])
    return etree.tostring(signed, encoding="utf-8", xml_declaration=True)


def _signing_time(now: datetime) -> Callable[..., None]:
    """What writes SigningTime, as signxml calls it."""
    text = now.astimezone(UTC).isoformat(timespec="seconds")

    def annotate(signed_signature_properties: etree._Element, **_: object) -> None:
        etree.SubElement(signed_signature_properties, f"{{{_XADES}}}SigningTime").text = text

    return annotate


def _algorithm(key: KeyMaterial) -> SignatureMethod:
    """The signature algorithm for a key: the digest is as strong as the curve."""
    from signxml.algorithms import SignatureMethod  # noqa: PLC0415 - see sign_enveloped

    if not isinstance(key.private_key, ec.EllipticCurvePrivateKey):
        return SignatureMethod.RSA_SHA256
    return {
        256: SignatureMethod.ECDSA_SHA256,
        384: SignatureMethod.ECDSA_SHA384,
        521: SignatureMethod.ECDSA_SHA512,
    }[key.private_key.curve.key_size]


def _parse(xml: bytes) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError as error:
        raise XmlToSignError(f"not well-formed: {error}") from None
    # the stubs do not say that there may be none
    if cast("etree.DTD | None", root.getroottree().docinfo.internalDTD) is not None:
        raise XmlToSignError("a document with a document type is not signed")
    return root
