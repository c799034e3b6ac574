"""What is due in a seller's lane, and when the next thing is: one question to the database for all of it.

A lane in which nothing is due costs this one question, so that an agency may keep many quiet sellers. Each
kind of work still chooses its documents by itself; here only the earliest moment of each is looked up.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, bindparam, case, func, select
from sqlalchemy.orm import InstrumentedAttribute

from connector_app.pipeline import holds
from connector_app.pipeline.batches.turn import SINGLE, UNDER_WAY
from connector_app.pipeline.deciding import WAITS_FOR_TIME
from connector_app.pipeline.services import Services
from connector_app.pipeline.session_upos import UNFINISHED
from connector_app.pipeline.telling import UNTOLD
from connector_app.store.models import Batch, Document, DocumentState, Mail, MailState, Seller
from connector_app.store.proofs import SessionUpo


class Work(StrEnum):
    """The kinds of work of a lane, in their order."""

    DECIDE = "decide"
    """Orders whose day has come."""
    KSEF = "ksef"
    """Documents to issue, send and track one by one."""
    BATCH = "batch"
    """Batches under way."""
    PROOF = "proof"
    """UPOs of documents."""
    PUBLISH = "publish"
    """Accepted documents to write to the shop."""
    TELL = "tell"
    """Documents without a KSeF number that the shop is told of."""
    MAIL = "mail"
    UPO = "upo"
    """Collective UPOs of sessions."""


WITH_KSEF: Final = (Work.KSEF, Work.BATCH, Work.PROOF)
"""What waits while the seller's lane is held."""

READY: ColumnElement[bool] = (Document.state == DocumentState.READY) & SINGLE
"""Documents to issue and send one by one; what a batch takes to KSeF waits for the batch."""
ISSUED: ColumnElement[bool] = (Document.state == DocumentState.ISSUED) & SINGLE
SENT: ColumnElement[bool] = (Document.state == DocumentState.SENT) & SINGLE
SINGLY: ColumnElement[bool] = (
    Document.state.in_((DocumentState.READY, DocumentState.ISSUED, DocumentState.SENT)) & SINGLE
)
"""All documents that go to KSeF one by one."""
LACKS_PROOF: ColumnElement[bool] = (
    Document.ksef_number.is_not(None) & Document.upo.is_(None) & Document.session_reference.is_not(None)
)
"""Accepted and without UPO: the condition of an index; without its session KSeF gives no UPO."""

_NOW: Final = bindparam("now", type_=Document.next_attempt_at.type)
_SELLER: Final = bindparam("seller", type_=Seller.id.type)


@dataclass(frozen=True, slots=True)
class Due:
    """The earliest moment of each kind of work.

    Attributes:
        now: when it was looked up, aware UTC.
        first: aware UTC, not before ``now`` where no moment is set; kinds without any work are missing.
    """

    now: datetime
    first: Mapping[Work, datetime]

    def is_now(self, *kinds: Work) -> bool:
        """Whether some work of these kinds is due."""
        return any(self.first[kind] <= self.now for kind in kinds if kind in self.first)

    def has(self, *kinds: Work) -> bool:
        """Whether there is any work of these kinds, now or later."""
        return any(kind in self.first for kind in kinds)


def look(services: Services, seller_id: int) -> Due:
    """Look up what is due for a seller.

    Raises:
        SQLAlchemyError: the database cannot be used.
    """
    now = services.clock()
    with services.database() as session:
        row = session.execute(_question(), {"now": now, "seller": seller_id}).one()
    found = row._mapping
    return Due(now, {kind: found[kind.value] for kind in Work if found[kind.value] is not None})


def next_due(services: Services, sellers: Collection[int], within: timedelta) -> float | None:
    """Seconds until something of these sellers is due, ``None`` when nothing is within the given time.

    Collective UPOs wait for a turn that happens anyway.

    Raises:
        SQLAlchemyError: the database cannot be used.
    """
    now = services.clock()
    moments: list[datetime] = []
    for seller_id in sellers:
        with services.database() as session:
            held = holds.hold_of(session.get_one(Seller, seller_id), now)
        free = held.until if held else now
        for kind, first in look(services, seller_id).first.items():
            if kind is not Work.UPO:
                moments.append(max(first, free if kind in WITH_KSEF else now))
    if not moments:
        return None
    soonest = max(0.0, (min(moments) - now).total_seconds())
    return soonest if soonest <= within.total_seconds() else None


@cache
def _question() -> Select[Any]:
    """Built once: building it takes longer than its answer."""
    of_seller = Document.seller_id == _SELLER
    batch = select(func.min(func.coalesce(Batch.next_attempt_at, _NOW))).where(
        Batch.seller_id == _SELLER, Batch.state.in_(UNDER_WAY)
    )
    # one that was being sent when its process ended is due, whatever it waited for
    moment = case((Mail.state == MailState.SENDING, _NOW), else_=func.coalesce(Mail.next_attempt_at, _NOW))
    mail = (
        select(func.min(moment))
        .join(Document, Mail.document_id == Document.id)
        .where(of_seller, Mail.state.in_((MailState.DUE, MailState.SENDING)))
    )
    open_session = select(func.coalesce(Seller.session_reference, "")).where(Seller.id == _SELLER)
    upo = select(func.min(func.coalesce(SessionUpo.next_at, _NOW))).where(
        SessionUpo.seller_id == _SELLER, UNFINISHED, SessionUpo.reference != open_session.scalar_subquery()
    )
    questions = {
        Work.DECIDE: _first(WAITS_FOR_TIME, Document.next_attempt_at),
        Work.KSEF: _first(SINGLY, Document.next_attempt_at),
        Work.BATCH: batch,
        Work.PROOF: _first(LACKS_PROOF, Document.proof_next_at),
        Work.PUBLISH: _first(Document.state == DocumentState.ACCEPTED, Document.next_attempt_at),
        Work.TELL: _first(UNTOLD, Document.tell_next_at),
        Work.MAIL: mail,
        Work.UPO: upo,
    }
    return select(*(one.scalar_subquery().label(kind.value) for kind, one in questions.items()))


def _first(what: ColumnElement[bool], due_at: InstrumentedAttribute[datetime | None]) -> Select[Any]:
    return select(func.min(func.coalesce(due_at, _NOW))).where(Document.seller_id == _SELLER, what)
