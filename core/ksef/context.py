"""What KSeF allows the current context.

Source: ``GET /limits/context`` (``EffectiveContextLimits``) of the API contract.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.ksef.calls import Operation
from core.ksef.client import KsefClient
from core.ksef.fields import Fields

_LIMITS = Operation("GET /limits/context")


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How large sessions and documents may be.

    Attributes:
        online_documents: documents of an interactive session.
        batch_documents: documents of a batch session.
        document_bytes: size of a document without attachment in a batch, in bytes.
    """

    online_documents: int
    batch_documents: int
    document_bytes: int

    @classmethod
    def read(cls, data: Fields) -> SessionLimits:
        """Read the answer; raises FieldError."""
        online, batch = data.child("onlineSession"), data.child("batchSession")
        return cls(
            online_documents=online.integer("maxInvoices"),
            batch_documents=batch.integer("maxInvoices"),
            document_bytes=batch.integer("maxInvoiceSizeInMB") * 1_000_000,
        )


def session_limits(client: KsefClient, access: str) -> SessionLimits:
    """The limits of sessions (``GET /limits/context``).

    Args:
        client: the client, of the seller's context.
        access: access token.
    """
    return client.caller.ask(_LIMITS, SessionLimits.read, token=access)
