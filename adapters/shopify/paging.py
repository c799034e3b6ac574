"""Cursors of connections: where the next page begins."""

from __future__ import annotations

from typing import Final

from adapters.contract import ShopUnavailable
from adapters.json_node import Node

MOST_PAGES: Final = 20_000
"""No list of a shop is longer; Shopify itself ends at 25 000 items of most lists."""


def next_cursor(connection: Node, before: str | None) -> str | None:
    """Where the page after this one begins.

    Args:
        connection: with ``pageInfo``.
        before: where this page began; ``None`` for the first.

    Returns:
        The cursor; ``None`` when there is no further page.

    Raises:
        ShopUnavailable: the list does not move on.
        UnreadableOrder: the page tells no place.
    """
    page = connection.child("pageInfo")
    if not page.child("hasNextPage").flag():
        return None
    after = page.child("endCursor").text()
    if not after or after == before:
        raise ShopUnavailable("the shop's list does not move on")
    return after
