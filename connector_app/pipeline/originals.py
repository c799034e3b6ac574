"""At 440, and after sending more than once: is what KSeF has our own document?

A KSeF number is adopted only when KSeF tells that the document under it has our hash: in the list of a
session that brought it, in its metadata, or by giving its bytes back (the last two need InvoiceRead).
When that cannot be looked up, nothing is adopted and nothing is called foreign.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from connector_app.ksef_access import SellerAccess, hash_text
from connector_app.store.models import Document
from core.fa import schema
from core.fa.read import UnreadableDocument, read
from core.fa.registry import UnknownSchema
from core.findings import Finding, Severity, Text
from core.ksef import invoices, number, status
from core.ksef.answers import DocumentState as KsefState
from core.ksef.answers import DocumentStatus
from core.ksef.errors import AuthenticationFailed, KsefBusy, KsefRefused, ProofMismatch, Unauthorized
from core.ksef.invoices import DateRange, DateType, FetchedInvoice, InvoiceQuery
from core.ksef.metadata import InvoiceMetadata

_TAKEN_BEFORE, _TAKEN_AFTER = timedelta(days=30), timedelta(days=3)
"""KSeF may have taken a document some time before the day that its KSeF number names."""


@dataclass(frozen=True, slots=True)
class Copy:
    """Our very bytes, accepted by KSeF.

    Attributes:
        ksef_number: its number.
        accepted_at: when KSeF gave it; ``None`` when KSeF does not tell.
        mode: ``Online`` or ``Offline``; empty when KSeF does not tell.
        session: reference of the session that brought it; empty when it is not known.
        reference: of the document in that session.
    """

    ksef_number: str
    accepted_at: datetime | None = None
    mode: str = ""
    session: str = ""
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Other:
    """Another document that KSeF has under our number.

    Attributes:
        ksef_number: its number at KSeF.
        number: P_2.
        issued_on: P_1.
        buyer: identifier of Podmiot2, or its name; may be empty.
    """

    ksef_number: str
    number: str
    issued_on: date
    buyer: str


@dataclass(frozen=True, slots=True)
class Search:
    """What was found about an earlier copy of a document.

    Attributes:
        copy: the accepted document with our very bytes.
        foreign: KSeF certainly has another document under this number.
        other: that document, when KSeF lets us read it.
    """

    copy: Copy | None = None
    foreign: bool = False
    other: Other | None = None


NOTHING = Search()
"""Nothing was searched for, or nothing was found."""


def search(access: SellerAccess, document: Document, fate: DocumentStatus) -> Search:
    """Look for an accepted copy of a document: in the sessions that may have brought it, then by its number.

    Args:
        access: the seller's sign-in.
        document: ours.
        fate: what KSeF says about its last sending.

    Raises:
        KsefUnavailable: KSeF does not answer.
        Unauthorized, AuthenticationFailed: KSeF does not let us in.
    """
    ours = hash_text(document.xml_sha256 or "")
    in_sessions = _search_sessions(access, document, fate, ours)
    if in_sessions.copy is not None or fate.original_ksef_number is None:
        return in_sessions
    original = _read_original(access, fate.original_ksef_number, ours)
    if original is None:
        return in_sessions
    if isinstance(original, Other):
        return Search(foreign=True, other=original)
    return Search(
        Copy(original.ksef_number, original.accepted_at, original.mode, fate.original_session_reference or "")
    )


def _search_sessions(access: SellerAccess, document: Document, fate: DocumentStatus, ours: str) -> Search:
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
            if one.state is KsefState.ACCEPTED and one.ksef_number and number in {None, one.ksef_number}:
                return Search(
                    Copy(one.ksef_number, one.acquisition_date, one.mode or "", session, one.reference)
                )
    return Search(foreign=named in listed and number is not None)


def _find(access: SellerAccess, session: str, document_hash: str) -> tuple[DocumentStatus, ...]:
    return access.call(lambda token: status.find(access.client, token, session, document_hash))


def _read_original(access: SellerAccess, ksef_number: str, ours: str) -> Copy | Other | None:
    """What KSeF has under a number; ``None`` when it does not let us read it, or not now."""
    for look in (_by_metadata, _by_content):
        try:
            found = look(access, ksef_number, ours)
        except (Unauthorized, AuthenticationFailed):
            raise
        except (KsefRefused, KsefBusy, ProofMismatch):
            # a limit of reading must not hold up the asking for other documents
            continue
        if found is not None:
            return found
    return None


def _by_metadata(access: SellerAccess, ksef_number: str, ours: str) -> Copy | Other | None:
    midnight = datetime.combine(number.parse(ksef_number).day, time(), UTC)
    dates = DateRange(midnight - _TAKEN_BEFORE, midnight + _TAKEN_AFTER, DateType.INVOICING)
    query = InvoiceQuery(dates, ksef_number=ksef_number)
    page = access.call(lambda token: invoices.page(access.client, token, query, size=10))
    for one in page.invoices:
        if one.ksef_number == ksef_number:
            return _copy_or_other(one, ours)
    return None


def _copy_or_other(one: InvoiceMetadata, ours: str) -> Copy | Other:
    if one.invoice_hash == ours:
        return Copy(one.ksef_number, one.acquisition_date, one.mode)
    return Other(one.ksef_number, one.number, one.issued_on, one.buyer.value or one.buyer.name)


def _by_content(access: SellerAccess, ksef_number: str, ours: str) -> Copy | Other | None:
    found: FetchedInvoice = access.call(lambda token: invoices.fetch(access.client, token, ksef_number))
    if found.hash == ours:
        return Copy(ksef_number)
    try:
        invoice = read(schema.parse(found.content)).invoice
    except (schema.MalformedXml, UnknownSchema, UnreadableDocument):
        return None
    return Other(
        ksef_number, invoice.number, invoice.issued_on, invoice.buyer.tax_id.value or invoice.buyer.name
    )


def foreign(fate: DocumentStatus, other: Other | None) -> Finding:
    """KSeF has another document under this number.

    Args:
        fate: what KSeF says about ours.
        other: that document, when it could be read.
    """
    message = Text(
        f"KSeF ma już inną fakturę z tym numerem: {fate.original_ksef_number or '?'}.",
        f"KSeF already has another invoice with this number: {fate.original_ksef_number or '?'}.",
    )
    if other is not None:
        message = Text(
            f"KSeF ma już inną fakturę z tym numerem: {other.number} z {other.issued_on:%d.%m.%Y}, nabywca "
            f"{other.buyer or 'bez identyfikatora'}, numer KSeF {other.ksef_number}.",
            f"KSeF already has another invoice with this number: {other.number} of "
            f"{other.issued_on:%Y-%m-%d}, buyer {other.buyer or 'without identifier'}, KSeF number "
            f"{other.ksef_number}.",
        )
    return Finding(
        "number-used-by-another-document",
        Severity.ERROR,
        "Faktura/Fa/P_2",
        message,
        Text(
            "Sprawdź, który program wystawił tamtą fakturę, i zmień wzór numeracji sprzedawcy. Jeśli ta "
            "instalacja straciła bazę danych: ksef-connector recover.",
            "Find out which program issued that invoice, and change the number pattern of the seller. If "
            "this installation has lost its database: ksef-connector recover.",
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
