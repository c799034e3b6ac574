"""Collective identifiers: one payment reference for several documents of one seller.

Source: the four operations under ``/collective-identifiers`` of open-api.json, their tables of exception
codes and the format of the number in ``GenerateCollectiveIdentifierResponse``. Any context may join
documents, its own or not; what was said about a payment is shown to the author and to everybody with a role
on the document.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from core.calendar import warsaw_day
from core.ksef.number import crc8
from sandbox.ksef.call import Answer, Body, Call, continuation, parse_moment
from sandbox.ksef.errors import BadRequest, Json
from sandbox.ksef.metadata import CURRENCY, KSEF_NUMBER, context_role, json_number
from sandbox.ksef.processing import settle
from sandbox.ksef.state import SandboxState, Value, stamp

_FEWEST_INVOICES = 2
_MOST_PER_INVOICE = 132
_MOST_ASKED = 10
_LONGEST_DESCRIPTION = 512
_LONGEST_RANGE = timedelta(days=100)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One document of a request.

    Attributes:
        number: KSeF number.
        amount: of the payment; None when nothing was said.
        currency: of the payment.
        description: may be None.
    """

    number: str
    amount: Decimal | None
    currency: str | None
    description: str | None


def generate(call: Call) -> Answer:
    """POST /collective-identifiers.

    Raises:
        BadRequest: 21405; 71005 a number twice, 71001 no such document, 71004 another seller, 71002 a
            document already has the most identifiers in this context.
    """
    state, principal = call.state, call.principal
    wanted = _read(call)
    settle(state)
    rows = [_document(state, entry.number) for entry in wanted]
    seller = rows[0]["seller"]
    for row in rows:
        if row["seller"] != seller:
            raise BadRequest(71004, f"Faktura o numerze KSeF {row['ksef_number']} ma innego sprzedawcę.")
    for row in rows:
        if _assigned(call, row["ksef_number"]) >= _MOST_PER_INVOICE:
            raise BadRequest(
                71002,
                f"Faktura o numerze KSeF {row['ksef_number']} jest już przypisana do maksymalnej liczby "
                "Identyfikatorów Zbiorczych.",
            )
    number = _new_number(state, seller)
    state.insert(
        "collective_identifiers",
        number=number,
        seller=seller,
        context_type=principal.context_type,
        context_value=principal.context_value,
        created=stamp(state.now()),
        invoices=len(wanted),
    )
    for entry in wanted:
        state.insert(
            "collective_invoices",
            identifier=number,
            ksef_number=entry.number,
            amount=None if entry.amount is None else str(entry.amount),
            currency=entry.currency,
            description=entry.description,
        )
    return Answer({"collectiveIdentifierNumber": number}, status=201)


def query(call: Call) -> Answer:
    """POST /collective-identifiers/query: those of the context, and for a NIP those of its own documents.

    Raises:
        BadRequest: 21405, 21418.
    """
    size, offset = call.page_size(largest=200), call.offset()
    body = call.json()
    start = parse_moment(body.required_text("dateCreatedFrom"), "dateCreatedFrom")
    end = parse_moment(body.required_text("dateCreatedTo"), "dateCreatedTo")
    if end < start or end - start > _LONGEST_RANGE:
        raise BadRequest(21405, "dateCreatedTo: zakres może obejmować od 0 do 100 dni.")
    own, values = _own(call)
    seller = call.principal.context_value if call.principal.context_type == "Nip" else ""
    conditions = [f"({own} OR seller = ?)", "created BETWEEN ? AND ?"]
    values += [seller, stamp(start), stamp(end)]
    number = body.text("collectiveIdentifierNumber", required=False)
    if number is not None:
        conditions.append("number = ?")
        values.append(number)
    for name, operator in (("invoiceCountFrom", ">="), ("invoiceCountTo", "<=")):
        if body.values.get(name) is not None:
            conditions.append(f"invoices {operator} ?")
            values.append(body.whole(name, smallest=-(2**31)))
    body.flag("createdInCurrentContext")
    created_here = body.values.get("createdInCurrentContext")
    if created_here is not None:
        conditions.append(own if created_here else f"NOT {own}")
        values += _own(call)[1]
    rows = _identifiers(call, " AND ".join(conditions), values, size, offset)
    items = [_describe(call, row) | {"invoiceCount": row["invoices"]} for row in rows[:size]]
    return Answer({"collectiveIdentifiers": items, "continuationToken": _more(rows, size, offset)})


def invoices(call: Call) -> Answer:
    """POST /collective-identifiers/invoices: the documents behind up to ten identifiers.

    Raises:
        BadRequest: 21405, 21418.
    """
    size, offset = call.page_size(largest=500), call.offset()
    numbers = call.json().texts("collectiveIdentifierNumbers")
    if not 1 <= len(numbers) <= _MOST_ASKED:
        raise BadRequest(21405, f"collectiveIdentifierNumbers: oczekiwano od 1 do {_MOST_ASKED} numerów.")
    settle(call.state)
    marks = ", ".join("?" * len(numbers))
    rows = call.state.all(
        "SELECT collective_invoices.*, context_type, context_value, invoices.seller, meta "  # noqa: S608
        "FROM collective_invoices "
        "JOIN collective_identifiers ON collective_identifiers.number = collective_invoices.identifier "
        "JOIN invoices ON invoices.ksef_number = collective_invoices.ksef_number "
        f"WHERE identifier IN ({marks}) "
        "ORDER BY collective_invoices.ksef_number DESC, identifier DESC LIMIT ? OFFSET ?",
        [*numbers, size + 1, offset],
    )
    items = [_describe_invoice(call, row) for row in rows[:size]]
    return Answer({"invoices": items, "continuationToken": _more(rows, size, offset)})


def of_document(call: Call) -> Answer:
    """GET /collective-identifiers/ksef/{ksefNumber}: the identifiers of one document.

    Raises:
        BadRequest: 21405, 21418.
    """
    size, offset = call.page_size(largest=200), call.offset()
    number = call.path["ksefNumber"]
    _check_number(number, "ksefNumber")
    condition = "number IN (SELECT identifier FROM collective_invoices WHERE ksef_number = ?)"
    rows = _identifiers(call, condition, [number], size, offset)
    items = [_describe(call, row) for row in rows[:size]]
    return Answer({"collectiveIdentifiers": items, "continuationToken": _more(rows, size, offset)})


def _read(call: Call) -> list[_Wanted]:
    entries = call.json().objects("invoices")
    most = call.state.settings.max_collective_invoices
    if not _FEWEST_INVOICES <= len(entries) <= most:
        raise BadRequest(21405, f"invoices: oczekiwano od {_FEWEST_INVOICES} do {most} faktur.")
    wanted = [_read_invoice(entry) for entry in entries]
    seen: set[str] = set()
    for entry in wanted:
        if entry.number in seen:
            raise BadRequest(71005, f"Powtórzony numer KSeF {entry.number}.")
        seen.add(entry.number)
    return wanted


def _read_invoice(entry: Body) -> _Wanted:
    number = entry.required_text("ksefNumber")
    _check_number(number, f"{entry.prefix}ksefNumber")
    description = entry.text("description", longest=_LONGEST_DESCRIPTION, required=False)
    payment = entry.object("payment", required=False)
    if payment is None:
        return _Wanted(number, None, None, description)
    amount, currency = payment.amount("amount"), payment.required_text("currency")
    if amount is None:
        raise BadRequest(21405, f"{payment.prefix}amount: pole jest wymagane.")
    if not CURRENCY.fullmatch(currency):
        raise BadRequest(21405, f"{payment.prefix}currency: nieprawidłowy kod waluty.")
    return _Wanted(number, amount, currency, description)


def _check_number(number: str, name: str) -> None:
    if not KSEF_NUMBER.fullmatch(number):
        raise BadRequest(21405, f"{name}: nieprawidłowy numer KSeF.")


def _document(state: SandboxState, number: str) -> sqlite3.Row:
    row = state.one("SELECT ksef_number, seller FROM invoices WHERE ksef_number = ?", (number,))
    if row is None:
        raise BadRequest(71001, f"Faktura o numerze KSeF {number} nie została znaleziona.")
    return row


def _assigned(call: Call, number: str) -> int:
    """To how many identifiers of the caller's context a document belongs."""
    own, values = _own(call)
    row = call.state.one(
        "SELECT COUNT(*) AS n FROM collective_invoices "  # noqa: S608
        "JOIN collective_identifiers ON collective_identifiers.number = collective_invoices.identifier "
        f"WHERE {own} AND ksef_number = ?",
        [*values, number],
    )
    return 0 if row is None else int(row["n"])


def _own(call: Call) -> tuple[str, list[Value]]:
    """A condition on identifiers that were made in the caller's context, and its values."""
    return "(context_type = ? AND context_value = ?)", [
        call.principal.context_type,
        call.principal.context_value,
    ]


def _new_number(state: SandboxState, seller: str) -> str:
    """``NIP-IZRRRRMM-FFFFFFFFFFFF-FF``; the month is Warsaw's, the last two digits are CRC-8 of the rest."""
    head = f"{seller}-IZ{warsaw_day(state.now()):%Y%m}-{state.random_bytes(6).hex().upper()}"
    return f"{head}-{crc8(head)}"


def _identifiers(
    call: Call, condition: str, values: list[Value], size: int, offset: int
) -> list[sqlite3.Row]:
    """A page of identifiers and one more, newest first."""
    return call.state.all(
        f"SELECT * FROM collective_identifiers WHERE {condition} "  # noqa: S608
        "ORDER BY created DESC, number DESC LIMIT ? OFFSET ?",
        [*values, size + 1, offset],
    )


def _more(rows: list[sqlite3.Row], size: int, offset: int) -> str | None:
    return continuation(offset + size) if len(rows) > size else None


def _is_own(call: Call, row: sqlite3.Row) -> bool:
    principal = call.principal
    return bool(
        row["context_type"] == principal.context_type and row["context_value"] == principal.context_value
    )


def _describe(call: Call, row: sqlite3.Row) -> Json:
    return {
        "collectiveIdentifierNumber": row["number"],
        "dateCreated": row["created"],
        "createdInCurrentContext": _is_own(call, row),
    }


def _describe_invoice(call: Call, row: sqlite3.Row) -> Json:
    """CollectiveIdentifierInvoicesQueryResponseItem; details only for those who may see them."""
    answer: Json = {
        "ksefNumber": row["ksef_number"],
        "collectiveIdentifierNumber": row["identifier"],
        "detailsHidden": False,
    }
    details: Json = {}
    if row["amount"] is not None:
        details["payment"] = {"amount": json_number(row["amount"]), "currency": row["currency"]}
    if row["description"] is not None:
        details["description"] = row["description"]
    if _is_own(call, row) or context_role(row, call.principal.context_value):
        return answer | details
    return answer | {"detailsHidden": bool(details)}
