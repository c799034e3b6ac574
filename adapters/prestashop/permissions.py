"""What a key may do (``GET /api/``), and what the connector needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lxml import etree

from adapters.prestashop.loading import OF_ORDER, WHOLE

_READING: Final = (
    "orders",
    *OF_ORDER,
    *WHOLE,
    "order_payments",
    "order_states",
    "addresses",
    "customers",
    "countries",
)

NAMES: Final[Mapping[str, str]] = {
    "GET": "View (GET)",
    "POST": "Add (POST)",
    "PATCH": "Patch (PATCH)",
}
"""What the columns of the shop's page are called."""


def needed(*, notes: bool, state: bool, time_zone: bool) -> dict[str, set[str]]:
    """Collections and the methods that the connector uses on them.

    Args:
        notes: the order's own note is written.
        state: an order state with e-mail is used.
        time_zone: the shop's configuration has to tell the time zone.
    """
    found = {name: {"GET"} for name in _READING}
    found["customer_threads"] = {"GET", "POST"}
    found["customer_messages"] = {"GET", "POST"}
    if time_zone:
        found["configurations"] = {"GET"}
    if notes:
        found["orders"] = {"GET", "PATCH"}
    if state:
        found["order_histories"] = {"GET", "POST"}
    return found


def missing(root: etree._Element, wanted: Mapping[str, set[str]]) -> dict[str, list[str]]:
    """Methods that a key lacks, by collection.

    Args:
        root: the answer to ``GET /api/``; it names only collections that the key may use at all.
        wanted: see :func:`needed`.
    """
    found = {}
    for collection, methods in wanted.items():
        element = root.find(f"api/{collection}")
        lacking = [one for one in sorted(methods) if not _allows(element, one)]
        if lacking:
            found[collection] = lacking
    return found


def _allows(element: etree._Element | None, method: str) -> bool:
    if element is None:
        return False
    told = element.get(method.lower())
    # a version that knows PATCH need not list it
    return told == "true" or (told is None and method == "PATCH")
