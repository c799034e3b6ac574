"""Lists of what changed: orders by ``updated_at``, paged by cursor, oldest change first.

Sorted by the time of change, an order that changes meanwhile moves to the end of the list, so no page
skips another order. Shopify has no list of refunds; every refund touches its order, so the orders' clock
is the refunds' too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from adapters.contract import RefundChange, ShopUnavailable
from adapters.json_node import Node
from adapters.shopify.client import GraphClient
from adapters.shopify.mapping.values import tail
from adapters.shopify.operations import ORDERS_CHANGED, REFUNDS_CHANGED, Operation
from adapters.shopify.paging import MOST_PAGES, next_cursor


@dataclass(frozen=True, slots=True)
class Changed:
    """An order on the list of changes.

    Attributes:
        order_id: whose. at: when it changed, aware UTC. node: what the list tells.
    """

    order_id: str
    at: datetime
    node: Node


def changed(client: GraphClient, since: datetime | None, operation: Operation) -> Iterator[Changed]:
    """Orders that changed at or after a moment, each change once.

    Args:
        client: the shop.
        since: aware UTC; ``None`` means all orders.
        operation: a query with ``query`` and ``after``.

    Raises:
        ShopError: the shop cannot be read now.
    """
    query = ""
    if since is not None:
        moment = since.astimezone(UTC).replace(microsecond=0, tzinfo=None)
        query = f"updated_at:>='{moment.isoformat()}Z'"
    after: str | None = None
    seen: set[tuple[str, datetime]] = set()
    for _ in range(MOST_PAGES):
        orders = client.run(operation, {"query": query, "after": after}).child("orders")
        for node in orders.items("nodes"):
            one = Changed(tail(node.child("id")), node.child("updatedAt").moment(), node)
            if (one.order_id, one.at) not in seen:
                seen.add((one.order_id, one.at))
                yield one
        after = next_cursor(orders, after)
        if after is None:
            return
    raise ShopUnavailable("the shop's list of orders does not end")


def changed_order_ids(client: GraphClient, since: datetime | None) -> Iterator[Changed]:
    """See :func:`changed`; ids and times only.

    Raises:
        ShopError: the shop cannot be read now.
    """
    return changed(client, since, ORDERS_CHANGED)


def changed_refunds(client: GraphClient, since: datetime | None) -> Iterator[RefundChange]:
    """Every refund of every order that changed since.

    The time of a change is its order's: it never goes back along the list, and a refund whose money
    arrived later (a pending transaction) comes again.

    Raises:
        ShopError: the shop cannot be read now.
    """
    for one in changed(client, since, REFUNDS_CHANGED):
        for refund in one.node.items("refunds"):
            yield RefundChange(one.order_id, tail(refund.child("id")), one.at)
