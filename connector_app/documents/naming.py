"""Stored codes of a document in words: what it is for, where it was told of, and how that went."""

from __future__ import annotations

from connector_app.pipeline.purposes import (
    BUYER,
    CANCELLATION,
    CANCELLED_AGAIN,
    CHANGE,
    RECOVERED,
    REFUND,
    REFUNDED,
    REFUNDED_AGAIN,
    REINSTATED,
    UNREADABLE,
    WITHDRAWN,
    WRONG_BUYER,
    chapter,
    plain,
)
from connector_app.store.models import INVOICE, MailState
from core.findings import Text

_PURPOSES = {
    INVOICE: Text("Faktura", "Invoice"),
    CANCELLATION: Text("Korekta do zera: anulowanie", "Correction to zero: cancelled"),
    REFUNDED: Text("Korekta do zera: zwrot całości", "Correction to zero: all given back"),
    REINSTATED: Text(
        "Zamówienie wznowione po korekcie do zera", "The order goes on after a correction to zero"
    ),
    CANCELLED_AGAIN: Text("Ponowne anulowanie", "Cancelled once more"),
    WRONG_BUYER: Text("Korekta do zera: błędny NIP nabywcy", "Correction to zero: wrong tax number"),
    UNREADABLE: Text("Zamówienia nie da się odczytać", "The order cannot be read"),
}
_BEGINS = (
    (REFUNDED_AGAIN, Text("Zwrot, który wrócił", "A refund that is back")),
    (REFUND, Text("Korekta: zwrot", "Correction: refund")),
    (WITHDRAWN, Text("Korekta z powrotem: zwrot usunięto", "Correction back: the refund was deleted")),
    (CHANGE, Text("Zmiana kwoty zamówienia", "The order's total changed")),
    (BUYER, Text("Korekta danych nabywcy", "Correction of the buyer's data")),
    (RECOVERED, Text("Korekta odzyskana z KSeF", "Correction recovered from KSeF")),
)
_CHANNELS = {
    "private_note": Text("Notatka dla sklepu", "Note for the merchant"),
    "customer_note": Text("Wiadomość dla kupującego w zamówieniu", "Note for the buyer"),
    "metadata": Text("Pola zamówienia", "Fields of the order"),
    "tag": Text("Etykieta zamówienia", "Tag of the order"),
    "order_state": Text("Status zamówienia", "State of the order"),
    "order_email": Text("E-mail ze sklepu", "E-mail by the shop"),
}
_OCCASIONS = {
    "accepted": Text("E-mail z fakturą", "E-mail with the invoice"),
    "correction": Text("E-mail z korektą", "E-mail with the correction"),
    "offline": Text("E-mail z fakturą offline", "E-mail with the offline invoice"),
    "offline_correction": Text("E-mail z korektą offline", "E-mail with the offline correction"),
}
_MAILS = {
    MailState.DUE: Text("czeka w kolejce", "in the queue"),
    MailState.SENDING: Text("wysyłany", "being sent"),
    MailState.SENT: Text("wysłany", "sent"),
    MailState.UNKNOWN: Text("nie wiadomo, czy wyszedł", "not known whether it went out"),
    MailState.REFUSED: Text("odrzucony przez serwer poczty", "refused by the mail server"),
    MailState.DROPPED: Text("nie wysłano", "not sent"),
}
_MODES = {
    "offline24": Text("offline24", "offline24"),
    "total-failure": Text("awaria całkowita", "total failure"),
    "maintenance": Text("niedostępność KSeF", "KSeF maintenance"),
    "emergency": Text("awaria KSeF", "KSeF emergency"),
}
_OFFLINE = "offline:"
_REFUSED = "refused:"


def purpose_text(purpose: str) -> Text:
    """What a document is for."""
    said = _purpose(plain(purpose))
    if not chapter(purpose):
        return said
    return Text(f"{said.pl} (faktura zastąpiona)", f"{said.en} (replaced invoice)")


def _purpose(bare: str) -> Text:
    known = _PURPOSES.get(bare)
    if known is not None:
        return known
    return next((text for begin, text in _BEGINS if bare.startswith(begin)), Text(bare, bare))


def channel_text(channel: str) -> Text:
    """Where a document was told of."""
    if channel.startswith(_REFUSED):
        return Text("Notatka dla sklepu o odrzuceniu", "Note for the merchant about the refusal")
    bare = channel.removeprefix(_OFFLINE)
    said = _CHANNELS.get(bare, Text(bare, bare))
    if bare == channel:
        return said
    return Text(f"{said.pl} (przed numerem KSeF)", f"{said.en} (before the KSeF number)")


def occasion_text(occasion: str) -> Text:
    """What an e-mail was about."""
    return _OCCASIONS.get(occasion, Text(occasion, occasion))


def mail_state_text(state: str) -> Text:
    """How an e-mail went."""
    return _MAILS[MailState(state)]


def mode_text(mode: str) -> Text:
    """In which offline mode a document was issued."""
    return _MODES.get(mode, Text(mode, mode))
