"""Documents older than the legal time: listed, and deleted only because a person says so.

KSeF itself keeps an invoice ten years from the end of the year of issue (art. 112aa VAT act). One that is not
in KSeF the seller keeps until the tax's limitation is over (art. 112 and 112a VAT act), five years from the
end of the year in which the tax was to be paid (art. 70 § 1, art. 86 § 1 Ordynacji podatkowej). This program
keeps all of them for the longer time. What is deleted leaves its number behind, so that it is never used
again and a check of numbers finds no gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import case, delete, func, or_, select
from sqlalchemy.orm import Session

from connector_app.keeping import options
from connector_app.people import trail
from connector_app.pipeline.services import Services
from connector_app.store.archive import ArchiveDamage, DeletedDocument
from connector_app.store.desk import BuyerProposal
from connector_app.store.models import Document, DocumentState, Event, Mail, Publication, ShopOrder

_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Expired:
    """An order whose documents are all older than the legal time.

    Attributes:
        order_id: its row. count: of its documents. newest: issue day of the newest of them.
    """

    order_id: int
    count: int
    newest: date


def kept_until(issued_on: date, years: int) -> date:
    """The last day on which a document has to be kept.

    Args:
        issued_on: P_1.
        years: after the end of the year in which its tax was to be paid.

    Returns:
        The tax of the last quarter is paid in January, so its year is the next one.
    """
    return date(issued_on.year + (issued_on.month >= 10) + years, 12, 31)


def expired(session: Session, today: date) -> list[Expired]:
    """Orders whose documents are all older than the legal time, the oldest first.

    Not those with a document that is still under way.

    Args:
        session: for reading.
        today: Warsaw day.
    """
    years = options.keeping_options(session).legal_years
    newest = func.max(Document.issued_on)
    # what is still to be issued has no day, and may hold a number already
    under_way = case((Document.issued_on.is_(None) & (Document.state != DocumentState.CANCELLED), 1), else_=0)
    rows = session.execute(
        select(Document.order_id, func.count(), newest)
        .group_by(Document.order_id)
        .having(newest < date(max(1, today.year - years), 1, 1), func.sum(under_way) == 0)
        .order_by(newest, Document.order_id)
    )
    return [
        Expired(order_id, documents, day)
        for order_id, documents, day in rows
        if day is not None and kept_until(day, years) < today
    ]


def delete_expired(services: Services, wanted: Sequence[Expired], actor: str) -> int:
    """Delete orders with all their documents, leaving the trace of each number.

    Args:
        services: the installation.
        wanted: see :func:`expired`.
        actor: who says so, for the audit log.

    Returns:
        How many documents are gone.
    """
    gone = 0
    for begin in range(0, len(wanted), _AT_ONCE):
        with services.database.begin() as session:
            ids = [one.order_id for one in wanted[begin : begin + _AT_ONCE]]
            gone += _delete(session, ids, actor, services.clock())
    return gone


def _delete(session: Session, order_ids: Sequence[int], actor: str, now: datetime) -> int:
    rows = session.scalars(select(Document).where(Document.order_id.in_(order_ids))).all()
    ids = [row.id for row in rows]
    for row in rows:
        if row.number is not None and row.issued_on is not None:
            session.add(
                DeletedDocument(
                    id=row.id, seller_id=row.seller_id, kind=row.kind, number=row.number,
                    issued_on=row.issued_on, ksef_number=row.ksef_number, xml_sha256=row.xml_sha256 or "",
                    deleted_at=now,
                )
            )  # fmt: skip
            trail.record(
                session, now, "document.delete-expired", f"document:{row.id}", actor=actor,
                seller_id=row.seller_id, details={"number": row.number},
            )  # fmt: skip
    session.flush()
    for table, column in (
        (Event, Event.document_id),
        (Publication, Publication.document_id),
        (Mail, Mail.document_id),
        (ArchiveDamage, ArchiveDamage.document_id),
    ):
        session.execute(delete(table).where(column.in_(ids)).execution_options(synchronize_session=False))
    of_proposal = or_(BuyerProposal.document_id.in_(ids), BuyerProposal.correction_id.in_(ids))
    session.execute(delete(BuyerProposal).where(of_proposal).execution_options(synchronize_session=False))
    for what in (
        delete(Document).where(Document.id.in_(ids)),
        delete(ShopOrder).where(ShopOrder.id.in_(order_ids)),
    ):
        session.execute(what.execution_options(synchronize_session=False))
    return len(ids)
