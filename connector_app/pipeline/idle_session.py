"""Closing a seller's interactive session that nothing needs any more."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from connector_app.pipeline import holds
from connector_app.pipeline.services import Services
from connector_app.store.models import Document, DocumentState, Seller

_IDLE = timedelta(minutes=15)
"""A session that nothing used for this long is closed while the application goes on running."""


def close_idle_session(services: Services, seller_id: int, *, at_once: bool) -> None:
    """Close a seller's session once nothing of it is on its way, so that KSeF makes its collective UPO.

    Args:
        services: the outside world.
        seller_id: the seller.
        at_once: do not wait until it has been idle for some time. Each opening counts against a limit of
            120 an hour, so a running application keeps its session for the next order.
    """
    with services.database() as session:
        seller = session.get_one(Seller, seller_id)
        if seller.session is None:
            return
        on_its_way = session.scalar(
            select(Document.id)
            .where(
                Document.seller_id == seller_id,
                Document.state.in_((DocumentState.ISSUED, DocumentState.SENT)),
            )
            .limit(1)
        )
        last = session.scalar(
            select(func.max(Document.accepted_at)).where(
                Document.session_reference == seller.session_reference
            )
        )
    if on_its_way is not None or holds.hold_of(seller, services.clock()) is not None:
        return
    if at_once or (last is not None and services.clock() - last > _IDLE):
        services.access(seller).close_session()
