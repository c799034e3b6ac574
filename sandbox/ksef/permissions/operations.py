"""Asynchronous changes of permissions and their status.

Source: GET /permissions/operations/{referenceNumber} of open-api.json and its table of statuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.ksef.call import Answer, Call
from sandbox.ksef.errors import BadRequest, Gone
from sandbox.ksef.identities import Identity
from sandbox.ksef.state import stamp

_RETENTION = timedelta(days=30)
_STATUSES: Mapping[int, str] = {
    100: "Operacja przyjęta do realizacji",
    200: "Operacja zakończona sukcesem",
    400: "Operacja zakończona niepowodzeniem",
    410: "Podane identyfikatory są niezgodne lub pozostają w niewłaściwej relacji",
    420: "Użyte poświadczenia nie mają uprawnień do wykonania tej operacji",
    430: "Kontekst identyfikatora nie odpowiada wymaganej roli lub uprawnieniom",
    440: "Operacja niedozwolona dla wskazanych powiązań identyfikatorów",
    450: "Operacja niedozwolona dla wskazanego identyfikatora lub jego typu",
    500: "Nieznany błąd",
    550: "Operacja została anulowana przez system",
}


@dataclass(frozen=True, slots=True)
class Started:
    """A change that was taken for processing.

    Attributes:
        answer: what the caller gets.
        succeeds: whether the change happens.
        ends: aware UTC time at which it happens.
    """

    answer: Answer
    succeeds: bool
    ends: datetime


def start(call: Call, code: int = 200) -> Started:
    """Take a change for processing.

    Args:
        call: who asks.
        code: status with which it ends; 200 means that the change happens.
    """
    state = call.state
    if call.forced_status is not None:
        code = call.forced_status
    now = state.now()
    ends = now + timedelta(seconds=state.settings.processing_seconds)
    reference = state.new_reference("PO")
    state.insert(
        "permission_operations",
        reference=reference,
        started=stamp(now),
        ready=stamp(ends),
        context_type=call.principal.context_type,
        context_value=call.principal.context_value,
        code=code,
    )
    return Started(Answer({"referenceNumber": reference}, status=202), code == 200, ends)


def status(call: Call) -> Answer:
    """GET /permissions/operations/{referenceNumber}."""
    reference = call.reference("referenceNumber")
    row = call.state.one(
        "SELECT * FROM permission_operations WHERE reference = ? AND context_type = ? AND context_value = ?",
        (reference, *current(call)),
    )
    if row is None:
        raise BadRequest(21405, f"Operacja o numerze referencyjnym {reference} nie została znaleziona.")
    now = call.state.now()
    if datetime.fromisoformat(row["started"]) + _RETENTION < now:
        raise Gone
    code = 100 if row["ready"] > stamp(now) else row["code"]
    return Answer({"status": {"code": code, "description": _STATUSES.get(code, "Nieznany błąd")}})


def current(call: Call) -> Identity:
    """The context in which the caller works."""
    return call.principal.context_type, call.principal.context_value


def author(call: Call) -> Identity:
    """Who calls."""
    return call.principal.subject_type, call.principal.subject_value
