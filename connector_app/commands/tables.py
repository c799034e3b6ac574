"""Tables of documents on a terminal."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal

from rich.table import Table
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import joinedload, selectinload

from connector_app.commands.app import App
from connector_app.pipeline.services import Services, load_text
from connector_app.store.models import Document, DocumentState, ShopOrder
from connector_app.words import state_text


def state_name(state: DocumentState, language: str) -> str:
    """A state in the screen language."""
    return state_text(state).in_language(language)


_NOT_ISSUED = (DocumentState.WAITING, DocumentState.CANCELLED)


def amount(value: Decimal | None, currency: str | None) -> str:
    """An amount with its currency, empty when unknown."""
    return "" if value is None else f"{value:.2f} {currency or ''}".strip()


@dataclass(frozen=True, slots=True)
class Choice:
    """Which documents a table shows; ``None`` means no restriction.

    Attributes:
        state: in this state.
        only: with one of these ids.
        store_id: of this store.
        before: with a smaller id, for paging back.
        newest: so many of the newest.
    """

    state: str | None = None
    only: Collection[int] | None = None
    store_id: int | None = None
    before: int | None = None
    newest: int | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The restrictions other than the number of rows."""
        found: list[ColumnElement[bool]] = []
        if self.state is not None:
            found.append(Document.state == self.state)
        if self.only is not None:
            found.append(Document.id.in_(self.only))
        if self.store_id is not None:
            of_store = select(ShopOrder.id).where(ShopOrder.store_id == self.store_id)
            found.append(Document.order_id.in_(of_store))
        if self.before is not None:
            found.append(Document.id < self.before)
        return found


def load(services: Services, choice: Choice) -> list[Document]:
    """The chosen documents with what a table shows of them, oldest first; order snapshots are left out."""
    query = (
        select(Document)
        .where(*choice.conditions())
        .options(
            joinedload(Document.order).load_only(ShopOrder.number, ShopOrder.remote_id),
            selectinload(Document.publications),
        )
        .order_by(Document.id.desc())
        .limit(choice.newest)
    )
    with services.database() as session:
        return list(session.scalars(query))[::-1]


def count(services: Services, choice: Choice) -> int:
    """How many documents the restrictions leave, whatever number of them is shown."""
    with services.database() as session:
        return session.scalar(select(func.count()).select_from(Document).where(*choice.conditions())) or 0


def document_json(row: Document, language: str) -> dict[str, object]:
    """A document as the JSON that commands print.

    Args:
        row: loaded by :func:`load`.
        language: of ``reason``; ``attention`` holds both languages.
    """
    return {
        "id": row.id,
        "order": row.order.number,
        "order_id": row.order.remote_id,
        "purpose": row.purpose,
        "kind": row.kind,
        "state": row.state,
        "buyer": row.buyer_name,
        "total": None if row.total is None else f"{row.total:.2f}",
        "currency": row.currency,
        "invoice_number": row.number,
        "issued_on": row.issued_on.isoformat() if row.issued_on else None,
        "offline_mode": row.offline_mode,
        "send_by": row.send_by.isoformat() if row.send_by else None,
        "ksef_number": row.ksef_number,
        "accepted_at": row.accepted_at.isoformat() if row.accepted_at else None,
        "sha256": row.xml_sha256,
        "attention": row.attention,
        "decision": row.decision,
        "reason": reason(row, language),
        "publications": {one.channel: one.remote_id for one in row.publications if one.done_at},
    }


def reason(document: Document, language: str) -> str:
    """Why a document stands where it stands: reasons for a person, what it waits for, or what was decided."""
    if document.attention:
        return " ".join(finding["message"].get(language, "") for finding in document.attention)
    if document.waiting_for:
        return load_text(document.waiting_for).in_language(language)
    if document.decision and document.state in _NOT_ISSUED:
        return str(document.decision["reason"]["en" if language == "en" else "pl"])
    return document.refusal_text or ""


def print_documents(app: App, rows: Sequence[Document]) -> None:
    """A table (id, order, buyer, gross, state, numbers), and below it the reason of each that has one."""
    table = Table(box=None, pad_edge=False)
    titles = (
        ("ID", "ID"),
        ("Zamówienie", "Order"),
        ("Nabywca", "Buyer"),
        ("Brutto", "Gross"),
        ("Stan", "State"),
        ("Numer faktury", "Invoice"),
        ("Numer KSeF", "KSeF number"),
    )
    for pl, en in titles:
        table.add_column(app.text(pl, en), overflow="fold", justify="right" if en == "Gross" else "left")
    for row in rows:
        table.add_row(
            str(row.id),
            row.order.number,
            row.buyer_name or "",
            amount(row.total, row.currency),
            f"{state_name(DocumentState(row.state), app.language)}{_offline(app, row)}",
            row.number or "",
            row.ksef_number or "",
        )
    app.table(table)
    for row in rows:
        why = reason(row, app.language)
        if why:
            app.out.print(f"{row.id}: {why}", markup=False)
        print_hints(app, row)


def _offline(app: App, row: Document) -> str:
    """Mode and deadline of an offline document that KSeF does not have yet."""
    if row.offline_mode is None or row.ksef_number is not None:
        return ""
    day = app.text(f", do {row.send_by}", f", by {row.send_by}") if row.send_by else ""
    return f" ({row.offline_mode}{day})"


def print_hints(app: App, row: Document) -> None:
    """What a person can do about each reason for attention."""
    for finding in row.attention or []:
        hint = finding["hint"].get(app.language, "")
        if hint:
            app.out.print(f"    → {hint}", markup=False)
