"""QR codes of a document: the link of code I, and pictures of both."""

from __future__ import annotations

import base64
from datetime import date

import zxingcpp

from core.ksef.verification import invoice_link
from core.visual.errors import NotRenderable
from core.visual.nodes import Node


def link(root: Node, qr_base_url: str, document_hash: bytes) -> str:
    """The verification link of code I for a document.

    Args:
        root: the document; NIP of Podmiot1 and P_1 are read, not taken.
        qr_base_url: base of the environment's verification links, e.g. ``https://qr.ksef.mf.gov.pl``.
        document_hash: SHA-256 of the document's XML, 32 bytes.

    Raises:
        NotRenderable: no seller NIP or no P_1 that a link could be made of.
    """
    nip = root.first("Podmiot1").first("DaneIdentyfikacyjne").peek("NIP")
    try:
        day = date.fromisoformat(root.first("Fa").peek("P_1"))
        return invoice_link(qr_base_url, nip, day, base64.b64encode(document_hash).decode("ascii"))
    except ValueError as error:
        raise NotRenderable(f"no verification link can be made for the document: {error}") from None


def svg(text: str) -> str:
    """A QR code (ISO/IEC 18004, error correction M) with its quiet zone, as an SVG picture."""
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    return str(code.to_svg(add_quiet_zones=True))
