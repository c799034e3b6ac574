"""What happens to a batch after its close: decrypt the parts, check the archive, write its documents down.

Source: the table of batch statuses in ``SessionStatusResponse.status`` of open-api.json. The documents get
their verdicts in :mod:`sandbox.ksef.processing`, as interactive ones do.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sandbox.ksef import encryption, files
from sandbox.ksef.batch import archive
from sandbox.ksef.state import SandboxState, stamp

SESSION_STATUSES = frozenset({405, 415, 420, 430, 435, 440, 500})
"""Statuses with which a batch session itself can end; a forced status that is not here falls on documents."""

_MOST_NAME = 128


@dataclass(frozen=True, slots=True)
class BatchRefused(Exception):
    """The end of a batch as a whole.

    Attributes:
        code: status of the session.
        details: Polish sentences.
    """

    code: int
    details: tuple[str, ...] = ()


def settle_batches(state: SandboxState) -> None:
    """Cancel the batches whose time for uploads is over, and unpack those whose processing time has come."""
    now = stamp(state.now())
    expired = state.all(
        "SELECT session FROM batches JOIN sessions ON sessions.reference = batches.session "
        "WHERE batches.code IS NULL AND sessions.closed IS NULL AND sessions.valid_until <= ?",
        (now,),
    )
    for row in expired:
        _end(state, row["session"], BatchRefused(440, ("Przekroczono czas wysyłki",)))
    due = state.all(
        "SELECT batches.*, sessions.symmetric_key, sessions.vector, sessions.created FROM batches "
        "JOIN sessions ON sessions.reference = batches.session "
        "WHERE batches.code IS NULL AND batches.unpacked = 0 AND batches.ready <= ? ORDER BY batches.ready",
        (now,),
    )
    for row in due:
        try:
            _unpack(state, row)
        except BatchRefused as refused:
            state.run("DELETE FROM invoices WHERE session = ?", (row["session"],))
            _end(state, row["session"], refused)


def _end(state: SandboxState, reference: str, refused: BatchRefused) -> None:
    details = json.dumps(refused.details, ensure_ascii=False) if refused.details else None
    state.run(
        "UPDATE batches SET code = ?, details = ? WHERE session = ?", (refused.code, details, reference)
    )
    state.after_commit(lambda: state.files.remove(reference))


def _unpack(state: SandboxState, batch: sqlite3.Row) -> None:
    forced = batch["forced"]
    if forced in SESSION_STATUSES:
        raise BatchRefused(forced, ("Status wywołany na żądanie w piaskownicy",))
    reference = batch["session"]
    path = state.files.folder(reference) / "archive"
    _assemble(state, batch, path)
    try:
        count = 0
        for count, entry in enumerate(_entries(state, batch, path), start=1):
            if count > state.settings.max_invoices:
                raise BatchRefused(420, (f"Dozwolona liczba faktur w sesji: {state.settings.max_invoices}.",))
            _write(state, batch, count, entry)
        if not count:
            raise BatchRefused(440, ("Nie przesłano faktur",))
    finally:
        path.unlink(missing_ok=True)
    state.run("UPDATE batches SET unpacked = 1 WHERE session = ?", (reference,))
    state.after_commit(lambda: state.files.remove(reference))


def _assemble(state: SandboxState, batch: sqlite3.Row, path: Path) -> None:
    """Decrypt the parts in their order into one archive and compare it with its declared size and hash."""
    ordinals = state.all(
        "SELECT ordinal FROM batch_parts WHERE session = ? ORDER BY ordinal", (batch["session"],)
    )
    try:
        written = files.write(
            path,
            (
                chunk
                for row in ordinals
                for chunk in _plain(state, path.parent / str(row["ordinal"]), batch, row["ordinal"])
            ),
        )
    except FileNotFoundError:
        raise BatchRefused(405, ("Brak zapisanej części pliku paczki.",)) from None
    except encryption.CipherError:
        raise BatchRefused(435) from None
    if written.size != batch["size"]:
        path.unlink()
        raise BatchRefused(
            405, (f"Rozmiar paczki {written.size} różni się od zadeklarowanego {batch['size']}.",)
        )
    if written.hash != batch["hash"]:
        path.unlink()
        raise BatchRefused(405, ("Skrót paczki różni się od zadeklarowanego.",))


def _plain(state: SandboxState, part: Path, batch: sqlite3.Row, ordinal: int) -> Iterator[bytes]:
    size = 0
    with part.open("rb") as file:
        for chunk in encryption.decrypt(batch["symmetric_key"], batch["vector"], files.pieces(file)):
            size += len(chunk)
            if size > state.settings.max_part_bytes:
                raise BatchRefused(405, (f"Rozmiar części {ordinal} przekroczył dozwolony rozmiar 100MB.",))
            yield chunk


def _entries(state: SandboxState, batch: sqlite3.Row, path: Path) -> Iterator[archive.Entry]:
    settings = state.settings
    try:
        yield from archive.entries(
            path,
            batch["compression"],
            most_kept=settings.max_attachment_bytes,
            most_unpacked=settings.max_unpacked_bytes,
        )
    except archive.ArchiveError as error:
        raise BatchRefused(430, (str(error),)) from None


def _write(state: SandboxState, batch: sqlite3.Row, ordinal: int, entry: archive.Entry) -> None:
    """Write one document down; one that is too long to keep has its verdict at once."""
    refusal: tuple[int | None, str | None] = (None, None)
    if entry.content is None:
        limit = state.settings.max_attachment_bytes
        refusal = (430, json.dumps([f"Plik ma {entry.size} bajtów, dozwolone {limit}."]))
    state.insert(
        "invoices",
        reference=state.new_reference("EE"),
        session=batch["session"],
        ordinal=ordinal,
        # a batch's documents count as received when the session was opened: this decides the offline marking
        received=batch["created"],
        ready=batch["ready"],
        hash=entry.hash,
        size=entry.size,
        offline=batch["offline"],
        forced=batch["forced"],
        file_name=entry.name[:_MOST_NAME],
        xml=entry.content,
        code=refusal[0],
        details=refusal[1],
    )
