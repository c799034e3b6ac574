"""Finding documents: filters, search, order, pages that stay right while documents come in, counts.

Everything is chosen through the index over the columns of :mod:`connector_app.store.listing`, so that no row
with its XML is read that is not shown. A page is told by the place where it begins, never by its number: what
comes in meanwhile moves nothing.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, case, func, or_, select
from sqlalchemy.orm import Session

from connector_app.store.listing import folded
from connector_app.store.models import Document, DocumentState, ShopOrder, Store

PAGE = 50
"""Documents on a page."""
_MOST_TERMS = 8
_LONGEST_QUERY = 200
_LONGEST_PLACE = 400
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
_NIP = re.compile(r"[0-9]{10}")
_SPACES = re.compile(r"[\s.-]+")


class Sort(StrEnum):
    """What a list is ordered by."""

    NEWEST = "newest"
    """The order in which the connector first saw them."""
    DAY = "day"
    NUMBER = "number"
    TOTAL = "total"
    BUYER = "buyer"
    STATE = "state"


class Kind(StrEnum):
    """What a list is narrowed to by kind."""

    INVOICE = "invoice"
    CORRECTION = "correction"


# written so that no planner takes an index of their own for them: each lookup by it would read a whole row,
# while the index of lists has everything
_SELLER = Document.seller_id + 0
_STATE = Document.state.concat("")

_RANK = {state.value: place for place, state in enumerate(DocumentState)}
_BY: dict[Sort, ColumnElement[Any]] = {
    Sort.DAY: func.coalesce(Document.day, date(1, 1, 1)),
    Sort.NUMBER: func.coalesce(Document.number, ""),
    Sort.TOTAL: func.coalesce(Document.sort_total, 0),
    Sort.BUYER: func.coalesce(Document.buyer_key, ""),
    Sort.STATE: case(_RANK, value=_STATE, else_=len(_RANK)),
}
_DESCENDING = frozenset({Sort.NEWEST, Sort.DAY, Sort.TOTAL})


@dataclass(frozen=True, slots=True)
class Filter:
    """Which documents a list shows; empty means no restriction.

    Attributes:
        sellers: ids of the sellers that may be seen; ``None`` only when all may be.
        text: searched among invoice, order and KSeF numbers, the buyer's name and number.
        states: in one of these states. store_id: of this store. kind: see :class:`Kind`.
        month: ``YYYY-MM`` of :attr:`Document.day <connector_app.store.models.Document.day>`.
        ids: these only.
    """

    sellers: Sequence[int] | None
    text: str = ""
    states: Collection[str] = ()
    store_id: int | None = None
    kind: Kind | None = None
    month: str = ""
    ids: Collection[int] | None = None

    def conditions(self, *, by_state: bool = False) -> list[ColumnElement[bool]]:
        """The restrictions as conditions.

        Args:
            by_state: let the index of the newest of each state be used.
        """
        found: list[ColumnElement[bool]] = []
        if self.sellers is not None:
            found.append(_SELLER.in_(self.sellers))
        if self.states:
            found.append((Document.state if by_state else _STATE).in_(self.states))
        if self.store_id is not None:
            found.append(Document.store_id == self.store_id)
        if self.kind is not None:
            is_correction = Document.kind.like("KOR%")
            found.append(is_correction if self.kind is Kind.CORRECTION else ~is_correction)
        span = month_span(self.month)
        if span is not None:
            found.append(Document.day.between(*span))
        if self.ids is not None:
            found.append(Document.id.in_(self.ids))
        return found + self._searched()

    @property
    def is_narrow(self) -> bool:
        """Whether anything but the state restricts it."""
        return bool(self.text or self.month or self.store_id or self.kind or self.ids is not None)

    def _searched(self) -> list[ColumnElement[bool]]:
        words = [Document.search.contains(one, autoescape=True) for one in terms(self.text)]
        tax_id = tax_id_in(self.text)
        if not tax_id:
            return words
        # an invoice number may look like a tax number with hyphens
        return [or_(Document.search.contains(tax_id), and_(*words))]


@dataclass(frozen=True, slots=True)
class Listed:
    """One row of a list: what it shows and nothing else.

    Attributes:
        id: of the document; what follows is as stored with it, up to ``seller_id``.
        order_id, order_number: of its order. store_code: of its store.
    """

    id: int
    state: str
    kind: str
    purpose: str
    number: str | None
    ksef_number: str | None
    total: Decimal | None
    currency: str | None
    buyer_name: str | None
    buyer_tax_id: str | None
    day: date | None
    offline_mode: str | None
    send_by: date | None
    closed_at: datetime | None
    seller_id: int
    order_id: int
    order_number: str
    store_code: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list.

    Attributes:
        rows: in the asked order. before, after: places of the neighbouring pages; empty where there is none.
    """

    rows: list[Listed]
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a page begins: after a row, or before it."""

    is_before: bool
    value: Any
    id: int


def find(
    session: Session, chosen: Filter, sort: Sort, *, ascending: bool, place: str, size: int = PAGE
) -> Page:
    """One page of a list.

    Args:
        session: open.
        chosen: which documents.
        sort: their order; the newest first among equals.
        ascending: smallest first.
        place: ``before`` or ``after`` of another page; anything else is the first page.
        size: rows at the most.
    """
    begin = _read_place(place, sort)
    by = _BY.get(sort)
    backwards = begin is not None and begin.is_before
    descending = not ascending ^ backwards
    query = select(Document.id) if by is None else select(Document.id, by.label("by"))
    quick = by is None and len(chosen.states) == 1 and not chosen.is_narrow
    query = query.where(*chosen.conditions(by_state=quick))
    if begin is not None:
        query = query.where(_beyond(by, begin, descending=descending))
    ordering = [Document.id.desc() if descending else Document.id.asc()]
    if by is not None:
        ordering.insert(0, by.desc() if descending else by.asc())
    found = session.execute(query.order_by(*ordering).limit(size + 1)).all()
    has_more = len(found) > size
    found = list(found[:size])
    if backwards:
        found.reverse()
    rows = _load(session, [row[0] for row in found])
    has_before, has_after = (has_more, True) if backwards else (begin is not None, has_more)
    return Page(
        rows,
        before=_write_place("b", found[0]) if found and has_before else "",
        after=_write_place("a", found[-1]) if found and has_after else "",
    )


def is_ascending(sort: Sort, direction: str) -> bool:
    """The direction of a list: as asked, else what people expect of the order."""
    return direction == "asc" if direction in {"asc", "desc"} else sort not in _DESCENDING


def counts(session: Session, chosen: Filter) -> dict[str, int]:
    """How many documents of each state the other restrictions leave."""
    state = _STATE if chosen.is_narrow else Document.state
    query = select(state, func.count()).where(*replace(chosen, states=()).conditions()).group_by(state)
    return {row[0]: row[1] for row in session.execute(query)}


def ids_of(session: Session, chosen: Filter, *, after: int = 0, most: int) -> list[int]:
    """Ids of the chosen documents beyond one, oldest first, so many at the most."""
    query = select(Document.id).where(*chosen.conditions(), Document.id > after)
    return list(session.scalars(query.order_by(Document.id).limit(most)))


def rows_of(session: Session, ids: Sequence[int]) -> list[Listed]:
    """Rows of documents, in the order of their ids; those that are gone are left out."""
    return _load(session, ids)


def month_span(month: str) -> tuple[date, date] | None:
    """First and last day of ``YYYY-MM``; ``None`` for anything else."""
    found = _MONTH.fullmatch(month)
    if found is None or found[1] == "0000":
        return None
    first = date(int(found[1]), int(found[2]), 1)
    last = first.replace(day=28)
    while last.month == first.month:
        if last == date.max:
            break
        last = date.fromordinal(last.toordinal() + 1)
    return first, last if last == date.max else date.fromordinal(last.toordinal() - 1)


def terms(text: str) -> list[str]:
    """The words of a search as they are compared."""
    return folded(text[:_LONGEST_QUERY]).split()[:_MOST_TERMS]


def tax_id_in(text: str) -> str:
    """The ten digits of a search that is a NIP, however it is written; empty for any other."""
    digits = _SPACES.sub("", folded(text[:_LONGEST_QUERY])).removeprefix("pl")
    return digits if _NIP.fullmatch(digits) else ""


def _load(session: Session, ids: Sequence[int]) -> list[Listed]:
    columns = (
        select(
            Document.id, Document.state, Document.kind, Document.purpose, Document.number,
            Document.ksef_number, Document.total, Document.currency, Document.buyer_name,
            Document.buyer_tax_id, Document.day, Document.offline_mode, Document.send_by, Document.closed_at,
            Document.seller_id, Document.order_id, ShopOrder.number, Store.code,
        )
        .join(ShopOrder, Document.order_id == ShopOrder.id)
        .join(Store, ShopOrder.store_id == Store.id)
        .where(Document.id.in_(ids))
    )  # fmt: skip
    rows: list[tuple[Any, ...]] = [tuple(row) for row in session.execute(columns)]
    by_id = {row[0]: Listed(*row) for row in rows}
    return [by_id[one] for one in ids if one in by_id]


def _beyond(by: ColumnElement[Any] | None, begin: _Place, *, descending: bool) -> ColumnElement[bool]:
    beyond_id = Document.id < begin.id if descending else Document.id > begin.id
    if by is None:
        return beyond_id
    beyond = by < begin.value if descending else by > begin.value
    return or_(beyond, and_(by == begin.value, beyond_id))


def _write_place(side: str, row: Row[Any]) -> str:
    values: tuple[Any, ...] = tuple(row)
    document_id, value = values[0], values[1] if len(values) > 1 else None
    raw = json.dumps([side, value.isoformat() if isinstance(value, date) else value, document_id])
    return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")


def _read_place(place: str, sort: Sort) -> _Place | None:
    """A place that :func:`find` gave for the same order; anything else is no place."""
    if not place or len(place) > _LONGEST_PLACE:
        return None
    try:
        raw = base64.urlsafe_b64decode(place + "=" * (-len(place) % 4))
        side, value, document_id = json.loads(raw)
        if sort is Sort.DAY:
            value = date.fromisoformat(value)
    except (ValueError, TypeError):
        return None
    kinds = {Sort.NUMBER: str, Sort.BUYER: str, Sort.TOTAL: int, Sort.STATE: int, Sort.DAY: date}
    fits = isinstance(value, kinds[sort]) if sort in kinds else value is None
    is_id = isinstance(document_id, int) and not isinstance(document_id, bool) and 0 <= document_id < 2**63
    if side not in {"a", "b"} or not fits or not is_id:
        return None
    if isinstance(value, int) and abs(value) >= 2**63:
        return None
    return _Place(side == "b", value, document_id)
