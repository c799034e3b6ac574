"""What a request asks of the list: filters and order, only as far as the person may see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from connector_app.documents.queries import Filter, Kind, Sort, is_ascending, month_span
from connector_app.store.models import DocumentState, Store
from connector_app.store.recovered import IS_SHOP
from connector_app.web import access
from connector_app.web.access import Right

_NOWHERE = 0
"""Id of no store."""
_MOST_IDS = 500
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address of a list says.

    Attributes:
        chosen: which documents. sort: their order. ascending: smallest first. place: of the page.
        values: what of it is not left at its default, for addresses of other pages.
    """

    chosen: Filter
    sort: Sort
    ascending: bool
    place: str
    values: dict[str, str]


def asked(session: Session, values: MultiDict[str, str], right: Right = Right.READ) -> Asked:
    """Read the address of a list; what makes no sense restricts nothing, an unknown store shows nothing.

    Args:
        session: open.
        values: of the address or form.
        right: sellers for which the person has it are shown.
    """
    sellers = access.visible(session, right)
    text = values.get("q", "").strip()[:_LONGEST]
    state = values.get("state", "")
    states = (state,) if state in set(DocumentState) else ()
    code = values.get("store", "")
    kind = _one(Kind, values.get("kind", ""))
    month = values.get("month", "") if month_span(values.get("month", "")) else ""
    sort = _one(Sort, values.get("sort", "")) or Sort.NEWEST
    direction = values.get("dir", "")
    ids = [int(one) for one in values.getlist("ids")[:_MOST_IDS] if one.isdigit() and len(one) < 10]
    kept = {"q": text, "state": "".join(states), "store": code, "kind": kind or "", "month": month}
    kept |= {"sort": "" if sort is Sort.NEWEST else sort.value, "dir": direction}
    return Asked(
        Filter(
            sellers=sellers,
            text=text,
            states=states,
            store_id=_store_id(session, code, sellers) if code else None,
            kind=kind,
            month=month,
            ids=ids if "ids" in values else None,
        ),
        sort,
        is_ascending(sort, direction),
        values.get("page", ""),
        {name: value for name, value in kept.items() if value},
    )


def stores(session: Session, right: Right = Right.READ) -> list[Mapping[str, Any]]:
    """Codes of the stores that a person may choose, with their sellers' ids."""
    query = select(Store.code, Store.seller_id).where(
        Store.seller_id.in_(access.visible(session, right)), IS_SHOP
    )
    return [dict(row._mapping) for row in session.execute(query.order_by(Store.code))]


def _store_id(session: Session, code: str, sellers: Iterable[int]) -> int:
    query = select(Store.id).where(Store.code == code[:64], Store.seller_id.in_(list(sellers)))
    return session.scalar(query) or _NOWHERE


def _one(kinds: Any, value: str) -> Any:
    """A member of an enumeration, or ``None``."""
    return next((one for one in kinds if one.value == value), None)
