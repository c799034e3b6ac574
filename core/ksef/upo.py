"""UPO: the Ministry's proof that it took a document.

Source: the UPO schema 4-3 (namespace ``http://upo.schematy.mf.gov.pl/KSeF/v4-3``) and the UPO operations of
the API contract; the header ``x-ms-meta-hash`` holds the SHA-256 of the file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from lxml import etree

from core.ksef import number
from core.ksef.answers import Download
from core.ksef.client import KsefClient
from core.ksef.encryption import sha256_base64
from core.ksef.errors import ProofMismatch, UnreadableAnswer

_NAMESPACE = re.compile(r"http://upo\.schematy\.mf\.gov\.pl/KSeF/v4-\d+")
# the contexts of IdKontekstu, by the names that the API uses for them
_CONTEXTS = {
    "Nip": "Nip",
    "IdWewnetrzny": "InternalId",
    "IdZlozonyVatUE": "NipVatUe",
    "IdDostawcyUslugPeppol": "PeppolId",
}


@dataclass(frozen=True, slots=True)
class UpoDocument:
    """One document of a UPO (``Dokument``).

    Attributes:
        seller_nip: NipSprzedawcy.
        ksef_number: NumerKSeFDokumentu, checked.
        invoice_number: NumerFaktury.
        issue_day: DataWystawieniaFaktury.
        sent: DataPrzeslaniaDokumentu.
        accepted: DataNadaniaNumeruKSeF, the moment of acceptance.
        document_hash: SkrotDokumentu: SHA-256 of the XML, Base64.
        mode: TrybWysylki: ``Online`` or ``Offline``.
    """

    seller_nip: str
    ksef_number: str
    invoice_number: str
    issue_day: date
    sent: datetime
    accepted: datetime
    document_hash: str
    mode: str


@dataclass(frozen=True, slots=True)
class Upo:
    """A UPO of one document or of a session (``Potwierdzenie``).

    Attributes:
        session_reference: NumerReferencyjnySesji.
        context_type: ``Nip``, ``InternalId``, ``NipVatUe`` or ``PeppolId``.
        context_value: value of the context.
        form_code: KodFormularza, e.g. ``FA (3)``.
        documents: the documents it proves.
        page: page and number of pages of a session's UPO; None for one document's.
    """

    session_reference: str
    context_type: str
    context_value: str
    form_code: str
    documents: tuple[UpoDocument, ...]
    page: tuple[int, int] | None = None


def fetch(client: KsefClient, access: str, session_reference: str, reference: str) -> bytes:
    """A document's UPO by its reference number
    (``GET /sessions/{referenceNumber}/invoices/{invoiceReferenceNumber}/upo``).

    Args:
        client: the client, of the seller's context.
        access: access token.
        session_reference: reference number of the session.
        reference: reference number of the document in it.

    Returns:
        The file, byte for byte; it is signed, so store exactly these bytes.

    Raises:
        NotFound: there is none (yet).
        UnreadableAnswer: something else came; ask again.
        ProofMismatch: the file is not what the announced hash says.
    """  # noqa: D205 - the operation's name is longer than a line
    return _checked(client.upo(access, session_reference, reference))


def fetch_by_number(client: KsefClient, access: str, session_reference: str, ksef_number: str) -> bytes:
    """A document's UPO by its number (``GET /sessions/{referenceNumber}/invoices/ksef/{ksefNumber}/upo``).

    Args and errors as in :func:`fetch`.
    """
    return _checked(client.upo_by_number(access, session_reference, ksef_number))


def fetch_page(client: KsefClient, access: str, session_reference: str, page: str) -> bytes:
    """A page of a session's UPO by its reference number
    (``GET /sessions/{referenceNumber}/upo/{upoReferenceNumber}``).

    Args and errors as in :func:`fetch`.
    """  # noqa: D205 - the operation's name is longer than a line
    return _checked(client.session_upo(access, session_reference, page))


def fetch_url(client: KsefClient, url: str) -> bytes:
    """A UPO by its presigned address (``upoDownloadUrl``), without a token and outside the limits.

    Raises:
        KsefError: the address has expired or does not answer; ask for the status again for a new one.
        ProofMismatch: the file is not what the announced hash says.
    """
    return _checked(client.download(url))


def parse_upo(xml: bytes) -> Upo:
    """Read a UPO 4-x. Its signature is not checked here, see :mod:`core.ksef.upo_signature`.

    Raises:
        ProofMismatch: this is no UPO, or a field of it is missing or wrong.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError:
        raise ProofMismatch("the UPO is not well-formed XML") from None
    name = etree.QName(root)
    if name.localname != "Potwierdzenie" or not _NAMESPACE.fullmatch(name.namespace or ""):
        raise ProofMismatch("the file is no UPO 4-x")
    return _Reader(root, name.namespace or "").upo()


def check_upo(upo: Upo, document_hash: str, ksef_number: str | None = None) -> UpoDocument:
    """Find our document in a UPO and check that it is the one we sent.

    Args:
        upo: the parsed UPO.
        document_hash: SHA-256 of our XML bytes, Base64.
        ksef_number: its KSeF number; None accepts the one in the UPO.

    Returns:
        The UPO's entry of our document.

    Raises:
        ProofMismatch: our document is not in it, or with another number.
    """
    entry = next((item for item in upo.documents if item.document_hash == document_hash), None)
    if entry is None:
        raise ProofMismatch("the UPO does not prove our document: its hash is not in it")
    if ksef_number is not None and entry.ksef_number != ksef_number:
        raise ProofMismatch(f"the UPO gives our document the number {entry.ksef_number}, not {ksef_number}")
    return entry


def check_page(
    upo: Upo, session_reference: str, page: tuple[int, int], ours: Mapping[str, str]
) -> frozenset[str]:
    """Check a page of a session's UPO against what we know of the session.

    Args:
        upo: the parsed page.
        session_reference: reference number of the session.
        page: which page it is to be, and of how many.
        ours: KSeF numbers of our documents in the session to SHA-256 of their XML bytes, Base64.

    Returns:
        KSeF numbers of our documents that it proves.

    Raises:
        ProofMismatch: it is of another session or another page, or names one of our documents with another
            hash, or another number with one of our hashes.
    """
    if upo.session_reference != session_reference:
        raise ProofMismatch(f"the UPO is of session {upo.session_reference}, not of {session_reference}")
    if (upo.page or (1, 1)) != page:
        raise ProofMismatch("the UPO is another page than the one that was asked for")
    numbers = {digest: number_ for number_, digest in ours.items()}
    for entry in upo.documents:
        known = ours.get(entry.ksef_number)
        if known is not None and known != entry.document_hash:
            raise ProofMismatch(f"the UPO names {entry.ksef_number} with another hash than our document's")
        if numbers.get(entry.document_hash, entry.ksef_number) != entry.ksef_number:
            raise ProofMismatch(f"the UPO gives a document of ours the number {entry.ksef_number}")
    return frozenset(entry.ksef_number for entry in upo.documents if entry.ksef_number in ours)


def _checked(download: Download) -> bytes:
    announced = download.announced_hash
    if announced is None and b"Potwierdzenie" not in download.content[:2000]:
        # a page of something between us and KSeF: no proof against us, ask again
        raise UnreadableAnswer("the answer is no UPO")
    if announced is not None and announced != sha256_base64(download.content):
        raise ProofMismatch("the UPO differs from the hash that KSeF announced for it")
    return download.content


class _Reader:
    """Reads the elements of one UPO."""

    def __init__(self, root: etree._Element, namespace: str) -> None:
        self._root = root
        self._ns = namespace

    def upo(self) -> Upo:
        context = self._element(self._element(self._root, "Uwierzytelnienie"), "IdKontekstu")
        kind, value = self._context(context)
        documents = tuple(self._document(item) for item in self._root.iterchildren(self._name("Dokument")))
        if not documents:
            raise ProofMismatch("the UPO names no document")
        return Upo(
            session_reference=self._text(self._root, "NumerReferencyjnySesji"),
            context_type=kind,
            context_value=value,
            form_code=self._text(self._root, "KodFormularza"),
            documents=documents,
            page=self._page(),
        )

    def _document(self, item: etree._Element) -> UpoDocument:
        text = self._text(item, "NumerKSeFDokumentu")
        try:
            ksef_number = number.parse(text).value
            issue_day = date.fromisoformat(self._text(item, "DataWystawieniaFaktury")[:10])
        except ValueError as error:
            raise ProofMismatch(f"the UPO has a wrong field: {error}") from None
        return UpoDocument(
            seller_nip=self._text(item, "NipSprzedawcy"),
            ksef_number=ksef_number,
            invoice_number=self._text(item, "NumerFaktury"),
            issue_day=issue_day,
            sent=self._moment(item, "DataPrzeslaniaDokumentu"),
            accepted=self._moment(item, "DataNadaniaNumeruKSeF"),
            document_hash=self._text(item, "SkrotDokumentu"),
            mode=self._text(item, "TrybWysylki"),
        )

    def _context(self, element: etree._Element) -> tuple[str, str]:
        for local, kind in _CONTEXTS.items():
            found = element.find(self._name(local))
            if found is not None:
                return kind, (found.text or "").strip()
        raise ProofMismatch("the UPO names no context")

    def _page(self) -> tuple[int, int] | None:
        description = self._root.find(self._name("OpisPotwierdzenia"))
        if description is None:
            return None
        try:
            return int(self._text(description, "Strona")), int(self._text(description, "LiczbaStron"))
        except ValueError:
            raise ProofMismatch("the UPO's page is no number") from None

    def _moment(self, parent: etree._Element, name: str) -> datetime:
        try:
            moment = datetime.fromisoformat(self._text(parent, name))
        except ValueError:
            raise ProofMismatch(f"the UPO's {name} is no time") from None
        if moment.tzinfo is None:
            raise ProofMismatch(f"the UPO's {name} has no zone")
        return moment

    def _text(self, parent: etree._Element, name: str) -> str:
        text = (self._element(parent, name).text or "").strip()
        if not text:
            raise ProofMismatch(f"the UPO's {name} is empty")
        return text

    def _element(self, parent: etree._Element, name: str) -> etree._Element:
        found = parent.find(self._name(name))
        if found is None:
            raise ProofMismatch(f"the UPO lacks {name}")
        return found

    def _name(self, local: str) -> str:
        return f"{{{self._ns}}}{local}"
