"""Find a session, and tell where it stands.

Source: the table of ``SessionStatusResponse.status`` of open-api.json.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sandbox.ksef.call import Call
from sandbox.ksef.errors import BadRequest, Json
from sandbox.ksef.processing import settle
from sandbox.ksef.state import SandboxState, stamp

_ENDS: Mapping[int, str] = {
    415: "Błąd odszyfrowania dostarczonego klucza",
    440: "Sesja anulowana",
    445: "Błąd weryfikacji, brak poprawnych faktur",
}
_DESCRIPTIONS: Mapping[str, Mapping[int, str]] = {
    "Online": {
        100: "Sesja interaktywna otwarta",
        170: "Sesja interaktywna zamknięta",
        200: "Sesja interaktywna przetworzona pomyślnie",
        **_ENDS,
    },
    "Batch": {
        100: "Sesja wsadowa rozpoczęta",
        150: "Trwa przetwarzanie",
        200: "Sesja wsadowa przetworzona pomyślnie",
        405: "Błąd weryfikacji poprawności dostarczonych elementów paczki",
        420: "Przekroczony limit faktur w sesji",
        430: "Błąd dekompresji pierwotnego archiwum",
        435: "Błąd odszyfrowania zaszyfrowanych części archiwum",
        500: "Nieznany błąd (500)",
        **_ENDS,
    },
}


@dataclass(frozen=True, slots=True)
class SessionStatus:
    """Where a session stands.

    Attributes:
        kind: Online or Batch.
        code: status code of SessionStatusResponse.
        total: documents sent.
        accepted: documents with a KSeF number.
        refused: documents with another verdict.
        details: Polish sentences.
    """

    kind: str
    code: int
    total: int
    accepted: int
    refused: int
    details: tuple[str, ...] = ()

    def as_json(self) -> Json:
        """StatusInfo of the contract."""
        return {
            "code": self.code,
            "description": _DESCRIPTIONS[self.kind][self.code],
            "details": list(self.details) or None,
        }


def find_session(call: Call, *, kind: str | None = None, missing: str = "znaleziona") -> sqlite3.Row:
    """The session that the path names, when it belongs to the caller's context.

    Args:
        call: names the session.
        kind: Online or Batch; None takes both.
        missing: last word of the refusal, which differs between operations.

    Raises:
        BadRequest: 21173.
    """
    reference = call.reference("referenceNumber")
    row = call.state.one(
        "SELECT * FROM sessions WHERE reference = ? AND context_type = ? AND context_value = ?",
        (reference, call.principal.context_type, call.principal.context_value),
    )
    if row is None or (kind is not None and row["kind"] != kind):
        raise BadRequest(21173, f"Sesja o numerze referencyjnym {reference} nie została {missing}.")
    return row


def session_status(state: SandboxState, session: sqlite3.Row) -> SessionStatus:
    """Where a session stands now; a session past its life counts as closed."""
    settle(state)
    row = state.one(
        "SELECT COUNT(*) AS total, COALESCE(SUM(code = 200), 0) AS accepted, COUNT(code) AS settled "
        "FROM invoices WHERE session = ?",
        (session["reference"],),
    )
    total, accepted, settled = (
        (row["total"], row["accepted"], row["settled"]) if row is not None else (0, 0, 0)
    )
    if session["kind"] == "Batch":
        code, details = _batch_code(state, session, accepted=accepted, left=total - settled)
    else:
        code = _online_code(state, session, total=total, accepted=accepted, left=total - settled)
        details = ("Nie przesłano faktur",) if code == 440 else ()
    return SessionStatus(session["kind"], code, total, accepted, settled - accepted, details)


def _online_code(state: SandboxState, session: sqlite3.Row, *, total: int, accepted: int, left: int) -> int:
    now = state.now()
    ended = session["closed"] or (session["valid_until"] if session["valid_until"] <= stamp(now) else None)
    if ended is None or total == 0:
        if session["symmetric_key"] is None:
            return 415
        return 100 if ended is None else 440
    if left or ended > stamp(now - timedelta(seconds=state.settings.processing_seconds)):
        return 170
    return 200 if accepted else 445


def _batch_code(
    state: SandboxState, session: sqlite3.Row, *, accepted: int, left: int
) -> tuple[int, tuple[str, ...]]:
    batch = state.one("SELECT * FROM batches WHERE session = ?", (session["reference"],))
    assert batch is not None
    if batch["code"] is not None:
        return batch["code"], tuple(json.loads(batch["details"] or "[]"))
    if batch["ready"] is None:
        return 100, ()
    if not batch["unpacked"] or left:
        return 150, ()
    return (200 if accepted else 445), ()
