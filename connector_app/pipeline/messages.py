"""What the shop's order says about its invoice: texts for the merchant and for the buyer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from adapters.contract import Channel, Message
from connector_app.pipeline.purposes import is_invoice
from connector_app.store.models import Document
from core.law import KSEF_NUMBER_IN_TRANSFERS


def message_for(
    document: Document,
    channel: Channel,
    language: str,
    verification_url: str,
    transfer_on: date | None = None,
) -> Message:
    """The message of one publication of an accepted document.

    Args:
        document: accepted, so it has both numbers.
        channel: where it goes.
        language: ``pl`` or ``en``.
        verification_url: address of QR code I, where anybody can check the invoice.
        transfer_on: Warsaw day of writing, when the buyer still has to transfer the money: the KSeF number is
            the transfer's title then. ``None`` when there is nothing to transfer.

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
    text = write(_NAMES[is_invoice(document.purpose)], number, f"{issued_on:%d.%m.%Y}", ksef_number, language)
    text = f"{text} {verification_url}"
    if channel is Channel.CUSTOMER_NOTE and transfer_on is not None:
        text = f"{text} {_transfer_title(ksef_number, transfer_on, language)}"
    return Message(text=text, marker=ksef_number)


def _transfer_title(ksef_number: str, day: date, language: str) -> str:
    """What to write into the transfer; from a day of the law on VAT payers have to."""
    is_duty = KSEF_NUMBER_IN_TRANSFERS.holds_on(day)
    if language == "en":
        duty = " (VAT payers have to name it)" if is_duty else ""
        return f"When you pay by transfer, give the KSeF number as its title{duty}: {ksef_number}"
    duty = " (podatnicy VAT mają taki obowiązek)" if is_duty else ""
    return f"Płacąc przelewem, podaj w tytule numer KSeF{duty}: {ksef_number}"


def offline_message_for(
    document: Document, channel: Channel, language: str, verification_url: str
) -> Message:
    """The message about a document that was issued offline and has no KSeF number yet.

    Args:
        document: issued offline, with the link of code II, which marks the message.
        channel: where it goes.
        language: ``pl`` or ``en``.
        verification_url: address of QR code I.

    Raises:
        ValueError: the document was not issued offline.
    """
    number, certificate, issued_on = document.number, document.certificate_link, document.issued_on
    if not number or not certificate or issued_on is None:
        raise ValueError(f"document {document.id} was not issued offline")
    if channel is Channel.METADATA:
        return Message(
            fields={"invoice_number": number, "status": "offline", "verification_url": verification_url}
        )
    name, day = _NAMES[is_invoice(document.purpose)], f"{issued_on:%d.%m.%Y}"
    if language == "en":
        text = (
            f"{name.en.capitalize()} {number} was issued on {day} in an offline mode of KSeF, Poland's "
            "national e-invoice system. Its KSeF number follows. The invoice in KSeF, once it is there: "
            f"{verification_url} Its issuer: {certificate}"
        )
    else:
        text = (
            f"{name.pl} {number} została wystawiona {day} w trybie offline Krajowego Systemu e-Faktur "
            "(KSeF). Numer KSeF podamy później. Faktura w KSeF, gdy już tam będzie: "
            f"{verification_url} Jej wystawca: {certificate}"
        )
    return Message(text=text, marker=certificate)


@dataclass(frozen=True, slots=True)
class _Name:
    """What a document is called: in Polish as the subject and as the object, and in English."""

    pl: str
    pl_object: str
    en: str


_NAMES = {
    True: _Name("Faktura", "fakturę", "invoice"),
    False: _Name("Faktura korygująca", "fakturę korygującą", "correcting invoice"),
}
"""Whether it is an order's invoice; otherwise it corrects one (art. 106j)."""


def _for_merchant(name: _Name, number: str, day: str, ksef_number: str, language: str) -> str:
    if language == "en":
        return f"KSeF accepted {name.en} {number} of {day}. KSeF number: {ksef_number}. Verify:"
    return f"KSeF przyjął {name.pl_object} {number} z {day}. Numer KSeF: {ksef_number}. Weryfikacja:"


def _for_buyer(name: _Name, number: str, day: str, ksef_number: str, language: str) -> str:
    if language == "en":
        return (
            f"{name.en.capitalize()} {number} for your order was issued in KSeF, Poland's national e-invoice "
            f"system, on {day}. KSeF number: {ksef_number}. You can check it here:"
        )
    return (
        f"{name.pl} {number} do Twojego zamówienia została wystawiona w Krajowym Systemie "
        f"e-Faktur (KSeF) {day}. Numer KSeF: {ksef_number}. Fakturę sprawdzisz tutaj:"
    )
