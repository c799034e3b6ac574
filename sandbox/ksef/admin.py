"""Operations of the sandbox itself, outside the contract: faults, clock, keys, tokens, documents, state.

They live under ``/sandbox``, need no token, and are meant for tests, demos and people.
"""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import timedelta

from sandbox.ksef import auth, keys, sessions, tokens
from sandbox.ksef.call import Answer, Call
from sandbox.ksef.errors import BadRequest, PlainProblem
from sandbox.ksef.faults import FaultError
from sandbox.ksef.processing import settle
from sandbox.ksef.state import Settings

_COUNTED = (
    "challenges",
    "authentications",
    "tokens",
    "certificates",
    "grants",
    "sessions",
    "invoices",
    "upos",
    "exports",
    "collective_identifiers",
)


def plan_fault(call: Call) -> Answer:
    """POST /sandbox/faults {kind, operation, times, value}; see :mod:`sandbox.ksef.faults`."""
    body = call.json()
    value = body.values.get("value")
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise BadRequest(21405, "value: oczekiwano liczby.")
    try:
        call.state.faults.add(
            body.required_text("kind"),
            body.text("operation", required=False) or "",
            times=body.whole("times", smallest=1) if "times" in body.values else 1,
            value=value,
        )
    except FaultError as error:
        raise BadRequest(21405, str(error)) from None
    return Answer([fault.as_json() for fault in call.state.faults.waiting()], status=201)


def list_faults(call: Call) -> Answer:
    """GET /sandbox/faults: faults that still wait."""
    return Answer([fault.as_json() for fault in call.state.faults.waiting()])


def clear_faults(call: Call) -> Answer:
    """DELETE /sandbox/faults."""
    call.state.faults.clear()
    return Answer(status=204)


def list_documents(call: Call) -> Answer:
    """GET /sandbox/documents: every accepted document in the order of acceptance."""
    settle(call.state)
    rows = call.state.all("SELECT * FROM invoices WHERE code = 200 ORDER BY acquired, sequence")
    return Answer(
        [
            {
                "ksefNumber": row["ksef_number"],
                "sellerNip": row["seller"],
                "invoiceNumber": row["number"],
                "invoiceType": row["kind"],
                "issueDate": row["issued"],
                "invoiceHash": row["hash"],
                "invoicingMode": row["mode"],
                "sessionReferenceNumber": row["session"],
                "invoiceReferenceNumber": row["reference"],
                "xml": f"{call.origin}/sandbox/documents/{row['ksef_number']}.xml",
            }
            for row in rows
        ]
    )


def read_document(call: Call) -> Answer:
    """GET /sandbox/documents/{ksefNumber}.xml: the bytes that were sent."""
    settle(call.state)
    row = call.state.one("SELECT xml FROM invoices WHERE ksef_number = ?", (call.path["ksefNumber"],))
    if row is None:
        raise PlainProblem(404, "Not Found", "Nie znaleziono dokumentu.")
    return Answer(bytes(row["xml"]))


def describe(call: Call) -> Answer:
    """GET /sandbox/state: time, settings, numbers of rows, waiting faults."""
    state = call.state
    settle(state)
    counts = {}
    for table in _COUNTED:
        row = state.one(f"SELECT COUNT(*) AS n FROM {table}")  # noqa: S608
        counts[table] = 0 if row is None else row["n"]
    verdicts = state.all("SELECT code, COUNT(*) AS n FROM invoices GROUP BY code ORDER BY code")
    return Answer(
        {
            "now": state.now().isoformat(),
            "settings": asdict(state.settings),
            "counts": counts,
            "invoiceStatuses": {str(row["code"] or 150): row["n"] for row in verdicts},
            "faults": [fault.as_json() for fault in state.faults.waiting()],
        }
    )


def change_settings(call: Call) -> Answer:
    """POST /sandbox/settings: members of :class:`sandbox.ksef.state.Settings` by their names."""
    body = call.json()
    settings = call.state.settings
    kinds = {item.name: type(getattr(settings, item.name)) for item in fields(Settings)}
    for name, value in body.values.items():
        if name not in kinds:
            raise BadRequest(21405, f"{name}: nie ma takiego ustawienia.")
        accepted = (int, float) if kinds[name] is float else (kinds[name],)
        if type(value) not in accepted:
            raise BadRequest(21405, f"{name}: oczekiwano wartości typu {kinds[name].__name__}.")
    for name, value in body.values.items():
        setattr(settings, name, value)
    return Answer(asdict(settings))


def advance_clock(call: Call) -> Answer:
    """POST /sandbox/clock {advanceSeconds}: move the sandbox's time."""
    seconds = call.json().values.get("advanceSeconds")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise BadRequest(21405, "advanceSeconds: oczekiwano liczby.")
    call.state.clock_offset += timedelta(seconds=seconds)
    return Answer({"now": call.state.now().isoformat()})


def rotate_keys(call: Call) -> Answer:
    """POST /sandbox/keys/rotate: withdraw the encryption keys and publish new ones."""
    keys.rotate(call.state)
    return Answer(keys.published(call.state))


def close_sessions(call: Call) -> Answer:
    """POST /sandbox/sessions/close: KSeF closes every open interactive session by itself."""
    return Answer({"closed": sessions.close_all(call.state)})


def issue_token(call: Call) -> Answer:
    """POST /sandbox/tokens {nip, permissions}: a KSeF token without signing in."""
    body = call.json()
    wanted = frozenset(body.texts("permissions", required=False)) or frozenset(
        {"InvoiceRead", "InvoiceWrite"}
    )
    nip = body.required_text("nip", shortest=10, longest=10)
    return Answer({"token": tokens.issue(call.state, nip, permissions=wanted)}, status=201)


def grant(call: Call) -> Answer:
    """POST /sandbox/grants {subjectType, subjectValue, context, permissions}."""
    body = call.json()
    auth.grant(
        call.state,
        subject_type=body.required_text("subjectType"),
        subject_value=body.required_text("subjectValue"),
        context=body.required_text("context"),
        permissions=frozenset(body.texts("permissions")),
    )
    return Answer(status=204)
