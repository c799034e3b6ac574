"""Numbered documents as checks read them: few columns, one by one, as the database was at one moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Engine, case, func, select
from sqlalchemy.orm import Session, sessionmaker

from connector_app.checks.period import Period
from connector_app.store.archive import DeletedDocument
from connector_app.store.models import Document, DocumentState, ShopOrder, Store
from connector_app.store.recovered import PLATFORM as RECOVERED
from core.rulebook import UPLOADED

_AT_ONCE = 1000


@contextmanager
def snapshot(database: sessionmaker[Session]) -> Iterator[Session]:
    """A session that sees the database as it was at one moment, whatever others write meanwhile."""
    engine: Engine = database.kw["bind"]
    with database() as session:
        if engine.dialect.name == "postgresql":
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        yield session


@dataclass(frozen=True, slots=True)
class Row:
    """One document with a number.

    Attributes:
        id, number, kind, state, purpose: as stored.
        day: of issue; ``None`` while its bytes are taken back to be made anew.
        made_at: when it was issued, or made where that is not known.
        is_issued: it has bytes. is_in_ksef: it has a KSeF number.
        closed_at: when a person ended it.
        store: code of its order's store; empty when the order is gone.
        is_uploaded: its bytes are another program's. is_recovered: it came back from KSeF without its order.
    """

    id: int
    number: str
    kind: str
    state: str
    purpose: str
    day: date | None
    made_at: datetime
    is_issued: bool
    is_in_ksef: bool
    closed_at: datetime | None
    store: str
    is_uploaded: bool
    is_recovered: bool

    @property
    def is_used_up(self) -> bool:
        """It holds its number, and nothing will come of it any more."""
        return self.state == DocumentState.CANCELLED


def numbered(session: Session, seller_id: int, days: Period) -> Iterator[Row]:
    """A seller's documents with a number, in the order of issue.

    Args:
        session: see :func:`snapshot`.
        seller_id: the seller.
        days: of issue; those without a day come, too.
    """
    made_at = func.coalesce(Document.issued_at, Document.created_at)
    query = (
        select(
            Document.id, Document.number, Document.kind, Document.state, Document.purpose, Document.issued_on,
            Document.issued_at, Document.created_at, Document.xml_sha256.is_not(None),
            Document.ksef_number.is_not(None), Document.closed_at, Store.code,
            case((Document.decision["rule"].as_string() == UPLOADED.code, 1), else_=0), Store.platform,
        )
        .outerjoin(ShopOrder, Document.order_id == ShopOrder.id)
        .outerjoin(Store, ShopOrder.store_id == Store.id)
        .where(Document.seller_id == seller_id, Document.number.is_not(None))
        .where(Document.issued_on.between(days.first, days.last) | Document.issued_on.is_(None))
        .order_by(made_at, Document.id)
        .execution_options(yield_per=_AT_ONCE)
    )  # fmt: skip
    for one in session.execute(query):
        (ident, number, kind, state, purpose, day, issued_at, created_at,
         issued, in_ksef, closed, code, uploaded, platform) = one  # fmt: skip
        yield Row(
            id=ident, number=number or "", kind=kind, state=state, purpose=purpose, day=day,
            made_at=issued_at or created_at, is_issued=bool(issued), is_in_ksef=bool(in_ksef),
            closed_at=closed, store=code or "", is_uploaded=bool(uploaded),
            is_recovered=platform == RECOVERED,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trace:
    """What is left of a document that a person deleted after the legal time.

    Attributes:
        number, kind: as they were stored. day: of issue.
    """

    number: str
    kind: str
    day: date


def deleted(session: Session, seller_id: int, days: Period) -> Iterator[Trace]:
    """A seller's deleted documents, in the order of their days.

    Args:
        session: see :func:`snapshot`.
        seller_id: the seller.
        days: of issue.
    """
    query = (
        select(DeletedDocument.number, DeletedDocument.kind, DeletedDocument.issued_on)
        .where(DeletedDocument.seller_id == seller_id)
        .where(DeletedDocument.issued_on.between(days.first, days.last))
        .order_by(DeletedDocument.issued_on, DeletedDocument.id)
        .execution_options(yield_per=_AT_ONCE)
    )
    for number, kind, day in session.execute(query):
        yield Trace(number, kind, day)
