"""Track: what became of a sent document."""

from __future__ import annotations

from connector_app.ksef_access import SellerAccess, hash_text
from connector_app.mail.queue import queue
from connector_app.pipeline import life, originals, session_upos
from connector_app.pipeline.originals import NOTHING, Copy, Search
from connector_app.pipeline.services import Services
from connector_app.pipeline.submit import LaneBlocked
from connector_app.store.models import Document, DocumentState
from core.findings import Finding, Severity, Text
from core.ksef import status
from core.ksef.answers import DocumentState as KsefState
from core.ksef.answers import DocumentStatus
from core.ksef.errors import AuthenticationFailed, Forbidden, KsefRefused, KsefUnavailable, Unauthorized
from core.ksef.explanations import CodeKind, explain

PATIENT_TRIES = 6
"""Tries, over some minutes, before a person is asked about an answer that may still change by itself."""

_SESSION_FAILED = 405
_PROCESSING = Text("KSeF przetwarza dokument.", "KSeF is processing the document.")
_COMPARING = Text(
    "KSeF mówi, że zna już ten numer; ustalanie, czy to ta sama faktura.",
    "KSeF says that it knows this number; finding out whether it is the same invoice.",
)


def track(services: Services, document_id: int, access: SellerAccess) -> Document:
    """Ask KSeF for the fate of one sent document.

    Args:
        services: the outside world.
        document_id: a document; in any other state than ``sent`` nothing happens.
        access: the seller's sign-in.

    Returns:
        The document as committed: still ``sent``, ``accepted``, ``rejected``, ``attention``, or back at
        ``issued`` when KSeF asks to send it again.

    Raises:
        LaneBlocked: KSeF does not answer or does not let us in; the document is as it was.
    """
    with services.database() as session:
        document = session.get_one(Document, document_id)
    if document.state != DocumentState.SENT:
        return document
    session_reference, reference = document.session_reference or "", document.document_reference or ""
    try:
        fate = access.call(lambda token: status.document(access.client, token, session_reference, reference))
        found = originals.search(access, document, fate) if asks_for_search(document, fate) else NOTHING
    except (KsefUnavailable, Unauthorized, AuthenticationFailed, Forbidden) as error:
        raise LaneBlocked(error) from error
    except KsefRefused as error:
        return _unknown_to_ksef(services, document, error)
    if fate.code == _SESSION_FAILED and access.session_reference == session_reference:
        # KSeF cannot read what is sent in this session
        access.forget_session()

    def apply(row: Document) -> None:
        if row.state == DocumentState.SENT and row.document_reference == reference:
            apply_fate(services, row, fate, found)

    return life.change(services, document_id, apply)


def asks_for_search(document: Document, fate: DocumentStatus) -> bool:
    """At 440 always; at a refusal only when an earlier sending may have been accepted."""
    if fate.state is KsefState.DUPLICATE:
        return True
    return fate.state in {KsefState.REJECTED, KsefState.UNKNOWN} and len(document.tried_sessions or []) > 1


def apply_fate(services: Services, row: Document, fate: DocumentStatus, found: Search = NOTHING) -> None:
    """Note what KSeF says about the last sending of a document.

    Args:
        services: the outside world.
        row: sent, inside a transaction.
        fate: KSeF's word.
        found: an earlier copy of the document, when it was searched for.
    """
    now = services.clock()
    if found.copy is not None:
        row.session_reference, row.document_reference = found.copy.session or None, found.copy.reference
        _accept(services, row, found.copy)
        return
    match fate.state:
        case KsefState.PROCESSING:
            life.poll_later(row, _PROCESSING, now)
        case KsefState.ACCEPTED if fate.invoice_hash != hash_text(row.xml_sha256 or ""):
            life.ask(row, [_other_bytes(fate)], now)
        case KsefState.ACCEPTED:
            _accept(services, row, _copy_of(fate))
        case KsefState.DUPLICATE if found.foreign:
            life.ask(row, [originals.foreign(fate, found.other)], now)
        case KsefState.DUPLICATE if life.tries(row, _COMPARING) < PATIENT_TRIES:
            # the original may still be on its way, or its session closed to us for a moment
            life.poll_later(row, _COMPARING, now)
        case KsefState.DUPLICATE:
            life.ask(row, [originals.not_comparable(fate)], now)
        case KsefState.RETRY:
            row.session_reference = row.document_reference = None
            row.state = DocumentState.ISSUED.value
            # each sending ends the count of failures, so that sendings themselves are counted here
            row.attempts = len(row.tried_sessions or [1]) - 1
            life.postpone(row, _again_text(fate), now)
            life.note(row, _again_text(fate), now)
        case KsefState.REJECTED | KsefState.UNKNOWN:
            _reject(services, row, fate)


def _again_text(fate: DocumentStatus) -> Text:
    return Text(
        f"KSeF przerwał przetwarzanie ({fate.code}); dokument zostanie wysłany ponownie.",
        f"KSeF cancelled the processing ({fate.code}); the document is sent again.",
    )


def _copy_of(fate: DocumentStatus) -> Copy:
    return Copy(fate.ksef_number or "", fate.acquisition_date, fate.mode or "")


def _accept(services: Services, row: Document, found: Copy) -> None:
    row.ksef_number = found.ksef_number
    row.accepted_at = found.accepted_at or services.clock()
    offline = found.mode == "Offline"
    life.move(
        row,
        DocumentState.ACCEPTED,
        Text(
            f"KSeF nadał numer {found.ksef_number}{' (tryb offline)' if offline else ''}.",
            f"KSeF gave the number {found.ksef_number}{' (offline mode)' if offline else ''}.",
        ),
        services.clock(),
    )
    session_upos.expect(row, services.clock())
    life.wake(row, services.clock())
    queue(row, services.clock())


def _reject(services: Services, row: Document, fate: DocumentStatus) -> None:
    explained = explain(fate.code, CodeKind.DOCUMENT)
    row.refusal_code = fate.code
    row.refusal_text = " ".join((fate.description, *fate.details))
    life.move(
        row,
        DocumentState.REJECTED,
        Text(
            f"{explained.title.pl} ({fate.code}). {explained.action.pl}".strip(),
            f"{explained.title.en} ({fate.code}). {explained.action.en}".strip(),
        ),
        services.clock(),
    )


def _unknown_to_ksef(services: Services, document: Document, error: KsefRefused) -> Document:
    """KSeF refuses to tell: later again, and in the end a person decides; it is never just forgotten."""
    why = Text(f"KSeF nie podał stanu dokumentu: {error}", f"KSeF gave no status: {error}")
    if life.tries(document, why) < PATIENT_TRIES:
        return life.postpone_one(services, document.id, why)
    finding = Finding(
        "sent-document-unknown-to-ksef",
        Severity.ERROR,
        "",
        Text(
            f"Dokument wysłano, ale KSeF nie podaje jego stanu: {error}",
            f"The document was sent, but KSeF does not tell its state: {error}",
        ),
        Text(
            "Ponów: te same bajty pójdą jeszcze raz. Jeśli KSeF już je ma, odda ich numer zamiast przyjąć "
            "drugą fakturę.",
            "Retry: the same bytes go again. If KSeF has them, it gives their number back and takes no "
            "second invoice.",
        ),
    )
    return life.change(services, document.id, lambda row: life.ask(row, [finding], services.clock()))


def _other_bytes(fate: DocumentStatus) -> Finding:
    return Finding(
        "ksef-has-other-bytes",
        Severity.ERROR,
        "",
        Text(
            f"KSeF przyjął pod tym numerem referencyjnym inne bajty ({fate.ksef_number}).",
            f"KSeF accepted other bytes under this reference number ({fate.ksef_number}).",
        ),
        Text(
            "Pobierz tę fakturę w Aplikacji Podatnika i porównaj ją z zapisaną.",
            "Fetch that invoice in the Taxpayer's Application and compare it with the stored one.",
        ),
    )
