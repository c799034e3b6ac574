"""Where sessions and documents are.

Source: ``GET /sessions/{referenceNumber}`` and below it, API contract.
"""

from __future__ import annotations

from collections.abc import Iterator

from core.ksef.answers import DocumentState, DocumentStatus, SessionStatus
from core.ksef.client import KsefClient
from core.ksef.errors import UnreadableAnswer

__all__ = ["DocumentState", "DocumentStatus", "SessionStatus", "document", "documents", "find", "session"]


def session(client: KsefClient, access: str, reference: str) -> SessionStatus:
    """Where a session is (``GET /sessions/{referenceNumber}``).

    Args:
        client: the client, of the seller's context.
        access: access token.
        reference: reference number of the session.
    """
    return client.session_status(access, reference)


def document(client: KsefClient, access: str, session_reference: str, reference: str) -> DocumentStatus:
    """Where a document is (``GET /sessions/{referenceNumber}/invoices/{invoiceReferenceNumber}``).

    Args:
        client: the client, of the seller's context.
        access: access token.
        session_reference: reference number of its session.
        reference: reference number of the document in it.
    """
    return client.document_status(access, session_reference, reference)


def documents(
    client: KsefClient,
    access: str,
    session_reference: str,
    *,
    failed_only: bool = False,
    page_size: int = 1000,
) -> Iterator[DocumentStatus]:
    """All documents of a session, page by page as they are asked for.

    Operations ``GET /sessions/{referenceNumber}/invoices`` and ``.../failed`` (200 pages an hour).

    Args:
        client: the client, of the seller's context.
        access: access token.
        session_reference: reference number of the session.
        failed_only: only documents that were not accepted.
        page_size: documents per request, 10 to 1000.

    Raises:
        UnreadableAnswer: KSeF repeats a continuation token, which would never end.
    """
    seen: set[str] = set()
    continuation: str | None = None
    while True:
        page = client.documents(
            access,
            session_reference,
            continuation=continuation,
            page_size=page_size,
            failed_only=failed_only,
        )
        yield from page.documents
        continuation = page.continuation
        if continuation is None:
            return
        if continuation in seen:
            raise UnreadableAnswer(
                "the same page was given twice", operation="GET /sessions/{referenceNumber}/invoices"
            )
        seen.add(continuation)


def find(
    client: KsefClient, access: str, session_reference: str, document_hash: str
) -> tuple[DocumentStatus, ...]:
    """The documents of a session that have a hash: what became of a sending whose answer was lost.

    Args:
        client: the client, of the seller's context.
        access: access token.
        session_reference: reference number of the session.
        document_hash: SHA-256 of the XML bytes in Base64.

    Returns:
        In the order of the session; several when the same bytes were sent again (all but one are then
        DUPLICATE), none when the sending did not arrive or is not listed yet.
    """
    return tuple(
        found for found in documents(client, access, session_reference) if found.invoice_hash == document_hash
    )
