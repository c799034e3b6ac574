"""Texts in the form that the schemas and KSeF accept.

``xsd:token`` wants single spaces and no line ends; KSeF refuses "discouraged" characters (U+007F-0084,
U+0086-009F, U+FDD0-FDEF and the last two of every plane) and XML 1.0 knows no control characters.
Shops let buyers and merchants type all of these.
"""

from __future__ import annotations

import re

NAME_LIMIT = 512
TEXT_LIMIT = 256

_UNWANTED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    + "".join(f"{chr((plane << 16) | 0xFFFE)}{chr((plane << 16) | 0xFFFF)}" for plane in range(1, 17))
    + "]"
)
_SPACE = re.compile(r"\s+")


def clean(text: str, limit: int = TEXT_LIMIT) -> str:
    """Make a shop's text fit a schema field.

    Args:
        text: anything a buyer or merchant typed.
        limit: most characters; a longer text is cut and ends with an ellipsis.

    Returns:
        The text without refused characters, with single spaces, trimmed; may be empty.
    """
    if text.isprintable() and "  " not in text:
        # nothing to remove: refused characters, and spaces other than U+0020, are not printable
        tidy = text.strip()
    else:
        tidy = _SPACE.sub(" ", _UNWANTED.sub("", text)).strip()
    if len(tidy) <= limit:
        return tidy
    return tidy[: limit - 1].rstrip() + "…"
