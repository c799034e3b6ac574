"""Collective identifiers: one transfer title for the payment of several invoices of one seller.

Source: ``/collective-identifiers`` of the API contract (2.7 and later). From the day that
:data:`core.law.KSEF_NUMBER_IN_TRANSFERS` tells, a transfer between VAT payers has to name the KSeF number or
such an identifier.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

from core.ksef import number
from core.ksef.calls import Operation
from core.ksef.client import KsefClient
from core.ksef.errors import UnreadableAnswer
from core.ksef.fields import FieldError, Fields, json_number
from core.ksef.invoices import Ask

_CREATE = Operation("POST /collective-identifiers", changes=True)
_QUERY = Operation("POST /collective-identifiers/query")
_INVOICES = Operation("POST /collective-identifiers/invoices")
_OF_INVOICE = Operation("GET /collective-identifiers/ksef/{ksefNumber}")

FEWEST_INVOICES = 2
MOST_INVOICES = 500
"""Invoices of one identifier by default; ``GET /limits/context`` tells the limit of a context."""

MOST_IDENTIFIERS = 10
"""Identifiers that one question about their invoices may name."""

_FORM = re.compile(r"[1-9]\d{9}-IZ\d{4}(0[1-9]|1[0-2])-[0-9A-F]{12}-[0-9A-F]{2}", re.ASCII)
_PAGE, _INVOICES_PAGE = 200, 500

Entry = TypeVar("Entry")


class IdentifierError(ValueError):
    """A text that is no collective identifier; the message shows the text."""


def parse(text: str) -> str:
    """Check a collective identifier: form, and CRC-8 as in a KSeF number.

    Raises:
        IdentifierError: it is none.
    """
    if _FORM.fullmatch(text) is None:
        raise IdentifierError(f"{text!r} does not have the form of a collective identifier")
    expected = number.crc8(text[:-3])
    if not text.endswith(expected):
        raise IdentifierError(f"{text!r} has check digits {text[-2:]}, expected {expected}")
    return text


@dataclass(frozen=True, slots=True)
class PaidInvoice:
    """``CollectiveIdentifierInvoice``: an invoice of an identifier.

    Attributes:
        ksef_number: of the invoice.
        amount: what is paid for it; None when that is not stated.
        currency: of the amount; empty without one.
        description: up to 512 characters; may be empty.
        identifier: the identifier it belongs to; empty in a request.
        is_hidden: amount and description are there, but not for this context.
    """

    ksef_number: str
    amount: Decimal | None = None
    currency: str = ""
    description: str = ""
    identifier: str = ""
    is_hidden: bool = False

    def as_json(self) -> dict[str, object]:
        """The invoice in a request."""
        body: dict[str, object] = {"ksefNumber": self.ksef_number}
        if self.amount is not None:
            body["payment"] = {"amount": json_number(self.amount), "currency": self.currency}
        if self.description:
            body["description"] = self.description
        return body

    @classmethod
    def read(cls, data: Fields) -> PaidInvoice:
        """Read the answer; raises FieldError."""
        payment = data.optional_child("payment")
        return cls(
            ksef_number=data.text("ksefNumber"),
            amount=payment.amount("amount") if payment else None,
            currency=payment.text("currency") if payment else "",
            description=data.optional_text("description") or "",
            identifier=data.text("collectiveIdentifierNumber"),
            is_hidden=data.flag("detailsHidden"),
        )


@dataclass(frozen=True, slots=True)
class Identifier:
    """A collective identifier.

    Attributes:
        number: the identifier, checked.
        created_at: when it was made.
        is_own: made in this context.
        invoice_count: how many invoices it stands for; None where KSeF does not tell.
    """

    number: str
    created_at: datetime
    is_own: bool
    invoice_count: int | None = None

    @classmethod
    def read(cls, data: Fields) -> Identifier:
        """Read the answer; raises FieldError."""
        return cls(
            _checked(data),
            data.moment("dateCreated"),
            data.flag("createdInCurrentContext"),
            data.optional_integer("invoiceCount"),
        )


def create(client: KsefClient, access: str, invoices: Sequence[PaidInvoice]) -> str:
    """Make an identifier for invoices of one seller (``POST /collective-identifiers``).

    Args:
        client: the client, of the context's NIP.
        access: access token.
        invoices: :data:`FEWEST_INVOICES` to :data:`MOST_INVOICES`, each once.

    Returns:
        The identifier, to be written as the transfer's title.

    Raises:
        ValueError: too few or too many invoices.
        KsefUnavailable: with ``outcome_ambiguous`` it may have been made; :func:`query` tells. A second one
            does no harm: an invoice may belong to 132.
        KsefRefused: an invoice does not exist (71001), has too many identifiers (71002), another seller
            (71004), or is named twice (71005).
    """
    if not FEWEST_INVOICES <= len(invoices) <= MOST_INVOICES:
        raise ValueError(f"an identifier stands for {FEWEST_INVOICES} to {MOST_INVOICES} invoices")
    body = {"invoices": [one.as_json() for one in invoices]}
    return client.caller.ask(_CREATE, _checked, token=access, json_body=body)


def query(
    client: KsefClient, ask: Ask, created_from: datetime, created_to: datetime, *, identifier: str = ""
) -> Iterator[Identifier]:
    """Identifiers of the context, newest first (``POST /collective-identifiers/query``).

    Args:
        client: the client, of the context's NIP.
        ask: gives an access token for each page.
        created_from: aware.
        created_to: aware, at most 100 days later.
        identifier: only this one; empty for all.
    """
    body: dict[str, object] = {
        "dateCreatedFrom": created_from.astimezone(UTC).isoformat(),
        "dateCreatedTo": created_to.astimezone(UTC).isoformat(),
    }
    if identifier:
        body["collectiveIdentifierNumber"] = identifier
    return _pages(_question(client, _QUERY, _PAGE, _identifiers, body=body), ask, _QUERY)


def invoices_of(client: KsefClient, ask: Ask, identifiers: Sequence[str]) -> Iterator[PaidInvoice]:
    """The invoices that identifiers stand for (``POST /collective-identifiers/invoices``).

    Args:
        client: the client, of the context's NIP.
        ask: gives an access token for each page.
        identifiers: at most :data:`MOST_IDENTIFIERS`.
    """
    if not 0 < len(identifiers) <= MOST_IDENTIFIERS:
        raise ValueError(f"one to {MOST_IDENTIFIERS} identifiers can be asked about at once")
    body: dict[str, object] = {"collectiveIdentifierNumbers": list(identifiers)}
    return _pages(_question(client, _INVOICES, _INVOICES_PAGE, _paid, body=body), ask, _INVOICES)


def of_invoice(client: KsefClient, ask: Ask, ksef_number: str) -> Iterator[Identifier]:
    """The identifiers of an invoice, newest first (``GET /collective-identifiers/ksef/{ksefNumber}``).

    Args:
        client: the client, of the context's NIP.
        ask: gives an access token for each page.
        ksef_number: of the invoice.
    """
    question = _question(client, _OF_INVOICE, _PAGE, _identifiers, parameters={"ksefNumber": ksef_number})
    return _pages(question, ask, _OF_INVOICE)


_Page = tuple[tuple[Entry, ...], str | None]
_Question = Callable[[str | None], Callable[[str], _Page[Entry]]]
"""Continuation token -> operation to be called with an access token."""


def _question(
    client: KsefClient,
    operation: Operation,
    size: int,
    read: Callable[[Fields], tuple[Entry, ...]],
    *,
    body: dict[str, object] | None = None,
    parameters: dict[str, str] | None = None,
) -> _Question[Entry]:
    def of_page(continuation: str | None) -> Callable[[str], _Page[Entry]]:
        return lambda access: client.caller.ask(
            operation,
            lambda data: (read(data), data.optional_text("continuationToken")),
            parameters=parameters,
            token=access,
            json_body=body,
            query={"pageSize": str(size)},
            headers={"x-continuation-token": continuation} if continuation else None,
        )

    return of_page


def _pages(question: _Question[Entry], ask: Ask, operation: Operation) -> Iterator[Entry]:
    seen: set[str] = set()
    continuation: str | None = None
    while True:
        entries, continuation = ask(question(continuation))
        yield from entries
        if continuation is None:
            return
        if continuation in seen:
            raise UnreadableAnswer("the same page was given twice", operation=operation.name)
        seen.add(continuation)


def _identifiers(data: Fields) -> tuple[Identifier, ...]:
    return tuple(Identifier.read(item) for item in data.children("collectiveIdentifiers"))


def _paid(data: Fields) -> tuple[PaidInvoice, ...]:
    return tuple(PaidInvoice.read(item) for item in data.children("invoices"))


def _checked(data: Fields) -> str:
    try:
        return parse(data.text("collectiveIdentifierNumber"))
    except IdentifierError:
        raise FieldError("collectiveIdentifierNumber is no collective identifier") from None
