"""Refunds by their own clock: a platform may leave the order's untouched when money is given back.

A refund is a reason to read its order again; what the order then says decides. A refund that the order's
snapshot already names, read after the refund's last change, is no news and costs no request.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select

from adapters.contract import NotFound, RefundChange, ShopAdapter, ShopError, UnreadableOrder
from connector_app.log_events import Said
from connector_app.logs import Log
from connector_app.pipeline import marks
from connector_app.pipeline.reading import read_order
from connector_app.pipeline.services import Services
from connector_app.store.models import ShopOrder, Store
from core.orders import Order

_log = Log(__name__)

Keep = Callable[[Order | UnreadableOrder], bool]
"""Keeps what a shop said of an order and tells whether it was news."""


def take_in_refunds(services: Services, store: Store, shop: ShopAdapter, keep: Keep) -> ShopError | None:
    """Read the orders of a store whose refunds changed.

    The first look begins at the moment when the store was added: earlier refunds are part of the orders as
    they were read then.

    Args:
        services: the outside world.
        store: as stored.
        shop: the connected store.
        keep: see :data:`Keep`.

    Returns:
        Why the look ended early; ``None`` when every changed refund was seen.
    """
    mark = marks.of_refunds(services, store)
    since = (store.refunds_mark or store.created_at) - marks.OVERLAP
    read: set[str] = set()
    try:
        for change in shop.changed_refunds(since):
            if change.order_id not in read and not _is_known(services, store.id, change):
                found = read_order(shop, change.order_id)
                if isinstance(found, NotFound):
                    _log.info(Said.STORE_FAILED, store_id=store.id, refund=change.refund_id, error="NotFound")
                else:
                    keep(found)
                read.add(change.order_id)
            mark.passed(change.changed_at)
    except ShopError as error:
        return error
    finally:
        mark.save()
    return None


def _is_known(services: Services, store_id: int, change: RefundChange) -> bool:
    """Whether the order was read after the refund's change and names it."""
    with services.database() as session:
        order = session.scalar(
            select(ShopOrder).where(ShopOrder.store_id == store_id, ShopOrder.remote_id == change.order_id)
        )
    if order is None or order.snapshot is None or order.seen_at < change.changed_at:
        return False
    return any(refund["id"] == change.refund_id for refund in order.snapshot["refunds"])
