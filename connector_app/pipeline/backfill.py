"""Backfill: a shop's orders since a day are read and decided, also those that were decided before.

It is asked for once and kept in the store's row with its own mark, so that it goes on after a failure or a
crash, by the command or by the running application. The store's rules decide as ever: an order placed before
the start day is never invoiced, and what was issued is not touched.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time

from adapters.contract import ShopError
from connector_app.pipeline.intake import IntakeResult, keep_safely
from connector_app.pipeline.marks import OVERLAP, Mark
from connector_app.pipeline.services import Services
from connector_app.store.lanes import of_store
from connector_app.store.models import Store
from connector_app.vault import VaultLocked
from core.calendar import WARSAW
from core.orders import Order

Tell = Callable[[int, datetime], None]
"""Told after each order: how many were read, and up to which change."""


def ask(services: Services, store_id: int, since: date) -> datetime:
    """Ask for a backfill; one from the same day that did not end goes on where it was.

    Args:
        services: the outside world.
        store_id: the store.
        since: Warsaw day; orders created or changed from its beginning on.

    Returns:
        The moment from which reading begins, aware UTC.
    """
    begins = datetime.combine(since, time(), WARSAW).astimezone(UTC)
    with services.database.begin(of_store(store_id)) as session:
        row = session.get_one(Store, store_id)
        known = row.backfill
        if known is None or known["since"] != begins.isoformat():
            row.backfill = {"since": begins.isoformat(), "mark": None}
    return begins


def run(services: Services, store_id: int, tell: Tell = lambda _seen, _at: None) -> IntakeResult | None:
    """Do what is left of a store's backfill.

    Args:
        services: the outside world.
        store_id: the store.
        tell: see :data:`Tell`.

    Returns:
        What was read; ``None`` when nothing was asked for.

    Raises:
        SQLAlchemyError: the database cannot be used.
    """
    with services.database() as session:
        store = session.get_one(Store, store_id)
    asked = store.backfill
    if asked is None:
        return None
    begins = datetime.fromisoformat(asked["since"])
    came_to = datetime.fromisoformat(asked["mark"]) if asked["mark"] else None

    def write(moment: datetime) -> None:
        with services.database.begin(of_store(store_id)) as session:
            session.get_one(Store, store_id).backfill = asked | {"mark": moment.isoformat()}

    mark = Mark(services.clock, came_to, write)
    seen = changed = 0
    try:
        shop = services.shop(store)
    except (ShopError, VaultLocked) as error:
        return IntakeResult(0, 0, error if isinstance(error, ShopError) else ShopError(str(error)))
    try:
        for found in shop.changed_orders(max(begins, came_to - OVERLAP) if came_to else begins):
            seen += 1
            changed += keep_safely(services, store_id, found, anew=True)
            if isinstance(found, Order):
                mark.passed(found.modified_at)
                tell(seen, found.modified_at)
    except ShopError as error:
        mark.save()
        return IntakeResult(seen, changed, error)
    finally:
        shop.close()
    with services.database.begin(of_store(store_id)) as session:
        session.get_one(Store, store_id).backfill = None
    return IntakeResult(seen, changed)
