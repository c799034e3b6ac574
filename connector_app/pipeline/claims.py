"""Claims: an order that comes in again may have its invoice already, recovered from KSeF.

An invoice names its order (Zamowienia/WarunkiTransakcji: NrZamowienia and DataZamowienia). When number, day,
currency and total are those of exactly one recovered invoice, that invoice is the order's: it is linked and
none is issued. When only some agree, a person decides; nothing is issued meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, undefer

from connector_app.keeping.reading import xml_of
from connector_app.pipeline import life
from connector_app.pipeline.purposes import REASONS, RECOVERED, REFUND, WRONG_BUYER, chapter
from connector_app.store import listing
from connector_app.store.models import INVOICE, Document, DocumentState, Event, ShopOrder, Store
from connector_app.store.recovered import IS_SHOP, NEVER
from connector_app.store.uploaded import is_uploaded, order_for, store_of
from core.calendar import warsaw_day
from core.fa import schema
from core.fa.read import read
from core.findings import Finding, Severity, Text
from core.invoices.model import Invoice
from core.invoices.texts import clean
from core.orders import Order, RefundRef


class NotLinkable(Exception):
    """Two documents of which the one cannot become the invoice of the other's order."""


def candidates(session: Session, seller_id: int, order_number: str) -> list[Document]:
    """The recovered or uploaded invoices without an order of a shop that name an order number.

    One that was corrected to zero because another invoice takes its place is none of them.

    Args:
        session: open.
        seller_id: whose invoices.
        order_number: as the shop shows it.
    """
    found = session.scalars(
        select(Document)
        .join(ShopOrder, Document.order_id == ShopOrder.id)
        .join(Store, ShopOrder.store_id == Store.id)
        .options(undefer(Document.xml))
        .where(
            ~IS_SHOP,
            Document.seller_id == seller_id,
            Document.purpose == INVOICE,
            ShopOrder.number == clean(order_number),
        )
        .order_by(Document.id)
    )
    return [
        one
        for one in found.all()
        if not _is_replaced(session, one)
        and not is_ended_upload(one)
        and (not is_uploaded(one) or clean(order_number) in named_orders(read_stored(one)))
    ]


def is_ended_upload(document: Document) -> bool:
    """Whether a document is an uploaded file that KSeF refused and a person closed: it is no invoice."""
    return is_uploaded(document) and document.state == DocumentState.CANCELLED


def named_orders(invoice: Invoice) -> list[str]:
    """The numbers of orders that an invoice names."""
    return [one.number for one in invoice.terms.orders if one.number] if invoice.terms else []


def _is_replaced(session: Session, recovered: Document) -> bool:
    """Whether a correction to zero says that a new invoice was issued instead."""
    query = (
        select(Document)
        .options(undefer(Document.xml))
        .where(Document.order_id == recovered.order_id, Document.purpose.startswith(RECOVERED))
    )
    corrections = (read_stored(one).correction for one in session.scalars(query))
    return any(one is not None and one.reason == REASONS[WRONG_BUYER] for one in corrections)


def claimed(order: Order, found: Sequence[Document]) -> Document | None:
    """The one recovered invoice that certainly is an order's; ``None`` when that is not certain."""
    if len(found) != 1:
        return None
    (one,) = found
    if is_uploaded(one):
        return None  # another program's file names what it likes; a person links it
    same = (one.total, one.currency) == (order.total, order.currency)
    return one if same and _names(read_stored(one), order) else None


def claim(
    session: Session, store: Store, row: ShopOrder, order: Order, now: datetime
) -> tuple[Document | None, list[Document]]:
    """Look whether an order that is not invoiced yet has its invoice among the recovered ones.

    Args:
        session: inside a transaction.
        store: a shop.
        row: the order's row, stored.
        order: what the shop says.
        now: aware UTC.

    Returns:
        The order's invoice when it was certain and is linked now; else the invoices of which one may be.
    """
    known = session.scalar(select(Document).where(Document.order_id == row.id, Document.purpose == INVOICE))
    if known is not None and not may_wait(known):
        return None, []
    found = candidates(session, store.seller_id, order.number)
    certain = claimed(order, found)
    if certain is None:
        return None, found
    return link(session, certain, row, now), []


def read_stored(document: Document) -> Invoice:
    """A document's stored bytes as a model."""
    return read(schema.parse(xml_of(document))).invoice


def _names(invoice: Invoice, order: Order) -> bool:
    orders = invoice.terms.orders if invoice.terms else ()
    day = warsaw_day(order.created_at)
    return any((one.number, one.day) == (clean(order.number), day) for one in orders)


def link(session: Session, recovered: Document, row: ShopOrder, now: datetime) -> Document:
    """Make a recovered invoice, with its corrections, the documents of a shop's order.

    Args:
        session: inside a transaction.
        recovered: an invoice that stands under no shop's order.
        row: the shop's order; what it has of the invoice that counts was never numbered.
        now: aware UTC.

    Returns:
        The invoice, due for publication: the shop is looked through for the note before one is written.

    Raises:
        NotLinkable: the order has documents that were numbered, or the invoice belongs to a shop's order.
    """
    placeholder = session.get_one(ShopOrder, recovered.order_id)
    if recovered.purpose != INVOICE or placeholder.id == row.id:
        raise NotLinkable(f"document {recovered.id} is no recovered invoice")
    if not session.scalar(select(~IS_SHOP).where(Store.id == placeholder.store_id)):
        raise NotLinkable(f"document {recovered.id} belongs to an order of a shop")
    for open_one in session.scalars(select(Document).where(Document.order_id == row.id)).all():
        if chapter(open_one.purpose):
            continue  # of an invoice that was replaced before
        if open_one.number is not None or open_one.xml_sha256 is not None:
            raise NotLinkable(f"document {open_one.id} was numbered")
        session.execute(delete(Event).where(Event.document_id == open_one.id))
        session.delete(open_one)
    session.flush()
    text = Text(
        f"To faktura zamówienia {row.number} ze sklepu; nowa nie powstanie.",
        f"This is the invoice of the shop's order {row.number}; no other is issued.",
    )
    for one in session.scalars(select(Document).where(Document.order_id == placeholder.id)).all():
        one.next_attempt_at = one.tell_next_at = None
        life.note(one, text, now)
        if one.state == DocumentState.PUBLISHED:
            # what was uploaded had nowhere to be published
            one.state = DocumentState.ACCEPTED.value
    session.flush()
    session.execute(
        update(Document)
        .where(Document.order_id == placeholder.id)
        .values(order_id=row.id)
        .execution_options(synchronize_session="fetch")
    )
    session.delete(placeholder)
    session.flush()
    session.refresh(recovered)
    for one in session.scalars(select(Document).where(Document.order_id == row.id)):
        listing.refresh(one, row)
    return recovered


def unlink(session: Session, uploaded: Document, now: datetime) -> ShopOrder:
    """Take an uploaded invoice that ended without KSeF away from the shop's order that it was linked with.

    Corrections of the order that waited for it are cancelled: another invoice says what the order says now.

    Args:
        session: inside a transaction.
        uploaded: see :func:`is_ended_upload`, under an order of a shop.
        now: aware UTC.

    Returns:
        The shop's order, which has no invoice now.
    """
    row, sha256, number = uploaded.order, uploaded.xml_sha256 or "", uploaded.number or ""
    named = named_orders(read_stored(uploaded))
    text = Text(
        f"Plik nie jest już fakturą zamówienia {row.number}: KSeF go nie przyjął.",
        f"The file is no longer the invoice of order {row.number}: KSeF did not take it.",
    )
    for one in session.scalars(select(Document).where(Document.order_id == row.id)).all():
        if one.id != uploaded.id and not chapter(one.purpose) and one.state in life.UNDECIDED:
            one.attention = None
            life.move(one, DocumentState.CANCELLED, text, now)
    store = store_of(session, uploaded.seller, now)
    uploaded.order = order_for(session, store, sha256, named[0] if named else number, now)
    uploaded.next_attempt_at, uploaded.tell_next_at = None, NEVER
    life.note(uploaded, text, now)
    row.content_hash = ""  # decided anew when the shop says it again, should it be unreadable now
    session.flush()
    return row


def uncertain(order: Order, found: Sequence[Document]) -> Finding:
    """A recovered invoice may be this order's; a person decides."""
    one = found[0]
    more = len(found) - 1
    pl = f" (i {more} innych)" if more else ""
    en = f" (and {more} more)" if more else ""
    where = (
        Text("Wgrano już plik faktury", "A file was uploaded already of invoice")
        if one.ksef_number is None
        else Text("W KSeF jest już faktura", "KSeF already has invoice")
    )
    return Finding(
        "order-perhaps-invoiced",
        Severity.ERROR,
        "",
        Text(
            f"{where.pl} {one.number} z {one.issued_on} na {one.total} {one.currency}{pl} do "
            f"zamówienia o numerze {order.number}, ale nie wszystko się zgadza z tym zamówieniem.",
            f"{where.en} {one.number} of {one.issued_on} for {one.total} {one.currency}{en} to "
            f"an order with the number {order.number}, but not everything agrees with this order.",
        ),
        Text(
            f"Jeśli to faktura tego zamówienia, połącz je: ksef-connector documents link {one.id} ID, gdzie "
            "ID to ten dokument. Jeśli nie, ponów ten dokument, a powstanie nowa faktura.",
            f"If it is this order's invoice, link them: ksef-connector documents link {one.id} ID, where ID "
            "is this document. If not, retry this document and a new invoice is issued.",
        ),
    )


def name_corrections(rows: dict[str, Document], order: Order) -> dict[str, Document]:
    """Find out what an order's recovered corrections were for.

    A correction to zero says so in PrzyczynaKorekty; one of a refund is known by its amount, as long as no
    more corrections than refunds have it.

    Args:
        rows: the order's documents by purpose, inside a transaction.
        order: as the shop tells it now.

    Returns:
        The same documents by their purposes now; what is not certain keeps its own purpose, and then a
        person is asked about every further change.
    """
    unnamed = [row for purpose, row in rows.items() if purpose.startswith(RECOVERED)]
    for row in sorted(unnamed, key=lambda one: (one.accepted_at or one.created_at, one.id)):
        correction = read_stored(row).correction
        purpose = next(
            (name for name, why in REASONS.items() if correction is not None and correction.reason == why), ""
        )
        if purpose and purpose not in {one.purpose for one in rows.values()}:
            row.purpose = purpose
    taken = {row.purpose for row in rows.values()}
    free = [one for one in order.refunds if f"{REFUND}{one.id}" not in taken]
    for amount in {-(row.total or Decimal(0)) for row in unnamed if row.purpose.startswith(RECOVERED)}:
        _name_refunds(
            [row for row in unnamed if row.purpose.startswith(RECOVERED) and row.total == -amount],
            [one for one in free if one.amount == amount],
        )
    return {row.purpose: row for row in rows.values()}


def _name_refunds(corrections: Sequence[Document], refunds: Sequence[RefundRef]) -> None:
    if len(corrections) > len(refunds):
        return
    for row, refund in zip(corrections, refunds, strict=False):
        row.purpose = f"{REFUND}{refund.id}"


def may_wait(document: Document) -> bool:
    """Whether a document is still to be decided, so that a recovered invoice may take its place."""
    return (
        document.xml_sha256 is None
        and document.number is None
        and document.state
        in {DocumentState.WAITING, DocumentState.READY, DocumentState.ATTENTION, DocumentState.CANCELLED}
    )
