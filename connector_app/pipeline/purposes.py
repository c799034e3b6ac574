"""What a document is for: one document for each purpose of an order, so nothing comes about twice."""

from __future__ import annotations

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

UNREADABLE = "unreadable"
"""The order cannot be read any more, so nobody knows what happened to it."""

RECOVERED = "recovered:"
"""Begin: a correction that came back from KSeF, by its KSeF number, while it is not known what it was for."""

TO_ZERO = frozenset({CANCELLATION, REFUNDED})

REASONS = {CANCELLATION: "Anulowanie zamówienia", REFUNDED: "Zwrot całego zamówienia"}
"""PrzyczynaKorekty of a correction to zero, by its purpose."""

BY_HAND = (CHANGE, REINSTATED, CANCELLED_AGAIN, REFUNDED_AGAIN, UNREADABLE)
"""Begins of purposes that the connector cannot correct by itself."""


def undone_by(purpose: str) -> str:
    """The purpose of the correction that a document with a ``withdrawn:`` purpose takes back."""
    return f"{REFUND}{purpose.removeprefix(WITHDRAWN)}"
