"""What stands still, and since when: the questions that alerts and the check of an installation share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, ScalarSelect, func, or_, select
from sqlalchemy.orm import Session, aliased

from connector_app.hooks.keeping import BY_PERSON
from connector_app.overview.work import NEEDS_A_PERSON, UNDER_WAY
from connector_app.pipeline.services import dump_text
from connector_app.store.machines import Hook, HookDelivery
from connector_app.store.models import Document, DocumentState, Event, Mail, MailState, Seller, Store
from connector_app.store.recovered import IS_OPEN, NEVER


@dataclass(frozen=True, slots=True)
class Standing:
    """Some things of one seller that stand still.

    Attributes:
        seller_id: whose. count: how many. since: when the oldest of them stopped (aware UTC).
    """

    seller_id: int
    count: int
    since: datetime


def undecided(session: Session, before: datetime) -> list[Standing]:
    """Documents that wait for a person's decision since a moment or longer, by seller.

    Args:
        session: for reading.
        before: the moment, aware UTC.
    """
    other = Event.state.not_in([one.value for one in NEEDS_A_PERSON])
    last_other = select(func.max(Event.id)).where(Event.document_id == Document.id, other).scalar_subquery()
    later = aliased(Event)
    since = (
        select(func.min(later.at))
        .where(later.document_id == Document.id, later.id > func.coalesce(last_other, 0))
        .scalar_subquery()
    )
    return _standing(session, NEEDS_A_PERSON, since, before)


def unmoved(session: Session, before: datetime) -> list[Standing]:
    """Documents on their way to which nothing happened since a moment, by seller.

    Args:
        session: for reading.
        before: the moment, aware UTC.
    """
    last = select(func.max(Event.at)).where(Event.document_id == Document.id).scalar_subquery()
    return _standing(session, UNDER_WAY, last, before)


def _standing(
    session: Session, states: Sequence[DocumentState], since: ScalarSelect[datetime], before: datetime
) -> list[Standing]:
    rows = (
        select(Document.seller_id, func.coalesce(since, Document.created_at).label("since"))
        .select_from(Seller)
        .join(Document, (Document.seller_id == Seller.id) & Document.state.in_([one.value for one in states]))
        .where(
            Document.created_at <= before,
            or_(Document.next_attempt_at.is_(None), Document.next_attempt_at < NEVER),
        )
        .subquery()
    )
    query = (
        select(rows.c.seller_id, func.count(), func.min(rows.c.since))
        .where(rows.c.since <= before)
        .group_by(rows.c.seller_id)
        .order_by(rows.c.seller_id)
    )
    return [Standing(*row) for row in session.execute(query)]


def silent_stores(session: Session, before: datetime) -> list[tuple[Store, datetime]]:
    """Connected stores whose orders could not be read since a moment, each with the last time it worked.

    Args:
        session: for reading.
        before: the moment, aware UTC.

    Returns:
        Of a store that was never read, the time at which it was connected.
    """
    seen = func.coalesce(Store.looked_at, Store.created_at)
    rows = session.execute(select(Store, seen).where(IS_OPEN, seen <= before).order_by(Store.id))
    return [(row[0], row[1]) for row in rows]


def without_webhooks(session: Session) -> list[Store]:
    """Connected stores whose webhooks do not come.

    Args:
        session: for reading.
    """
    return list(
        session.scalars(select(Store).where(IS_OPEN, Store.webhook_trouble.is_not(None)).order_by(Store.id))
    )


@dataclass(frozen=True, slots=True)
class Unsent:
    """E-mails of one store that do not go out.

    Attributes:
        seller_id, store_id: whose; ``None`` for a document without an order. count: how many.
        since: when the oldest of them was made (aware UTC).
    """

    seller_id: int
    store_id: int | None
    count: int
    since: datetime


def unsent_mails(session: Session, before: datetime) -> list[Unsent]:
    """E-mails to buyers that are due since a moment or longer, by store.

    Args:
        session: for reading.
        before: the moment, aware UTC.
    """
    rows = session.execute(
        select(Document.seller_id, Document.store_id, func.count(), func.min(Mail.created_at))
        .join(Document, Document.id == Mail.document_id)
        .where(Mail.state == MailState.DUE.value, Mail.created_at <= before)
        .group_by(Document.seller_id, Document.store_id)
        .order_by(Document.seller_id, Document.store_id)
    )
    return [Unsent(*row) for row in rows]


def given_up_hooks(session: Session) -> list[Hook]:
    """Hooks that were switched off because their receivers took nothing; not those that a person closed.

    Args:
        session: for reading.
    """
    by_person: ColumnElement[bool] = Hook.failure == dump_text(BY_PERSON)
    return list(
        session.scalars(
            select(Hook)
            .where(Hook.disabled_at.is_not(None), or_(Hook.failure.is_(None), ~by_person))
            .order_by(Hook.id)
        )
    )


def undelivered(session: Session, before: datetime) -> list[tuple[Hook, int, datetime]]:
    """Hooks in use whose receivers do not take messages, with how many wait and since when.

    Args:
        session: for reading.
        before: messages of this moment or older, that were tried, are told (aware UTC).
    """
    rows = session.execute(
        select(Hook, func.count(), func.min(HookDelivery.created_at))
        .join(HookDelivery, HookDelivery.hook_id == Hook.id)
        .where(
            Hook.disabled_at.is_(None),
            HookDelivery.done_at.is_(None),
            HookDelivery.attempts > 0,
            HookDelivery.created_at <= before,
        )
        .group_by(Hook.id)
        .order_by(Hook.id)
    )
    return [(row[0], row[1], row[2]) for row in rows]
