"""What a correction stands on: its invoice, the corrections before it, and whether it is still asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from connector_app.keeping.reading import xml_of
from connector_app.pipeline.changes import is_hand_made
from connector_app.pipeline.purposes import (
    BUYER,
    REFUND,
    REFUNDED,
    TO_ZERO,
    WITHDRAWN,
    WRONG_BUYER,
    chapter,
    is_invoice,
    plain,
    undone_by,
)
from connector_app.store.models import Document, DocumentState
from connector_app.store.snapshots import buyer_fingerprint, from_json
from core.fa import schema
from core.fa.read import read
from core.findings import Text
from core.invoices.corrections.state import InvoiceState, state_of
from core.invoices.model import Invoice
from core.orders import CALLED_OFF, OrderState


@dataclass(frozen=True, slots=True)
class Chain:
    """What a correction stands on.

    Attributes:
        invoice: of its order.
        earlier: corrections that were begun before, in the order in which KSeF accepted them.
        hand_made: the order was corrected outside the connector too.
    """

    invoice: Document
    earlier: Sequence[Document]
    hand_made: bool

    def waits_for(self) -> Text | None:
        """What has no KSeF number yet."""
        if self.invoice.ksef_number is None:
            return Text(
                "Korekta czeka, aż faktura dostanie numer KSeF.",
                "The correction waits until the invoice has its KSeF number.",
            )
        for row in self.earlier:
            if row.ksef_number is None:
                return Text(
                    f"Korekta czeka na wcześniejszą korektę {row.number} tego zamówienia.",
                    f"The correction waits for the earlier correction {row.number} of this order.",
                )
        return None

    def state(self) -> InvoiceState:
        """The invoice as it stands after its corrections."""
        number = self.invoice.ksef_number or ""
        return state_of(read_document(self.invoice), number, [read_document(row) for row in self.earlier])


def chain_of(session: Session, correction: Document) -> Chain:
    """What a correction stands on: the documents of the invoice that it corrects.

    Args:
        session: for reading.
        correction: stored.
    """
    rows = list(
        session.scalars(
            select(Document)
            .options(undefer(Document.xml))
            .where(Document.order_id == correction.order_id)
            .order_by(Document.id)
        )
    )
    rows = [row for row in rows if chapter(row.purpose) == chapter(correction.purpose)]
    invoice = next(row for row in rows if is_invoice(row.purpose))
    # what was issued before counts, whatever the order of the rows
    begun = [
        row
        for row in rows
        if row is not invoice
        and row.id != correction.id
        and row.xml_sha256
        and row.state != DocumentState.CANCELLED
    ]
    begun.sort(key=lambda row: (row.accepted_at is None, row.accepted_at or row.created_at))
    return Chain(invoice, begun, any(is_hand_made(row) for row in rows))


def read_document(row: Document) -> Invoice:
    """The stored document as a model: what was issued is what is corrected.

    Raises:
        ArchiveDamaged: its bytes are not those that were issued.
    """
    return read(schema.parse(xml_of(row))).invoice


def is_still_asked(document: Document, earlier: Sequence[Document]) -> bool:
    """Whether the order, as it was read last, still asks for a correction.

    Args:
        document: a correction that was not issued.
        earlier: corrections that were begun before.
    """
    if document.order.snapshot is None:
        return True
    order = from_json(document.order.snapshot)
    purpose = plain(document.purpose)
    listed = {f"{REFUND}{refund.id}" for refund in order.refunds}
    if purpose.startswith(REFUND):
        asked = purpose in listed
    elif purpose.startswith(WITHDRAWN):
        refund = undone_by(purpose)
        asked = refund not in listed and any(row.purpose == refund for row in earlier)
    elif purpose.startswith(BUYER):
        asked = buyer_fingerprint(order) == purpose.removeprefix(BUYER).partition("#")[0]
    elif purpose == REFUNDED:
        asked = order.state is OrderState.REFUNDED
    elif document.plan is not None and purpose not in TO_ZERO:
        asked = True  # a person asks; what the shop takes back is dropped when it says so
    else:
        asked = purpose == WRONG_BUYER or order.state in CALLED_OFF
    return asked
