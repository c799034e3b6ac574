"""An order that the shop no longer has.

What was issued stays: the shop's database is no proof that a sale did not take place. What was not issued
asks a person when it was due, and is dropped when it was not. The order's fingerprint is forgotten, so that
an order that comes back (it was restored) is decided anew.
"""

from __future__ import annotations

from sqlalchemy import select

from connector_app.pipeline import life
from connector_app.pipeline.services import Services
from connector_app.store.lanes import of_store
from connector_app.store.models import INVOICE, Document, DocumentState, ShopOrder
from core.findings import Finding, Severity, Text

ORDER_GONE = Finding(
    "order-gone",
    Severity.ERROR,
    "",
    Text(
        "Tego zamówienia nie ma już w sklepie, a faktury jeszcze nie wystawiono.",
        "The shop no longer has this order, and its invoice was not issued yet.",
    ),
    Text(
        "Jeśli sprzedaż się odbyła, przywróć zamówienie w sklepie i ponów. Jeśli nie, nic nie trzeba robić.",
        "If the sale took place, restore the order in the shop and retry. If not, nothing has to be done.",
    ),
)

_NEVER_DUE = Text(
    "Sklep usunął zamówienie, zanim było co fakturować.",
    "The shop deleted the order before there was anything to invoice.",
)
_ISSUED_STAYS = Text(
    "Sklep usunął zamówienie. Wystawiona faktura zostaje; jeśli sprzedaż się nie odbyła, skoryguj ją.",
    "The shop deleted the order. The invoice stays; if the sale did not take place, correct it.",
)


def order_gone(services: Services, store_id: int, remote_id: str) -> None:
    """Bring an order's invoice in line with the fact that the shop no longer has the order."""
    now = services.clock()
    with services.database.begin(of_store(store_id)) as session:
        order = session.scalar(
            select(ShopOrder).where(ShopOrder.store_id == store_id, ShopOrder.remote_id == remote_id)
        )
        if order is None:
            return
        was_known, order.content_hash = order.content_hash != "", ""
        document = session.scalar(
            select(Document).where(Document.order_id == order.id, Document.purpose == INVOICE)
        )
        if document is None:
            return
        if document.xml_sha256 is not None or document.state not in life.UNDECIDED:
            if was_known and document.state != DocumentState.CANCELLED:
                life.note(document, _ISSUED_STAYS, now)
            return
        if document.state == DocumentState.WAITING:
            life.move(document, DocumentState.CANCELLED, _NEVER_DUE, now)
        elif document.state == DocumentState.READY or was_known:
            life.ask(document, [ORDER_GONE], now)
    services.watch(document)
