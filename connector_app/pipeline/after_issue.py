"""What happens to an order after its invoice: corrections to come, and changes a person must see.

Nothing issued is ever touched: each refund, cancellation or change becomes a document of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from connector_app.pipeline import life
from connector_app.pipeline.corrections import CANCELLATION, REFUND, WITHDRAWN
from connector_app.policies import Corrections, StorePolicy
from connector_app.store.documents import buyer_name, document_for
from connector_app.store.models import Document, DocumentState, Store
from core.findings import Finding, Severity, Text
from core.invoices.model import InvoiceKind
from core.orders import Order, OrderState

CHANGE = "change:"
"""Begin of the purpose of a document that stands for a changed total."""

_WAITS = frozenset({DocumentState.WAITING, DocumentState.READY, DocumentState.ATTENTION})


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One thing that happened: the document's purpose, what it changes in the total, and why."""

    purpose: str
    amount: Decimal
    finding: Finding


def after_issue(
    session: Session, store: Store, invoice: Document, order: Order, now: datetime
) -> list[Document]:
    """Keep what a changed order says after its invoice was issued.

    Args:
        session: inside a transaction.
        store: where the order is from.
        invoice: issued, so it is frozen.
        order: the order as it is now.
        now: aware UTC.

    Returns:
        The documents that are new or were cancelled.
    """
    rows = {
        row.purpose: row
        for row in session.scalars(select(Document).where(Document.order_id == invoice.order_id))
    }
    touched = _drop_withdrawn(rows, order, now)
    automatic = StorePolicy.from_json(store.policy).corrections is Corrections.AUTOMATIC
    for wanted in _wanted(invoice, order, rows):
        if wanted.purpose in rows:
            continue
        document = document_for(session, store, invoice.order, wanted.purpose, InvoiceKind.CORRECTION, now)
        document.total, document.currency = wanted.amount, order.currency
        document.buyer_name = buyer_name(order)
        if automatic and wanted.purpose.startswith(REFUND):
            life.move(document, DocumentState.READY, wanted.finding.message, now)
        else:
            life.ask(document, [wanted.finding], now)
        touched.append(document)
    return touched


def _wanted(invoice: Document, order: Order, rows: dict[str, Document]) -> list[_Wanted]:
    wanted = [
        _Wanted(
            f"{REFUND}{refund.id}", -refund.amount, _given_back(refund.amount, order.currency, refund.reason)
        )
        for refund in order.refunds
    ]
    for row in _deleted(rows, order):
        if row.xml_sha256 is not None and not _is_nowhere(row):
            refund_id = row.purpose.removeprefix(REFUND)
            wanted.append(_Wanted(f"{WITHDRAWN}{refund_id}", -(row.total or Decimal(0)), _withdrawn(row)))
    if order.state in {OrderState.CANCELLED, OrderState.FAILED}:
        wanted.append(_Wanted(CANCELLATION, -order.total, _cancelled(order)))
    elif invoice.total is not None and (order.total, order.currency) != (invoice.total, invoice.currency):
        purpose = f"{CHANGE}{order.total:f}{order.currency}"
        wanted.append(_Wanted(purpose, order.total - invoice.total, _changed(invoice, order)))
    return wanted


def _deleted(rows: dict[str, Document], order: Order) -> list[Document]:
    """Documents of refunds that the shop no longer has."""
    kept = {f"{REFUND}{refund.id}" for refund in order.refunds}
    return [row for purpose, row in rows.items() if purpose.startswith(REFUND) and purpose not in kept]


def _is_nowhere(row: Document) -> bool:
    """Whether KSeF refused the document, so that it never was an invoice."""
    return row.state in {DocumentState.REJECTED, DocumentState.CANCELLED}


def _drop_withdrawn(rows: dict[str, Document], order: Order, now: datetime) -> list[Document]:
    """Cancel the corrections of deleted refunds that KSeF does not have."""
    dropped = [
        row
        for row in _deleted(rows, order)
        if row.state == DocumentState.REJECTED or (row.xml_sha256 is None and row.state in _WAITS)
    ]
    for row in dropped:
        row.attention = None
        text = Text(
            "Zwrot usunięto w sklepie przed korektą.", "The refund was deleted before its correction."
        )
        life.move(row, DocumentState.CANCELLED, text, now)
        life.wake(row, now)
    return dropped


_BY_RETRY = Text(
    "Ponów dokument (documents retry), a korekta powstanie; zbędny zamknij (documents close).",
    "Retry the document (documents retry) to issue the correction; close it (documents close) if none is "
    "needed.",
)
_BY_HAND = Text(
    "Wystaw korektę ręcznie, np. w Aplikacji Podatnika KSeF: łącznik nie zgaduje, co się zmieniło. "
    "Potem zamknij dokument (documents close).",
    "Issue the correction by hand, e.g. in the KSeF Taxpayer's Application: the connector does not guess "
    "what changed. Then close the document (documents close).",
)


def _correction_needed(message: Text, hint: Text) -> Finding:
    return Finding("correction-needed", Severity.ERROR, "refunds", message, hint, "art. 106j VAT act")


def _given_back(amount: Decimal, currency: str, reason: str) -> Finding:
    why_pl = f" (powód: {reason})" if reason else ""
    why_en = f" (reason: {reason})" if reason else ""
    return _correction_needed(
        Text(
            f"Po wystawieniu faktury zwrócono {amount} {currency}{why_pl}: potrzebna jest korekta.",
            f"{amount} {currency} was given back after the invoice{why_en}: a correction is needed.",
        ),
        _BY_RETRY,
    )


def _withdrawn(correction: Document) -> Finding:
    amount = -(correction.total or Decimal(0))
    return _correction_needed(
        Text(
            f"Zwrot {amount} {correction.currency} usunięto w sklepie po wystawieniu korekty "
            f"{correction.number}: potrzebna jest korekta z powrotem, jeśli nabywca nie dostał pieniędzy.",
            f"The refund of {amount} {correction.currency} was deleted in the shop after its correction "
            f"{correction.number}: a correction back is needed if the buyer did not get the money.",
        ),
        _BY_RETRY,
    )


def _cancelled(order: Order) -> Finding:
    return _correction_needed(
        Text(
            f"Po wystawieniu faktury anulowano zamówienie na {order.total} {order.currency}: potrzebna jest "
            "korekta, jeśli sprzedaż nie doszła do skutku.",
            f"The order of {order.total} {order.currency} was cancelled after its invoice: a correction is "
            "needed if the sale did not take place.",
        ),
        _BY_RETRY,
    )


def _changed(invoice: Document, order: Order) -> Finding:
    return _correction_needed(
        Text(
            f"Po wystawieniu faktury na {invoice.total} {invoice.currency} zamówienie zmieniono na "
            f"{order.total} {order.currency}: potrzebna jest korekta.",
            f"After the invoice of {invoice.total} {invoice.currency} the order was changed to "
            f"{order.total} {order.currency}: a correction is needed.",
        ),
        _BY_HAND,
    )
