"""What lists of documents are filtered, sorted and searched by: a few small columns and one index over them.

A document's row is large (its XML and UPO lie in it), so a list must never read rows to choose among them.
The columns are derived from the document and its order whenever either is written, by events of the mapper:
no caller has to remember them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, event, inspect, select, update
from sqlalchemy.orm import Mapper

from connector_app.store.models import Document, ShopOrder
from core.calendar import warsaw_day
from core.invoices.tax_ids import normalise

SEARCH_LENGTH = 300
"""Characters of the search text; with them an index row stays below PostgreSQL's limit."""
BUYER_LENGTH = 40
_MOST_MINOR = 2**62
_DOCUMENT_FIELDS = ("number", "ksef_number", "total", "buyer_name", "issued_on", "order", "order_id", "xml")
_ORDER_FIELDS = ("number", "snapshot", "store_id")
_BUYER_ID = re.compile(
    rb"<(?:[\w.-]+:)?Podmiot2[\s>].*?<(?:[\w.-]+:)?(?:NIP|NrVatUE|NrID)>([^<]{1,60})<", re.DOTALL
)
_END_OF_BUYER = re.compile(rb"</(?:[\w.-]+:)?Podmiot2>")


@dataclass(frozen=True, slots=True)
class _OrderFacts:
    """What of an order its documents are found by."""

    store_id: int
    number: str
    tax_id: str


def folded(text: str) -> str:
    """A text as it is compared: small letters without marks, so that "zolw" finds "Żółw"."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("ł", "l"))
    return "".join(one for one in plain if not unicodedata.combining(one))


def minor_units(total: Decimal | None) -> int | None:
    """An amount in hundredths, for sorting only; amounts are stored as text."""
    if total is None or not total.is_finite():
        return None
    return max(-_MOST_MINOR, min(_MOST_MINOR, int(total.scaleb(2))))


def buyer_tax_id(xml: bytes | None) -> str:
    """The buyer's number in a stored document, as it stands there; empty when it names none."""
    if not xml:
        return ""
    found = _BUYER_ID.search(xml)
    # a consumer's invoice has numbers of others after its buyer
    if found is None or _END_OF_BUYER.search(xml, found.start(), found.end()):
        return ""
    return found[1].decode("utf-8", "replace")[:40]


def search_text(
    number: str | None, ksef_number: str | None, order_number: str, tax_id: str | None, buyer: str | None
) -> str:
    """Everything that a document is searched by, numbers first."""
    parts = (number, order_number, ksef_number, tax_id, buyer)
    return folded(" ".join(one for one in parts if one))[:SEARCH_LENGTH]


def listed(
    document: Document, order: _OrderFacts, xml: bytes | None, known: str | None = None
) -> dict[str, Any]:
    """The values of a document's columns for lists.

    Args:
        document: with what is stored of it.
        order: its order.
        xml: its bytes; ``None`` when there are none, or when they are not at hand.
        known: the buyer's number in bytes that are not at hand; empty when they name none.
    """
    tax_id = (buyer_tax_id(xml) if xml else order.tax_id if known is None else known) or None
    day: date = document.issued_on or warsaw_day(document.created_at)
    return {
        "store_id": order.store_id,
        "day": day,
        "sort_total": minor_units(document.total),
        "buyer_key": folded(document.buyer_name or "")[:BUYER_LENGTH],
        "buyer_tax_id": tax_id,
        "search": search_text(
            document.number, document.ksef_number, order.number, tax_id, document.buyer_name
        ),
    }


def tax_id_of(snapshot: Mapping[str, Any] | None) -> str:
    """The number that a shop's order names first; empty without one."""
    candidates = ((snapshot or {}).get("buyer") or {}).get("tax_ids") or []
    return normalise(str(candidates[0]["value"]))[:40] if candidates else ""


def listen() -> None:
    """Keep the columns right from now on; may be called more than once."""
    if not event.contains(Document, "before_insert", _document_written):
        event.listen(Document, "before_insert", _document_written)
        event.listen(Document, "before_update", _document_changed)
        event.listen(ShopOrder, "before_update", _order_changed)


def refresh(document: Document, order: ShopOrder) -> None:
    """Derive a document's columns anew, where it got another order past the mapper.

    Args:
        document: stored.
        order: its order now.
    """
    for name, value in listed(document, _facts(order), document.xml).items():
        setattr(document, name, value)


def _facts(order: ShopOrder) -> _OrderFacts:
    return _OrderFacts(order.store_id or order.store.id, order.number, tax_id_of(order.snapshot))


def _document_written(_mapper: Mapper[Any], connection: Connection, target: Document) -> None:
    order = target.__dict__.get("order")
    facts = _facts(order) if order is not None else _read_order(connection, target.order_id)
    if facts is None:
        return  # the foreign key says so in a moment
    xml, known = target.__dict__.get("xml"), None
    if xml is None and target.xml_sha256 is not None and inspect(target).persistent:
        # its bytes never change: whom they name was read when they were written
        known = target.__dict__.get("buyer_tax_id", "") or ""
        if "buyer_tax_id" not in target.__dict__ or _changed(target, ("xml", "xml_sha256")):
            known = buyer_tax_id(connection.scalar(select(Document.xml).where(Document.id == target.id)))
    for name, value in listed(target, facts, xml, known).items():
        setattr(target, name, value)


def _document_changed(mapper: Mapper[Any], connection: Connection, target: Document) -> None:
    if _changed(target, _DOCUMENT_FIELDS):
        _document_written(mapper, connection, target)


def _order_changed(_mapper: Mapper[Any], connection: Connection, target: ShopOrder) -> None:
    if not _changed(target, _ORDER_FIELDS):
        return
    facts = _facts(target)
    rows = connection.execute(
        select(
            Document.id, Document.number, Document.ksef_number, Document.buyer_name,
            Document.buyer_tax_id, Document.xml_sha256,
        ).where(Document.order_id == target.id)
    )  # fmt: skip
    for row in rows.all():
        tax_id = row.buyer_tax_id if row.xml_sha256 else facts.tax_id or None
        text = search_text(row.number, row.ksef_number, facts.number, tax_id, row.buyer_name)
        connection.execute(
            update(Document)
            .where(Document.id == row.id)
            .values(search=text, buyer_tax_id=tax_id, store_id=facts.store_id)
        )


def _changed(target: object, names: tuple[str, ...]) -> bool:
    attributes = inspect(target).attrs
    return any(attributes[name].history.has_changes() for name in names)


def _read_order(connection: Connection, order_id: int) -> _OrderFacts | None:
    row = connection.execute(
        select(ShopOrder.store_id, ShopOrder.number, ShopOrder.snapshot).where(ShopOrder.id == order_id)
    ).first()
    return None if row is None else _OrderFacts(row.store_id, row.number, tax_id_of(row.snapshot))
