"""Personal data of orders that need no invoice are deleted after a time (RODO art. 5 ust. 1 lit. e).

An order that was called off, was never paid, or whose invoice is another program's, is kept only because an
invoice may still be asked for. After the set days since its last change its snapshot goes, and with it
whatever was derived from the buyer; number, amount, day and decision stay. The fingerprint of the order stays
too: the same order read again is no news, and one that changed (a late refund, an edit) gives its data back
and is decided like any other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import null, select, update
from sqlalchemy.orm import Session, joinedload, load_only

from connector_app.keeping import options
from connector_app.pipeline import life
from connector_app.pipeline.services import Services, dump_text
from connector_app.store.models import Document, DocumentState, Event, ShopOrder, Store
from connector_app.store.recovered import IS_SHOP
from core.calendar import warsaw_day
from core.findings import Text

LOOKED_AT = 500
"""Orders of one portion."""
_AT_ONCE = 50
"""Orders of one transaction."""
_EVERY = timedelta(days=1)
_STATE = "personal-data"
_NEVER_ISSUED = frozenset({DocumentState.WAITING, DocumentState.CANCELLED})
_DELETED = Text(
    "Dane osobowe zamówienia usunięto: nie potrzebuje ono faktury, a czas ich przechowywania minął.",
    "The order's personal data were deleted: it needs no invoice, and the time to keep them is over.",
)
_REASON_DELETED = Text("(treść usunięta z danymi osobowymi)", "(deleted with the personal data)")


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An order, with what is known of its documents."""

    order_id: int
    changed: datetime
    is_ordered: bool


def delete_due(services: Services) -> int:
    """Go through the next portion of orders, once a day through all; gives how many lost their data.

    Args:
        services: the installation.
    """
    now = services.clock()
    with services.database() as session:
        days = options.keeping_options(session).personal_days
        seen = options.state(session, _STATE)
        if days is None or (seen.get("ended") and now - datetime.fromisoformat(seen["ended"]) < _EVERY):
            return 0
        found = _portion(session, seen.get("after", 0))
        due = _due(session, found, now - timedelta(days=days), f"{warsaw_day(now):%Y-%m}")
    for begin in range(0, len(due), _AT_ONCE):
        _delete(services, due[begin : begin + _AT_ONCE], now)
    with services.database.begin() as session:
        over = len(found) < LOOKED_AT
        ended = now.isoformat() if over else None
        options.put_state(session, _STATE, {"after": 0 if over else found[-1].order_id, "ended": ended})
    return len(due)


def _portion(session: Session, after: int) -> list[_Candidate]:
    rows = session.execute(
        select(ShopOrder.id, ShopOrder.modified_at, ShopOrder.ordered)
        .join(Store, Store.id == ShopOrder.store_id)
        .where(ShopOrder.id > after, IS_SHOP, ShopOrder.data_deleted_at.is_(None))
        .order_by(ShopOrder.id)
        .limit(LOOKED_AT)
    )
    return [_Candidate(row.id, row.modified_at, row.ordered is not None) for row in rows]


def _due(session: Session, found: Sequence[_Candidate], before: datetime, month: str) -> list[int]:
    """Ids of the orders whose data nobody needs any more.

    Args:
        session: for reading.
        found: some orders.
        before: last changed before this moment.
        month: of the relief that still counts (YYYY-MM).
    """
    old = [one for one in found if one.changed < before and not one.is_ordered]
    documents: dict[int, list[Document]] = defaultdict(list)
    columns = (
        Document.order_id, Document.state, Document.number, Document.xml_sha256, Document.corrected_sha256,
        Document.relief_month, Document.next_attempt_at, Document.issue_asked, Document.offline_asked,
        Document.updated_at,
    )  # fmt: skip
    query = (
        select(Document).options(load_only(*columns)).where(Document.order_id.in_([x.order_id for x in old]))
    )
    for row in session.scalars(query):
        documents[row.order_id].append(row)
    return [
        one.order_id
        for one in old
        if all(_needs_nothing(row, before, month) for row in documents[one.order_id])
    ]


def _needs_nothing(row: Document, before: datetime, month: str) -> bool:
    """Whether a document of an order was not issued and will not be by itself."""
    was_issued = row.number or row.xml_sha256 or row.corrected_sha256
    is_asked = row.issue_asked or row.offline_asked or row.next_attempt_at is not None
    counts = row.relief_month is not None and row.relief_month >= month
    return (
        not was_issued
        and row.state in _NEVER_ISSUED
        and not is_asked
        and not counts
        and row.updated_at < before
    )


def _delete(services: Services, ids: Sequence[int], now: datetime) -> None:
    with services.database.begin() as session:
        rows = session.scalars(
            select(Document).where(Document.order_id.in_(ids)).options(joinedload(Document.order))
        ).all()
        for row in rows:
            if row.state not in _NEVER_ISSUED or row.xml_sha256 is not None:
                # it moved since it was looked at
                ids = [one for one in ids if one != row.order_id]
        for row in rows:
            if row.order_id in ids:
                _delete_from(session, row)
                life.note(row, _DELETED, now)
        session.flush()
        for order in session.scalars(select(ShopOrder).where(ShopOrder.id.in_(ids))):
            order.snapshot = order.buyer_override = None
            order.data_deleted_at = now
        session.flush()
        # None was stored as JSON's null
        session.execute(
            update(ShopOrder)
            .where(ShopOrder.id.in_(ids))
            .values(snapshot=null(), buyer_override=null())
            .execution_options(synchronize_session=False)
        )


def _delete_from(session: Session, row: Document) -> None:
    """Whatever a document that was never issued says of its buyer; sentences may quote what was wrong."""
    row.buyer_name = None
    for name in ("attention", "refund", "plan", "refund_proof"):
        setattr(row, name, null())
    session.execute(
        update(Event)
        .where(Event.document_id == row.id, Event.state == DocumentState.ATTENTION)
        .values(text=dump_text(_REASON_DELETED))
    )
