"""Documents for machines: lists, one with its whole life, its files, and what can be done with it."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, literal_column, select, tuple_, union
from sqlalchemy.orm import Session, joinedload, load_only, object_session, undefer

from connector_app.documents import actions
from connector_app.documents.wording import ActionName
from connector_app.keeping.reading import upo_of, xml_of
from connector_app.pictures import picture
from connector_app.pipeline import life, offline
from connector_app.pipeline.publish import verification_link
from connector_app.pipeline.services import load_text
from connector_app.store.models import Document, DocumentState, ShopOrder, Store
from connector_app.web.access import audit
from connector_app.web.api.document_shapes import (
    DocumentDetail,
    DocumentItem,
    DocumentPage,
    DocumentQuery,
    FileKind,
    OrderRef,
    PictureQuery,
    Reason,
)
from connector_app.web.api.events import LifeEntry
from connector_app.web.api.operation import Caller, File, operation
from connector_app.web.api.paging import after, cursor
from connector_app.web.api.problems import Code, Refusal
from connector_app.web.here import here
from core.findings import Text

_OF_SELLER: ColumnElement[int] = literal_column("+documents.seller_id", Integer)
"""The sign keeps SQLite from sorting all of a seller's documents: it reads an index in order, and stops."""
_OF_ORDER: ColumnElement[int] = literal_column("+documents.order_id", Integer)
_LAST = "\U0010ffff"
"""Above every text that begins with what stands before it."""


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
    return File(xml_of(row), "application/xml", f"{_file_name(row)}.xml")


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
    codes=(Code.NO_FILE, Code.DAMAGED),
)
def get_upo(caller: Caller, document_id: int) -> File:
    """The stored bytes."""
    with caller.services.database() as session:
        row = _mine(session, caller, document_id, undefer(Document.upo))
    proof = upo_of(row)
    if proof is None:
        raise Refusal(Code.NO_FILE)
    return File(proof, "application/xml", f"{_file_name(row)}-upo.xml")


def _with_xml(caller: Caller, document_id: int) -> Document:
    with caller.services.database() as session:
        row = _mine(session, caller, document_id, undefer(Document.xml), joinedload(Document.seller))
    if row.xml_sha256 is None:
        raise Refusal(Code.NO_FILE)
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
        actions.perform(row, ActionName.CLOSE, caller.services.clock())

    return _act(caller, document_id, "close", close, actions.NotPossible, Code.NOTHING_TO_CLOSE)


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
    here().wake(caller.seller_id)
    return get_document(caller, document_id)
