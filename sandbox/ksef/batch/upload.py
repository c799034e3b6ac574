"""Presigned uploads of a batch's parts, as the storage behind KSeF takes them.

Source: ``partUploadRequests`` of open-api.json: the given method, address and headers, never an access token;
201 stored, 400 wrong data, 401 wrong authentication, 403 no right to write (e.g. when the time is over).
"""

from __future__ import annotations

from datetime import UTC, datetime

from sandbox.ksef import files, links
from sandbox.ksef.call import Answer, Call
from sandbox.ksef.errors import Json, PlainProblem
from sandbox.ksef.state import stamp

METHOD = "PUT"
PATH = "/storage/batch/{reference}/parts/{ordinal}"
MOST_BYTES = 100_000_016
"""Bytes of the largest encrypted part: 100 000 000 and their padding (BatchFileInfo.fileParts)."""
_HEADERS = {"x-ms-blob-type": "BlockBlob"}


def part_request(call: Call, reference: str, ordinal: int, until: datetime) -> Json:
    """PartUploadRequest of the contract.

    Args:
        call: gives the state and the server's address.
        reference: reference number of the session.
        ordinal: number of the part, from 1.
        until: aware end of the time for uploads.
    """
    path = f"/storage/batch/{reference}/parts/{ordinal}"
    return {
        "ordinalNumber": ordinal,
        "method": METHOD,
        "url": links.presign(call, path, links.WRITE, until.astimezone(UTC)),
        "headers": dict(_HEADERS),
    }


def store_part(call: Call) -> Answer:
    """PUT /storage/batch/{reference}/parts/{ordinal}: stream one part into a file.

    A part may be sent again until the session is closed; what came last counts. Runs outside the transaction
    of the call, so that several parts can be on their way at once.
    """
    if "authorization" in call.headers:
        raise PlainProblem(401, "Unauthorized", "Wysyłka części nie przyjmuje tokena dostępowego.")
    links.check(call, links.WRITE)
    for name, value in _HEADERS.items():
        if call.headers.get(name) != value:
            raise PlainProblem(400, "Bad Request", f"Wymagany nagłówek {name}: {value}.")
    state = call.state
    reference, ordinal = call.path["reference"], int(call.path["ordinal"])
    size, digest = _declared(call, reference, ordinal)
    if call.stream is None or call.headers.get("content-length") != str(size):
        raise PlainProblem(400, "Bad Request", f"Oczekiwano części o rozmiarze {size} bajtów.")
    folder = state.files.folder(reference)
    received = folder / f"{ordinal}.{state.random_bytes(8).hex()}"
    written = files.write(received, files.pieces(call.stream, most=size))
    try:
        if written.size != size:
            raise PlainProblem(400, "Bad Request", "Wysyłka części została przerwana.")
        if written.hash != digest:
            raise PlainProblem(400, "Bad Request", "Skrót części nie zgadza się z zadeklarowanym.")
        with state.transaction():
            _declared(call, reference, ordinal)
            received.replace(folder / str(ordinal))
            now = stamp(state.now())
            state.run(
                "UPDATE batch_parts SET stored = ? WHERE session = ? AND ordinal = ?",
                (now, reference, ordinal),
            )
            state.run("UPDATE sessions SET updated = ? WHERE reference = ?", (now, reference))
    finally:
        received.unlink(missing_ok=True)
    return Answer(status=201)


def _declared(call: Call, reference: str, ordinal: int) -> tuple[int, str]:
    """(size, hash) of a part that may still be written.

    Raises:
        PlainProblem: 403, the session was closed or its time is over.
    """
    row = call.state.one(
        "SELECT batch_parts.size, batch_parts.hash FROM batch_parts "
        "JOIN sessions ON sessions.reference = batch_parts.session "
        "WHERE session = ? AND ordinal = ? AND closed IS NULL AND valid_until > ?",
        (reference, ordinal, stamp(call.state.now())),
    )
    if row is None:
        raise PlainProblem(403, "Forbidden", "Sesja nie przyjmuje już części.")
    return row["size"], row["hash"]
