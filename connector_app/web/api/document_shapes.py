"""What documents look like to machines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from connector_app.store.models import DocumentState
from connector_app.web.api.events import LifeEntry
from connector_app.web.api.paging import MOST
from connector_app.web.api.typed import told
from core.findings import Text

_CODE = r"^[A-Za-z0-9_.-]{1,32}$"


class FileKind(StrEnum):
    """Files of a document."""

    XML = "xml"
    PDF = "pdf"
    UPO = "upo"


class Language(StrEnum):
    """Languages of pictures."""

    PL = "pl"
    EN = "en"


@dataclass(frozen=True, slots=True)
class OrderRef:
    """The order that a document belongs to."""

    id: int = told("Identyfikator w łączniku.", "Id in the connector.")
    number: str = told("Numer, jaki widzi kupujący.", "The number that the buyer sees.")
    remote_id: str = told("Identyfikator w sklepie.", "Id in the shop.")
    store: str = told("Kod sklepu.", "Code of the store.")


@dataclass(frozen=True, slots=True)
class DocumentItem:
    """A document as lists show it."""

    id: int = told("Identyfikator dokumentu.", "Id of the document.")
    state: DocumentState = told("Stan.", "State.")
    kind: str = told("Rodzaj faktury (RodzajFaktury).", "Kind of the invoice (RodzajFaktury).", example="VAT")
    purpose: str = told("Po co powstał: invoice, refund:ID ...", "What it is for: invoice, refund:ID ...")
    number: str | None = told("Numer faktury.", "Number of the invoice.")
    ksef_number: str | None = told("Numer KSeF.", "KSeF number.")
    issued_on: date | None = told("Data wystawienia (P_1).", "Day of issue (P_1).")
    accepted_at: datetime | None = told("Kiedy KSeF go przyjął.", "When KSeF accepted it.")
    total: Decimal | None = told("Kwota należności (P_15).", "Amount due (P_15).", example="123.00")
    currency: str | None = told("Waluta.", "Currency.", example="PLN")
    buyer_name: str | None = told("Nazwa nabywcy.", "Name of the buyer.")
    order: OrderRef = told("Zamówienie.", "Order.")
    offline_mode: str | None = told("Tryb offline.", "Offline mode.")
    send_by: date | None = told("Ostatni dzień na przesłanie.", "Last day for sending it.")
    reason: Text | None = told("Na co czeka albo dlaczego stoi.", "What it waits for, or why it stands.")
    files: list[FileKind] = told("Pliki, które już ma.", "The files that it has by now.")
    created_at: datetime = told("Kiedy powstał.", "When it came about.")
    updated_at: datetime = told("Kiedy się zmienił.", "When it changed last.")


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """Some documents and where the next begin."""

    items: list[DocumentItem] = told("Dokumenty.", "Documents.")
    next: str | None = told(
        "Kursor następnej strony; null na ostatniej.", "Cursor of the next page; null on the last."
    )


@dataclass(frozen=True, slots=True)
class Reason:
    """Something that a person has to look at."""

    code: str = told("Stały kod.", "Stable code.")
    severity: str = told("error, warning albo info.", "error, warning or info.")
    message: Text = told("Co jest nie tak.", "What is wrong.")
    hint: Text = told("Co zrobić.", "What to do.")


@dataclass(frozen=True, slots=True)
class DocumentDetail:
    """A document with everything about it but its files."""

    document: DocumentItem = told("Jak na liście.", "As in lists.")
    attention: list[Reason] = told("Powody, dla których czeka na człowieka.", "Why it waits for a person.")
    refusal_code: int | None = told("Kod odmowy KSeF.", "KSeF's code of the refusal.")
    refusal_text: str | None = told("Słowa KSeF.", "KSeF's own words.")
    sha256: str | None = told("SHA-256 pliku XML (hex).", "SHA-256 of the XML (hex).")
    verification_link: str | None = told("Adres z kodu QR I.", "Address of QR code I.")
    session_reference: str | None = told("Sesja KSeF.", "KSeF session.")
    publications: dict[str, str] = told(
        "Co zapisano w sklepie: kanał i identyfikator.", "What was written to the shop: channel and id."
    )
    life: list[LifeEntry] = told("Cała historia.", "Its whole life.")


@dataclass(frozen=True, slots=True)
class DocumentQuery:
    """What to list."""

    state: DocumentState | None = told("Tylko w tym stanie.", "Only in this state.", default=None)
    store: str | None = told(
        "Tylko sklepu o tym kodzie.", "Only of the store with this code.", default=None, pattern=_CODE
    )
    month: str | None = told(
        "Tylko wystawione w miesiącu RRRR-MM.",
        "Only issued in the month YYYY-MM.",
        default=None,
        pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$",
        example="2026-11",
    )
    kind: str | None = told(
        "Tylko tego rodzaju (RodzajFaktury).",
        "Only of this kind (RodzajFaktury).",
        default=None,
        pattern=r"^[A-Z_]{1,8}$",
        example="KOR",
    )
    q: str | None = told(
        "Początek numeru faktury, numeru KSeF albo numeru zamówienia.",
        "Beginning of the invoice's, KSeF's or the order's number.",
        default=None,
        longest=100,
    )
    updated_since: datetime | None = told(
        "Tylko zmienione od tej chwili; wtedy od najdawniej zmienionych.",
        "Only changed since then; the longest unchanged come first in this case.",
        default=None,
    )
    cursor: str | None = told("Kursor z pola next.", "Cursor from the field next.", default=None, longest=300)
    limit: int = told("Ile najwyżej.", "How many at most.", default=50, least=1, most=MOST)


@dataclass(frozen=True, slots=True)
class PictureQuery:
    """How to draw it."""

    lang: Language = told("Język.", "Language.", default=Language.PL)
