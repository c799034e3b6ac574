"""Rules over the KSeF numbers that an invoice refers to.

They stand here and not among :mod:`core.invoices.rules` because they know what a KSeF number is.
"""

from __future__ import annotations

from datetime import date

from core.findings import Finding
from core.invoices.model import Invoice
from core.invoices.rules import Rule, error, warning
from core.ksef.number import KsefNumber, KsefNumberError, parse

ORIGINAL = error(
    "original-ksef-number",
    "NrKSeFFaKorygowanej (TNumerKSeF, CRC-8)",
    "Numer KSeF faktury korygowanej {value} ma błędną postać lub sumę kontrolną.",
    "The corrected invoice's KSeF number {value} has a wrong form or check sum.",
    "Przepisz numer z UPO albo z faktury.",
    "Copy the number from the UPO or the invoice.",
)
ORIGINAL_SELLER = warning(
    "original-ksef-number-other-seller",
    "NrKSeFFaKorygowanej, Podmiot1: NIP",
    "Numer KSeF faktury korygowanej zaczyna się od NIP {value}, innego niż NIP sprzedawcy.",
    "The corrected invoice's KSeF number begins with the NIP {value}, not the seller's.",
    "Sprawdź, czy to numer tej faktury.",
    "Check that it is the number of that invoice.",
)
ORIGINAL_DAY = warning(
    "original-ksef-number-day",
    "NrKSeFFaKorygowanej, DataWystFaKorygowanej",
    "Numer KSeF nadano {day}, przed datą wystawienia faktury korygowanej {issued}.",
    "The KSeF number is of {day}, before the corrected invoice's issue date {issued}.",
    "Sprawdź numer i datę.",
    "Check the number and the day.",
)
ADVANCE = error(
    "advance-ksef-number",
    "NrKSeFFaZaliczkowej (TNumerKSeF, CRC-8)",
    "Numer KSeF faktury zaliczkowej {value} ma błędną postać lub sumę kontrolną.",
    "The advance invoice's KSeF number {value} has a wrong form or check sum.",
    "Przepisz numer z UPO albo z faktury.",
    "Copy the number from the UPO or the invoice.",
)
ADVANCE_SELLER = warning(
    "advance-ksef-number-other-seller",
    "NrKSeFFaZaliczkowej, Podmiot1: NIP",
    "Numer KSeF faktury zaliczkowej zaczyna się od NIP {value}, innego niż NIP sprzedawcy.",
    "The advance invoice's KSeF number begins with the NIP {value}, not the seller's.",
    "Sprawdź, czy to numer tej faktury.",
    "Check that it is the number of that invoice.",
)
RULES: tuple[Rule, ...] = (ORIGINAL, ORIGINAL_SELLER, ORIGINAL_DAY, ADVANCE, ADVANCE_SELLER)
"""Every rule of this module."""


def check_ksef_numbers(invoice: Invoice) -> list[Finding]:
    """Check form, check sum, seller and day of the numbers of corrected and settled invoices."""
    found: list[Finding] = []
    correction = invoice.correction
    for index, original in enumerate(correction.originals if correction else (), 1):
        if original.ksef_number:
            path = f"Faktura/Fa/DaneFaKorygowanej[{index}]/NrKSeFFaKorygowanej"
            found += _original(original.ksef_number, original.issued_on, invoice.seller.nip, path)
    for index, advance in enumerate(invoice.advances, 1):
        if advance.ksef_number:
            path = f"Faktura/Fa/FakturaZaliczkowa[{index}]/NrKSeFFaZaliczkowej"
            number = _parsed(advance.ksef_number)
            if number is None:
                found.append(ADVANCE.at(path, value=advance.ksef_number))
            elif number.seller_nip != invoice.seller.nip:
                found.append(ADVANCE_SELLER.at(path, value=number.seller_nip))
    return found


def _original(value: str, issued_on: date, seller_nip: str, path: str) -> list[Finding]:
    number = _parsed(value)
    if number is None:
        return [ORIGINAL.at(path, value=value)]
    found = []
    if number.seller_nip != seller_nip:
        found.append(ORIGINAL_SELLER.at(path, value=number.seller_nip))
    if number.day < issued_on:
        found.append(ORIGINAL_DAY.at(path, day=number.day, issued=issued_on))
    return found


def _parsed(value: str) -> KsefNumber | None:
    try:
        return parse(value)
    except KsefNumberError:
        return None
