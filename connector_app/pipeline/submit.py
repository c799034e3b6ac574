"""Submit: an issued document goes to KSeF, exactly the stored bytes.

The session is written down before the request and the reference after it. A crash or a lost answer in
between leaves a session without a reference: then the session's documents are searched for our hash
before anything is sent again. KSeF may not list the document yet; what is then sent twice is answered with
440, see :mod:`connector_app.pipeline.track`.

A document that was issued before midnight and goes out after it (its sending was held up in between) keeps
its date, number and bytes, because issued is frozen. By the store's policy it is declared offline24;
otherwise it goes with ``offlineMode`` false, KSeF marks it as Offline by itself when P_1 is before the day of
arrival, and the life line says so.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import undefer

from connector_app.keeping import damage
from connector_app.keeping.reading import ArchiveDamaged, xml_of
from connector_app.ksef_access import SellerAccess, hash_text
from connector_app.pipeline import life, offline
from connector_app.pipeline.services import Services
from connector_app.store.models import Document, DocumentState
from core.calendar import warsaw_day
from core.fa import registry
from core.findings import Finding, Severity, Text
from core.ksef import interactive, status
from core.ksef.answers import DocumentState as KsefState
from core.ksef.answers import DocumentStatus
from core.ksef.errors import (
    AuthenticationFailed,
    Expired,
    Forbidden,
    InvalidSession,
    KsefError,
    KsefRefused,
    KsefUnavailable,
    SessionClosed,
    Unauthorized,
)

DAMAGED = Finding(
    "stored-document-damaged",
    Severity.ERROR,
    "",
    Text(
        "Zapisany plik faktury różni się od swojego skrótu: baza danych jest uszkodzona.",
        "The stored document differs from its hash: the database is damaged.",
    ),
    Text(
        "Przywróć bazę z kopii zapasowej: ksef-connector restore.",
        "Restore the database from a backup: ksef-connector restore.",
    ),
)

NOT_OF_THE_DOCUMENT = (AuthenticationFailed, Unauthorized, Forbidden, SessionClosed, InvalidSession)
"""Refusals that say nothing about the document: the seller's sign-in, permission or session is at fault."""

_KEPT_TRIES = 20
_USEFUL = (
    KsefState.ACCEPTED,
    KsefState.PROCESSING,
    KsefState.DUPLICATE,
    KsefState.REJECTED,
    KsefState.UNKNOWN,
)


class LaneBlocked(Exception):
    """Nothing of this seller can be done at KSeF now.

    Attributes:
        cause: what KSeF said.
    """

    def __init__(self, cause: KsefError) -> None:
        super().__init__(str(cause))
        self.cause = cause


def submit(services: Services, document_id: int, access: SellerAccess) -> Document:
    """Send one issued document.

    Args:
        services: the outside world.
        document_id: a document; in any other state than ``issued`` nothing happens.
        access: the seller's sign-in and session.

    Returns:
        The document as committed: ``sent``, ``rejected``, or ``attention`` when its bytes are damaged.

    Raises:
        LaneBlocked: the whole seller has to wait; the document is still ``issued``.
    """
    with services.database() as session:
        document = session.get_one(Document, document_id, options=[undefer(Document.xml)])
    if document.state != DocumentState.ISSUED or document.xml_sha256 is None or not document.schema_version:
        return document
    try:
        xml_of(document)
    except ArchiveDamaged as error:
        damage.note(services, error)
        return life.change(services, document_id, lambda row: life.ask(row, [DAMAGED], services.clock()))
    try:
        found = _search(document, access) if _may_have_arrived(document) else None
        reference = found.reference if found else _send(services, document, access)
    except (KsefUnavailable, *NOT_OF_THE_DOCUMENT) as error:
        raise LaneBlocked(error) from error
    except KsefRefused as error:
        return _refused(services, document_id, error)
    arrived = found.invoicing_date if found else services.clock()

    def note_sent(row: Document) -> None:
        row.document_reference = reference
        life.move(row, DocumentState.SENT, _sent_text(row, arrived), services.clock())

    return life.change(services, document_id, note_sent)


def best(found: tuple[DocumentStatus, ...]) -> DocumentStatus | None:
    """Of the same bytes in one session, the sending that counts; ``None`` when KSeF dropped them all."""
    useful = [one for one in found if one.state in _USEFUL]
    return min(useful, key=lambda one: _USEFUL.index(one.state), default=None)


def _may_have_arrived(document: Document) -> bool:
    return document.session_reference is not None and document.document_reference is None


def _search(document: Document, access: SellerAccess) -> DocumentStatus | None:
    """Our document in the session it may have arrived in."""
    session = document.session_reference or ""
    ours = hash_text(document.xml_sha256 or "")
    try:
        return best(access.call(lambda token: status.find(access.client, token, session, ours)))
    except (InvalidSession, SessionClosed, Expired):
        return None  # not to be looked into any more; 440 tells when the document is sent again


def _send(services: Services, document: Document, access: SellerAccess) -> str:
    try:
        return _send_in(services, document, access)
    except (InvalidSession, SessionClosed):
        # ended by time, by a person or full: the document was not taken, another session takes it
        access.forget_session()
        return _send_in(services, document, access)


def _send_in(services: Services, document: Document, access: SellerAccess) -> str:
    try:
        session = access.session(registry.schema_for(document.schema_version or ""))
    except KsefError as error:
        raise LaneBlocked(error) from error  # no session, whatever the reason: not the document's fault

    def intend(row: Document) -> None:
        now = services.clock()
        late = offline.mark_late(row, now)
        if late is not None:
            life.note(row, late, now)
        row.session_reference, row.document_reference = session.reference, None
        row.tried_sessions = [*(row.tried_sessions or []), session.reference][-_KEPT_TRIES:]

    def withdraw(row: Document) -> None:
        row.session_reference = None
        row.tried_sessions = (row.tried_sessions or [])[:-1] or None

    intended = life.change(services, document.id, intend, watch=False)
    xml = xml_of(document)
    is_offline, refused = intended.offline_mode is not None, intended.corrected_sha256
    corrected_hash = hash_text(refused) if refused else None
    try:
        return access.call(
            lambda token: interactive.send(
                access.client, token, session, xml, offline=is_offline, corrected_hash=corrected_hash
            )
        )
    except KsefUnavailable as error:
        if not error.outcome_ambiguous:
            life.change(services, document.id, withdraw, watch=False)
        raise


def _sent_text(document: Document, arrived: datetime) -> Text:
    if document.offline_mode is not None:
        mode = document.offline_mode
        return Text(
            f"Wysłano do KSeF jako fakturę offline ({mode}).", f"Sent to KSeF as an offline invoice ({mode})."
        )
    if document.issued_on is None or warsaw_day(arrived) <= document.issued_on:
        return Text("Wysłano do KSeF.", "Sent to KSeF.")
    day = document.issued_on
    return Text(
        f"Wysłano do KSeF po dniu wystawienia ({day}), bo wcześniej się nie dało: KSeF oznaczy fakturę "
        "jako wystawioną w trybie offline.",
        f"Sent to KSeF after its day of issue ({day}), because it could not go before: KSeF marks it as "
        "issued offline.",
    )


def _refused(services: Services, document_id: int, error: KsefRefused) -> Document:
    said = f" ({error.code})" if error.code is not None else ""

    def note_refusal(row: Document) -> None:
        row.session_reference = None
        row.refusal_code, row.refusal_text = error.code, str(error)
        life.move(
            row,
            DocumentState.REJECTED,
            Text(
                f"KSeF nie przyjął dokumentu{said}. {error.hint.pl}".strip(),
                f"KSeF did not take the document{said}. {error.hint.en}".strip(),
            ),
            services.clock(),
        )

    return life.change(services, document_id, note_refusal)
