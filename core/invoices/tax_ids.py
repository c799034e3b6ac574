"""Tax numbers: normalising what a buyer typed, and check digits.

Source of the NIP's check digit: weights 6 5 7 2 3 4 5 6 7, sum modulo 11 (regulation on NIP); numbers of
other EU countries are checked by python-stdnum.
"""

from __future__ import annotations

import functools
import re

_WEIGHTS = (6, 5, 7, 2, 3, 4, 5, 6, 7)
_NOISE = re.compile(r"[\s.\-\u00ad\u200b-\u200f\u2010-\u2015\u2060\ufeff/_,;:()]+")
# the longest words first, or "VAT" would leave "ID" behind
_LABEL = re.compile(r"^(?:NUMER|NR)?(?:NIPUE|VATUE|NIP|VATNUMBER|VATID|VATNO|VATNR|TAXID|TAXNO|VAT|UID)?")
_NIP_FORM = re.compile(r"[1-9](?:[0-9][1-9]|[1-9][0-9])[0-9]{7}")  # TNrNIP
_EU = re.compile(r"[A-Z]{2}[0-9A-Z+*]{2,12}")
EU_COUNTRIES = frozenset(re.findall("..", "ATBEBGCYCZDEDKEEELESFIFRHRHUIEITLTLULVMTNLPTROSESISKXI"))
"""Codes of KodUE other than Poland's own."""


def normalise(text: str) -> str:
    """A typed tax number in upper case without spaces, hyphens and words such as "NIP:"."""
    bare = _NOISE.sub("", text).upper().removesuffix("MF")
    return _LABEL.sub("", bare, count=1)


def is_no_number(text: str) -> bool:
    """Whether a text says that there is no number: nothing, words without digits, only zeros."""
    digits = [character for character in text if character.isdigit()]
    return not digits or set(digits) == {"0"}


@functools.lru_cache(4096)
def is_nip(digits: str) -> bool:
    """Whether ten digits are a NIP with a right check digit."""
    if not _NIP_FORM.fullmatch(digits):
        return False
    check = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=False)) % 11
    return check == int(digits[9])


def as_nip(text: str) -> str | None:
    """The NIP in a typed text (with or without PL in front), or ``None`` when it is not a right one."""
    bare = normalise(text).removeprefix("PL")
    return bare if is_nip(bare) else None


def as_eu_vat(text: str) -> tuple[str, str] | None:
    """Country (KodUE) and number (NrVatUE) of another EU country's VAT number, checked; else ``None``.

    Poland is not "another" country: a Polish number belongs into the NIP field, or the buyer does not
    find the invoice.
    """
    bare = normalise(text)
    if not _EU.fullmatch(bare):
        return None
    country = "EL" if bare[:2] == "GR" else bare[:2]
    if country not in EU_COUNTRIES:
        return None
    if country == "XI":  # Northern Ireland shares the British form, which the library does not check here
        return country, bare[2:]
    from stdnum.eu import vat  # noqa: PLC0415  40 ms that most invoices never need

    return (country, bare[2:]) if vat.is_valid(bare) else None
