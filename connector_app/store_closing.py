"""Removing a store: its keys and webhooks go, what was issued stays."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from adapters.contract import ShopError
from connector_app import subscriptions
from connector_app.pipeline.services import Services
from connector_app.store.documents import decide_waiting_at
from connector_app.store.lanes import of_store
from connector_app.store.models import Document, DocumentState, ShopOrder, Store
from connector_app.stores import StoreRefused
from connector_app.vault import VaultLocked
from core.findings import Text

_UNDER_WAY = (DocumentState.READY, DocumentState.ISSUED, DocumentState.SENT, DocumentState.ACCEPTED)
_OPEN = (DocumentState.WAITING, DocumentState.ATTENTION, DocumentState.REJECTED)


class UnderWay(StoreRefused):
    """Documents of the store are on their way to KSeF or to the shop.

    Attributes:
        count: how many.
    """

    def __init__(self, count: int) -> None:
        super().__init__(
            Text(f"Dokumenty sklepu w drodze: {count}.", f"Documents of the store under way: {count}."),
            Text("Poczekaj, aż będą gotowe.", "Wait until they are done."),
        )
        self.count = count


class WebhooksRemain(StoreRefused):
    """The shop did not say that it deleted the webhooks."""

    def __init__(self, why: Text) -> None:
        super().__init__(
            Text(f"Webhooków nie udało się usunąć: {why.pl}", f"The webhooks could not be deleted: {why.en}")
        )


def refuse_under_way(session: Session, store_id: int) -> None:
    """Make sure that nothing of a store is on its way.

    Raises:
        UnderWay: see there.
    """
    count = _count(session, store_id, *_UNDER_WAY)
    if count:
        raise UnderWay(count)


def open_ones(session: Session, store_id: int) -> int:
    """How many documents wait or need a person, which nothing will move after the store is removed."""
    return _count(session, store_id, *_OPEN)


def close_store(
    services: Services,
    store_id: int,
    *,
    force: bool = False,
    note: Callable[[Session, Store], None] = lambda _session, _store: None,
) -> None:
    """End the work with a shop: delete its webhooks and keys; documents and orders stay.

    Args:
        services: the outside world.
        store_id: the store.
        force: close it even when the shop does not answer.
        note: writes it down, in the transaction that closes.

    Raises:
        UnderWay, WebhooksRemain: see there; nothing was changed.
    """
    with services.database() as session:
        refuse_under_way(session, store_id)
    try:
        subscriptions.unregister(services, store_id)
    except (ShopError, VaultLocked) as error:
        if not force:
            said = error.said if isinstance(error, ShopError) else Text(str(error), str(error))
            raise WebhooksRemain(said) from None
        subscriptions.forget(services, store_id)
    with services.database.begin(of_store(store_id)) as session:
        # once more, in the transaction that closes: the application may be at work
        refuse_under_way(session, store_id)
        row = session.get_one(Store, store_id)
        row.closed_at, row.backfill = services.clock(), None
        row.config = services.vault.seal({"url": row.url})
        # nobody reads the shop any more, so their day must not bring out what the shop may have called off
        decide_waiting_at(session, store_id, None)
        note(session, row)


def _count(session: Session, store_id: int, *states: DocumentState) -> int:
    query = (
        select(func.count())
        .select_from(Document)
        .join(ShopOrder, ShopOrder.id == Document.order_id)
        .where(ShopOrder.store_id == store_id, Document.state.in_(states))
    )
    return session.scalar(query) or 0
