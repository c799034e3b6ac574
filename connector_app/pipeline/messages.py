"""What the shop's order says about its invoice: texts for the merchant and for the buyer."""

from __future__ import annotations

from datetime import date

from adapters.contract import Channel, Message
from connector_app.store.models import Document


def message_for(document: Document, channel: Channel, language: str, verification_url: str) -> Message:
    """The message of one publication of an accepted document.

    Args:
        document: accepted, so it has both numbers.
        channel: where it goes.
        language: ``pl`` or ``en``.
        verification_url: address of QR code I, where anybody can check the invoice.

    Raises:
        ValueError: the document has no KSeF number yet.
    """
    number, ksef_number, issued_on = document.number, document.ksef_number, document.issued_on
    if not number or not ksef_number or issued_on is None:
        raise ValueError(f"document {document.id} is not accepted")
    if channel is Channel.METADATA:
        return Message(
            fields={
                "ksef_number": ksef_number,
                "invoice_number": number,
                "status": "accepted",
                "verification_url": verification_url,
            }
        )
    write = _for_merchant if channel is Channel.PRIVATE_NOTE else _for_buyer
    return Message(text=write(number, ksef_number, issued_on, verification_url, language), marker=ksef_number)


def _for_merchant(number: str, ksef_number: str, issued_on: date, url: str, language: str) -> str:
    if language == "en":
        return (
            f"KSeF accepted invoice {number} of {issued_on:%d.%m.%Y}. KSeF number: {ksef_number}. "
            f"Verify: {url}"
        )
    return (
        f"KSeF przyjął fakturę {number} z {issued_on:%d.%m.%Y}. Numer KSeF: {ksef_number}. Weryfikacja: {url}"
    )


def _for_buyer(number: str, ksef_number: str, issued_on: date, url: str, language: str) -> str:
    if language == "en":
        return (
            f"Invoice {number} for your order was issued in KSeF, Poland's national e-invoice system, on "
            f"{issued_on:%d.%m.%Y}. KSeF number: {ksef_number}. You can check it here: {url}"
        )
    return (
        f"Faktura {number} do Twojego zamówienia została wystawiona w Krajowym Systemie e-Faktur (KSeF) "
        f"{issued_on:%d.%m.%Y}. Numer KSeF: {ksef_number}. Fakturę sprawdzisz tutaj: {url}"
    )
