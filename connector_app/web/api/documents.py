"""Documents for machines: lists, one with its whole life, its files, and what can be done with it."""

from __future__ import annotations

import calendar
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Integer, literal_column, select, tuple_, union
from sqlalchemy.orm import Session, joinedload, load_only, object_session, undefer

from connector_app.pictures import picture
from connector_app.pipeline import life, offline
from connector_app.pipeline.publish import verification_link
from connector_app.pipeline.services import load_text
from connector_app.store.models import Document, DocumentState, ShopOrder, Store
from connector_app.web.access import audit
from connector_app.web.api.events import LifeEntry
from connector_app.web.api.operation import Caller, File, operation
from connector_app.web.api.paging import MOST, after, cursor
from connector_app.web.api.problems import Code, Refusal
from connector_app.web.api.typed import told
from connector_app.web.here import here
from core.findings import Text

_OF_SELLER: ColumnElement[int] = literal_column("+documents.seller_id", Integer)
"""The sign keeps SQLite from sorting all of a seller's documents: it reads an index in order, and stops."""
_OF_ORDER: ColumnElement[int] = literal_column("+documents.order_id", Integer)
_LAST = "\U0010ffff"
"""Above every text that begins with what stands before it."""
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


@operation(
    "GET",
    "/documents",
    Text(
        "Dokumenty, od najnowszych; z updated_since: od najdawniej zmienionych.",
        "Documents, the newest first; with updated_since the longest unchanged first.",
    ),
    tag="documents",
    query=DocumentQuery,
    answer=DocumentPage,
    codes=(Code.INVALID_CURSOR,),
)
def list_documents(caller: Caller, query: DocumentQuery) -> DocumentPage:
    """A page of documents, by the key of the last one: nothing is skipped or doubled while others change."""
    by_change = query.updated_since is not None
    order = "updated" if by_change else "newest"
    asked = _conditions(caller, query)
    if query.cursor is not None and by_change:
        key = after(query.cursor, order, (datetime, int))
        asked.append(tuple_(Document.updated_at, Document.id) > tuple_(*key))
    elif query.cursor is not None:
        asked.append(Document.id < after(query.cursor, order, (int,))[0])
    ids = select(Document.id).where(*asked).limit(query.limit + 1)
    ids = ids.order_by(Document.updated_at, Document.id) if by_change else ids.order_by(Document.id.desc())
    with caller.services.database() as session:
        # ids first: they come from indexes, and rows hold whole files
        found = list(session.scalars(ids))
        rows = items(session, found[: query.limit])
    more = len(found) > query.limit
    last = rows[-1] if more and rows else None
    following = None
    if last is not None:
        following = cursor(order, last.updated_at, last.id) if by_change else cursor(order, last.id)
    return DocumentPage(rows, following)


def _conditions(caller: Caller, query: DocumentQuery) -> list[ColumnElement[bool]]:
    asked: list[ColumnElement[bool]] = [_OF_SELLER.op("=")(caller.seller_id)]
    if query.state is not None:
        asked.append(Document.state == query.state.value)
    if query.kind is not None:
        asked.append(Document.kind == query.kind)
    if query.updated_since is not None:
        asked.append(Document.updated_at >= query.updated_since)
    if query.month is not None:
        year, month = int(query.month[:4]), int(query.month[5:])
        last = calendar.monthrange(year, month)[1]
        asked.append(Document.issued_on.between(date(year, month, 1), date(year, month, last)))
    if query.store is not None:
        store = select(Store.id).where(Store.code == query.store, Store.seller_id == caller.seller_id)
        of_store = select(ShopOrder.id).where(ShopOrder.store_id == store.scalar_subquery())
        asked.append(_OF_ORDER.in_(of_store))
    if query.q:
        asked.append(_begins(query.q, caller.seller_id))
    return asked


def _begins(text: str, seller_id: int) -> ColumnElement[bool]:
    """Numbers that begin with a text: ranges, and each of its own, because so they are found in indexes."""
    own = Document.seller_id == seller_id
    orders = (
        select(ShopOrder.id)
        .join(Store)
        .where(ShopOrder.number.between(text, text + _LAST), Store.seller_id == seller_id)
    )
    return Document.id.in_(
        union(
            select(Document.id).where(own, Document.number.between(text, text + _LAST)),
            select(Document.id).where(Document.ksef_number.between(text, text + _LAST)),
            select(Document.id).where(Document.order_id.in_(orders)),
        )
    )


_SHOWN = (
    Document.seller_id,
    Document.order_id,
    Document.state,
    Document.kind,
    Document.purpose,
    Document.number,
    Document.ksef_number,
    Document.issued_on,
    Document.accepted_at,
    Document.total,
    Document.currency,
    Document.buyer_name,
    Document.offline_mode,
    Document.send_by,
    Document.attention,
    Document.waiting_for,
    Document.decision,
    Document.xml_sha256,
    Document.created_at,
    Document.updated_at,
)


def items(session: Session, ids: Iterable[int]) -> list[DocumentItem]:
    """Documents by their ids, in that order, as lists show them."""
    wanted = list(ids)
    rows = session.execute(
        select(Document, Document.upo.is_not(None), Store.code)
        .join(Document.order)
        .join(ShopOrder.store)
        .where(Document.id.in_(wanted))
        .options(
            load_only(*_SHOWN),
            joinedload(Document.order).load_only(ShopOrder.number, ShopOrder.remote_id),
        )
    ).all()
    by_id = {row.id: _item(row, code, has_upo=has_upo) for row, has_upo, code in rows}
    return [by_id[one] for one in wanted if one in by_id]


def _item(row: Document, store: str, *, has_upo: bool) -> DocumentItem:
    files = [FileKind.XML, FileKind.PDF] if row.xml_sha256 is not None else []
    return DocumentItem(
        id=row.id,
        state=DocumentState(row.state),
        kind=row.kind,
        purpose=row.purpose,
        number=row.number,
        ksef_number=row.ksef_number,
        issued_on=row.issued_on,
        accepted_at=row.accepted_at,
        total=row.total,
        currency=row.currency,
        buyer_name=row.buyer_name,
        order=OrderRef(row.order_id, row.order.number, row.order.remote_id, store),
        offline_mode=row.offline_mode,
        send_by=row.send_by,
        reason=_reason(row),
        files=[*files, FileKind.UPO] if has_upo else files,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _reason(row: Document) -> Text | None:
    if row.attention:
        said = [one["message"] for one in row.attention]
        return Text(" ".join(one["pl"] for one in said), " ".join(one["en"] for one in said))
    if row.waiting_for:
        return load_text(row.waiting_for)
    if row.decision and row.state in {DocumentState.WAITING, DocumentState.CANCELLED}:
        return Text(str(row.decision["reason"]["pl"]), str(row.decision["reason"]["en"]))
    return None


@operation(
    "GET",
    "/documents/{document_id}",
    Text("Jeden dokument z całą historią.", "One document with its whole life."),
    tag="documents",
    answer=DocumentDetail,
)
def get_document(caller: Caller, document_id: int) -> DocumentDetail:
    """A document of the caller's seller."""
    with caller.services.database() as session:
        row = _mine(session, caller, document_id)
        return DocumentDetail(
            document=items(session, [document_id])[0],
            attention=[
                Reason(one["code"], one["severity"], Text(**one["message"]), Text(**one["hint"]))
                for one in row.attention or []
            ],
            refusal_code=row.refusal_code,
            refusal_text=row.refusal_text,
            sha256=row.xml_sha256,
            verification_link=verification_link(row) if row.xml_sha256 and row.issued_on else None,
            session_reference=row.session_reference,
            publications={
                one.channel: one.remote_id or "" for one in row.publications if one.done_at is not None
            },
            life=[LifeEntry.of(event) for event in row.events],
        )


def _mine(session: Session, caller: Caller, document_id: int, *options: Any) -> Document:
    row = session.get(Document, document_id, options=options)
    if row is None or row.seller_id != caller.seller_id:
        raise Refusal(Code.NOT_FOUND)
    return row


@operation(
    "GET",
    "/documents/{document_id}/xml",
    Text("Plik XML, bajt w bajt taki, jaki ma KSeF.", "The XML, byte for byte as KSeF has it."),
    tag="documents",
    answer="application/xml",
    codes=(Code.NO_FILE, Code.DAMAGED),
)
def get_xml(caller: Caller, document_id: int) -> File:
    """The stored bytes."""
    row = _with_xml(caller, document_id)
    return File(row.xml or b"", "application/xml", f"{_file_name(row)}.xml")


@operation(
    "GET",
    "/documents/{document_id}/pdf",
    Text("Wizualizacja PDF z kodami QR.", "The PDF picture with QR codes."),
    tag="documents",
    query=PictureQuery,
    answer="application/pdf",
    codes=(Code.NO_FILE, Code.DAMAGED),
)
def get_pdf(caller: Caller, document_id: int, query: PictureQuery) -> File:
    """Drawn from the stored bytes."""
    row = _with_xml(caller, document_id)
    return File(picture(row, query.lang.value), "application/pdf", f"{_file_name(row)}.pdf")


@operation(
    "GET",
    "/documents/{document_id}/upo",
    Text("UPO: poświadczenie odbioru wydane przez KSeF.", "The UPO: KSeF's proof of receipt."),
    tag="documents",
    answer="application/xml",
    codes=(Code.NO_FILE,),
)
def get_upo(caller: Caller, document_id: int) -> File:
    """The stored bytes."""
    with caller.services.database() as session:
        row = _mine(session, caller, document_id, undefer(Document.upo))
    if row.upo is None:
        raise Refusal(Code.NO_FILE)
    return File(row.upo, "application/xml", f"{_file_name(row)}-upo.xml")


def _with_xml(caller: Caller, document_id: int) -> Document:
    with caller.services.database() as session:
        row = _mine(session, caller, document_id, undefer(Document.xml), joinedload(Document.seller))
    if row.xml is None:
        raise Refusal(Code.NO_FILE)
    if hashlib.sha256(row.xml).hexdigest() != row.xml_sha256:
        raise Refusal(Code.DAMAGED)
    return row


def _file_name(row: Document) -> str:
    raw = row.ksef_number or row.number or f"document-{row.id}"
    return "".join(one if one.isascii() and (one.isalnum() or one in "-_.") else "-" for one in raw)[:100]


@operation(
    "POST",
    "/documents/{document_id}/retry",
    Text(
        "Ponawia: od razu, gdy dokument czeka; od nowa z zamówienia, gdy wymagał decyzji.",
        "Try again: at once when it waits, anew from its order when it needed a person.",
    ),
    tag="documents",
    answer=DocumentDetail,
    writes=True,
    codes=(Code.NOTHING_TO_RETRY,),
)
def retry_document(caller: Caller, document_id: int) -> DocumentDetail:
    """Another try, as a person may ask for."""

    def again(row: Document) -> None:
        if life.is_idle(row):
            raise life.NothingToRetry(f"document {row.id} is idle")
        life.again(row, caller.services.clock())

    return _act(caller, document_id, "retry", again, life.NothingToRetry, Code.NOTHING_TO_RETRY)


@operation(
    "POST",
    "/documents/{document_id}/close",
    Text(
        "Zamyka korektę, która wymaga decyzji albo którą KSeF odrzucił: skorygowano gdzie indziej.",
        "Close a correction that needs a person or was refused: it was corrected elsewhere.",
    ),
    tag="documents",
    answer=DocumentDetail,
    writes=True,
    codes=(Code.NOTHING_TO_CLOSE,),
)
def close_document(caller: Caller, document_id: int) -> DocumentDetail:
    """End it without issuing it."""

    def close(row: Document) -> None:
        life.close(row, caller.services.clock())

    return _act(caller, document_id, "close", close, life.NothingToClose, Code.NOTHING_TO_CLOSE)


@operation(
    "POST",
    "/documents/{document_id}/offline",
    Text(
        "Każe wystawić w trybie offline, nie czekając na KSeF.",
        "Have it issued offline, without waiting for KSeF.",
    ),
    tag="documents",
    answer=DocumentDetail,
    writes=True,
    codes=(Code.NOTHING_TO_ISSUE,),
)
def issue_offline(caller: Caller, document_id: int) -> DocumentDetail:
    """Ask for it; the next pass does it."""

    def ask(row: Document) -> None:
        offline.ask_for(row, caller.services.clock())

    return _act(caller, document_id, "offline", ask, offline.NothingToIssue, Code.NOTHING_TO_ISSUE)


def _act(
    caller: Caller,
    document_id: int,
    action: str,
    apply: Callable[[Document], None],
    nothing: type[Exception],
    code: Code,
) -> DocumentDetail:
    """Do something to a document with an entry of the audit in the same transaction, and wake the work."""

    def checked(row: Document) -> None:
        apply(row)
        session = object_session(row)
        assert session is not None, "a document is changed inside a transaction"
        audit(session, f"document.{action}", f"document:{row.id}", row.seller_id, actor=f"api:{caller.name}")

    with caller.services.database() as session:
        _mine(session, caller, document_id)
    try:
        life.change(caller.services, document_id, checked)
    except nothing:
        raise Refusal(code) from None
    here().wake()
    return get_document(caller, document_id)
