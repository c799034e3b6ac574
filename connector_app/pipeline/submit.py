"""Submit: an issued document goes to KSeF, exactly the stored bytes.

The session is written down before the request and the reference after it. A crash or a lost answer in
between leaves a session without a reference: then the session's documents are searched for our hash
before anything is sent again. What is sent twice all the same is answered with 440, see
:mod:`connector_app.pipeline.track`.
"""

from __future__ import annotations

import hashlib

from sqlalchemy.orm import undefer

from connector_app.ksef_access import SellerAccess, hash_text
from connector_app.pipeline import life
from connector_app.pipeline.services import Services
from connector_app.store.models import Document, DocumentState
from core.fa import registry
from core.findings import Finding, Severity, Text
from core.ksef import interactive, status
from core.ksef.errors import InvalidSession, KsefBusy, KsefRefused, KsefUnavailable, SessionClosed
from core.ksef.interactive import OpenSession

_DAMAGED = Finding(
    "stored-document-damaged",
    Severity.ERROR,
    "",
    Text(
        "Zapisany plik faktury różni się od swojego skrótu: baza danych jest uszkodzona.",
        "The stored document differs from its hash: the database is damaged.",
    ),
    Text("Przywróć bazę z kopii zapasowej.", "Restore the database from a backup."),
)


class LaneBlocked(Exception):
    """Nothing of this seller can be sent now; the cause is the KsefError behind it."""


def submit(services: Services, document_id: int, access: SellerAccess) -> Document:
    """Send one issued document.

    Args:
        services: the outside world.
        document_id: a document; in any other state than ``issued`` nothing happens.
        access: the seller's sign-in and session.

    Returns:
        The document as committed: ``sent``, still ``issued`` with what it waits for, or ``rejected``.

    Raises:
        LaneBlocked: the whole seller has to wait; the document is as it was.
    """
    with services.database() as session:
        document = session.get_one(Document, document_id, options=[undefer(Document.xml)])
    if document.state != DocumentState.ISSUED or document.xml is None or document.schema_version is None:
        return document
    if hashlib.sha256(document.xml).hexdigest() != document.xml_sha256:
        return life.change(services, document_id, lambda row: life.ask(row, [_DAMAGED], services.clock()))
    try:
        reference = _search(document, access) if _may_have_arrived(document) else None
        if reference is None:
            reference = _send(services, document, access)
    except (KsefBusy, KsefUnavailable) as error:
        raise LaneBlocked(str(error)) from error
    except KsefRefused as error:
        return _refused(services, document_id, error)
    sent = reference

    def note_sent(row: Document) -> None:
        row.document_reference = sent
        life.move(row, DocumentState.SENT, Text("Wysłano do KSeF.", "Sent to KSeF."), services.clock())

    return life.change(services, document_id, note_sent)


def _may_have_arrived(document: Document) -> bool:
    return document.session_reference is not None and document.document_reference is None


def _search(document: Document, access: SellerAccess) -> str | None:
    """The reference of our document in the session it may have arrived in."""
    session = document.session_reference or ""
    ours = hash_text(document.xml_sha256 or "")
    try:
        found = access.call(lambda token: status.find(access.client, token, session, ours))
    except (InvalidSession, SessionClosed):
        return None
    return found[0].reference if found else None


def _send(services: Services, document: Document, access: SellerAccess) -> str:
    try:
        return _send_in(services, document, access)
    except (InvalidSession, SessionClosed):
        # ended by time or by a person: the document was not taken, another session takes it
        access.forget_session()
        return _send_in(services, document, access)


def _send_in(services: Services, document: Document, access: SellerAccess) -> str:
    session: OpenSession = access.session(registry.schema_for(document.schema_version or ""))

    def intend(row: Document) -> None:
        row.session_reference, row.document_reference = session.reference, None

    life.change(services, document.id, intend, watch=False)
    xml = document.xml or b""
    return access.call(lambda token: interactive.send(access.client, token, session, xml))


def _refused(services: Services, document_id: int, error: KsefRefused) -> Document:
    def note_refusal(row: Document) -> None:
        row.session_reference = None
        row.refusal_code, row.refusal_text = error.code, str(error)
        life.move(
            row,
            DocumentState.REJECTED,
            Text(
                f"KSeF nie przyjął dokumentu ({error.code}). {error.hint.pl}".strip(),
                f"KSeF did not take the document ({error.code}). {error.hint.en}".strip(),
            ),
            services.clock(),
        )

    return life.change(services, document_id, note_refusal)
