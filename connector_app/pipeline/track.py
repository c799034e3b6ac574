"""Track: what became of a sent document, and its proof."""

from __future__ import annotations

from connector_app.ksef_access import SellerAccess, hash_text
from connector_app.pipeline import life
from connector_app.pipeline.services import Services
from connector_app.pipeline.submit import LaneBlocked
from connector_app.store.models import Document, DocumentState
from core.findings import Finding, Severity, Text
from core.ksef import status, upo
from core.ksef.answers import DocumentState as KsefState
from core.ksef.answers import DocumentStatus
from core.ksef.errors import KsefBusy, KsefError, KsefRefused, KsefUnavailable, ProofMismatch
from core.ksef.explanations import CodeKind, explain


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
        LaneBlocked: KSeF does not answer; the document is as it was.
    """
    with services.database() as session:
        document = session.get_one(Document, document_id)
    if document.state != DocumentState.SENT:
        return document
    session_reference, reference = document.session_reference or "", document.document_reference or ""
    try:
        fate = access.call(lambda token: status.document(access.client, token, session_reference, reference))
        original = _find_original(access, document, fate) if fate.state is KsefState.DUPLICATE else None
    except (KsefBusy, KsefUnavailable) as error:
        raise LaneBlocked(str(error)) from error
    except KsefRefused as error:
        why = Text(f"KSeF nie podał stanu dokumentu: {error}", f"KSeF gave no status: {error}")
        return life.postpone_one(services, document_id, why)
    return life.change(services, document_id, lambda row: _apply(services, row, fate, original))


def _apply(services: Services, row: Document, fate: DocumentStatus, original: DocumentStatus | None) -> None:
    now = services.clock()
    match fate.state:
        case KsefState.PROCESSING:
            life.poll_later(row, now)
        case KsefState.ACCEPTED:
            _accept(services, row, fate)
        case KsefState.DUPLICATE if original is not None:
            row.session_reference = fate.original_session_reference
            row.document_reference = original.reference
            _accept(services, row, original)
        case KsefState.DUPLICATE:
            life.ask(row, [_foreign_duplicate(fate)], now)
        case KsefState.RETRY:
            row.session_reference = row.document_reference = None
            row.state = DocumentState.ISSUED.value
            life.postpone(
                row,
                Text(
                    f"KSeF przerwał przetwarzanie ({fate.code}); dokument zostanie wysłany ponownie.",
                    f"KSeF cancelled the processing ({fate.code}); the document is sent again.",
                ),
                now,
            )
            life.note(row, Text("Do ponownej wysyłki.", "To be sent again."), now)
        case KsefState.REJECTED | KsefState.UNKNOWN:
            _reject(services, row, fate)


def _accept(services: Services, row: Document, fate: DocumentStatus) -> None:
    row.ksef_number = fate.ksef_number
    row.accepted_at = fate.acquisition_date or services.clock()
    life.move(
        row,
        DocumentState.ACCEPTED,
        Text(f"KSeF nadał numer {fate.ksef_number}.", f"KSeF gave the number {fate.ksef_number}."),
        services.clock(),
    )


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


def _find_original(access: SellerAccess, document: Document, fate: DocumentStatus) -> DocumentStatus | None:
    """At 440: the earlier document, when it is byte for byte ours."""
    session, number = fate.original_session_reference, fate.original_ksef_number
    if not session or not number:
        return None
    ours = hash_text(document.xml_sha256 or "")
    try:
        same = access.call(lambda token: status.find(access.client, token, session, ours))
    except KsefRefused:
        return None  # a session of another program cannot be looked into: not ours
    return next((one for one in same if one.ksef_number == number), None)


def _foreign_duplicate(fate: DocumentStatus) -> Finding:
    other = fate.original_ksef_number or "?"
    return Finding(
        "number-used-by-another-document",
        Severity.ERROR,
        "Faktura/Fa/P_2",
        Text(
            f"KSeF ma już inną fakturę z tym numerem: {other}.",
            f"KSeF already has another invoice with this number: {other}.",
        ),
        Text(
            "Sprawdź, który program wystawił tamtą fakturę, i zmień wzór numeracji sprzedawcy.",
            "Find out which program issued that invoice, and change the number pattern of the seller.",
        ),
        "KSeF: uniqueness by NIP, RodzajFaktury and P_2 (status 440)",
    )


def collect_upo(services: Services, document_id: int, access: SellerAccess) -> Document:
    """Fetch, check and keep the UPO of one accepted document that has none.

    Raises:
        LaneBlocked: KSeF does not answer.
    """
    with services.database() as session:
        document = session.get_one(Document, document_id)
    number, session_reference = document.ksef_number, document.session_reference or ""
    if number is None or document.xml_sha256 is None:
        return document
    ours = hash_text(document.xml_sha256)
    try:
        proof = access.call(
            lambda token: upo.fetch_by_number(access.client, token, session_reference, number)
        )
        upo.check_upo(upo.parse_upo(proof), ours, number)
    except (KsefBusy, KsefUnavailable) as error:
        raise LaneBlocked(str(error)) from error
    except (KsefRefused, ProofMismatch) as error:
        return life.postpone_one(services, document_id, _no_proof(error))

    def keep(row: Document) -> None:
        row.upo = proof
        row.attempts, row.next_attempt_at, row.waiting_for = 0, None, None
        life.note(row, Text("Pobrano UPO.", "The UPO was fetched."), services.clock())

    return life.change(services, document_id, keep)


def _no_proof(error: KsefError) -> Text:
    return Text(f"Nie udało się pobrać UPO: {error}", f"The UPO could not be fetched: {error}")
