"""Results of sessions: lists, statuses of sessions and documents, UPO, and the documents themselves.

Source: the GET operations under ``/sessions`` and GET /invoices/ksef/{ksefNumber} of open-api.json.
"""

from __future__ import annotations

import json
import sqlite3

from sandbox.ksef import upo
from sandbox.ksef.call import Answer, Call, continuation
from sandbox.ksef.errors import BadRequest, Json
from sandbox.ksef.links import upo_link
from sandbox.ksef.metadata import KSEF_NUMBER, context_role
from sandbox.ksef.processing import STATUSES, is_stored, settle
from sandbox.ksef.session_status import SessionStatus, find_session, session_status
from sandbox.ksef.state import Value, stamp

_COMMON = {100: "InProgress", 150: "InProgress", 170: "InProgress", 200: "Succeeded", 440: "Cancelled"}
_COMMON_NAMES = frozenset({"InProgress", "Succeeded", "Failed", "Cancelled"})
_RANGES = {"Created": "created", "Closed": "closed", "Modified": "updated"}


def session_list(call: Call) -> Answer:
    """GET /sessions."""
    size, offset = call.page_size(largest=1000), call.offset()
    kinds = call.choices("sessionType", frozenset({"Online", "Batch"}))
    if not kinds:
        raise BadRequest(21405, "sessionType: parametr jest wymagany.")
    wanted = call.choices("statuses", _COMMON_NAMES)
    principal = call.principal
    conditions = ["kind = ?", "context_type = ?", "context_value = ?"]
    values: list[Value] = [kinds[-1], principal.context_type, principal.context_value]
    for name, column in _RANGES.items():
        for end, operator in (("From", ">="), ("To", "<=")):
            moment = call.moment(f"date{name}{end}")
            if moment is not None:
                conditions.append(f"{column} {operator} ?")
                values.append(stamp(moment))
    if "referenceNumber" in call.query:
        conditions.append("reference = ?")
        values.append(call.query["referenceNumber"][-1])
    rows = call.state.all(
        f"SELECT * FROM sessions WHERE {' AND '.join(conditions)} "  # noqa: S608
        "ORDER BY created DESC, rowid DESC",
        values,
    )
    found = [(row, session_status(call.state, row)) for row in rows]
    if wanted:
        found = [(row, at) for row, at in found if _COMMON.get(at.code, "Failed") in wanted]
    more = continuation(offset + size) if len(found) > offset + size else None
    return Answer(
        {
            "continuationToken": more,
            "sessions": [_list_item(row, at) for row, at in found[offset : offset + size]],
        }
    )


def session(call: Call) -> Answer:
    """GET /sessions/{referenceNumber}."""
    row = find_session(call)
    at = session_status(call.state, row)
    answer: Json = {
        "status": at.as_json(),
        "dateCreated": row["created"],
        "dateUpdated": row["updated"],
        "validUntil": row["valid_until"],
        "invoiceCount": at.total,
        "successfulInvoiceCount": at.accepted,
        "failedInvoiceCount": at.refused,
    }
    if at.code == 200:
        document = upo.of_session(call.state, row)
        link, until = upo_link(call, document.reference)
        answer["upo"] = {
            "pages": [
                {
                    "referenceNumber": document.reference,
                    "downloadUrl": link,
                    "downloadUrlExpirationDate": until.isoformat(),
                }
            ]
        }
    return Answer(answer)


def invoices(call: Call) -> Answer:
    """GET /sessions/{referenceNumber}/invoices."""
    return _page(call, "")


def failed_invoices(call: Call) -> Answer:
    """GET /sessions/{referenceNumber}/invoices/failed."""
    return _page(call, "AND code IS NOT NULL AND code <> 200 ")


def invoice(call: Call) -> Answer:
    """GET /sessions/{referenceNumber}/invoices/{invoiceReferenceNumber}."""
    session_row = find_session(call)
    settle(call.state)
    return Answer(_describe(call, _find_invoice(call, session_row)))


def invoice_upo(call: Call) -> Answer:
    """GET /sessions/{referenceNumber}/invoices/{invoiceReferenceNumber}/upo."""
    session_row = find_session(call)
    settle(call.state)
    row = _find_invoice(call, session_row)
    if row["code"] != 200:
        raise BadRequest(21178, f"UPO faktury {row['reference']} nie zostało znalezione.")
    return _upo_answer(upo.of_invoice(call.state, session_row, row))


def ksef_upo(call: Call) -> Answer:
    """GET /sessions/{referenceNumber}/invoices/ksef/{ksefNumber}/upo."""
    session_row = find_session(call)
    settle(call.state)
    given = call.path["ksefNumber"]
    row = call.state.one(
        "SELECT * FROM invoices WHERE session = ? AND ksef_number = ?", (session_row["reference"], given)
    )
    if row is None:
        raise BadRequest(
            21178,
            f"UPO o numerze KSeF {given} i numerze referencyjnym sesji {session_row['reference']} "
            "nie zostało znalezione.",
        )
    return _upo_answer(upo.of_invoice(call.state, session_row, row))


def session_upo(call: Call) -> Answer:
    """GET /sessions/{referenceNumber}/upo/{upoReferenceNumber}."""
    session_row = find_session(call)
    wanted = call.reference("upoReferenceNumber")
    document = upo.find(call.state, wanted)
    if document is None or document.session != session_row["reference"]:
        raise BadRequest(
            21178,
            f"UPO o numerze referencyjnym {wanted} dla sesji {session_row['reference']} "
            "nie zostało znalezione.",
        )
    return _upo_answer(document)


def document(call: Call) -> Answer:
    """GET /invoices/ksef/{ksefNumber}: the bytes of the document, for everybody with a role on it."""
    settle(call.state)
    given = call.path["ksefNumber"]
    if not KSEF_NUMBER.fullmatch(given):
        raise BadRequest(21405, "ksefNumber: nieprawidłowy numer KSeF.")
    row = call.state.one("SELECT * FROM invoices WHERE ksef_number = ?", (given,))
    if row is None or not context_role(row, call.principal.context_value):
        raise BadRequest(21164, f"Faktura o numerze KSeF {given} nie została znaleziona.")
    if not is_stored(call.state, row):
        raise BadRequest(
            21165,
            f"Faktura o numerze KSeF {given} została przetworzona, ale nie jest jeszcze dostępna "
            "do pobrania. Spróbuj ponownie później.",
        )
    return Answer(bytes(row["xml"]), headers={"x-ms-meta-hash": row["hash"]})


def _page(call: Call, condition: str) -> Answer:
    size, offset = call.page_size(largest=1000), call.offset()
    session_row = find_session(call)
    settle(call.state)
    rows = call.state.all(
        f"SELECT * FROM invoices WHERE session = ? {condition}ORDER BY ordinal LIMIT ? OFFSET ?",  # noqa: S608
        (session_row["reference"], size + 1, offset),
    )
    more = continuation(offset + size) if len(rows) > size else None
    return Answer({"continuationToken": more, "invoices": [_describe(call, row) for row in rows[:size]]})


def _find_invoice(call: Call, session_row: sqlite3.Row) -> sqlite3.Row:
    wanted = call.reference("invoiceReferenceNumber")
    row = call.state.one(
        "SELECT * FROM invoices WHERE session = ? AND reference = ?", (session_row["reference"], wanted)
    )
    if row is None:
        raise BadRequest(21405, f"Faktura o numerze referencyjnym {wanted} nie została znaleziona.")
    return row


def _describe(call: Call, row: sqlite3.Row) -> Json:
    """SessionInvoiceStatusResponse of the contract."""
    code = 150 if row["code"] is None else row["code"]
    status: Json = {"code": code, "description": STATUSES.get(code, "Nieznany błąd")}
    if row["details"] is not None:
        status["details"] = json.loads(row["details"])
    if row["extensions"] is not None:
        status["extensions"] = json.loads(row["extensions"])
    answer: Json = {
        "ordinalNumber": row["ordinal"],
        "referenceNumber": row["reference"],
        "invoiceHash": row["hash"],
        "invoicingDate": row["received"],
        "status": status,
    }
    if row["file_name"] is not None:
        answer["invoiceFileName"] = row["file_name"]
    if code == 200:
        link, until = upo_link(call, row["reference"])
        answer |= {
            "invoiceNumber": row["number"],
            "ksefNumber": row["ksef_number"],
            "acquisitionDate": row["acquired"],
            "permanentStorageDate": row["stored"] if is_stored(call.state, row) else None,
            "upoDownloadUrl": link,
            "upoDownloadUrlExpirationDate": until.isoformat(),
            "invoicingMode": row["mode"],
        }
    return answer


def _list_item(row: sqlite3.Row, at: SessionStatus) -> Json:
    return {
        "referenceNumber": row["reference"],
        "status": at.as_json(),
        "dateCreated": row["created"],
        "dateUpdated": row["updated"],
        "validUntil": row["valid_until"],
        "totalInvoiceCount": at.total,
        "successfulInvoiceCount": at.accepted,
        "failedInvoiceCount": at.refused,
    }


def _upo_answer(document: upo.Upo) -> Answer:
    return Answer(document.xml, headers={"x-ms-meta-hash": document.hash})
