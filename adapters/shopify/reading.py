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
from adapters.shopify.paging import MOST_PAGES, next_cursor

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
        for _ in range(MOST_PAGES):
            ledger = self._ledger(gid, after, None)
            for agreement in ledger.items("nodes"):
                self._finish_sales(agreement.child("sales"), gid, after)
                found.append(agreement.value)
            after = next_cursor(ledger, after)
            if after is None:
                return found
        raise ShopUnavailable("the order's ledger does not end")

    def _finish_sales(self, sales: Node, gid: str, after: str | None) -> None:
        """Read the further sales of an agreement into it."""
        kept = [node.value for node in sales.items("nodes")]
        part, cursor = sales, next_cursor(sales, None)
        while cursor is not None:
            for one in self._ledger(gid, after, cursor).items("nodes"):
                part = one.child("sales")
                kept += [node.value for node in part.items("nodes")]
            cursor = next_cursor(part, cursor)
        sales.fields().update(nodes=kept, pageInfo=part.child("pageInfo").value)

    def _ledger(self, gid: str, after: str | None, sales: str | None) -> Node:
        variables = {"id": gid, "after": after, "sales": sales}
        order = self._affordable(ORDER_LEDGER, variables).maybe("order")
        if order is None:
            raise _gone("order", gid)
        return order.child("agreements")

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
        kept = [one.value for one in whole.items("nodes")]
        after = next_cursor(whole, None)
        while after is not None:
            node = self._affordable(operation, {"id": gid, "after": after}).maybe(owner)
            if node is None:
                raise _gone(owner, gid)
            further = node.child(member)
            kept += [one.value for one in further.items("nodes")]
            connection.update(nodes=kept, pageInfo=further.child("pageInfo").value)
            after = next_cursor(further, after)
            yield node.fields()

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
