"""The resources of one order.

PrestaShop tells an order in many resources. A bundle holds them parsed, whether they were asked for one by
one or read from a file, and answers which belongs to which.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from adapters.contract import UnreadableOrder
from adapters.prestashop.mapping.resource import Resource

COLLECTIONS: Mapping[str, str] = {
    "address": "addresses",
    "country": "countries",
    "currency": "currencies",
    "customer": "customers",
    "order_detail": "order_details",
    "tax": "taxes",
}
"""What the mapping cannot do without, by kind, and the address under which the shop offers it."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """One order and everything that explains it.

    Attributes:
        order: the resource ``order``.
        others: all other resources, by kind and id.
    """

    order: Resource
    others: Mapping[str, Mapping[str, Resource]]

    @classmethod
    def of(cls, resources: Iterable[Resource]) -> Bundle:
        """Sort resources; the same one twice is one, what belongs to other orders stays unused.

        Raises:
            UnreadableOrder: not exactly one order, a resource without id, or two that contradict each
                other.
        """
        found: dict[str, dict[str, Resource]] = {}
        for one in resources:
            one.identifier()
            known = found.setdefault(one.kind, {}).setdefault(one.id, one)
            if known != one:
                raise one.error("id", "stands there twice with different contents")
        orders = found.pop("order", {})
        if len(orders) != 1:
            raise UnreadableOrder(f"exactly one order was expected, not {len(orders)}", path="order")
        return cls(next(iter(orders.values())), found)

    def find(self, kind: str, key: str) -> Resource | None:
        """A resource by kind and id, ``None`` when it is not here."""
        return self.others.get(kind, {}).get(key)

    def needed(self, kind: str, key: str) -> Resource:
        """A resource that must be here.

        Raises:
            UnreadableOrder: it is not; the hint says where the shop offers it.
        """
        found = self.find(kind, key)
        if found is None:
            raise _missing(kind, f"{kind} {key} is missing", f"GET /api/{COLLECTIONS[kind]}/{key}")
        return found

    def of_order(self, kind: str) -> tuple[Resource, ...]:
        """All resources of a kind that name this order, oldest id first.

        Raises:
            UnreadableOrder: one has a broken reference.
        """
        own = [
            one for one in self.others.get(kind, {}).values() if one.reference("id_order") == self.order.id
        ]
        return tuple(sorted(own, key=lambda one: int(one.id)))

    def details(self) -> tuple[Resource, ...]:
        """The order's products.

        Raises:
            UnreadableOrder: there are none.
        """
        found = self.of_order("order_detail")
        if not found:
            raise _missing(
                "order_detail",
                "order_details of the order are missing",
                f"GET /api/order_details?filter[id_order]={self.order.id}&display=full",
            )
        return found

    def payments(self) -> tuple[Resource, ...]:
        """The payments under the order's reference, oldest id first; split orders share a reference."""
        reference = self.order.text("reference")
        own = [
            one
            for one in self.others.get("order_payment", {}).values()
            if reference and one.text("order_reference") == reference
        ]
        return tuple(sorted(own, key=lambda one: int(one.id)))


def _missing(path: str, message: str, request: str) -> UnreadableOrder:
    return UnreadableOrder(message, path=path, hint=f"{request} → docs/prestashop.md")
