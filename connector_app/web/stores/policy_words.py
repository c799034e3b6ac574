"""A policy's choices in words."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.contract import Channel
from connector_app.policies import Corrections, Place, Recipients, Trigger
from core.ksef.offline import OfflinePolicy

WORDS: Mapping[tuple[str, str], tuple[str, str]] = {
    ("recipients", Recipients.NIP): ("kto podał NIP lub nazwę firmy", "who gave a NIP or a company name"),
    ("recipients", Recipients.ASKED): ("także kto poprosił o fakturę", "also who asked for an invoice"),
    ("recipients", Recipients.EVERYONE): ("każdy kupujący", "every buyer"),
    ("trigger", Trigger.PAID): (
        "po zapłacie lub przyjęciu do realizacji (także za pobraniem)",
        "when it is paid, or accepted for fulfilment (cash on delivery too)",
    ),
    ("trigger", Trigger.MONEY): (
        "dopiero gdy sklep potwierdzi wpłatę",
        "only when the shop has confirmed the money",
    ),
    ("trigger", Trigger.COMPLETED): ("po zrealizowaniu zamówienia", "when the order is completed"),
    ("corrections", Corrections.AUTOMATIC): (
        "same, gdy znany jest podział zwrotu na stawki VAT",
        "by themselves, where the refund's split by VAT rate is known",
    ),
    ("corrections", Corrections.ASK): ("o każdą najpierw zapytaj", "ask a person about each"),
    ("consumers", Place.KSEF): ("do KSeF (dobrowolnie)", "to KSeF (voluntary)"),
    ("consumers", Place.OUTSIDE): (
        "poza KSeF: wystawia je inny program",
        "outside KSeF: another program issues them",
    ),
    ("oss", Place.OUTSIDE): (
        "poza KSeF: wystawia je inny program",
        "outside KSeF: another program issues them",
    ),
    ("oss", Place.KSEF): (
        "do KSeF (wymaga też włączenia OSS w ustawieniach sprzedawcy)",
        "to KSeF (OSS has to be on in the seller's settings too)",
    ),
    ("offline", OfflinePolicy.AUTOMATIC): ("wystawiaj offline", "issue offline"),
    ("offline", OfflinePolicy.ASK): ("czekaj na moją decyzję", "wait for a person"),
    ("offline", OfflinePolicy.NEVER): ("nigdy nie wystawiaj offline", "never issue offline"),
}
"""Label of each choice by field and value: Polish, English."""

CHANNELS: Mapping[Channel, tuple[str, str]] = {
    Channel.PRIVATE_NOTE: ("notatka przy zamówieniu, tylko dla Ciebie", "a note on the order, for you only"),
    Channel.CUSTOMER_NOTE: (
        "notatka lub wiadomość, którą widzi kupujący",
        "a note or message that the buyer sees",
    ),
    Channel.METADATA: ("pola zamówienia (metadane)", "fields of the order (metadata)"),
    Channel.TAG: ("tag zamówienia", "a tag of the order"),
    Channel.ORDER_STATE: ("stan zamówienia z e-mailem sklepu", "an order state with the shop's e-mail"),
    Channel.ORDER_EMAIL: ("e-mail platformy z naszym tekstem", "the platform's e-mail with our text"),
}
"""Label of each place in a shop: Polish, English."""
