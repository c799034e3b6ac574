"""One seller's lane: everything that is due for a seller, in the order in which it makes sense.

Numbering and sending of a seller are serial. Nothing is issued before KSeF has let us in and a session is
open, so that P_1 is the day on which the document really goes out (principle 8), and an outage leaves
orders ``ready`` instead of using up numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import ColumnElement, or_, select

from adapters.contract import ShopAdapter, ShopError
from connector_app.ksef_access import SellerAccess
from connector_app.pipeline import life
from connector_app.pipeline.issue import issue
from connector_app.pipeline.publish import publish
from connector_app.pipeline.services import Services
from connector_app.pipeline.submit import LaneBlocked, submit
from connector_app.pipeline.track import collect_upo, track
from connector_app.store.models import Document, DocumentState, Seller, ShopOrder, Store
from connector_app.vault import VaultLocked
from core.fa import registry
from core.findings import Text
from core.ksef.errors import KsefBusy, KsefError, KsefRefused
from core.signing.keys import KeyMaterialError

_REFUSED_PAUSE = 900.0
"""Seconds between tries while KSeF refuses the credential: only a person can change that."""

Step = Callable[[Services, int, SellerAccess], Document]


@dataclass(slots=True)
class LaneResult:
    """What one pass over a lane did.

    Attributes:
        worked: documents that were touched.
        problems: sentences about what held the lane or a store up.
    """

    worked: int = 0
    problems: list[Text] = field(default_factory=list)


def run_lane(services: Services, seller_id: int) -> LaneResult:
    """Do everything that is due for one seller now.

    Errors of KSeF and of shops end up as what documents wait for; nothing of them is raised.
    """
    result = LaneResult()
    with services.database() as session:
        seller = session.get_one(Seller, seller_id)
    states = (DocumentState.SENT, DocumentState.ISSUED, DocumentState.READY)
    if _due(services, seller_id, Document.state.in_(states)) or _due(services, seller_id, _LACKS_PROOF):
        _work_with_ksef(services, seller, result)
    _publish(services, seller_id, result)
    return result


_LACKS_PROOF = Document.state.in_((DocumentState.ACCEPTED, DocumentState.PUBLISHED)) & Document.upo.is_(None)


def _work_with_ksef(services: Services, seller: Seller, result: LaneResult) -> None:
    try:
        access = services.access(seller)
        _each(services, seller.id, DocumentState.SENT, track, access, result)
        _each(services, seller.id, DocumentState.ISSUED, submit, access, result)
        if _due(services, seller.id, Document.state == DocumentState.READY):
            # asked for before numbers are taken; see the module's text
            access.session(registry.schema_for(seller.schema_version))
            _each(services, seller.id, DocumentState.READY, _issue_and_submit, access, result)
        for document_id in _due(services, seller.id, _LACKS_PROOF):
            collect_upo(services, document_id, access)
            result.worked += 1
    except (LaneBlocked, KsefError, KeyMaterialError, VaultLocked) as error:
        cause = error.__cause__ if isinstance(error, LaneBlocked) else error
        _hold(services, seller.id, cause or error, result)


def _issue_and_submit(services: Services, document_id: int, access: SellerAccess) -> Document:
    issue(services, document_id)
    return submit(services, document_id, access)


def _each(
    services: Services,
    seller_id: int,
    state: DocumentState,
    step: Step,
    access: SellerAccess,
    result: LaneResult,
) -> None:
    for document_id in _due(services, seller_id, Document.state == state):
        step(services, document_id, access)
        result.worked += 1


def _due(services: Services, seller_id: int, what: ColumnElement[bool]) -> list[int]:
    now = services.clock()
    with services.database() as session:
        return list(
            session.scalars(
                select(Document.id)
                .where(
                    Document.seller_id == seller_id,
                    what,
                    or_(Document.next_attempt_at.is_(None), Document.next_attempt_at <= now),
                )
                .order_by(Document.id)
            )
        )


def _hold(services: Services, seller_id: int, error: BaseException, result: LaneResult) -> None:
    """The lane waits: every due document says what for, and nothing was lost."""
    why, at_least = _explain(error)
    result.problems.append(why)
    states = (DocumentState.SENT, DocumentState.ISSUED, DocumentState.READY)
    waiting = Document.state.in_(states) | _LACKS_PROOF
    for document_id in _due(services, seller_id, waiting):
        life.postpone_one(services, document_id, why, at_least=at_least)


def _explain(error: BaseException) -> tuple[Text, float]:
    if isinstance(error, KsefBusy):
        return error.hint, error.retry_after
    if isinstance(error, KsefError):
        pause = _REFUSED_PAUSE if isinstance(error, KsefRefused) else 0.0
        return (
            Text(f"KSeF: {error}. {error.hint.pl}".strip(), f"KSeF: {error}. {error.hint.en}".strip()),
            pause,
        )
    return Text(f"Logowanie do KSeF: {error}", f"Signing in to KSeF: {error}"), _REFUSED_PAUSE


def _publish(services: Services, seller_id: int, result: LaneResult) -> None:
    for store in _stores(services, seller_id):
        of_store = select(ShopOrder.id).where(ShopOrder.store_id == store.id)
        due = _due(
            services,
            seller_id,
            (Document.state == DocumentState.ACCEPTED) & Document.order_id.in_(of_store),
        )
        if not due:
            continue
        try:
            shop: ShopAdapter = services.shop(store)
        except (ShopError, VaultLocked) as error:
            why = Text(f"Sklep {store.code}: {error}", f"Store {store.code}: {error}")
            result.problems.append(why)
            for document_id in due:
                life.postpone_one(services, document_id, why)
            continue
        try:
            for document_id in due:
                publish(services, document_id, shop)
                result.worked += 1
        finally:
            shop.close()


def _stores(services: Services, seller_id: int) -> list[Store]:
    with services.database() as session:
        return list(session.scalars(select(Store).where(Store.seller_id == seller_id).order_by(Store.id)))


def close_idle_session(services: Services, seller_id: int) -> None:
    """Close a seller's session once nothing of it is on its way, so that KSeF makes its collective UPO."""
    with services.database() as session:
        seller = session.get_one(Seller, seller_id)
        on_its_way = session.scalar(
            select(Document.id)
            .where(
                Document.seller_id == seller_id,
                Document.state.in_((DocumentState.ISSUED, DocumentState.SENT)),
            )
            .limit(1)
        )
    if seller.session is None or on_its_way is not None:
        return
    services.access(seller).close_session()


def next_due(services: Services, sellers: Collection[int], within: timedelta) -> float | None:
    """Seconds until something of these sellers is due, or ``None`` when nothing is within the given time."""
    now = services.clock()
    moving = (DocumentState.READY, DocumentState.ISSUED, DocumentState.SENT, DocumentState.ACCEPTED)
    with services.database() as session:
        waits = [
            0.0 if moment is None else max(0.0, (moment - now).total_seconds())
            for moment in session.scalars(
                select(Document.next_attempt_at).where(
                    Document.seller_id.in_(sellers), Document.state.in_(moving) | _LACKS_PROOF
                )
            )
        ]
    soonest = min(waits, default=None)
    return soonest if soonest is not None and soonest <= within.total_seconds() else None
