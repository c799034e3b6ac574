"""Open and close a batch session.

Source: POST /sessions/batch and POST /sessions/batch/{referenceNumber}/close of open-api.json and their
tables of exception codes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sandbox.ksef import encryption, form_codes
from sandbox.ksef.batch import archive
from sandbox.ksef.batch.upload import part_request
from sandbox.ksef.call import Answer, Body, Call
from sandbox.ksef.errors import BadRequest
from sandbox.ksef.processing import settle
from sandbox.ksef.session_status import find_session, session_status
from sandbox.ksef.state import stamp

MOST_PARTS = 50
MOST_ARCHIVE_BYTES = 5_000_000_000
"""BatchFileInfo.fileSize."""
_TIME_PER_PART = timedelta(minutes=20)


@dataclass(frozen=True, slots=True)
class _Part:
    ordinal: int
    size: int
    hash: str


def open_batch(call: Call) -> Answer:
    """POST /sessions/batch."""
    state = call.state
    body = call.json()
    system_code, schema_version = form_codes.read(body.required_object("formCode"))
    file = body.required_object("batchFile")
    size = file.whole("fileSize", smallest=1, largest=MOST_ARCHIVE_BYTES)
    digest = file.sha256("fileHash")
    compression = file.one_of("compressionType", (archive.ZIP, archive.TAR_GZ)) or archive.ZIP
    parts = _parts(file, state.settings.max_part_bytes)
    given = encryption.read(state, body.required_object("encryption"))
    offline = body.flag("offlineMode")
    now = state.now()
    until = now + len(parts) * _TIME_PER_PART
    reference = state.new_reference("SB")
    state.insert(
        "sessions",
        reference=reference,
        kind="Batch",
        context_type=call.principal.context_type,
        context_value=call.principal.context_value,
        authentication=call.principal.authentication,
        system_code=system_code,
        schema_version=schema_version,
        symmetric_key=given.key,
        vector=given.vector,
        created=stamp(now),
        updated=stamp(now),
        valid_until=stamp(until),
    )
    state.insert(
        "batches",
        session=reference,
        size=size,
        hash=digest,
        compression=compression,
        offline=int(offline),
        code=415 if given.key is None else None,
    )
    for part in parts:
        state.insert("batch_parts", session=reference, ordinal=part.ordinal, size=part.size, hash=part.hash)
    requests = [part_request(call, reference, part.ordinal, until) for part in parts]
    return Answer({"referenceNumber": reference, "partUploadRequests": requests}, status=201)


def close_batch(call: Call) -> Answer:
    """POST /sessions/batch/{referenceNumber}/close: starts the processing of the archive."""
    state = call.state
    settle(state)
    session = find_session(call, kind="Batch")
    at = session_status(state, session)
    if at.code == 440 and session["closed"] is None:
        raise BadRequest(21208, "Sesja anulowana, przekroczony czas wysyłki.")
    if at.code != 100:
        raise BadRequest(21180, f"Status sesji {at.code} uniemożliwia jej zamknięcie.")
    missing = state.all(
        "SELECT ordinal FROM batch_parts WHERE session = ? AND stored IS NULL ORDER BY ordinal",
        (session["reference"],),
    )
    if missing:
        raise BadRequest(
            21205, *(f"Nie przesłano zadeklarowanej '{row['ordinal']}' części pliku." for row in missing)
        )
    now = state.now()
    ready = now + timedelta(seconds=state.settings.processing_seconds + state.settings.document_seconds)
    state.run(
        "UPDATE sessions SET closed = ?, updated = ? WHERE reference = ?",
        (stamp(now), stamp(now), session["reference"]),
    )
    state.run(
        "UPDATE batches SET ready = ?, forced = ? WHERE session = ?",
        (stamp(ready), call.forced_status, session["reference"]),
    )
    return Answer(status=204)


def _parts(file: Body, most_bytes: int) -> list[_Part]:
    """The declared parts, checked.

    Args:
        file: BatchFileInfo.
        most_bytes: size of a part before encryption; the padding of a full block adds one more.

    Raises:
        BadRequest: 21161 more than fifty, 21157 a part is too large, 21405 anything else.
    """
    given = file.objects("fileParts")
    if len(given) > MOST_PARTS:
        raise BadRequest(21161, f"Liczba części {len(given)} przekracza dozwoloną liczbę {MOST_PARTS}.")
    parts = [
        _Part(
            entry.whole("ordinalNumber", smallest=1),
            entry.whole("fileSize", smallest=1),
            entry.sha256("fileHash") or "",
        )
        for entry in given
    ]
    if sorted(part.ordinal for part in parts) != list(range(1, len(parts) + 1)):
        raise BadRequest(21405, "batchFile.fileParts: numery części muszą być kolejne od 1.")
    large = [part.ordinal for part in parts if part.size > most_bytes + encryption.BLOCK_BYTES]
    if large:
        raise BadRequest(
            21157, *(f"Rozmiar części {ordinal} przekroczył dozwolony rozmiar 100MB." for ordinal in large)
        )
    return parts
