"""Metadata of documents: the filters of the contract, the selection of documents, InvoiceMetadata.

The metadata query and the exports stand on it. Source: ``InvoiceQueryFilters`` and ``InvoiceMetadata`` of
open-api.json.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from core.calendar import warsaw_day
from sandbox.ksef.bearer import Principal
from sandbox.ksef.call import Body, parse_moment
from sandbox.ksef.documents import nip_is_valid
from sandbox.ksef.errors import BadRequest, Json
from sandbox.ksef.state import SandboxState, stamp

PERMANENT = "PermanentStorage"
KSEF_NUMBER = re.compile(r"[1-9]\d{9}-20\d{6}-[0-9A-F]{6}-?[0-9A-F]{6}-[0-9A-F]{2}")
"""A KSeF number of 35 characters, or of 36 as KSeF 1.0 gave them."""
BEYOND_MARK = (
    "Parametr dateRange.from jest późniejszy niż PermanentStorageHwmDate przy włączonym "
    "restrictToPermanentStorageHwmDate."
)
CURRENCY = re.compile("[A-Z]{3}")
"""A code of a currency."""
_SUBJECTS = frozenset({"Subject1", "Subject2", "Subject3", "SubjectAuthorized"})
_DATE_COLUMNS = {"Issue": "issued", "Invoicing": "received", PERMANENT: "stored"}
_LONGEST_RANGE = timedelta(days=100)
_KINDS: Mapping[str, str] = {
    "VAT": "Vat",
    "ZAL": "Zal",
    "KOR": "Kor",
    "ROZ": "Roz",
    "UPR": "Upr",
    "KOR_ZAL": "KorZal",
    "KOR_ROZ": "KorRoz",
}
_INVOICE_TYPES = frozenset({*_KINDS.values(), "VatPef", "VatPefSp", "KorPef", "VatRr", "KorVatRr"})
_AMOUNTS = {"Brutto": "gross", "Netto": "net", "Vat": "vat"}
_FORMS = frozenset({"FA", "PEF", "FA_RR"})
_BUYERS = frozenset({"Nip", "VatUe", "Other", "None"})

# everything but the bytes of the document
_COLUMNS = (
    "sequence, invoices.ksef_number, invoices.number, invoices.issued, invoices.received, invoices.acquired, "
    "invoices.stored, invoices.mode, invoices.kind, invoices.seller, invoices.hash, invoices.corrects, "
    "invoices.meta, sessions.system_code, sessions.schema_version"
)


@dataclass(frozen=True, slots=True)
class Range:
    """Dates of a query.

    Attributes:
        kind: dateType.
        start: stored text of the first moment or day.
        end: stored text of the last one.
        restricted: whether the end may not be later than the high-water mark.
    """

    kind: str
    start: str
    end: str
    restricted: bool

    @property
    def column(self) -> str:
        """The column that the dates are compared with; it also gives the order of the result."""
        return _DATE_COLUMNS[self.kind]


@dataclass(frozen=True, slots=True)
class Filters:
    """InvoiceQueryFilters.

    Attributes:
        subject: subjectType.
        span: dateRange.
        keep: the other filters as one predicate over InvoiceMetadata.
    """

    subject: str
    span: Range
    keep: Callable[[Json], bool]


@dataclass(frozen=True, slots=True)
class Found:
    """One document of a result.

    Attributes:
        sequence: its row.
        item: InvoiceMetadata.
    """

    sequence: int
    item: Json


def read_filters(body: Body, now: datetime) -> Filters:
    """Read InvoiceQueryFilters.

    Args:
        body: the filters.
        now: the end of a range without one.

    Raises:
        BadRequest: 21405.
    """
    subject = body.required_text("subjectType")
    if subject not in _SUBJECTS:
        raise BadRequest(21405, f"subjectType: wartość {subject!r} nie jest dozwolona.")
    return Filters(subject, _range(body.required_object("dateRange"), now), _predicate(body))


def high_water_mark(state: SandboxState, span: Range) -> str | None:
    """permanentStorageHwmDate: below it the result of a query stays as it is; None for other kinds of dates.

    A document is stored later than its verdict is due, so that nothing can appear before the earliest verdict
    that is due and not yet written down.
    """
    if span.kind != PERMANENT:
        return None
    now = stamp(state.now())
    waiting = state.one(
        "SELECT MIN(ready) AS ready FROM (SELECT ready FROM invoices WHERE code IS NULL UNION ALL "
        "SELECT ready FROM batches WHERE code IS NULL AND unpacked = 0 AND ready IS NOT NULL)"
    )
    earliest = None if waiting is None else waiting["ready"]
    mark = now if earliest is None else min(now, earliest)
    return min(span.end, mark)


def select(
    state: SandboxState, principal: Principal, filters: Filters, *, order: str = "Asc", end: str | None = None
) -> list[Found]:
    """The documents of a caller's context that satisfy the filters, by the date of the range.

    Args:
        state: has the documents.
        principal: whose context.
        filters: what is asked for.
        order: Asc or Desc.
        end: replaces the end of the range.
    """
    span = filters.span
    direction = "DESC" if order == "Desc" else "ASC"
    visible = "AND invoices.stored <= ? " if state.settings.storage_seconds else ""
    values = [span.start, span.end if end is None else end]
    rows = state.all(
        f"SELECT {_COLUMNS} FROM invoices "  # noqa: S608
        "JOIN sessions ON sessions.reference = invoices.session "
        f"WHERE invoices.code = 200 AND invoices.{span.column} BETWEEN ? AND ? {visible}"
        f"ORDER BY invoices.{span.column} {direction}, invoices.sequence {direction}",
        [*values, stamp(state.now())] if visible else values,
    )
    context = principal.context_value
    return [
        Found(row["sequence"], item)
        for row in rows
        if context_role(row, context) & {filters.subject} and filters.keep(item := describe(row))
    ]


def load(state: SandboxState, sequence: int) -> Found:
    """One document by its row."""
    row = state.one(
        f"SELECT {_COLUMNS} FROM invoices "  # noqa: S608
        "JOIN sessions ON sessions.reference = invoices.session WHERE sequence = ?",
        (sequence,),
    )
    assert row is not None
    return Found(sequence, describe(row))


def context_role(row: sqlite3.Row, context: str) -> set[str]:
    """The roles (subjectType) that a context has on a document.

    Args:
        row: has the columns ``seller`` and ``meta``.
        context: value of the context identifier: NIP, or an internal identifier that starts with it.
    """
    facts = json.loads(row["meta"])
    nip = context[:10]
    roles = set()
    if row["seller"] == nip:
        roles.add("Subject1")
    if facts["buyer_value"] in (nip, context):
        roles.add("Subject2")
    if any(third["value"] in (nip, context) for third in facts["third_parties"]):
        roles.add("Subject3")
    if facts["authorized"] is not None and facts["authorized"]["nip"] == nip:
        roles.add("SubjectAuthorized")
    return roles


def describe(row: sqlite3.Row) -> Json:
    """InvoiceMetadata of the contract; its amounts are JSON numbers there."""
    facts = json.loads(row["meta"])
    answer: Json = {
        "ksefNumber": row["ksef_number"],
        "invoiceNumber": row["number"],
        "issueDate": row["issued"],
        "invoicingDate": row["received"],
        "acquisitionDate": row["acquired"],
        "permanentStorageDate": row["stored"],
        "seller": {"nip": row["seller"], "name": facts["seller_name"] or None},
        "buyer": {
            "identifier": {"type": facts["buyer_type"], "value": facts["buyer_value"]},
            "name": facts["buyer_name"] or None,
        },
        "netAmount": json_number(facts["net"]),
        "grossAmount": json_number(facts["gross"]),
        "vatAmount": json_number(facts["vat"]),
        "currency": facts["currency"],
        "invoicingMode": row["mode"],
        "invoiceType": _KINDS[row["kind"]],
        "formCode": {"systemCode": row["system_code"], "schemaVersion": row["schema_version"], "value": "FA"},
        "isSelfInvoicing": facts["self_invoicing"],
        "hasAttachment": facts["attachment"],
        "invoiceHash": row["hash"],
        "thirdSubjects": [
            {
                "identifier": {"type": third["type"], "value": third["value"]},
                "name": third["name"] or None,
                "role": third["role"],
            }
            for third in facts["third_parties"]
        ],
    }
    if facts["authorized"] is not None:
        answer["authorizedSubject"] = facts["authorized"]
    if row["corrects"] is not None:
        answer["hashOfCorrectedInvoice"] = row["corrects"]
    return answer


def _range(body: Body, now: datetime) -> Range:
    kind = body.required_text("dateType")
    if kind not in _DATE_COLUMNS:
        raise BadRequest(21405, f"dateRange.dateType: wartość {kind!r} nie jest dozwolona.")
    start = parse_moment(body.required_text("from"), "dateRange.from")
    end_text = body.text("to", required=False)
    end = now if end_text is None else parse_moment(end_text, "dateRange.to")
    if end < start:
        raise BadRequest(21405, "dateRange: koniec zakresu jest wcześniejszy niż początek.")
    if end - start > _LONGEST_RANGE:
        raise BadRequest(21405, "dateRange: zakres może obejmować najwyżej 100 dni.")
    restricted = body.flag("restrictToPermanentStorageHwmDate") and kind == PERMANENT
    if kind == "Issue":
        return Range(kind, warsaw_day(start).isoformat(), warsaw_day(end).isoformat(), restricted)
    return Range(kind, stamp(start), stamp(end), restricted)


def _predicate(body: Body) -> Callable[[Json], bool]:
    tests = [*_exact(body), *_listed(body), *_parties(body)]
    if body.object("amount", required=False) is not None:
        tests.append(_amount(body.required_object("amount")))
    return lambda item: all(test(item) for test in tests)


def _exact(body: Body) -> list[Callable[[Json], bool]]:
    """The filters that name the whole value of a member."""
    wanted: Json = {
        "ksefNumber": body.text("ksefNumber", required=False),
        "invoiceNumber": body.text("invoiceNumber", longest=256, required=False),
        "invoicingMode": body.one_of("invoicingMode", ("Online", "Offline")),
    }
    number = wanted["ksefNumber"]
    if number is not None and not KSEF_NUMBER.fullmatch(str(number)):
        raise BadRequest(21405, "ksefNumber: nieprawidłowy numer KSeF.")
    for name in ("isSelfInvoicing", "hasAttachment"):
        body.flag(name)
        wanted[name] = body.values.get(name)
    given = {name: value for name, value in wanted.items() if value is not None}
    return [lambda item: all(item[name] == value for name, value in given.items())]


def _listed(body: Body) -> list[Callable[[Json], bool]]:
    """The filters that list allowed values."""
    currencies = frozenset(body.texts("currencyCodes", required=False))
    kinds = frozenset(body.texts("invoiceTypes", required=False))
    form = body.one_of("formType", _FORMS)
    _check_all("invoiceTypes", kinds, _INVOICE_TYPES.__contains__)
    _check_all("currencyCodes", currencies, CURRENCY.fullmatch)
    return [
        lambda item: (
            (not currencies or item["currency"] in currencies)
            and (not kinds or item["invoiceType"] in kinds)
            and form in (None, "FA")
        )
    ]


def _check_all(name: str, values: Collection[str], is_right: Callable[[str], object]) -> None:
    for value in values:
        if not is_right(value):
            raise BadRequest(21405, f"{name}: wartość {value!r} nie jest dozwolona.")


def _parties(body: Body) -> list[Callable[[Json], bool]]:
    seller = body.text("sellerNip", shortest=10, longest=10, required=False)
    if seller is not None and not nip_is_valid(seller):
        raise BadRequest(21405, "sellerNip: nieprawidłowy numer NIP.")
    tests: list[Callable[[Json], bool]] = [lambda item: seller in (None, _object(item["seller"])["nip"])]
    buyer = body.object("buyerIdentifier", required=False)
    if buyer is not None:
        kind = buyer.one_of("type", _BUYERS) or buyer.required_text("type")
        value = buyer.text("value", longest=50, required=False)

        def is_buyer(item: Json) -> bool:
            identifier = _object(_object(item["buyer"])["identifier"])
            return identifier["type"] == kind and value in (None, identifier["value"])

        tests.append(is_buyer)
    return tests


def _amount(wanted: Body) -> Callable[[Json], bool]:
    kind = wanted.one_of("type", _AMOUNTS) or wanted.required_text("type")
    name = f"{_AMOUNTS[kind]}Amount"
    lowest, highest = wanted.amount("from"), wanted.amount("to")

    def keep(item: Json) -> bool:
        value = Decimal(str(item[name]))
        return (lowest is None or value >= lowest) and (highest is None or value <= highest)

    return keep


def _object(value: object) -> Json:
    assert isinstance(value, dict)
    return value


def json_number(text: str) -> int | float:
    """An amount as a JSON number: the contract's ``double`` is the one place where no text is allowed."""
    value = Decimal(text)
    return int(value) if value == value.to_integral_value() else float(value)
