"""What became of each document of a batch, told by the hash of its bytes.

Source: ``GET /sessions/{referenceNumber}/invoices`` of the API contract (``invoiceHash``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from core.ksef import status
from core.ksef.answers import DocumentStatus
from core.ksef.batch.package import PackedDocument
from core.ksef.batch.session import OpenBatch
from core.ksef.client import KsefClient
from core.ksef.errors import ProofMismatch


@dataclass(frozen=True, slots=True)
class Result:
    """One document of a batch and where it is.

    Attributes:
        document: what was packed, with the caller's key.
        status: where it is; None when KSeF does not list it (yet).
    """

    document: PackedDocument
    status: DocumentStatus | None


def results(client: KsefClient, access: str, session: OpenBatch) -> Iterator[Result]:
    """Where each document of a session is, page by page as they are asked for.

    A session that failed as a whole (405, 415, 420, 430, 435, 440, 500 of
    :func:`core.ksef.status.session`) may list nothing: its documents then go into a new session.

    Args:
        client: the client, of the seller's context.
        access: access token.
        session: the session, closed.

    Returns:
        Each document once, in KSeF's order; those that KSeF does not list come last.

    Raises:
        ProofMismatch: the session lists a document that was not in the package, or one twice.
        KsefError: whatever else went wrong.
    """
    waiting = {one.hash: one for one in session.package.documents}
    for found in status.documents(client, access, session.reference):
        document = waiting.pop(found.invoice_hash, None)
        if document is None:
            raise ProofMismatch(
                f"the session lists document {found.ordinal}, which the package does not have or has once",
                operation="GET /sessions/{referenceNumber}/invoices",
            )
        yield Result(document, found)
    for document in waiting.values():
        yield Result(document, None)
