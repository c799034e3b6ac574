"""Orders with everything that explains them, in few requests.

PrestaShop tells an order in ten resources. They are asked for by lists of ids, for several orders at once.
An answer that cannot be read is asked for again in halves, so that a broken order hides no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from adapters.contract import ShopAuthFailed, UnreadableOrder
from adapters.http import AnswerTooLarge
from adapters.prestashop.client import BrokenXml, PrestaClient
from adapters.prestashop.listing import one_of
from adapters.prestashop.mapping.bundle import Bundle
from adapters.prestashop.mapping.resource import Resource

AT_ONCE: Final = 25
"""Orders read by one set of requests."""

OF_ORDER: Final = ("order_details", "order_cart_rules", "order_histories", "order_slip")
"""Collections whose entities name their order."""

WHOLE: Final = ("taxes", "currencies")
"""Collections that are needed as a whole: a rate may be told by its number only, and so the main currency."""

OPTIONAL: Final = frozenset({"order_carriers", "carriers", "languages"})
"""Collections that an invoice can do without, when the key may not read them."""

Found = tuple[str, Bundle | UnreadableOrder]
"""An order's id, and what tells of it."""


@dataclass(slots=True)
class Loader:
    """Reads orders of one shop; what does not change from order to order is read once.

    Attributes:
        client: the shop.
    """

    client: PrestaClient
    _known: dict[str, dict[str, Resource]] = field(default_factory=dict)
    _forbidden: set[str] = field(default_factory=set)

    def bundles(self, ids: Sequence[str]) -> Iterator[Found]:
        """Orders by id, in the given order; those that are gone are left out.

        Args:
            ids: of orders.

        Raises:
            ShopError: the shop cannot be read now.
        """
        for start in range(0, len(ids), AT_ONCE):
            yield from self._in_halves(ids[start : start + AT_ONCE])

    def slips(self, order_id: str) -> Bundle:
        """An order with nothing but its credit slips.

        Raises:
            NotFound: the order is gone.
            UnreadableOrder: the answers are no order and slips.
            ShopError: the shop cannot be read now.
        """
        order = self.client.get(f"orders/{order_id}").resources()
        return Bundle.of((*order, *self._list("order_slip", "id_order", [order_id])))

    def _in_halves(self, ids: Sequence[str]) -> Iterator[Found]:
        found = self._tried(ids)
        if isinstance(found, BrokenXml | AnswerTooLarge):
            self._answers_at_all(ids[0])
            if len(ids) == 1:
                # the shop may have been away until now, which says nothing about the order
                found = self._tried(ids)
        if isinstance(found, list):
            yield from found
        elif len(ids) == 1:
            yield ids[0], _unreadable(found)
        else:
            middle = len(ids) // 2
            yield from self._in_halves(ids[:middle])
            yield from self._in_halves(ids[middle:])

    def _tried(self, ids: Sequence[str]) -> list[Found] | BrokenXml | AnswerTooLarge | UnreadableOrder:
        """The orders, or why not all of them can be read."""
        try:
            return self._read(ids)
        except (BrokenXml, AnswerTooLarge, UnreadableOrder) as error:
            return error

    def _answers_at_all(self, order_id: str) -> None:
        """Make sure that not the shop is broken, but what it tells of some orders.

        Raises:
            ShopError: it is the shop.
        """
        self.client.get("orders", {"display": "[id]", "filter[id]": one_of([order_id])})

    def _read(self, ids: Sequence[str]) -> list[Found]:
        orders = {one.identifier(): one for one in self._list("orders", "id", ids)}
        if not orders:
            return []
        own = [one for name in (*OF_ORDER, "order_carriers") for one in self._list(name, "id_order", ids)]
        shared = [*self._payments(orders.values()), *self._parties(orders.values())]
        shared += self._shared(orders.values(), own)
        by_order: dict[str, list[Resource]] = {}
        for one in own:
            by_order.setdefault(one.identifier("id_order"), []).append(one)
        return [
            (key, Bundle.of((orders[key], *by_order.get(key, ()), *shared))) for key in ids if key in orders
        ]

    def _payments(self, orders: Iterable[Resource]) -> Iterator[Resource]:
        references = {one.text("reference") for one in orders}
        askable = sorted(one for one in references if one.isascii() and one.isalnum())
        yield from self._list("order_payments", "order_reference", askable)

    def _parties(self, orders: Iterable[Resource]) -> Iterator[Resource]:
        orders = tuple(orders)
        kinds = ("id_address_invoice", "id_address_delivery")
        addresses = self._list("addresses", "id", _ids(orders, *kinds))
        yield from addresses
        yield from self._list("customers", "id", _ids(orders, "id_customer"))
        yield from self._kept("countries", _ids(addresses, "id_country"))

    def _shared(self, orders: Iterable[Resource], others: Sequence[Resource]) -> Iterator[Resource]:
        """What many orders name: taxes, currencies, states, carriers, languages."""
        orders = tuple(orders)
        histories = [one for one in others if one.kind == "order_history"]
        states = [*_ids(orders, "current_state"), *_ids(histories, "id_order_state")]
        taxes = {row.identifier(): None for one in others for row in one.rows.get("taxes", ())}
        yield from self._kept("taxes", taxes)
        yield from self._kept("currencies", _ids(orders, "id_currency"))
        yield from self._kept("order_states", states)
        yield from self._kept("carriers", _ids(orders, "id_carrier"))
        yield from self._kept("languages", _ids(orders, "id_lang"))

    def _kept(self, collection: str, ids: Iterable[str]) -> Iterator[Resource]:
        """Entities that are read once for all orders, the whole collection where it is needed."""
        known = self._known.get(collection)
        if known is None:
            whole = self._list(collection, "", ()) if collection in WHOLE else ()
            known = self._known[collection] = {one.identifier(): one for one in whole}
        # a list may leave out what was deleted since, which old orders still name
        missing = [one for one in dict.fromkeys(ids) if one not in known]
        known |= {one.identifier(): one for one in self._list(collection, "id", missing)}
        yield from known.values()

    def _list(self, collection: str, name: str, values: Sequence[str]) -> tuple[Resource, ...]:
        """Entities whose field has one of the values; all of them without a name of a field."""
        if collection in self._forbidden or (name and not values):
            return ()
        query = {"display": "full"} | ({f"filter[{name}]": one_of(values)} if name else {})
        try:
            return self.client.get(collection, query).resources()
        except ShopAuthFailed as error:
            if collection not in OPTIONAL or not error.code:
                raise
            self._forbidden.add(collection)
            return ()


def _unreadable(error: BrokenXml | AnswerTooLarge | UnreadableOrder) -> UnreadableOrder:
    return error if isinstance(error, UnreadableOrder) else UnreadableOrder(error.message, hint=error.hint)


def _ids(resources: Iterable[Resource], *names: str) -> list[str]:
    """Ids that resources name, each once."""
    found = (one.reference(name) for one in resources for name in names)
    return [one for one in dict.fromkeys(found) if one]
