"""At 440, and after sending more than once: is what KSeF has our own document?

A KSeF number is adopted only when the session lists a document with our hash under it. When that cannot be
looked up, nothing is adopted and nothing is called foreign.
"""

from __future__ import annotations

from dataclasses import dataclass

from connector_app.ksef_access import SellerAccess, hash_text
from connector_app.store.models import Document
from core.findings import Finding, Severity, Text
from core.ksef import status
from core.ksef.answers import DocumentState as KsefState
from core.ksef.answers import DocumentStatus
from core.ksef.errors import AuthenticationFailed, KsefRefused, Unauthorized


@dataclass(frozen=True, slots=True)
class Search:
    """What was found about an earlier copy of a document.

    Attributes:
        session: reference of the session that brought it; empty when there is none.
        copy: the accepted document with our very bytes.
        foreign: KSeF certainly has another document under this number.
    """

    session: str = ""
    copy: DocumentStatus | None = None
    foreign: bool = False


NOTHING = Search()
"""Nothing was searched for, or nothing was found."""


def search(access: SellerAccess, document: Document, fate: DocumentStatus) -> Search:
    """Look for an accepted copy of a document in every session that may have brought it.

    Args:
        access: the seller's sign-in.
        document: ours.
        fate: what KSeF says about its last sending.

    Raises:
        KsefUnavailable: KSeF does not answer.
        Unauthorized, AuthenticationFailed: KSeF does not let us in.
    """
    ours = hash_text(document.xml_sha256 or "")
    named = fate.original_session_reference
    number = fate.original_ksef_number
    listed: set[str] = set()
    tried: list[str] = [*(document.tried_sessions or []), document.session_reference or ""]
    for session in dict.fromkeys([named or "", *reversed(tried)]):
        if not session:
            continue
        try:
            same = _find(access, session, ours)
        except (Unauthorized, AuthenticationFailed):
            raise
        except KsefRefused:
            continue  # not ours to look into
        listed.add(session)
        for one in same:
            if one.state is KsefState.ACCEPTED and number in {None, one.ksef_number}:
                return Search(session, one)
    return Search(foreign=named in listed and number is not None)


def _find(access: SellerAccess, session: str, document_hash: str) -> tuple[DocumentStatus, ...]:
    return access.call(lambda token: status.find(access.client, token, session, document_hash))


def foreign(fate: DocumentStatus) -> Finding:
    """KSeF has another document under this number."""
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


def not_comparable(fate: DocumentStatus) -> Finding:
    """KSeF has a document under this number, and whether it is ours cannot be found out."""
    other = fate.original_ksef_number or "?"
    return Finding(
        "duplicate-not-comparable",
        Severity.ERROR,
        "Faktura/Fa/P_2",
        Text(
            f"KSeF ma już fakturę z tym numerem ({other}), ale nie pozwala sprawdzić, czy to ta sama.",
            f"KSeF already has an invoice with this number ({other}) but does not let us see whether it is "
            "the same one.",
        ),
        Text(
            "Porównaj ją w Aplikacji Podatnika z tą fakturą. Jeśli to ta sama, nadaj uprawnienie InvoiceRead "
            "i ponów; jeśli inna, zmień wzór numeracji.",
            "Compare it with this one in the Taxpayer's Application. If it is the same, grant InvoiceRead "
            "and retry; if it is another, change the number pattern.",
        ),
        "KSeF: uniqueness by NIP, RodzajFaktury and P_2 (status 440)",
    )
