"""A seller's turn with batches: those under way go on; what is due is gathered or left to go singly."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ColumnElement, or_, select

from connector_app.ksef_access import SellerAccess
from connector_app.log_events import Said
from connector_app.logs import Log, bound
from connector_app.pipeline import holds
from connector_app.pipeline.batches.follow import PROCESSING
from connector_app.pipeline.batches.gather import GATHERING, UNSENT, due, gather, is_late, way
from connector_app.pipeline.batches.send import advance, fail, postpone
from connector_app.pipeline.recheck import Recheck
from connector_app.pipeline.services import Services, dump_text, load_text
from connector_app.pipeline.slices import ENDLESS, Slice
from connector_app.store.models import Batch, BatchState, Document, Seller
from core.findings import Text
from core.ksef.errors import (
    AuthenticationFailed,
    Forbidden,
    KeyRejected,
    KsefBusy,
    KsefError,
    KsefRefused,
    KsefUnavailable,
    Unauthorized,
)
from core.ksef.planning import Way

_log = Log(__name__)

UNDER_WAY = (BatchState.NEW, BatchState.PACKED, BatchState.OPEN, BatchState.CLOSED)

SINGLE: ColumnElement[bool] = Document.batch_id.is_(None)
"""Documents that no batch takes to KSeF."""

_OF_THE_SELLER = (AuthenticationFailed, Unauthorized, Forbidden, KeyRejected)
"""Refusals that every other request would meet as well."""


def turn(
    services: Services, seller: Seller, access: SellerAccess, recheck: Recheck, time: Slice = ENDLESS
) -> tuple[int, list[Text]]:
    """Do what is due with batches of a seller; afterwards what is left may go singly.

    Args:
        services: the outside world.
        seller: the lane.
        access: the seller's sign-in.
        recheck: brings orders up to date.
        time: when it is over, the rest is left for the next turn.

    Returns:
        How many batches were touched, and sentences about what waits.

    Raises:
        KsefError: KSeF does not answer or does not let us in; the batch goes on later.
    """
    worked, problems = 0, []
    for batch_id in _under_way(services, seller.id):
        problems += _advance(services, batch_id, access)
        worked += 1
    plan = way(services, seller)
    if plan.way is Way.BATCH:
        try:
            made = gather(services, seller, access, recheck, time)
        except KsefBusy as busy:
            pause = timedelta(seconds=busy.retry_after)
            holds.put_off(services, seller.id, due(services, seller.id), busy.hint, pause)
            return worked, [*problems, busy.hint]
        if made is not None:
            problems += _advance(services, made, access)
            worked += 1
    elif plan.way is Way.GATHER and plan.at is not None:
        now = services.clock()
        # what is issued already has today's date: rather singly today than together tomorrow
        which = due(services, seller.id) & ~UNSENT if is_late(now) else due(services, seller.id)
        holds.put_off(services, seller.id, which, GATHERING, plan.at - now)
    return worked, problems


def _advance(services: Services, batch_id: int, access: SellerAccess) -> list[Text]:
    """Take a batch on; what KSeF refuses goes another way, and a used-up limit postpones it.

    Only a silent KSeF, or one that does not let the seller in, holds the lane.
    """
    with bound(batch_id=batch_id):
        return _advance_bound(services, batch_id, access)


def _advance_bound(services: Services, batch_id: int, access: SellerAccess) -> list[Text]:
    try:
        advance(services, batch_id, access)
    except KsefBusy as busy:
        _log.warning(Said.LIMIT_REACHED, busy, own_budget=busy.own_budget)
        postpone(services, batch_id, busy.hint, at_least=busy.retry_after)
        return [busy.hint]
    except KsefUnavailable as error:
        postpone(services, batch_id, _said(error), at_least=error.retry_after or 0.0)
        raise
    except _OF_THE_SELLER:
        raise
    except KsefRefused as error:
        _log.warning(Said.LANE_HELD, error)
        why = _said(error)
        fail(services, batch_id, why)
        return [why]
    except OSError as error:
        why = Text(
            f"Paczki dokumentów nie można zapisać: {error.strerror}.",
            f"The package of documents cannot be written: {error.strerror}.",
        )
        postpone(services, batch_id, why)
        return [why]
    return []


def _said(error: KsefError) -> Text:
    return Text(
        f"Sesja wsadowa KSeF: {error}. {error.hint.pl}".strip(),
        f"Batch session of KSeF: {error}. {error.hint.en}".strip(),
    )


def waits(services: Services, seller_id: int) -> list[Text]:
    """What batches wait for that are not due yet; KSeF at work on them is no trouble."""
    with services.database() as session:
        found = session.scalars(
            select(Batch.waiting_for)
            .where(
                Batch.seller_id == seller_id,
                Batch.state.in_(UNDER_WAY),
                Batch.next_attempt_at > services.clock(),
                Batch.waiting_for != dump_text(PROCESSING),
            )
            .distinct()
        )
        return [load_text(one) for one in found if one is not None]


def _under_way(services: Services, seller_id: int) -> list[int]:
    now = services.clock()
    with services.database() as session:
        return list(
            session.scalars(
                select(Batch.id)
                .where(
                    Batch.seller_id == seller_id,
                    Batch.state.in_(UNDER_WAY),
                    or_(Batch.next_attempt_at.is_(None), Batch.next_attempt_at <= now),
                )
                .order_by(Batch.id)
            )
        )
