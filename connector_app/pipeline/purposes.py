"""What a document is for: one document for each purpose of an order, so nothing comes about twice."""

from __future__ import annotations

from connector_app.store.models import INVOICE

REFUND = "refund:"
"""Begin: the correction of a refund, by its id."""

WITHDRAWN = "withdrawn:"
"""Begin: takes back the correction of a refund that was deleted after it."""

CANCELLATION = "cancellation"
"""Corrects to zero: the order was cancelled."""

REFUNDED = "refunded"
"""Corrects to zero: the shop calls the order refunded and has no refunds that say so."""

REINSTATED = "reinstated"
"""The order goes on after its invoice was corrected to zero; corrected by hand."""

CANCELLED_AGAIN = "cancelled-again"
"""The order was cancelled once more after a person invoiced its going on; corrected by hand."""

REFUNDED_AGAIN = "refunded-again:"
"""Begin: a refund is back whose correction was taken back; corrected by hand."""

CHANGE = "change:"
"""Begin: the order's total changed; corrected by hand."""

BUYER = "buyer:"
"""Begin: the buyer's data changed in the shop, by their fingerprint; corrected when a person says so."""

PROPOSAL = "proposal:"
"""Begin: what a buyer proposed instead of the buyer's data and a person approved, by the proposal's id."""

WRONG_BUYER = "wrong-buyer"
"""Corrects to zero: the invoice names a wrong tax number, and a new invoice takes its place."""

REPLACED = "replaced-"
"""Begin: what belongs to an invoice that another one has replaced, e.g. ``replaced-1/refund:7``."""

UNREADABLE = "unreadable"
"""The order cannot be read any more, so nobody knows what happened to it."""

RECOVERED = "recovered:"
"""Begin: a correction that came back from KSeF, by its KSeF number, while it is not known what it was for."""

UPLOADED = "uploaded:"
"""Begin: a correction of another program that was uploaded as a file, by the hash of its bytes."""

HAND = "hand:"
"""Begin: a correction that a person wrote in the connector, by its number within the order."""

BY_PERSON = (UPLOADED, HAND)
"""Begins of purposes that the shop knows nothing of, so that it does not take them back either."""

TO_ZERO = frozenset({CANCELLATION, REFUNDED})

REASONS = {
    CANCELLATION: "Anulowanie zamówienia",
    REFUNDED: "Zwrot całego zamówienia",
    WRONG_BUYER: "Błędny numer identyfikacji podatkowej nabywcy; wystawiono nową fakturę",
}
"""PrzyczynaKorekty of a correction to zero, by its purpose."""

BY_HAND = (CHANGE, REINSTATED, CANCELLED_AGAIN, REFUNDED_AGAIN, UNREADABLE)
"""Begins of purposes that the connector cannot correct by itself."""


def undone_by(purpose: str) -> str:
    """The purpose of the correction that a document with a ``withdrawn:`` purpose takes back."""
    return f"{REFUND}{purpose.removeprefix(WITHDRAWN)}"


def chapter(purpose: str) -> str:
    """Which invoice of its order a document belongs to: ``replaced-1/``, or empty for the one that counts."""
    head, slash, _ = purpose.partition("/")
    return f"{head}/" if slash and head.startswith(REPLACED) else ""


def plain(purpose: str) -> str:
    """A purpose without its chapter: ``refund:7`` for ``replaced-1/refund:7``."""
    return purpose.removeprefix(chapter(purpose))


def is_invoice(purpose: str) -> bool:
    """Whether a document is an order's invoice, replaced or not; everything else corrects one."""
    return plain(purpose) == INVOICE
