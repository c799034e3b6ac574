"""Verification links: what the QR codes on an invoice say.

Source: the integrators' documentation of KSeF 2.0 (QR codes): code I is
``{QR base}/invoice/{seller NIP}/{P_1 as DD-MM-YYYY}/{SHA-256 of the XML, Base64URL without padding}``.
"""

from __future__ import annotations

import base64
import re
from datetime import date

_NIP = re.compile(r"\d{10}")
_SHA256_BYTES = 32


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
    if not _NIP.fullmatch(seller_nip):
        raise ValueError(f"{seller_nip!r} is not a NIP of ten digits")
    return f"{qr_url.rstrip('/')}/invoice/{seller_nip}/{issue_day:%d-%m-%Y}/{url_hash(document_hash)}"


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
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
