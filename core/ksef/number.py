"""The KSeF number: form, check sum, and making one.

Source: the integrators' documentation of KSeF 2.0 and ``TNumerKSeF`` of the FA schemas: 35 characters
``NIP-YYYYMMDD-FFFFFFFFFFFF-CC`` where CC is CRC-8 (polynomial 0x07, initial value 0x00) of the first
32 characters as two upper-case hexadecimal digits. KSeF 1.0 numbers have a hyphen inside the technical
part and 36 characters; their check sum covers the 33 characters in front of the last hyphen.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

_FORM = re.compile(
    r"(?P<nip>[1-9](?:\d[1-9]|[1-9]\d)\d{7}|M\d{9}|[A-Z]{3}\d{7})-"
    r"(?P<day>\d{8})-(?P<part>[0-9A-F]{6}-?[0-9A-F]{6})-(?P<crc>[0-9A-F]{2})"
)


class KsefNumberError(ValueError):
    """A text that is no KSeF number; the message shows the text and says what is wrong."""


@dataclass(frozen=True, slots=True)
class KsefNumber:
    """A checked KSeF number.

    Attributes:
        value: the whole text.
        seller_nip: first part (a NIP, or an internal id of old data).
        day: the day on which KSeF took the document.
    """

    value: str
    seller_nip: str
    day: date

    def __str__(self) -> str:
        return self.value


def crc8(text: str) -> str:
    """CRC-8 (polynomial 0x07, initial 0x00) of ASCII text as two upper-case hexadecimal digits."""
    crc = 0
    for byte in text.encode("ascii"):
        crc ^= byte
        for _ in range(8):
            crc = ((crc << 1) ^ 0x07) & 0xFF if crc & 0x80 else (crc << 1) & 0xFF
    return f"{crc:02X}"


def parse(text: str) -> KsefNumber:
    """Check a KSeF number of either form.

    Raises:
        KsefNumberError: wrong form, impossible day or wrong check sum.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise KsefNumberError(f"{text!r} does not have the form of a KSeF number")
    raw = match["day"]
    try:
        day = date(int(raw[:4]), int(raw[4:6]), int(raw[6:]))
    except ValueError:
        raise KsefNumberError(f"{text!r} names a day that does not exist: {raw}") from None
    expected = crc8(text[:-3])
    if expected != match["crc"]:
        raise KsefNumberError(f"{text!r} has check digits {match['crc']}, expected {expected}")
    return KsefNumber(text, match["nip"], day)


def make(seller_nip: str, day: date, technical_part: str) -> KsefNumber:
    """Build a number with the right check sum (used by the sandbox and by tests).

    Args:
        seller_nip: ten digits.
        day: Warsaw day of acceptance.
        technical_part: twelve upper-case hexadecimal digits.

    Raises:
        KsefNumberError: the parts do not make a valid number.
    """
    head = f"{seller_nip}-{day:%Y%m%d}-{technical_part}"
    return parse(f"{head}-{crc8(head)}")
