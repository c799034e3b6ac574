"""Metadata query and public keys.

Source: POST /invoices/query/metadata and GET /security/public-key-certificates of open-api.json.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation

from sandbox.ksef import keys
from sandbox.ksef.call import Answer, Body, Call, parse_moment
from sandbox.ksef.errors import BadRequest, Json
from sandbox.ksef.processing import settle
from sandbox.ksef.state import stamp

_SUBJECTS = frozenset({"Subject1", "Subject2", "Subject3", "SubjectAuthorized"})
_DATE_COLUMNS = {"Issue": "issued", "Invoicing": "received", "PermanentStorage": "stored"}
_LONGEST_RANGE = timedelta(days=100)
_MOST_RECORDS = 10_000
_KINDS = {
    "VAT": "Vat",
    "ZAL": "Zal",
    "KOR": "Kor",
    "ROZ": "Roz",
    "UPR": "Upr",
    "KOR_ZAL": "KorZal",
    "KOR_ROZ": "KorRoz",
}
_AMOUNTS = {"Brutto": "gross", "Netto": "net", "Vat": "vat"}


@dataclass(frozen=True, slots=True)
class _Range:
    """Dates of a query: which column, and its bounds as stored texts."""

    kind: str
    start: str
    end: str

    @property
    def column(self) -> str:
        return _DATE_COLUMNS[self.kind]


def public_keys(call: Call) -> Answer:
    """GET /security/public-key-certificates."""
    return Answer(keys.published(call.state))


def metadata(call: Call) -> Answer:
    """POST /invoices/query/metadata: accepted documents of the caller's context."""
    size = call.page_size(largest=250)
    page = call.whole("pageOffset", smallest=0, largest=1_000_000, default=0)
    order = (call.choices("sortOrder", frozenset({"Asc", "Desc"})) or ["Asc"])[-1]
    body = call.json()
    subject = body.required_text("subjectType")
    if subject not in _SUBJECTS:
        raise BadRequest(21405, f"subjectType: wartość {subject!r} nie jest dozwolona.")
    span = _range(call, body.required_object("dateRange"))
    keep = _filter(body)
    settle(call.state)
    rows = call.state.all(
        "SELECT invoices.*, sessions.system_code, sessions.schema_version FROM invoices "  # noqa: S608
        "JOIN sessions ON sessions.reference = invoices.session "
        f"WHERE invoices.code = 200 AND invoices.{span.column} BETWEEN ? AND ? "
        f"ORDER BY invoices.{span.column} {order}, invoices.sequence {order}",
        (span.start, span.end),
    )
    context = call.principal.context_value[:10]
    found = [item for row in rows if _concerns(row, subject, context) and keep(item := _describe(row))]
    truncated = len(found) > _MOST_RECORDS
    found = found[:_MOST_RECORDS]
    answer: Json = {
        "hasMore": truncated or len(found) > (page + 1) * size,
        "isTruncated": truncated,
        "invoices": found[page * size : (page + 1) * size],
    }
    if span.kind == "PermanentStorage":
        answer["permanentStorageHwmDate"] = min(span.end, stamp(call.state.now()))
    return Answer(answer)


def _range(call: Call, body: Body) -> _Range:
    kind = body.required_text("dateType")
    if kind not in _DATE_COLUMNS:
        raise BadRequest(21405, f"dateRange.dateType: wartość {kind!r} nie jest dozwolona.")
    start = parse_moment(body.required_text("from"), "dateRange.from")
    end_text = body.text("to", required=False)
    end = call.state.now() if end_text is None else parse_moment(end_text, "dateRange.to")
    if end < start:
        raise BadRequest(21405, "dateRange: koniec zakresu jest wcześniejszy niż początek.")
    if end - start > _LONGEST_RANGE:
        raise BadRequest(21405, "dateRange: zakres może obejmować najwyżej 100 dni.")
    if kind == "Issue":
        return _Range(kind, start.date().isoformat(), end.date().isoformat())
    return _Range(kind, stamp(start), stamp(end))


def _concerns(row: sqlite3.Row, subject: str, context: str) -> bool:
    if subject == "Subject1":
        return bool(row["seller"] == context)
    if subject == "Subject2":
        return bool(json.loads(row["meta"])["buyer_value"] == context)
    return False


def _filter(body: Body) -> Callable[[Json], bool]:
    """The exact-match filters of InvoiceQueryFilters as one predicate over InvoiceMetadata."""
    exact = {
        name: value
        for name in ("ksefNumber", "invoiceNumber", "invoicingMode")
        if (value := body.text(name, required=False)) is not None
    }
    seller = body.text("sellerNip", required=False)
    buyer = body.object("buyerIdentifier", required=False)
    currencies = body.texts("currencyCodes", required=False)
    kinds = body.texts("invoiceTypes", required=False)
    form = body.text("formType", required=False)
    amount = _amount(body)

    def keep(item: Json) -> bool:
        party, identifier = _object(item["seller"]), _object(_object(item["buyer"])["identifier"])
        return (
            all(item[name] == value for name, value in exact.items())
            and (seller is None or party["nip"] == seller)
            and (buyer is None or all(identifier.get(name) == value for name, value in buyer.values.items()))
            and (not currencies or item["currency"] in currencies)
            and (not kinds or item["invoiceType"] in kinds)
            and (form is None or form == "FA")
            and all(
                body.values.get(name) in (None, item[name]) for name in ("isSelfInvoicing", "hasAttachment")
            )
            and amount(item)
        )

    return keep


def _amount(body: Body) -> Callable[[Json], bool]:
    wanted = body.object("amount", required=False)
    if wanted is None:
        return lambda _item: True
    kind = wanted.required_text("type")
    if kind not in _AMOUNTS:
        raise BadRequest(21405, f"amount.type: wartość {kind!r} nie jest dozwolona.")
    name = f"{_AMOUNTS[kind]}Amount"
    lowest, highest = _number(wanted, "from"), _number(wanted, "to")

    def keep(item: Json) -> bool:
        value = Decimal(str(item[name]))
        return (lowest is None or value >= lowest) and (highest is None or value <= highest)

    return keep


def _number(body: Body, name: str) -> Decimal | None:
    value = body.values.get(name)
    try:
        return None if value is None else Decimal(str(value))
    except InvalidOperation:
        raise BadRequest(21405, f"amount.{name}: oczekiwano liczby.") from None


def _object(value: object) -> Json:
    assert isinstance(value, dict)
    return value


def _describe(row: sqlite3.Row) -> Json:
    """InvoiceMetadata of the contract; its amounts are JSON numbers there."""
    facts: dict[str, str] = json.loads(row["meta"])
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
        "netAmount": _json_number(facts["net"]),
        "grossAmount": _json_number(facts["gross"]),
        "vatAmount": _json_number(facts["vat"]),
        "currency": facts["currency"],
        "invoicingMode": row["mode"],
        "invoiceType": _KINDS[row["kind"]],
        "formCode": {"systemCode": row["system_code"], "schemaVersion": row["schema_version"], "value": "FA"},
        "isSelfInvoicing": facts["self_invoicing"],
        "hasAttachment": facts["attachment"],
        "invoiceHash": row["hash"],
        "thirdSubjects": [],
    }
    if row["corrects"] is not None:
        answer["hashOfCorrectedInvoice"] = row["corrects"]
    return answer


def _json_number(text: str) -> int | float:
    """An amount as a JSON number: the contract's ``double`` is the one place where no text is allowed."""
    value = Decimal(text)
    return int(value) if value == value.to_integral_value() else float(value)
