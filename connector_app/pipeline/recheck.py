"""Recheck: the shop is asked once more about an order right before its invoice is issued (principle 6).

Between intake and issue an order may wait for hours (KSeF down, limits used up), and meanwhile be cancelled,
refunded, changed or deleted. So an order that was not read within the last minute is read again through the
API before a number is taken, and decided anew.

A shop that does not answer does not stop the invoice: the order is due by what the shop said last, the duty
to invoice does not depend on the shop's server, and a later change is put right by a correction. The life
line then says from when the data is. Only an order that the shop says it no longer has goes to a person.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import joinedload

from adapters.contract import NotFound, ShopAdapter, ShopError, UnreadableOrder
from connector_app.pipeline import life
from connector_app.pipeline.gone import order_gone
from connector_app.pipeline.intake import keep
from connector_app.pipeline.reading import read_order
from connector_app.pipeline.services import Services
from connector_app.store.models import INVOICE, Document, ShopOrder, Store
from connector_app.store.recovered import NO_SHOPS
from connector_app.vault import VaultLocked
from core.calendar import WARSAW
from core.findings import Text
from core.orders import Order

FRESH = timedelta(minutes=1)
"""An order that was read this recently is not asked for again."""


class Recheck:
    """Asks shops about orders for the length of one pass; a shop that failed once is not asked again.

    Args:
        services: the outside world.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._shops: dict[int, ShopAdapter] = {}
        self._silent: set[int] = set()

    def __call__(self, document_id: int) -> None:
        """Bring the order of a document that is ready up to date; the document may leave ``ready``."""
        services = self._services
        with services.database() as session:
            document = session.get_one(
                Document, document_id, options=[joinedload(Document.order).joinedload(ShopOrder.store)]
            )
        order, store = document.order, document.order.store
        if store.platform in NO_SHOPS:
            return
        if order.snapshot is not None and services.clock() - order.seen_at < FRESH:
            return
        found = self._read(store, order.remote_id)
        if document.purpose != INVOICE and not isinstance(found, Order | UnreadableOrder):
            # what is corrected is in KSeF, and what the correction needs of the shop it asks for itself
            return
        if isinstance(found, NotFound):
            order_gone(services, store.id, order.remote_id)
        elif isinstance(found, Order | UnreadableOrder):
            keep(services, store.id, found)
        elif order.snapshot is None:
            why = Text(f"Sklep nie odpowiada: {found}", f"The shop does not answer: {found}")
            life.postpone_one(services, document_id, why)
        else:
            life.change(services, document_id, self._note_old(order))

    def shop_of(self, document_id: int) -> ShopAdapter | None:
        """The connected store of a document; ``None`` when it cannot be reached in this pass."""
        with self._services.database() as session:
            document = session.get_one(
                Document, document_id, options=[joinedload(Document.order).joinedload(ShopOrder.store)]
            )
        store = document.order.store
        if store.platform in NO_SHOPS or store.id in self._silent:
            return None
        try:
            return self._connected(store)
        except (ShopError, VaultLocked):
            self._silent.add(store.id)
            return None

    def close(self) -> None:
        """Give the connections back."""
        for shop in self._shops.values():
            shop.close()

    def _read(self, store: Store, remote_id: str) -> Order | ShopError | VaultLocked | None:
        """The order, or why there is none; ``None`` when the shop has failed before in this pass."""
        if store.id in self._silent:
            return None
        try:
            return read_order(self._connected(store), remote_id)
        except (ShopError, VaultLocked) as error:
            self._silent.add(store.id)
            return error

    def _connected(self, store: Store) -> ShopAdapter:
        if store.id not in self._shops:
            self._shops[store.id] = self._services.shop(store)
        return self._shops[store.id]

    def _note_old(self, order: ShopOrder) -> life.Change:
        seen = f"{order.seen_at.astimezone(WARSAW):%d.%m.%Y %H:%M}"
        text = Text(
            f"Sklep nie odpowiada, więc faktura powstaje z danych zamówienia z {seen}.",
            f"The shop does not answer, so the invoice is made from the order's data of {seen}.",
        )
        return lambda row: life.note(row, text, self._services.clock())
