"""How a store stands, read for its page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, joinedload

from connector_app.policies import StorePolicy
from connector_app.store.desk import Job
from connector_app.store.models import (
    Document,
    DocumentState,
    Mail,
    MailState,
    ShopOrder,
    Store,
    WebhookEvent,
)
from connector_app.web.stores import checking

_LATEST = 8
_MAIL_TROUBLE = (MailState.UNKNOWN, MailState.REFUSED)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a backfill came.

    Attributes:
        since: where it began. upto: the change that was read last; the same as ``since`` before the first.
        share: of the time that is read, in percent.
    """

    since: datetime
    upto: datetime
    share: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A store and everything that its page shows.

    Attributes:
        store: with its seller. policy: its policy.
        orders: how many were read. counts: documents by state, in the order of a document's life.
        latest: its newest documents.
        events: webhook events that wait to be read. last_event: when one came last.
        backfill: under way. check: the last look at the connection.
        mails: e-mails to buyers that did not go out.
    """

    store: Store
    policy: StorePolicy
    orders: int
    counts: list[tuple[DocumentState, int]]
    latest: list[Document]
    events: int
    last_event: datetime | None
    backfill: Progress | None
    check: Job | None
    mails: int


def standing(session: Session, store: Store, now: datetime) -> Standing:
    """Read how a store stands.

    Args:
        session: to read with.
        store: its row.
        now: aware UTC.
    """
    of_store = Document.order_id.in_(select(ShopOrder.id).where(ShopOrder.store_id == store.id))
    rows = session.execute(
        select(Document.state, func.count()).where(of_store).group_by(Document.state)
    ).all()
    counts: dict[str, int] = {row[0]: row[1] for row in rows}
    waiting = (WebhookEvent.store_id == store.id) & WebhookEvent.done_at.is_(None)
    return Standing(
        store=store,
        policy=StorePolicy.from_json(store.policy),
        orders=_count(session, ShopOrder.store_id == store.id, ShopOrder),
        counts=[(state, counts[state.value]) for state in DocumentState if counts.get(state.value)],
        latest=list(
            session.scalars(
                select(Document)
                .where(of_store)
                .options(joinedload(Document.order))
                .order_by(Document.updated_at.desc(), Document.id.desc())
                .limit(_LATEST)
            )
        ),
        events=_count(session, waiting, WebhookEvent),
        last_event=session.scalar(
            select(func.max(WebhookEvent.received_at)).where(WebhookEvent.store_id == store.id)
        ),
        backfill=progress_of(store, now),
        check=checking.last(session, checking.KIND, store.code),
        mails=session.scalar(
            select(func.count())
            .select_from(Mail)
            .join(Document, Mail.document_id == Document.id)
            .where(of_store, Mail.state.in_(_MAIL_TROUBLE))
        )
        or 0,
    )


def progress_of(store: Store, now: datetime) -> Progress | None:
    """How far a store's backfill came; ``None`` when there is none."""
    if store.backfill is None:
        return None
    since = datetime.fromisoformat(store.backfill["since"])
    upto = datetime.fromisoformat(store.backfill["mark"]) if store.backfill["mark"] else since
    whole = max(1.0, (now - since).total_seconds())
    share = min(99, max(0, int(100 * (upto - since).total_seconds() / whole)))
    return Progress(since, max(since, upto), share)


def _count(session: Session, condition: ColumnElement[bool], table: type[ShopOrder | WebhookEvent]) -> int:
    return session.scalar(select(func.count()).select_from(table).where(condition)) or 0
