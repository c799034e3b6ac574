"""What hooks are told of, found in the documents' life lines, once for each hook and never lost.

A hook's mark is the last entry that was looked at for it. Deliveries are written down in the transaction that
moves the mark, so a crash leaves both or neither; ids of entries are never used twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import uuid4

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session, aliased

from connector_app.pipeline.services import Services
from connector_app.store.lanes import of_hook
from connector_app.store.machines import Hook, HookDelivery
from connector_app.store.models import Document, DocumentState, Event, ShopOrder, Store
from core.findings import Text

_AT_ONCE = 5_000
"""Entries that are looked at in one transaction."""


class Happening(StrEnum):
    """What a hook can be told of; the names are part of the interface."""

    ISSUED = "document.issued"
    ACCEPTED = "document.accepted"
    PUBLISHED = "document.published"
    REJECTED = "document.rejected"
    ATTENTION = "document.attention"
    ALERT_OPENED = "alert.opened"
    ALERT_CLOSED = "alert.closed"


TRIAL = "test"
"""Event of a delivery that a person asked for to try a hook."""

WORDS = {
    Happening.ISSUED: Text(
        "dokument wystawiony (numer i XML są stałe)", "document issued (number and XML are fixed)"
    ),
    Happening.ACCEPTED: Text("dokument przyjęty przez KSeF", "document accepted by KSeF"),
    Happening.PUBLISHED: Text("dokument odnotowany w sklepie", "document written to the shop"),
    Happening.REJECTED: Text("dokument odrzucony przez KSeF", "document refused by KSeF"),
    Happening.ATTENTION: Text("dokument wymaga decyzji", "document needs a person"),
    Happening.ALERT_OPENED: Text("alarm się zaczął", "an alert began"),
    Happening.ALERT_CLOSED: Text("alarm się skończył", "an alert is over"),
}
"""What each means."""

_OF_STATE = {
    DocumentState.ISSUED: Happening.ISSUED,
    DocumentState.ACCEPTED: Happening.ACCEPTED,
    DocumentState.PUBLISHED: Happening.PUBLISHED,
    DocumentState.REJECTED: Happening.REJECTED,
    DocumentState.ATTENTION: Happening.ATTENTION,
}


@dataclass(frozen=True, slots=True)
class Links:
    """Where a receiver finds more.

    Attributes:
        base: address of this installation without a trailing slash; empty leaves paths alone.
    """

    base: str = ""

    def of(self, document_id: int) -> dict[str, str]:
        """Addresses of a document: for machines, and its page for people."""
        return {
            "api": f"{self.base}/api/v1/documents/{document_id}",
            "page": f"{self.base}/documents/{document_id}",
        }


def newest_entry(session: Session) -> int:
    """Id of the last entry of all life lines; 0 when there is none."""
    return session.scalar(select(func.max(Event.id))) or 0


def collect(services: Services, links: Links) -> int:
    """Write down what every hook that is on has to be told of.

    Returns:
        How many deliveries were added.
    """
    with services.database() as session:
        newest = newest_entry(session)
        behind = session.scalars(
            select(Hook.id).where(Hook.disabled_at.is_(None), Hook.mark < newest).order_by(Hook.id)
        ).all()
    return sum(_collect(services, hook_id, links) for hook_id in behind)


def _collect(services: Services, hook_id: int, links: Links) -> int:
    added = 0
    while True:
        with services.database.begin(of_hook(hook_id)) as session:
            hook = session.get(Hook, hook_id)
            if hook is None or hook.disabled_at is not None:
                return added
            newest = newest_entry(session)
            if hook.mark >= newest:
                return added
            until = min(newest, hook.mark + _AT_ONCE)
            now = services.clock()
            for happening, row in _found(session, hook, until):
                body = _body(happening, row, links)
                session.add(delivery(hook, happening.value, body, now))
                added += 1
            hook.mark = until


def delivery(hook: Hook, event: str, body: dict[str, object], now: datetime) -> HookDelivery:
    """A message to a hook, due at once."""
    return HookDelivery(
        hook_id=hook.id, event=event, body=body, attempts=0, next_attempt_at=now, created_at=now
    )


def message(event: str, at: datetime, data: dict[str, object]) -> dict[str, object]:
    """What a receiver gets; its id stays the same however often it is sent."""
    return {"id": f"msg_{uuid4().hex}", "type": event, "timestamp": at.isoformat(), "data": data}


def _found(session: Session, hook: Hook, until: int) -> list[tuple[Happening, Row[tuple[object, ...]]]]:
    """What happened between a hook's mark and an entry, to its seller's documents, of what it asked for."""
    states = [state.value for state, one in _OF_STATE.items() if one.value in hook.events]
    before = aliased(Event)
    earlier = select(before.id).where(before.document_id == Event.document_id, before.id < Event.id)
    state_before = (
        select(before.state)
        .where(before.document_id == Event.document_id, before.id < Event.id)
        .order_by(before.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = session.execute(
        select(
            Event.state.label("state"),
            Event.at.label("at"),
            state_before.label("state_before"),
            earlier.where(before.state == DocumentState.ACCEPTED.value).exists().label("was_accepted"),
            Document.id.label("document_id"),
            Document.kind.label("kind"),
            Document.number.label("number"),
            Document.ksef_number.label("ksef_number"),
            Document.issued_on.label("issued_on"),
            Document.refusal_code.label("refusal_code"),
            Document.attention.label("attention"),
            ShopOrder.number.label("order_number"),
            ShopOrder.remote_id.label("remote_id"),
            Store.code.label("store"),
        )
        .join(Document, Document.id == Event.document_id)
        .join(ShopOrder, ShopOrder.id == Document.order_id)
        .join(Store, Store.id == ShopOrder.store_id)
        .where(
            Event.id > hook.mark,
            Event.id <= until,
            Event.state.in_(states),
            Document.seller_id == hook.seller_id,
        )
        .order_by(Event.id)
    ).all()
    return [(_OF_STATE[DocumentState(row.state)], row) for row in rows if _is_news(row)]


def _is_news(row: Row[tuple[object, ...]]) -> bool:
    """Whether an entry says that the document came into its state; notes in a state are no news.

    KSeF accepts a document once, even when it comes back to that state on its way to the shop.
    """
    if row.state == DocumentState.ACCEPTED:
        return not row.was_accepted
    return bool(row.state != row.state_before)


def _body(happening: Happening, row: Row[tuple[object, ...]], links: Links) -> dict[str, object]:
    """Ids, numbers and states; nothing about the buyer: more is behind the links, for who may read it."""
    document: dict[str, object] = {
        "id": row.document_id,
        "state": row.state,
        "kind": row.kind,
        "number": row.number,
        "ksef_number": row.ksef_number,
        "issued_on": row.issued_on.isoformat() if row.issued_on else None,
        "store": row.store,
        "order": {"number": row.order_number, "remote_id": row.remote_id},
        "links": links.of(row.document_id),
    }
    if happening is Happening.REJECTED:
        document["refusal_code"] = row.refusal_code
    if happening is Happening.ATTENTION:
        document["reasons"] = sorted({str(one.get("code", "")) for one in row.attention or []})
    return message(happening.value, row.at, {"document": document})
