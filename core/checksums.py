"""Check digits of Polish and international numbers other than the NIP.

The NIP, which KSeF itself checks, is in :mod:`core.invoices.tax_ids`. Every function takes the bare
number as text and says whether its form and check digits are right.
"""

from __future__ import annotations

import re
from datetime import date

_PESEL = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)
_REGON9 = (8, 9, 2, 3, 4, 5, 6, 7)
_REGON14 = (2, 4, 8, 5, 0, 9, 7, 3, 6, 1, 2, 4, 8)
_CENTURIES = {0: 1900, 1: 2000, 2: 2100, 3: 2200, 4: 1800}
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[0-9A-Z]{11,30}")
_EORI = re.compile(r"[A-Z]{2}[0-9A-Za-z]{1,15}")
_KRS = re.compile(r"[0-9]{10}")
_LETTER_OFFSET = 55
"""What is taken from a letter's code so that A counts as 10 (ISO 13616)."""


def _is_number(text: str, length: int) -> bool:
    return len(text) == length and text.isascii() and text.isdigit()


def _weighted(digits: str, weights: tuple[int, ...]) -> int:
    return sum(weight * int(digit) for weight, digit in zip(weights, digits, strict=False))


def is_pesel(text: str) -> bool:
    """Whether eleven digits are a PESEL: a day that exists and a right check digit (weights 1 3 7 9)."""
    if not _is_number(text, 11):
        return False
    century, month = divmod(int(text[2:4]), 20)
    try:
        date(_CENTURIES[century] + int(text[:2]), month, int(text[4:6]))
    except (ValueError, KeyError):
        return False
    return (10 - _weighted(text, _PESEL) % 10) % 10 == int(text[10])


def is_regon(text: str) -> bool:
    """Whether 9 or 14 digits are a REGON; the 14-digit form contains the 9-digit number of its firm."""
    if _is_number(text, 14):
        return is_regon(text[:9]) and _weighted(text, _REGON14) % 11 % 10 == int(text[13])
    return _is_number(text, 9) and _weighted(text, _REGON9) % 11 % 10 == int(text[8])


def is_krs(text: str) -> bool:
    """Whether a text has the form of a KRS number: ten digits, not all zero; it has no check digit."""
    return _KRS.fullmatch(text) is not None and text != "0" * 10


def is_gln(text: str) -> bool:
    """Whether thirteen digits are a GLN with a right check digit (GS1, weights 1 and 3)."""
    if not _is_number(text, 13):
        return False
    return (10 - sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(text[:12])) % 10) % 10 == int(
        text[12]
    )


def is_eori(text: str) -> bool:
    """Whether a text has the form of an EORI number: a country code and up to fifteen characters."""
    return _EORI.fullmatch(text) is not None


def is_iban(text: str) -> bool:
    """Whether a text without spaces is an IBAN with right check digits (ISO 13616, modulo 97)."""
    if _IBAN.fullmatch(text) is None:
        return False
    turned = text[4:] + text[:4]
    return int(
        "".join(one if one.isdigit() else str(ord(one) - _LETTER_OFFSET) for one in turned)
    ) % 97 == 1 and (not text.startswith("PL") or _is_number(text[2:], 26))


def is_nrb(text: str) -> bool:
    """Whether 26 digits are a Polish account number (NRB: an IBAN without its country code)."""
    return _is_number(text, 26) and int(f"{text[2:]}2521{text[:2]}") % 97 == 1
