"""Verification links: what the QR codes on an invoice say.

Source: the integrators' documentation of KSeF 2.0 (QR codes). Code I is
``{QR base}/invoice/{seller NIP}/{P_1 as DD-MM-YYYY}/{SHA-256 of the XML, Base64URL without padding}``.
Code II, on offline documents only, is ``{QR base}/certificate/{context kind}/{context value}/{seller NIP}/
{certificate serial}/{SHA-256 of the XML}/{signature}``: the signature, by the key of an Offline certificate,
is over the address without ``https://``, up to and without the last slash.
"""

from __future__ import annotations

import base64
import re
from datetime import date
from enum import StrEnum
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from core.signing.keys import KeyMaterial

_NIP = re.compile(r"\d{10}")
_SHA256_BYTES = 32
_SALT_BYTES = 32
_P256_BYTES = 32


class ContextKind(StrEnum):
    """Kinds of a context identifier, as code II writes them."""

    NIP = "Nip"
    INTERNAL_ID = "InternalId"
    NIP_VAT_UE = "NipVatUe"
    PEPPOL_ID = "PeppolId"


class NoOfflineCertificate(ValueError):
    """A certificate that may not sign code II; the message says why."""


def invoice_link(qr_url: str, seller_nip: str, issue_day: date, document_hash: str) -> str:
    """The link of code I, with which anybody checks that an invoice is in KSeF.

    Args:
        qr_url: base of the environment's verification links, e.g. ``https://qr.ksef.mf.gov.pl``.
        seller_nip: NIP of Podmiot1, ten digits.
        issue_day: P_1 of the document.
        document_hash: SHA-256 of the document's XML bytes in Base64, as KSeF and the store write it.

    Raises:
        ValueError: a NIP that is not ten digits, or a text that is no SHA-256 in Base64.
    """
    return f"{qr_url.rstrip('/')}/invoice/{_nip(seller_nip)}/{issue_day:%d-%m-%Y}/{url_hash(document_hash)}"


def certificate_link(
    qr_url: str,
    seller_nip: str,
    document_hash: str,
    key: KeyMaterial,
    *,
    context_kind: ContextKind = ContextKind.NIP,
    context_value: str = "",
) -> str:
    """The link of code II, with which anybody checks who issued an offline invoice.

    Two calls give two links, both valid: the signature holds random numbers. Keep the one that was printed.

    Args:
        qr_url: base of the environment's verification links.
        seller_nip: NIP of Podmiot1, ten digits.
        document_hash: SHA-256 of the document's XML bytes in Base64.
        key: an Offline certificate with its key: RSA, or EC on P-256.
        context_kind: kind of the KSeF context in which the document will be sent.
        context_value: its value; empty for the seller's NIP.

    Raises:
        NoOfflineCertificate: the certificate is of the Authentication kind, or its curve is not P-256.
        ValueError: as at :func:`invoice_link`.
    """
    check_offline_certificate(key.certificate)
    where = "/".join(
        (
            "certificate",
            context_kind.value,
            quote(context_value or seller_nip, safe=""),
            _nip(seller_nip),
            key.serial_number,
            url_hash(document_hash),
        )
    )
    address = f"{qr_url.rstrip('/')}/{where}"
    signed = address.partition("://")[2].encode("ascii")
    return f"{address}/{_base64url(_sign(key, signed))}"


def check_offline_certificate(certificate: x509.Certificate) -> None:
    """Check that a certificate may sign code II.

    An Offline certificate is for signing (keyUsage nonRepudiation), never for signing in (digitalSignature).

    Raises:
        NoOfflineCertificate: the usage is another, or none; or its key is neither RSA nor EC P-256.
    """
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except (x509.ExtensionNotFound, ValueError):
        raise NoOfflineCertificate("the certificate does not say what it is for (keyUsage)") from None
    if usage.digital_signature or not usage.content_commitment:
        raise NoOfflineCertificate(
            "this is a certificate of the Authentication kind; code II needs one of the Offline kind"
        )
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey) and not isinstance(key.curve, ec.SECP256R1):
        raise NoOfflineCertificate(f"code II needs a key on P-256, not {key.curve.name}")
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        raise NoOfflineCertificate("code II needs an RSA or EC key")


def url_hash(document_hash: str) -> str:
    """A SHA-256 in Base64 as Base64URL without padding.

    Raises:
        ValueError: the text is no SHA-256 in Base64.
    """
    try:
        digest = base64.b64decode(document_hash, validate=True)
    except ValueError:
        digest = b""
    if len(digest) != _SHA256_BYTES:
        raise ValueError(f"{document_hash!r} is no SHA-256 in Base64")
    return _base64url(digest)


def _nip(text: str) -> str:
    if not _NIP.fullmatch(text):
        raise ValueError(f"{text!r} is not a NIP of ten digits")
    return text


def _sign(key: KeyMaterial, text: bytes) -> bytes:
    private = key.private_key
    if isinstance(private, rsa.RSAPrivateKey):
        return private.sign(text, _pss(), hashes.SHA256())
    # R||S of fixed length (IEEE P1363): shorter than DER, and so is the QR code
    r, s = utils.decode_dss_signature(private.sign(text, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(_P256_BYTES, "big") + s.to_bytes(_P256_BYTES, "big")


def _pss() -> padding.PSS:
    return padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=_SALT_BYTES)


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
