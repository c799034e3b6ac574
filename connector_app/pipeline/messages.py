"""What the shop's order says about its documents: the store's texts, filled with a document's facts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from adapters.contract import Channel, Message
from connector_app.buyer_links import pdf_link
from connector_app.pipeline.purposes import is_invoice
from connector_app.store.models import Document
from connector_app.texts import Facts, Occasion, Reader, Slot, effective, fill
from core.law import KSEF_NUMBER_IN_TRANSFERS

TAG = "KSeF"
"""The tag of an order whose invoice has a KSeF number; one for all, to filter orders by."""

_MARK = 12
"""Characters of a refused file's SHA-256 by which a note about it is found again."""


def message_for(
    document: Document,
    channel: Channel,
    language: str,
    verification_url: str,
    transfer_on: date | None = None,
    texts: Mapping[str, Any] | None = None,
    page: str = "",
) -> Message:
    """The message of one publication of an accepted document.

    Args:
        document: accepted, so it has both numbers; with its order and seller.
        channel: where it goes.
        language: ``pl`` or ``en``.
        verification_url: address of QR code I, where anybody can check the invoice.
        transfer_on: Warsaw day of writing, when the buyer still has to transfer the money: the KSeF number is
            the transfer's title then. ``None`` when there is nothing to transfer.
        texts: the store's own texts.
        page: address of the buyer's page; empty when there is none.

    Raises:
        ValueError: the document has no KSeF number yet.
    """
    facts = facts_of(document, language, verification_url, transfer_on, page)
    if not facts.ksef_number:
        raise ValueError(f"document {document.id} is not accepted")
    if channel is Channel.METADATA:
        fields = {
            "ksef_number": facts.ksef_number,
            "invoice_number": facts.invoice_number,
            "status": "accepted",
            "verification_url": verification_url,
        }
        return Message(fields=fields | _pdf_field(facts))
    if channel is Channel.TAG:
        return Message(text=TAG, marker=TAG)
    slot = Slot(_reader(channel), occasion_of(document, offline=False))
    return Message(text=fill(effective(texts, slot, language), facts), marker=facts.ksef_number)


def offline_message_for(
    document: Document,
    channel: Channel,
    language: str,
    verification_url: str,
    texts: Mapping[str, Any] | None = None,
    page: str = "",
) -> Message:
    """The message about a document that was issued offline and has no KSeF number yet.

    Args:
        document: issued offline, with the link of code II, which marks the message.
        channel: where it goes.
        language: ``pl`` or ``en``.
        verification_url: address of QR code I.
        texts: the store's own texts.
        page: address of the buyer's page; empty when there is none.

    Raises:
        ValueError: the document was not issued offline.
    """
    facts = facts_of(document, language, verification_url, page=page)
    if not facts.certificate_link:
        raise ValueError(f"document {document.id} was not issued offline")
    if channel is Channel.METADATA:
        fields = {
            "invoice_number": facts.invoice_number,
            "status": "offline",
            "verification_url": verification_url,
        }
        return Message(fields=fields | _pdf_field(facts))
    slot = Slot(_reader(channel), occasion_of(document, offline=True))
    return Message(text=fill(effective(texts, slot, language), facts), marker=facts.certificate_link)


def refusal_message_for(document: Document, language: str, texts: Mapping[str, Any] | None = None) -> Message:
    """What the merchant, and nobody else, is told of a document that KSeF refused.

    Args:
        document: refused, with the bytes that were refused.
        language: ``pl`` or ``en``.
        texts: the store's own texts.
    """
    # there is nothing in KSeF that a link could lead to
    facts = facts_of(document, language, verification_url="")
    slot = Slot(Reader.MERCHANT, Occasion.REJECTED)
    return Message(text=fill(effective(texts, slot, language), facts), marker=facts.file_mark)


def occasion_of(document: Document, *, offline: bool) -> Occasion:
    """What is told of a document: whether it is an order's invoice or corrects one (art. 106j)."""
    if offline:
        return Occasion.OFFLINE if is_invoice(document.purpose) else Occasion.OFFLINE_CORRECTION
    return Occasion.ACCEPTED if is_invoice(document.purpose) else Occasion.CORRECTION


def facts_of(
    document: Document,
    language: str,
    verification_url: str,
    transfer_on: date | None = None,
    page: str = "",
) -> Facts:
    """What is known of an issued document.

    Args:
        document: with its order and seller.
        language: of sentences among the facts.
        verification_url: address of QR code I.
        transfer_on: see :func:`message_for`.
        page: address of the buyer's page; empty when there is none.

    Raises:
        ValueError: it is not issued.
    """
    if not document.number or document.issued_on is None:
        raise ValueError(f"document {document.id} is not issued")
    ksef_number = document.ksef_number or ""
    total = "" if document.total is None else f"{document.total:.2f} {document.currency or ''}".strip()
    title = transfer_title(ksef_number, transfer_on, language) if ksef_number and transfer_on else ""
    return Facts(
        invoice_number=document.number,
        issue_date=document.issued_on,
        order_number=document.order.number,
        total=total,
        seller_name=document.seller.name,
        ksef_number=ksef_number,
        verification_link=verification_url,
        certificate_link=document.certificate_link or "",
        buyer_page=page,
        pdf_link=pdf_link(page),
        transfer_title=title,
        file_mark=(document.xml_sha256 or "")[:_MARK],
        refusal=document.refusal_text or "?",
        refusal_code=str(document.refusal_code or "?"),
    )


def _reader(channel: Channel) -> Reader:
    return Reader.MERCHANT if channel is Channel.PRIVATE_NOTE else Reader.BUYER


def _pdf_field(facts: Facts) -> dict[str, str]:
    return {"pdf_url": facts.pdf_link} if facts.pdf_link else {}


def transfer_title(ksef_number: str, day: date, language: str) -> str:
    """A sentence that says what to write into the transfer; from a day of the law on VAT payers have to.

    Args:
        ksef_number: of the invoice that is paid.
        day: Warsaw day of reading.
        language: ``pl`` or ``en``.
    """
    is_duty = KSEF_NUMBER_IN_TRANSFERS.holds_on(day)
    if language == "en":
        duty = " (VAT payers have to name it)" if is_duty else ""
        return f"When you pay by transfer, give the KSeF number as its title{duty}: {ksef_number}"
    duty = " (podatnicy VAT mają taki obowiązek)" if is_duty else ""
    return f"Płacąc przelewem, podaj w tytule numer KSeF{duty}: {ksef_number}"
