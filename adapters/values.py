"""Small readings that every adapter makes of what buyers typed and shops sent."""

from __future__ import annotations

import re
from decimal import Decimal

# XML 1.0 allows no other characters, and an order's texts end in an XML document
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NIP_IN_TEXT = re.compile(
    r"\b(?:NIP|VAT)[\s:.]*((?:PL)?[\s-]?[0-9](?:[\s-]?[0-9]){9})(?![0-9])", re.IGNORECASE
)
_EXCERPT = 40


def xml_text(text: str) -> str:
    """A text whose characters XML forbids became spaces."""
    return _NOT_XML.sub(" ", text)


def nip_in_text(text: str) -> str:
    """The number in a text such as "Firma, NIP 526-025-02-74", as typed; empty when there is none."""
    match = _NIP_IN_TEXT.search(text)
    return match[1].strip() if match else ""


def excerpt(value: object) -> str:
    """A value as an error message shows it: quoted and short."""
    text = repr(value)
    return text if len(text) <= _EXCERPT else text[: _EXCERPT - 1] + "…"


def plain(number: Decimal) -> Decimal:
    """The same number without an exponent and without trailing zeros: ``23.0000`` becomes ``23``."""
    whole = number.to_integral_value()
    return Decimal(int(whole)) if number == whole else number.normalize()
