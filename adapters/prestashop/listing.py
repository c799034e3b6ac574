"""Lists of the webservice: several ids at once, and everything that changed since a time.

A list of changes shows ids and times only. What buyers typed is not in it, so no text in the shop's data can
break it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from adapters.contract import ShopUnavailable
from adapters.prestashop.client import PrestaClient
from adapters.prestashop.mapping.resource import Resource

PER_PAGE: Final = 100
"""Rows of a list of changes per request."""

_NEVER_REACHED = "9999-12-31 23:59:59"
_MOST_PAGES = 100_000


def one_of(values: Iterable[str]) -> str:
    """A filter's value that lets any of the values through: ``[1|5]``."""
    return f"[{'|'.join(values)}]"


@dataclass(frozen=True, slots=True)
class Changes:
    """The entities of a kind changed at or after a time, oldest change first.

    Pages begin after the last row of the one before (by time, within one second by id), never at a row
    number: entities that change while the list is read move to its end, where they come once more.

    Attributes:
        client: the shop.
        collection: e.g. ``orders``.
        fields: that a row shows, besides ``id`` and ``date_upd``.
        since: time of the shop's clock, ``2026-11-24 04:41:13``; ``None`` lists everything.
    """

    client: PrestaClient
    collection: str
    fields: tuple[str, ...] = ()
    since: str | None = None

    def __iter__(self) -> Iterator[Resource]:
        """The rows; each change once.

        Raises:
            ShopError: the shop cannot be read now.
        """
        bound = f"[{self.since},{_NEVER_REACHED}]" if self.since else ""
        seen: set[tuple[str, str]] = set()
        for _ in range(_MOST_PAGES):
            rows = self._page(bound)
            yield from (row for row in rows if _key(row) not in seen)
            if len(rows) < PER_PAGE:
                return
            first, last = rows[0].text("date_upd"), rows[-1].text("date_upd")
            if first == last:
                # more entities than a page shows changed in one second, e.g. by a bulk edit
                yield from (row for row in self._rest_of(last, rows[-1]) if _key(row) not in seen)
                bound = f">[{last}]"
            else:
                bound = f"[{last},{_NEVER_REACHED}]"
                seen = {_key(row) for row in rows if row.text("date_upd") == last}
        raise ShopUnavailable(f"the shop's list of {self.collection} does not end")

    def _rest_of(self, second: str, last: Resource) -> Iterator[Resource]:
        """The rows of one second behind an id."""
        for _ in range(_MOST_PAGES):
            rows = self._page(f"[{second},{second}]", after=last.id)
            yield from rows
            if len(rows) < PER_PAGE:
                return
            last = rows[-1]
        raise ShopUnavailable(f"the shop's list of {self.collection} does not end")

    def _page(self, bound: str, after: str = "") -> tuple[Resource, ...]:
        query = {
            "display": f"[{','.join(('id', 'date_upd', *self.fields))}]",
            "sort": "[date_upd_ASC,id_ASC]",
            "limit": f"0,{PER_PAGE}",
            # without it the shop knows no filter and no order by date_upd
            "date": "1",
        }
        if bound:
            query["filter[date_upd]"] = bound
        if after:
            query["filter[id]"] = f">[{after}]"
        return self.client.get(self.collection, query).resources()


def _key(row: Resource) -> tuple[str, str]:
    return row.id, row.text("date_upd")
