"""Links to the buyer's page of a document: nobody can guess one, and nothing about them is stored.

A key is a 128-bit code of the document (HMAC-SHA256 over its id and number) followed by the id, which is
hidden under a stream made from the code, so that a key tells neither how many documents there are nor which
one it opens. The number stands in the code because it is written once: a key never opens another document
that came to the same id in a restored database.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from sqlalchemy import select
from sqlalchemy.orm import Session

from connector_app.pipeline.services import Services
from connector_app.store.models import Document
from connector_app.vault import Vault

_CODE = 16
"""Bytes of the code."""
_ID = 8
"""Bytes of the id; with the code a whole number of Base64 groups, so that no two keys read the same."""
_LENGTH = (_CODE + _ID) * 4 // 3


def key_of(vault: Vault, document: Document) -> str:
    """The key of a document's page: 32 characters that are safe in addresses.

    Args:
        vault: of the installation.
        document: issued, so it has its number.

    Raises:
        ValueError: it has no number yet.
    """
    if not document.number:
        raise ValueError(f"document {document.id} is not issued")
    secret = vault.derive("buyer-links")
    code = _code(secret, document.id, document.number)
    return base64.urlsafe_b64encode(code + _masked(secret, code, document.id.to_bytes(_ID, "big"))).decode()


def find(vault: Vault, session: Session, key: str) -> Document | None:
    """The document that a key opens; None for anything that is no key of this installation.

    Args:
        vault: of the installation.
        session: for reading.
        key: as it stands in an address.
    """
    try:
        raw = base64.b64decode(key.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    if len(key) != _LENGTH or len(raw) != _CODE + _ID:
        return None
    secret, code = vault.derive("buyer-links"), raw[:_CODE]
    document_id = int.from_bytes(_masked(secret, code, raw[_CODE:]), "big")
    if not 0 < document_id < 2**63:
        return None
    document = session.scalar(
        select(Document).where(Document.id == document_id, Document.number.is_not(None))
    )
    # the whole key is compared: nothing but the very key that was given out opens the page
    if document is None or not hmac.compare_digest(key, key_of(vault, document)):
        return None
    return document


def link(services: Services, document: Document, public_url: str | None = None) -> str:
    """Address of a document's page for its buyer; empty without a public address.

    Args:
        services: the installation, with its public address.
        document: issued.
        public_url: to use instead of the installation's.
    """
    base = services.public_url if public_url is None else public_url
    return f"{base}/f/{key_of(services.vault, document)}" if base and document.number else ""


def pdf_link(page: str) -> str:
    """Address of the PDF of a page that :func:`link` gave; empty for none."""
    return f"{page}/pdf" if page else ""


def _code(secret: bytes, document_id: int, number: str) -> bytes:
    return hmac.digest(secret, f"document {document_id} {number}".encode(), hashlib.sha256)[:_CODE]


def _masked(secret: bytes, code: bytes, text: bytes) -> bytes:
    stream = hmac.digest(secret, b"id " + code, hashlib.sha256)
    return bytes(one ^ other for one, other in zip(text, stream, strict=False))
