"""Ask for an export, look at it, download its parts.

Source: POST /invoices/exports and GET /invoices/exports/{referenceNumber} of open-api.json.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from sandbox.ksef import encryption, links, metadata
from sandbox.ksef.batch.archive import TAR_GZ, ZIP
from sandbox.ksef.call import Answer, Call
from sandbox.ksef.errors import BadRequest, Gone, Json, PlainProblem
from sandbox.ksef.exports import package
from sandbox.ksef.metadata import Filters
from sandbox.ksef.processing import settle
from sandbox.ksef.state import SandboxState, stamp

DOWNLOAD = "/storage/exports/{reference}/{ordinal}"
_MOST_RUNNING = 10
_STATUS_LIFE = timedelta(days=7)
_STATUSES: Mapping[int, str] = {
    100: "Eksport faktur w toku",
    200: "Eksport faktur zakończony sukcesem",
    210: "Eksport faktur wygasł i nie jest już dostępny do pobrania",
    415: "Błąd odszyfrowania dostarczonego klucza",
    420: "Zakres filtrowania wykracza poza dostępny zakres danych",
    550: "Operacja została anulowana przez system",
}
_CANCELLED = "Przetwarzanie zostało przerwane z przyczyn wewnętrznych systemu. Spróbuj ponownie"
_LAST_DATES = {
    "Issue": ("lastIssueDate", "issueDate"),
    "Invoicing": ("lastInvoicingDate", "invoicingDate"),
    metadata.PERMANENT: ("lastPermanentStorageDate", "permanentStorageDate"),
}


def start(call: Call) -> Answer:
    """POST /invoices/exports: what the export holds is chosen now, its package comes later.

    Raises:
        BadRequest: 21405, 21470; 21181, the context has no documents of its own; 21182, ten exports are under
            way already.
    """
    state, principal = call.state, call.principal
    body = call.json()
    given = encryption.read(state, body.required_object("encryption"))
    only_metadata = body.flag("onlyMetadata")
    compression = body.one_of("compressionType", (ZIP, TAR_GZ)) or ZIP
    now = state.now()
    filters = metadata.read_filters(body.required_object("filters"), now)
    if principal.context_type == "PeppolId":
        raise BadRequest(
            21181,
            f"Nie można wyeksportować paczki faktur dla wybranego podmiotu ({filters.subject}) "
            f"i zalogowanego identyfikatora kontekstu ({principal.context_type}).",
        )
    _check_running(call)
    settle(state)
    mark = metadata.high_water_mark(state, filters.span)
    code = 415 if given.key is None else call.forced_status
    beyond = filters.span.restricted and mark is not None and filters.span.start > mark
    if code is None and beyond:
        code = 420
    reference = state.new_reference("EH")
    state.insert(
        "exports",
        reference=reference,
        context_type=principal.context_type,
        context_value=principal.context_value,
        date_type=filters.span.kind,
        found=json.dumps([] if code else _choose(call, filters, mark)),
        mark=mark,
        compression=compression,
        only_metadata=int(only_metadata),
        symmetric_key=given.key,
        vector=given.vector,
        ready=stamp(now + timedelta(seconds=state.settings.processing_seconds)),
        code=code,
    )
    return Answer({"referenceNumber": reference}, status=201)


def status(call: Call) -> Answer:
    """GET /invoices/exports/{referenceNumber}.

    Raises:
        BadRequest: 21175, no such export in the context.
        Gone: the export ended more than seven days ago.
    """
    state = call.state
    reference = call.reference("referenceNumber")
    row = state.one(
        "SELECT * FROM exports WHERE reference = ? AND context_type = ? AND context_value = ?",
        (reference, call.principal.context_type, call.principal.context_value),
    )
    if row is None:
        raise BadRequest(21175)
    now = state.now()
    ready = datetime.fromisoformat(row["ready"])
    if ready > now:
        return Answer(_status(100))
    if ready + _STATUS_LIFE <= now:
        state.after_commit(lambda: state.files.remove(reference))
        raise Gone
    until = ready + timedelta(seconds=state.settings.package_seconds)
    done: Json = {"completedDate": row["ready"]}
    if row["code"] is not None:
        return Answer(_status(row["code"]) | done)
    done["packageExpirationDate"] = until.isoformat()
    if until <= now:
        state.after_commit(lambda: state.files.remove(reference))
        return Answer(_status(210) | done)
    if row["package"] is None:
        row = _build(state, row)
    return Answer(_status(200) | done | {"package": _describe(call, row, until)})


def download(call: Call) -> Answer:
    """GET /storage/exports/{reference}/{ordinal}: one encrypted part, by a presigned address only."""
    links.check(call, links.READ)
    reference, ordinal = call.path["reference"], call.path["ordinal"]
    row = call.state.one("SELECT package FROM exports WHERE reference = ?", (reference,))
    path = call.state.files.folder(reference) / ordinal
    if row is None or row["package"] is None or not path.is_file():
        raise PlainProblem(404, "Not Found", "Nie znaleziono części paczki.")
    part = json.loads(row["package"])["parts"][int(ordinal) - 1]
    return Answer(path, headers={"x-ms-meta-hash": part["encryptedPartHash"]})


def _check_running(call: Call) -> None:
    row = call.state.one(
        "SELECT COUNT(*) AS n FROM exports WHERE context_type = ? AND context_value = ? AND ready > ?",
        (call.principal.context_type, call.principal.context_value, stamp(call.state.now())),
    )
    if row is not None and row["n"] >= _MOST_RUNNING:
        raise BadRequest(
            21182,
            "Dla uwierzytelnionego podmiotu w bieżącym kontekście osiągnięto maksymalny limit "
            f"{_MOST_RUNNING} równoczesnych eksportów faktur. Spróbuj ponownie później.",
        )


def _choose(call: Call, filters: Filters, mark: str | None) -> list[int]:
    """Rows of the documents, by the date of the range; one more than the limit shows that there are more."""
    end = mark if filters.span.restricted else None
    found = metadata.select(call.state, call.principal, filters, end=end)
    return [entry.sequence for entry in found[: call.state.settings.max_query_records + 1]]


def _build(state: SandboxState, row: sqlite3.Row) -> sqlite3.Row:
    """Build the package of an export and write down what its answer says."""
    sequences: list[int] = json.loads(row["found"])
    found = [metadata.load(state, sequence) for sequence in sequences[: state.settings.max_query_records]]
    built = package.build(
        state,
        state.files.folder(row["reference"]),
        found,
        compression=row["compression"],
        only_metadata=bool(row["only_metadata"]),
        given=(row["symmetric_key"], row["vector"]),
    )
    ending = package.EXTENSIONS[row["compression"]]
    answer: Json = {
        "invoiceCount": built.count,
        "size": built.size,
        "parts": [
            {
                "ordinalNumber": part.ordinal,
                "partName": f"{row['reference']}-{part.ordinal:03}.{ending}.aes",
                "method": "GET",
                "partSize": part.plain.size,
                "partHash": part.plain.hash,
                "encryptedPartSize": part.encrypted.size,
                "encryptedPartHash": part.encrypted.hash,
            }
            for part in built.parts
        ],
        "isTruncated": built.count < len(sequences),
        "compressionType": row["compression"],
    }
    if built.count < len(sequences):
        name, member = _LAST_DATES[row["date_type"]]
        answer[name] = found[built.count - 1].item[member]
    if row["mark"] is not None:
        answer["permanentStorageHwmDate"] = row["mark"]
    state.run(
        "UPDATE exports SET package = ? WHERE reference = ?",
        (json.dumps(answer, ensure_ascii=False), row["reference"]),
    )
    changed = state.one("SELECT * FROM exports WHERE reference = ?", (row["reference"],))
    assert changed is not None
    return changed


def _describe(call: Call, row: sqlite3.Row, until: datetime) -> Json:
    """InvoicePackage with addresses that are made anew at every look."""
    answer: Json = json.loads(row["package"])
    end = min(until.astimezone(UTC).replace(microsecond=0), links.download_until(call.state))
    parts = answer["parts"]
    assert isinstance(parts, list)
    for part in parts:
        path = DOWNLOAD.format(reference=row["reference"], ordinal=part["ordinalNumber"])
        part["url"] = links.presign(call, path, links.READ, end)
        part["expirationDate"] = end.isoformat()
    return answer


def _status(code: int) -> Json:
    details = {420: [metadata.BEYOND_MARK], 550: [_CANCELLED]}.get(code)
    return {
        "status": {
            "code": code,
            "description": _STATUSES.get(code, f"Nieznany błąd ({code})"),
            "details": details,
        }
    }
