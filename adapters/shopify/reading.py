"""Whole orders and refunds: what one answer cannot hold is read on by cursors and put together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.contract import NotFound, ShopRefused, ShopUnavailable
from adapters.json_node import Node
from adapters.shopify.client import MAX_COST_EXCEEDED, GraphClient
from adapters.shopify.operations import (
    ORDER,
    ORDER_LEDGER,
    ORDER_LINES,
    ORDER_REFUNDS,
    REFUND,
    REFUND_LINES,
    Operation,
)

_MOST_PAGES = 2_000
_SMALLEST = 5
_TRIES = 3

Json = dict[str, Any]


@dataclass(slots=True)
class Reader:
    """Reads from one shop.

    Attributes:
        client: the shop.
        first: items of a list per answer; halved when the shop finds a query too dear.
    """

    client: GraphClient
    first: int = 20

    def order(self, order_id: str) -> Json:
        """An order with all its line items, and with its ledger when it was edited.

        An order that changes while it is read is read again, so that its parts belong together.

        Raises:
            NotFound: it is gone.
            ShopError: the shop cannot be read now.
        """
        gid = order_gid(order_id)
        for _ in range(_TRIES):
            order = self._one(ORDER, gid, "order")
            lines = order.get("lineItems")
            stamp, same = order.get("updatedAt"), True
            for page in self._pages(lines, ORDER_LINES, gid, "order", "lineItems"):
                same = same and page.get("updatedAt") == stamp
            if same:
                if order.get("edited") is True:
                    order["agreements"] = {"nodes": self._agreements(gid)}
                return order
        raise ShopUnavailable("the order changes faster than it can be read")

    def refund_ids(self, order_id: str) -> tuple[list[str], bool]:
        """Global ids of an order's refunds, and whether the order was edited.

        Raises:
            NotFound: the order is gone.
            ShopError: the shop cannot be read now.
        """
        order = self.client.run(ORDER_REFUNDS, {"id": order_gid(order_id)}).maybe("order")
        if order is None:
            raise _gone("order", order_id)
        found = [node.child("id").text() for node in order.items("refunds")]
        return found, order.child("edited").flag()

    def refund(self, gid: str) -> Json:
        """A refund with all its lines.

        Raises:
            NotFound: it is gone.
            ShopError: the shop cannot be read now.
        """
        refund = self._one(REFUND, gid, "refund")
        for _ in self._pages(refund.get("refundLineItems"), REFUND_LINES, gid, "refund", "refundLineItems"):
            pass
        return refund

    def _agreements(self, gid: str) -> list[object]:
        """The whole ledger: one agreement at a time, its sales page by page."""
        found: list[object] = []
        after: str | None = None
        for _ in range(_MOST_PAGES):
            order = self._affordable(ORDER_LEDGER, {"id": gid, "after": after, "sales": None}).maybe("order")
            if order is None:
                raise _gone("order", gid)
            ledger = order.child("agreements")
            for agreement in ledger.items("nodes"):
                self._finish_sales(agreement, gid, after)
                found.append(agreement.value)
            page = ledger.child("pageInfo")
            if not page.child("hasNextPage").flag():
                return found
            after = page.child("endCursor").text()
        raise ShopUnavailable("the order's ledger does not end")

    def _finish_sales(self, agreement: Node, gid: str, after: str | None) -> None:
        """Read the further sales of an agreement into it."""
        sales = agreement.child("sales")
        page, kept = sales.child("pageInfo"), sales.fields()["nodes"]
        for _ in range(_MOST_PAGES):
            if not page.child("hasNextPage").flag():
                sales.fields()["pageInfo"] = page.value
                return
            more = {"id": gid, "after": after, "sales": page.child("endCursor").text()}
            order = self._affordable(ORDER_LEDGER, more).child("order")
            for one in order.child("agreements").items("nodes"):
                further = one.child("sales")
                page = further.child("pageInfo")
                assert isinstance(kept, list), "the list was read before"
                kept.extend(node.value for node in further.items("nodes"))
        raise ShopUnavailable("the order's ledger does not end")

    def _one(self, operation: Operation, gid: str, field: str) -> Json:
        node = self._affordable(operation, {"id": gid}).maybe(field)
        if node is None:
            raise _gone(field, gid)
        return node.fields()

    def _pages(
        self, connection: object, operation: Operation, gid: str, owner: str, member: str
    ) -> Iterator[Json]:
        """Append the further pages of a connection to it; yields their owners."""
        if not isinstance(connection, dict):
            return
        whole = Node(connection)
        for _ in range(_MOST_PAGES):
            page = whole.child("pageInfo")
            if not page.child("hasNextPage").flag():
                return
            after = page.child("endCursor").text()
            node = self._affordable(operation, {"id": gid, "after": after}).maybe(owner)
            if node is None:
                raise _gone(owner, gid)
            further = node.child(member)
            connection["nodes"] = [*connection["nodes"], *(one.value for one in further.items("nodes"))]
            connection["pageInfo"] = further.child("pageInfo").value
            yield node.fields()
        raise ShopUnavailable("the shop's list does not end")

    def _affordable(self, operation: Operation, variables: Mapping[str, object]) -> Node:
        """Run a query with shorter lists when it would cost more than one query may."""
        while True:
            try:
                return self.client.run(operation, {**variables, "first": self.first})
            except ShopRefused as error:
                if error.code != MAX_COST_EXCEEDED or self.first <= _SMALLEST:
                    raise
                self.first //= 2


def order_gid(order_id: str) -> str:
    """The global id of an order.

    Raises:
        NotFound: no order has such an id; anything else than a number would ask for something else.
    """
    if not (order_id.isascii() and order_id.isdigit()):
        raise NotFound(f"{order_id!r} is no id of a Shopify order")
    return f"gid://shopify/Order/{order_id}"


def _gone(what: str, key: str) -> NotFound:
    number = key.rsplit("/", 1)[-1]
    return NotFound(
        f"the shop does not have {what} {number}",
        status=404,
        hint="Without the scope read_all_orders an app sees the last 60 days only.",
    )
