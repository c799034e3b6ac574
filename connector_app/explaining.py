"""Saying why: which rule, basis and day led an order to KSeF, outside KSeF, or to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from connector_app.decisions import Decision, decide
from connector_app.pipeline.deciding import relief_used
from connector_app.pipeline.services import Services
from connector_app.policies import StorePolicy
from connector_app.store.models import INVOICE, Document, ShopOrder, Store
from connector_app.store.recovered import IS_SHOP
from connector_app.store.snapshots import from_json
from core.calendar import warsaw_day
from core.money import ZERO
from core.rulebook import changes_after


class OrderUnknown(Exception):
    """No order of this number was taken in."""


class OrderAmbiguous(Exception):
    """Several stores have an order of this number.

    Attributes:
        stores: their codes.
    """

    def __init__(self, stores: Sequence[str]) -> None:
        super().__init__(", ".join(stores))
        self.stores = tuple(stores)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an order's invoice goes where it goes.

    Attributes:
        order: the order with its store.
        documents: its documents, the invoice first; each keeps what it followed at the time.
        day: Warsaw day on which the book was read for ``answer``.
        answer: what the rules say on that day; ``None`` when the shop's data cannot be read.
        later: days on which the answer changes as the law now stands, with the answer from then on.
        relief_used: PLN outside KSeF under the relief in the month of ``day``; ``None`` without the relief.
    """

    order: ShopOrder
    documents: tuple[Document, ...]
    day: date
    answer: Decision | None
    later: tuple[tuple[date, Decision], ...]
    relief_used: Any = None


def explain(
    services: Services, number: str, *, store: str | None = None, on: date | None = None
) -> Explanation:
    """Read the rule book for an order that was taken in; changes nothing.

    Args:
        services: the outside world.
        number: the order's number, or the shop's id of it.
        store: code of its store, when several have such an order.
        on: read the book as if the order were placed and due on this Warsaw day; today when not given.

    Raises:
        OrderUnknown: there is none.
        OrderAmbiguous: several stores have one.
    """
    today = warsaw_day(services.clock())
    day = on or today
    with services.database() as session:
        query = (
            select(ShopOrder)
            .join(Store)
            .where(IS_SHOP, (ShopOrder.number == number) | (ShopOrder.remote_id == number))
            .options(joinedload(ShopOrder.store))
        )
        found = list(session.scalars(query.where(Store.code == store) if store else query))
        # an order's number is what people see; an id counts only where no number fits
        found = [one for one in found if one.number == number] or found
        if not found:
            raise OrderUnknown(number)
        if len(found) > 1:
            raise OrderAmbiguous([one.store.code for one in found])
        (order,) = found
        documents = list(
            session.scalars(select(Document).where(Document.order_id == order.id).order_by(Document.id))
        )
        documents.sort(key=lambda row: (row.purpose != INVOICE, row.id))
        policy = StorePolicy.from_json(order.store.policy)
        seller_id = order.store.seller_id
        own = documents[0].id if documents else None

        def used(when: date) -> Any:
            return relief_used(session, seller_id, when, besides=own) if policy.relief else ZERO

        if order.snapshot is None:
            return Explanation(order, tuple(documents), day, None, ())
        shop_order = from_json(order.snapshot)
        answer = decide(shop_order, policy, day, sold_on=on, relief_used=used(day))
        later: list[tuple[date, Decision]] = []
        last = answer
        for change in changes_after(day):
            then = decide(shop_order, policy, change, sold_on=change, relief_used=used(change))
            if then.rule != last.rule:
                later.append((change, then))
            last = then
        shown = relief_used(session, seller_id, day) if policy.relief else None
    return Explanation(order, tuple(documents), day, answer, tuple(later), shown)
