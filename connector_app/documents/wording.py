"""The names of what a person can do with a document, and what happens then, in words."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from core.findings import Text


class ActionName(StrEnum):
    """Everything that a person can do with a document."""

    ISSUE = "issue"
    """Issue it now: without waiting for its time, or again after its cause was removed."""
    ISSUE_OFFLINE = "issue-offline"
    SEND_AGAIN = "send-again"
    PUBLISH_AGAIN = "publish-again"
    """Look whether the shop still shows what was written, and write what is missing."""
    MAIL_AGAIN = "mail-again"
    WITHDRAW = "withdraw"
    """Let no invoice come of an order, until the person takes this back."""
    RESTORE = "restore"
    CLOSE = "close"
    """End a correction that is not needed, or was made elsewhere."""
    LINK = "link"
    """Say which recovered invoice is the order's."""


WORDS: Mapping[ActionName, tuple[Text, Text]] = {
    ActionName.ISSUE: (
        Text("Wystaw teraz", "Issue now"),
        Text(
            "Dokument powstanie z danych zamówienia przy najbliższym przebiegu i trafi do KSeF.",
            "The document is made from the order's data in the next pass and goes to KSeF.",
        ),
    ),
    ActionName.ISSUE_OFFLINE: (
        Text("Wystaw offline", "Issue offline"),
        Text(
            "Dokument powstanie w trybie offline, a do KSeF trafi w terminie ustawowym.",
            "The document is issued offline and goes to KSeF within the time that the law gives.",
        ),
    ),
    ActionName.SEND_AGAIN: (
        Text("Wyślij ponownie", "Send again"),
        Text(
            "Odrzucony za treść powstanie od nowa pod tym samym numerem; inny pójdzie tym samym plikiem, a "
            "KSeF nie przyjmie go dwa razy.",
            "One refused for its content is made anew under its number; another goes as the same file, which "
            "KSeF does not take twice.",
        ),
    ),
    ActionName.PUBLISH_AGAIN: (
        Text("Zapisz w sklepie ponownie", "Publish again"),
        Text(
            "Łącznik sprawdzi wpisy w zamówieniu i uzupełni brakujące; istniejących nie powtórzy.",
            "The connector looks at the order's notes and writes what is missing; what is there is not "
            "repeated.",
        ),
    ),
    ActionName.MAIL_AGAIN: (
        Text("Wyślij e-mail ponownie", "Send the e-mail again"),
        Text(
            "E-mail, który nie wyszedł albo nie wiadomo, czy wyszedł, pójdzie jeszcze raz.",
            "An e-mail that did not go out, or of which it is not known, goes once more.",
        ),
    ),
    ActionName.WITHDRAW: (
        Text("Wycofaj przed wystawieniem", "Withdraw before issue"),
        Text(
            "Zamówienie nie zostanie zafakturowane, także po zmianie w sklepie, dopóki tego nie cofniesz.",
            "The order is not invoiced, not even after a change in the shop, until you take this back.",
        ),
    ),
    ActionName.RESTORE: (
        Text("Cofnij wycofanie", "Take the withdrawal back"),
        Text(
            "O fakturze znów zdecydują zasady sklepu; może powstać od razu.",
            "The store's rules decide about the invoice again; it may be issued at once.",
        ),
    ),
    ActionName.CLOSE: (
        Text("Zamknij korektę", "Close the correction"),
        Text(
            "Korekta nie powstanie: jest zbędna albo wystawiono ją gdzie indziej.",
            "The correction is not issued: it is needless, or was issued elsewhere.",
        ),
    ),
    ActionName.LINK: (
        Text("To faktura tego zamówienia", "This is the order's invoice"),
        Text(
            "Odzyskana faktura zostanie połączona z zamówieniem; nowa nie powstanie.",
            "The recovered invoice is linked with the order; no other is issued.",
        ),
    ),
}
"""Label and effect of each action."""
