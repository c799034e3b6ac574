"""The verdict on a document: what happens between receiving it and giving it a KSeF number.

Nothing runs in the background. A document's verdict falls at ``received + processing_seconds``, and the next
call that looks at documents writes down every verdict that has fallen (:func:`settle`), in the order of time,
so that the result does not depend on who looks when.

Source: the Ministry's page on the verification of invoices, and the statuses of
``SessionInvoiceStatusResponse.status``.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.calendar import warsaw_day
from core.ksef import number as ksef_number
from sandbox.ksef import documents, encryption
from sandbox.ksef.batch.unpacking import settle_batches
from sandbox.ksef.state import SandboxState, stamp

STATUSES: Mapping[int, str] = {
    100: "Faktura przyjęta do dalszego przetwarzania",
    150: "Trwa przetwarzanie",
    200: "Sukces",
    405: "Przetwarzanie anulowane z powodu błędu sesji",
    410: "Nieprawidłowy zakres uprawnień",
    415: "Brak możliwości wysyłania faktury z załącznikiem",
    430: "Błąd weryfikacji pliku faktury",
    435: "Błąd odszyfrowania pliku",
    440: "Duplikat faktury",
    450: "Błąd weryfikacji semantyki dokumentu faktury",
    500: "Nieznany błąd",
    550: "Operacja została anulowana przez system",
}
"""Status of a document -> description."""

_CANCELLED = "Przetwarzanie zostało przerwane z przyczyn wewnętrznych systemu. Spróbuj ponownie"
_MOST_DETAILS = 20
_MOST_IN_MEMORY = 20
# KSeF writes a document to its permanent store a moment after giving the number
_STORING = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Refused(Exception):
    """A verdict other than success.

    Attributes:
        code: status of the document.
        details: Polish sentences.
        extensions: further data of the status.
    """

    code: int
    details: tuple[str, ...] = ()
    extensions: Mapping[str, str] | None = None


def settle(state: SandboxState) -> None:
    """Write down the verdicts that have fallen until now, on batches and on documents.

    No more than ``Settings.verdicts_per_look`` of them.
    """
    settle_batches(state)
    now = stamp(state.now())
    left = state.settings.verdicts_per_look
    while left > 0 and (rows := _due(state, now, min(left, _MOST_IN_MEMORY))):
        left -= len(rows)
        for row in rows:
            try:
                content = _open(row)
                facts = _check(state, row, content)
            except Refused as refused:
                _write_refusal(state, row, refused)
            else:
                _write_success(state, row, content, facts)


def is_stored(state: SandboxState, row: sqlite3.Row) -> bool:
    """Whether an accepted document is in the permanent store; always, unless the settings delay that."""
    return not state.settings.storage_seconds or row["stored"] <= stamp(state.now())


def _due(state: SandboxState, now: str, most: int) -> list[sqlite3.Row]:
    """Some of the documents whose verdict has fallen, earliest first."""
    return state.all(
        "SELECT invoices.*, sessions.context_type, sessions.context_value, sessions.system_code, "
        "sessions.schema_version, sessions.symmetric_key, sessions.vector, "
        "sessions.kind AS session_kind FROM invoices "
        "JOIN sessions ON sessions.reference = invoices.session "
        "WHERE invoices.code IS NULL AND invoices.ready <= ? "
        "ORDER BY invoices.ready, invoices.sequence LIMIT ?",
        (now, most),
    )


def _open(row: sqlite3.Row) -> bytes:
    """The document's bytes, decrypted and compared with what the sender declared.

    A document from a batch came out of its archive as it is.
    """
    if row["forced"] is not None:
        details = (_CANCELLED,) if row["forced"] == 550 else ("Status wywołany na żądanie w piaskownicy",)
        raise Refused(row["forced"], details)
    if row["encrypted"] is None:
        return bytes(row["xml"])
    if row["symmetric_key"] is None:
        raise Refused(405)
    try:
        content = b"".join(encryption.decrypt(row["symmetric_key"], row["vector"], [row["encrypted"]]))
    except encryption.CipherError:
        raise Refused(435) from None
    if len(content) != row["size"]:
        raise Refused(430, (f"Rozmiar pliku {len(content)} różni się od zadeklarowanego {row['size']}.",))
    if base64.b64encode(hashlib.sha256(content).digest()).decode() != row["hash"]:
        raise Refused(430, ("Skrót pliku różni się od zadeklarowanego.",))
    return content


def _check(state: SandboxState, row: sqlite3.Row, content: bytes) -> documents.InvoiceFacts:
    settings = state.settings
    if len(content) > settings.max_attachment_bytes:
        raise Refused(430, (f"Plik ma {len(content)} bajtów, dozwolone {settings.max_attachment_bytes}.",))
    problems = documents.file_problems(content)
    if problems:
        raise Refused(430, tuple(problems))
    try:
        tree = documents.parse(content)
    except documents.DocumentError as error:
        raise Refused(430, (str(error),)) from None
    violations = state.check_schema(row["system_code"], row["schema_version"], tree)
    if violations:
        raise Refused(450, tuple(violations[:_MOST_DETAILS]))
    try:
        facts = documents.read(tree)
    except documents.DocumentError as error:
        raise Refused(450, (str(error),)) from None
    if facts.attachment and row["session_kind"] == "Online" and row["corrects"] is None:
        raise Refused(415, ("Faktury z załącznikiem wysyła się w sesji wsadowej.",))
    if not facts.attachment and len(content) > settings.max_invoice_bytes:
        raise Refused(430, (f"Plik ma {len(content)} bajtów, dozwolone {settings.max_invoice_bytes}.",))
    _check_meaning(row, facts)
    _check_duplicate(state, facts)
    return facts


def _check_meaning(row: sqlite3.Row, facts: documents.InvoiceFacts) -> None:
    details = [
        f"Numer NIP {nip} ma niepoprawną cyfrę kontrolną."
        for nip in (facts.seller_nip, *facts.other_nips)
        if not documents.nip_is_valid(nip)
    ]
    accepted = warsaw_day(datetime.fromisoformat(row["ready"]))
    if facts.issued > accepted:
        details.append(
            f"Data wystawienia {facts.issued} jest późniejsza niż data przyjęcia faktury {accepted}."
        )
    if details:
        raise Refused(450, tuple(details))
    if facts.seller_nip != str(row["context_value"])[:10]:
        raise Refused(
            410,
            (
                f"Kontekst {row['context_value']} nie ma uprawnień do wystawienia faktury "
                f"w imieniu {facts.seller_nip}.",
            ),
        )


def _check_duplicate(state: SandboxState, facts: documents.InvoiceFacts) -> None:
    earlier = state.one(
        "SELECT session, ksef_number FROM invoices "
        "WHERE seller = ? AND kind = ? AND number = ? AND code = 200",
        (facts.seller_nip, facts.kind, facts.number),
    )
    if earlier is None:
        return
    raise Refused(
        440,
        (
            f"Duplikat faktury. Faktura o numerze KSeF: {earlier['ksef_number']} została już prawidłowo "
            f"przesłana do systemu w sesji: {earlier['session']}",
        ),
        {
            "originalSessionReferenceNumber": earlier["session"],
            "originalKsefNumber": earlier["ksef_number"],
        },
    )


def _write_refusal(state: SandboxState, row: sqlite3.Row, refused: Refused) -> None:
    state.run(
        "UPDATE invoices SET code = ?, details = ?, extensions = ?, encrypted = NULL, xml = NULL "
        "WHERE sequence = ?",
        (
            refused.code,
            json.dumps(refused.details, ensure_ascii=False) if refused.details else None,
            json.dumps(dict(refused.extensions)) if refused.extensions is not None else None,
            row["sequence"],
        ),
    )


def _write_success(
    state: SandboxState, row: sqlite3.Row, content: bytes, facts: documents.InvoiceFacts
) -> None:
    # documents of a batch follow each other, so that a place in time names a place in the list
    later = row["ordinal"] if row["session_kind"] == "Batch" else 0
    acquired = datetime.fromisoformat(row["ready"]) + timedelta(microseconds=later)
    received = datetime.fromisoformat(row["received"])
    technical = f"0100{state.random_bytes(4).hex().upper()}"
    given = ksef_number.make(facts.seller_nip, warsaw_day(acquired), technical)
    offline = row["offline"] or facts.issued < warsaw_day(received)
    state.run(
        "UPDATE invoices SET code = 200, ksef_number = ?, acquired = ?, stored = ?, mode = ?, number = ?, "
        "seller = ?, kind = ?, issued = ?, xml = ?, meta = ?, encrypted = NULL WHERE sequence = ?",
        (
            given.value,
            stamp(acquired),
            stamp(acquired + max(_STORING, timedelta(seconds=state.settings.storage_seconds))),
            "Offline" if offline else "Online",
            facts.number,
            facts.seller_nip,
            facts.kind,
            facts.issued.isoformat(),
            content,
            json.dumps(facts.as_json(), ensure_ascii=False),
            row["sequence"],
        ),
    )
