"""Words for stored values that commands and pages share."""

from __future__ import annotations

from connector_app.store.models import DocumentState
from core.findings import Text

_STATES = {
    DocumentState.WAITING: Text("czeka", "waiting"),
    DocumentState.READY: Text("do wystawienia", "ready"),
    DocumentState.ISSUED: Text("wystawiony", "issued"),
    DocumentState.SENT: Text("wysłany", "sent"),
    DocumentState.ACCEPTED: Text("przyjęty", "accepted"),
    DocumentState.PUBLISHED: Text("gotowy", "published"),
    DocumentState.ATTENTION: Text("wymaga decyzji", "attention"),
    DocumentState.REJECTED: Text("odrzucony", "rejected"),
    DocumentState.CANCELLED: Text("nie powstanie", "cancelled"),
}


def state_text(state: DocumentState | str) -> Text:
    """The name of a document's state."""
    return _STATES[DocumentState(state)]
