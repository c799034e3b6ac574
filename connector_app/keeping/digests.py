"""Hashes of all documents of a copy, computed from the bytes themselves as they pass."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from connector_app.keeping.tables import Shape

DOCUMENTS = "documents"
_COLUMNS = ("id", "xml", "xml_sha256", "upo", "upo_sha256")


class Digests:
    """Sees every row of the documents' table once, in the order of their ids.

    Args:
        shape: of the table.

    Attributes:
        count: issued documents. damaged: ids of those whose bytes differ from their stored hashes.
    """

    def __init__(self, shape: Shape) -> None:
        names = [name for name, _ in shape.columns]
        # a backup of an earlier form knows no hash of the UPO
        self._places = [names.index(one) if one in names else None for one in _COLUMNS]
        self._whole = hashlib.sha256()
        self.count = 0
        self.damaged: list[int] = []

    def see(self, row: Sequence[Any]) -> None:
        """Take one row's values."""
        values: list[Any] = [None if place is None else row[place] for place in self._places]
        number, xml, xml_sha256, upo, upo_sha256 = values
        found = [None if data is None else hashlib.sha256(data).hexdigest() for data in (xml, upo)]
        self._whole.update(f"{number} {found[0]} {found[1]}\n".encode())
        self.count += xml is not None
        has_upo_hash = self._places[4] is not None
        if found[0] != xml_sha256 or (has_upo_hash and found[1] != upo_sha256):
            self.damaged.append(number)

    def as_json(self) -> dict[str, Any]:
        """As it stands in a manifest: one hash over the hashes of all documents."""
        return {"count": self.count, "sha256": self._whole.hexdigest(), "damaged": self.damaged}
