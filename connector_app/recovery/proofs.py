"""Which sessions brought the recovered documents: KSeF gives a UPO only by its session.

A document that gets its session here gets its UPO by the ordinary work (:mod:`connector_app.pipeline.proof`).
KSeF shows a session only to the identity that opened it, so that for documents sent with another certificate
or token, or by another program, there is none.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from connector_app.pipeline import session_upos
from connector_app.pipeline.services import Services
from connector_app.recovery.report import Report
from connector_app.recovery.run import Patient, Watch
from connector_app.store.models import Document, Seller
from core.ksef import status
from core.ksef.answers import DocumentStatus
from core.ksef.client import KsefClient
from core.ksef.errors import AuthenticationFailed, KsefRefused, Unauthorized
from core.ksef.session_list import SessionType, sessions

_OPENED_BEFORE = timedelta(days=2)
"""A session lives 12 hours; a document may be accepted some time after it."""


def find_sessions(services: Services, seller_id: int, report: Report, watch: Watch) -> None:
    """Note the session of every accepted document that has none; can be interrupted and called again.

    Args:
        services: the outside world; the caller holds the runner's lock.
        seller_id: the seller.
        report: gets the counts.
        watch: told of pauses, and after each session.

    Raises:
        KsefError: KSeF does not answer, or does not let us in.
    """
    with services.database() as session:
        seller = session.get_one(Seller, seller_id)
        left, oldest = _without_session(session, seller_id)
        known = {
            one
            for one in session.scalars(
                select(Document.session_reference).where(Document.seller_id == seller_id).distinct()
            )
            if one is not None
        }
    access = services.access(seller)
    ask = Patient(access, watch.waiting)
    for kind in SessionType:
        if not left or oldest is None:
            break
        for one in sessions(access.client, ask, kind, created_from=oldest - _OPENED_BEFORE):
            if not one.accepted or one.reference in known:
                continue
            report.with_session += _note(
                services, one.reference, _documents(access.client, ask, one.reference)
            )
            with services.database() as session:
                left, _ = _without_session(session, seller_id)
            watch.progress(report, report.found)
            if not left:
                break
    report.without_session = left


def _documents(client: KsefClient, ask: Patient, reference: str) -> list[DocumentStatus]:
    """The documents of a session; none when KSeF does not let us look into it."""
    try:
        return ask(lambda access: list(status.documents(client, access, reference)))
    except (Unauthorized, AuthenticationFailed):
        raise
    except KsefRefused:
        return []


def _note(services: Services, reference: str, documents: list[DocumentStatus]) -> int:
    by_number = {one.ksef_number: one for one in documents if one.ksef_number is not None}
    numbers, noted = list(by_number), 0
    with services.database.begin() as session:
        for at in range(0, len(numbers), 500):
            rows = session.scalars(
                select(Document).where(
                    Document.ksef_number.in_(numbers[at : at + 500]), Document.session_reference.is_(None)
                )
            )
            for row in rows:
                row.session_reference = reference
                row.document_reference = by_number[row.ksef_number or ""].reference
                session_upos.expect(row, services.clock())
                noted += 1
    return noted


def _without_session(session: Session, seller_id: int) -> tuple[int, datetime | None]:
    lacking = (
        Document.seller_id == seller_id,
        Document.ksef_number.is_not(None),
        Document.session_reference.is_(None),
    )
    count = session.scalar(select(func.count()).select_from(Document).where(*lacking)) or 0
    return count, session.scalar(select(func.min(Document.accepted_at)).where(*lacking))
