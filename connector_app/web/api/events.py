"""The documents' life lines for machines that ask instead of being told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from connector_app.pipeline.services import load_text
from connector_app.store.models import Document, DocumentState, Event
from connector_app.web.api.operation import Caller, operation
from connector_app.web.api.paging import MOST
from connector_app.web.api.typed import told
from core.findings import Text

_WINDOW = 20_000
"""Entries of all sellers that one answer looks at; a quiet seller's answer may be empty and yet move on."""


@dataclass(frozen=True, slots=True)
class LifeEntry:
    """One entry of a document's life line."""

    id: int = told("Rosnący identyfikator.", "Growing id.")
    document_id: int = told("Dokument.", "Document.")
    at: datetime = told("Kiedy.", "When.")
    state: DocumentState = told("Stan po tym zdarzeniu.", "State after it.")
    text: Text = told("Co się stało i dlaczego.", "What happened and why.")

    @classmethod
    def of(cls, row: Event) -> LifeEntry:
        """From its row."""
        return cls(row.id, row.document_id, row.at, DocumentState(row.state), load_text(row.text))


@dataclass(frozen=True, slots=True)
class LifePage:
    """Entries and where to go on."""

    items: list[LifeEntry] = told("Wpisy, od najstarszego.", "Entries, the oldest first.")
    next: int = told("Podaj jako after następnym razem.", "Give it as after next time.")
    more: bool = told("Czy od razu jest następna strona.", "Whether there is another page at once.")


@dataclass(frozen=True, slots=True)
class LifeQuery:
    """Where to go on."""

    after: int = told(
        "Wpisy po tym identyfikatorze.", "Entries after this id.", default=0, least=0, most=2**63 - 1
    )
    limit: int = told("Ile najwyżej.", "How many at most.", default=100, least=1, most=MOST)


@operation(
    "GET",
    "/events",
    Text(
        "Co działo się z dokumentami, od podanego wpisu; do odpytywania co jakiś czas.",
        "What happened to documents, after an entry; to be asked for now and then.",
    ),
    tag="events",
    query=LifeQuery,
    answer=LifePage,
)
def list_events(caller: Caller, query: LifeQuery) -> LifePage:
    """Entries of the seller's documents in the order in which they were written."""
    with caller.services.database.settled(caller.seller_id) as session:
        newest = session.scalar(select(func.max(Event.id))) or 0
        until = min(newest, query.after + _WINDOW)
        rows = session.scalars(
            select(Event)
            .join(Document, Document.id == Event.document_id)
            .where(Event.id > query.after, Event.id <= until, Document.seller_id == caller.seller_id)
            .order_by(Event.id)
            .limit(query.limit + 1)
        ).all()
    shown = rows[: query.limit]
    if len(rows) > query.limit:
        return LifePage([LifeEntry.of(row) for row in shown], shown[-1].id, more=True)
    return LifePage([LifeEntry.of(row) for row in shown], max(query.after, until), more=until < newest)
