"""Tables of documents on a terminal."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal

from rich.table import Table
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from connector_app.commands.app import App
from connector_app.pipeline.services import Services, load_text
from connector_app.store.models import Document, DocumentState, ShopOrder

_NAMES = {
    DocumentState.WAITING: ("czeka", "waiting"),
    DocumentState.READY: ("do wystawienia", "ready"),
    DocumentState.ISSUED: ("wystawiony", "issued"),
    DocumentState.SENT: ("wysłany", "sent"),
    DocumentState.ACCEPTED: ("przyjęty", "accepted"),
    DocumentState.PUBLISHED: ("gotowy", "published"),
    DocumentState.ATTENTION: ("wymaga decyzji", "attention"),
    DocumentState.REJECTED: ("odrzucony", "rejected"),
    DocumentState.CANCELLED: ("nie powstanie", "cancelled"),
}


def state_name(state: DocumentState, language: str) -> str:
    """A state in the screen language."""
    return _NAMES[state][1 if language == "en" else 0]


def amount(value: Decimal | None, currency: str | None) -> str:
    """An amount with its currency, empty when unknown."""
    return "" if value is None else f"{value:.2f} {currency or ''}".strip()


def load(
    services: Services,
    *,
    state: str | None = None,
    only: Collection[int] | None = None,
    store_id: int | None = None,
) -> list[Document]:
    """Documents with what a table shows of them, oldest first."""
    query = (
        select(Document)
        .options(selectinload(Document.order), selectinload(Document.publications))
        .order_by(Document.id)
    )
    if state is not None:
        query = query.where(Document.state == state)
    if only is not None:
        query = query.where(Document.id.in_(only))
    if store_id is not None:
        query = query.where(Document.order_id.in_(select(ShopOrder.id).where(ShopOrder.store_id == store_id)))
    with services.database() as session:
        return list(session.scalars(query))


def reason(document: Document, language: str) -> str:
    """Why a document stands where it stands: reasons for a person, or what it waits for."""
    if document.attention:
        return " ".join(finding["message"].get(language, "") for finding in document.attention)
    if document.waiting_for:
        return load_text(document.waiting_for).in_language(language)
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
            state_name(DocumentState(row.state), app.language),
            row.number or "",
            row.ksef_number or "",
        )
    app.out.print(table)
    for row in rows:
        why = reason(row, app.language)
        if why:
            app.out.print(f"{row.id}: {why}", markup=False)
