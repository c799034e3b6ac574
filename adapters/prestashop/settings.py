"""The shop's configuration (``configurations``), by the names of its entries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adapters.prestashop.client import PrestaClient
from adapters.prestashop.listing import one_of


def read_settings(client: PrestaClient, names: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    """Values of entries by name; a multistore may have several different ones.

    Args:
        client: the shop.
        names: of the entries, e.g. ``PS_TIMEZONE``.

    Raises:
        ShopError: the shop cannot be read, or the key may not.
    """
    query = {"display": "full", "filter[name]": one_of(names)}
    found: dict[str, dict[str, None]] = {}
    for entry in client.get("configurations", query).resources():
        found.setdefault(entry.text("name"), {})[entry.text("value")] = None
    return {name: tuple(values) for name, values in found.items()}
