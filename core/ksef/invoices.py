"""Fetching back: an invoice by its KSeF number, and lists of invoices by what KSeF knows of them.

Source: ``GET /invoices/ksef/{ksefNumber}`` and ``POST /invoices/query/metadata`` of the API contract. Both
ask for the permission InvoiceRead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, TypeVar

from core.ksef.calls import Operation
from core.ksef.client import KsefClient
from core.ksef.encryption import sha256_base64
from core.ksef.errors import ProofMismatch, UnreadableAnswer
from core.ksef.fields import Fields, json_number
from core.ksef.metadata import InvoiceMetadata

_FETCH = Operation("GET /invoices/ksef/{ksefNumber}")
_QUERY = Operation("POST /invoices/query/metadata")

LARGEST_PAGE = 250
"""Invoices that one answer of the metadata query can hold (``pageSize``)."""

LONGEST_RANGE_DAYS = 100
"""Days that one query or export may span (``InvoiceQueryFilters.dateRange``)."""

Value = TypeVar("Value")


class Ask(Protocol):
    """Does something with a usable access token, signing in anew when that is needed."""

    def __call__(self, operation: Callable[[str], Value], /) -> Value:
        """Call an operation with an access token and give its answer."""
        ...


class SubjectType(StrEnum):
    """Whose invoices are looked for (``InvoiceQuerySubjectType``): the context's role on them."""

    SELLER = "Subject1"
    BUYER = "Subject2"
    THIRD = "Subject3"
    AUTHORIZED = "SubjectAuthorized"


class DateType(StrEnum):
    """Which date a range means (``InvoiceQueryDateType``)."""

    ISSUE = "Issue"
    INVOICING = "Invoicing"
    PERMANENT_STORAGE = "PermanentStorage"


@dataclass(frozen=True, slots=True)
class DateRange:
    """From when to when, both ends included.

    Attributes:
        start: aware; a range spans at most :data:`LONGEST_RANGE_DAYS`.
        end: aware; None means now.
        type: which date.
        only_complete: end no later than KSeF's data is complete (``restrictToPermanentStorageHwmDate``),
            which only :attr:`DateType.PERMANENT_STORAGE` knows.
    """

    start: datetime
    end: datetime | None = None
    type: DateType = DateType.PERMANENT_STORAGE
    only_complete: bool = False

    def as_json(self) -> dict[str, object]:
        """``InvoiceQueryDateRange`` of the contract."""
        body: dict[str, object] = {"dateType": self.type.value, "from": _moment(self.start)}
        if self.end is not None:
            body["to"] = _moment(self.end)
        if self.only_complete:
            body["restrictToPermanentStorageHwmDate"] = True
        return body


@dataclass(frozen=True, slots=True)
class InvoiceQuery:
    """``InvoiceQueryFilters``: which invoices; what is left out restricts nothing.

    Attributes:
        dates: the range of dates.
        subject: the context's role.
        ksef_number, number: of one invoice, exactly.
        seller_nip: NIP of Podmiot1.
        buyer: type (``Nip``, ``VatUe``, ``Other``, ``None``) and value of Podmiot2's identifier.
        amount_type: ``Brutto``, ``Netto`` or ``Vat``: what the bounds mean.
        amount_from, amount_to: bounds.
        currencies: ISO 4217 codes.
        mode: ``Online`` or ``Offline``.
        form: ``FA``, ``PEF`` or ``FA_RR``.
        kinds: InvoiceType names such as ``Vat``, ``Kor``.
        self_invoicing, has_attachment: only with, or only without.
    """

    dates: DateRange
    subject: SubjectType = SubjectType.SELLER
    ksef_number: str = ""
    number: str = ""
    seller_nip: str = ""
    buyer: tuple[str, str] | None = None
    amount_type: str = "Brutto"
    amount_from: Decimal | None = None
    amount_to: Decimal | None = None
    currencies: tuple[str, ...] = ()
    mode: str = ""
    form: str = ""
    kinds: tuple[str, ...] = ()
    self_invoicing: bool | None = None
    has_attachment: bool | None = None

    def as_json(self) -> dict[str, object]:
        """``InvoiceQueryFilters`` of the contract."""
        body: dict[str, object | None] = {
            "subjectType": self.subject.value,
            "dateRange": self.dates.as_json(),
            "ksefNumber": self.ksef_number or None,
            "invoiceNumber": self.number or None,
            "amount": self._amount(),
            "sellerNip": self.seller_nip or None,
            "buyerIdentifier": self._buyer(),
            "currencyCodes": list(self.currencies) or None,
            "invoicingMode": self.mode or None,
            "isSelfInvoicing": self.self_invoicing,
            "formType": self.form or None,
            "invoiceTypes": list(self.kinds) or None,
            "hasAttachment": self.has_attachment,
        }
        return {name: value for name, value in body.items() if value is not None}

    def _amount(self) -> dict[str, object] | None:
        bounds = {"from": self.amount_from, "to": self.amount_to}
        given = {name: json_number(value) for name, value in bounds.items() if value is not None}
        return {"type": self.amount_type, **given} if given else None

    def _buyer(self) -> dict[str, object] | None:
        if self.buyer is None:
            return None
        kind, value = self.buyer
        return {"type": kind, "value": value} if value else {"type": kind}


@dataclass(frozen=True, slots=True)
class MetadataPage:
    """``QueryInvoicesMetadataResponse``: some invoices, and whether and how to go on.

    Attributes:
        invoices: in the order of the query's date.
        has_more: there are further pages.
        is_truncated: 10 000 were reached; the rest comes by a range that begins at the last date.
        complete_until: up to when KSeF's data is complete (``permanentStorageHwmDate``); None for other
            dates than that of permanent storage.
    """

    invoices: tuple[InvoiceMetadata, ...]
    has_more: bool
    is_truncated: bool
    complete_until: datetime | None

    @classmethod
    def read(cls, data: Fields) -> MetadataPage:
        """Read the answer; raises FieldError."""
        return cls(
            tuple(InvoiceMetadata.read(item) for item in data.children("invoices")),
            data.flag("hasMore"),
            data.flag("isTruncated"),
            data.optional_moment("permanentStorageHwmDate"),
        )


@dataclass(frozen=True, slots=True)
class FetchedInvoice:
    """An invoice that KSeF gave back.

    Attributes:
        content: the XML, byte for byte.
        hash: its SHA-256 in Base64, computed from the bytes.
    """

    content: bytes = field(repr=False)
    hash: str


def fetch(client: KsefClient, access: str, ksef_number: str, *, known_hash: str = "") -> FetchedInvoice:
    """An invoice by its KSeF number (``GET /invoices/ksef/{ksefNumber}``; 64 an hour).

    Args:
        client: the client, of the context's NIP.
        access: access token.
        ksef_number: of an invoice that the context may read.
        known_hash: SHA-256 in Base64 from the invoice's metadata; empty when it is not known.

    Raises:
        NotFound: KSeF has no such invoice for this context (21164).
        NotYetAvailable: it was processed and can be had later (21165).
        Forbidden: no permission InvoiceRead.
        UnreadableAnswer: neither the header ``x-ms-meta-hash`` nor metadata says what the bytes must be.
        ProofMismatch: the bytes are not what the header or the metadata says.
    """
    answer = client.caller.call(
        _FETCH, parameters={"ksefNumber": ksef_number}, token=access, accept="application/xml"
    )
    announced = {text for text in (answer.headers.get("x-ms-meta-hash", ""), known_hash) if text}
    computed = sha256_base64(answer.body)
    if not announced:
        raise UnreadableAnswer("the invoice came without its hash", operation=_FETCH.name)
    if announced != {computed}:
        raise ProofMismatch("the invoice differs from the hash that KSeF announced", operation=_FETCH.name)
    return FetchedInvoice(answer.body, computed)


def page(
    client: KsefClient,
    access: str,
    query: InvoiceQuery,
    *,
    offset: int = 0,
    size: int = LARGEST_PAGE,
    ascending: bool = True,
) -> MetadataPage:
    """One page of a metadata query (``POST /invoices/query/metadata``; 20 an hour).

    Args:
        client: the client, of the context's NIP.
        access: access token.
        query: which invoices.
        offset: number of the page, from 0.
        size: invoices a page, 10 to :data:`LARGEST_PAGE`.
        ascending: oldest first.

    Raises:
        Forbidden: no permission InvoiceRead.
        OutsideData: ``only_complete``, and the range begins after that moment (21183).
    """
    return client.caller.ask(
        _QUERY,
        MetadataPage.read,
        token=access,
        json_body=query.as_json(),
        query={
            "sortOrder": "Asc" if ascending else "Desc",
            "pageOffset": str(offset),
            "pageSize": str(size),
        },
    )


def pages(
    client: KsefClient, ask: Ask, query: InvoiceQuery, *, size: int = LARGEST_PAGE
) -> Iterator[MetadataPage]:
    """All invoices of a query, oldest first, each once, page by page as they are asked for.

    Where KSeF cuts the result (10 000 invoices), the range begins anew at the date of the last one, and what
    comes again for sharing that date is left out.

    Args:
        client: the client, of the context's NIP.
        ask: gives an access token for each page.
        query: which invoices.
        size: invoices a page.

    Yields:
        Pages; the first one's ``complete_until`` is the high-water mark from which the next incremental
        query begins.

    Raises:
        UnreadableAnswer: more invoices share one date than KSeF lists, or a page that promises more holds
            none, which would never end.
    """
    offset = 0
    edge = _Edge(query.dates.type)
    while True:
        found = ask(_page_of(client, query, offset, size))
        yield replace(found, invoices=edge.pass_new(found.invoices))
        if not found.has_more and not found.is_truncated:
            return
        if not found.invoices:
            raise UnreadableAnswer("a page that promises more is empty", operation=_QUERY.name)
        last = date_of(found.invoices[-1], query.dates.type)
        if found.is_truncated and last > query.dates.start:
            query, offset = replace(query, dates=replace(query.dates, start=last)), 0
            continue
        offset += 1
        if offset * size >= MOST_RECORDS:
            raise UnreadableAnswer("more invoices share one date than can be listed", operation=_QUERY.name)


def _page_of(
    client: KsefClient, query: InvoiceQuery, offset: int, size: int
) -> Callable[[str], MetadataPage]:
    return lambda access: page(client, access, query, offset=offset, size=size)


class _Edge:
    """Remembers what was passed on with the newest date, which comes again when a range begins there."""

    def __init__(self, kind: DateType) -> None:
        self._kind = kind
        self._date: datetime | None = None
        self._numbers: set[str] = set()

    def pass_new(self, invoices: Iterable[InvoiceMetadata]) -> tuple[InvoiceMetadata, ...]:
        """Those that were not passed on before."""
        return tuple(one for one in invoices if self._is_new(one))

    def _is_new(self, one: InvoiceMetadata) -> bool:
        date = date_of(one, self._kind)
        if self._date is None or date > self._date:
            self._date, self._numbers = date, set()
        if one.ksef_number in self._numbers:
            return False
        self._numbers.add(one.ksef_number)
        return True


MOST_RECORDS = 10_000
"""Records that one set of filters gives before its result is cut."""


def date_of(metadata: InvoiceMetadata, kind: DateType) -> datetime:
    """The date of an invoice that a range of this kind looks at; the day of issue begins at midnight UTC."""
    match kind:
        case DateType.PERMANENT_STORAGE:
            return metadata.permanent_storage_date
        case DateType.INVOICING:
            return metadata.invoicing_date
        case DateType.ISSUE:
            return datetime(
                metadata.issued_on.year, metadata.issued_on.month, metadata.issued_on.day, tzinfo=UTC
            )


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
