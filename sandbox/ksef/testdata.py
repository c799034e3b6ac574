"""Test data: entities, persons, permissions, attachments, blocked contexts and limits, as on KSeF TEST.

Source: operations under ``/testdata`` of open-api.json.
"""

from __future__ import annotations

import json
from datetime import date, datetime, time

from core.calendar import WARSAW
from sandbox.ksef import allowances, consents
from sandbox.ksef.call import Answer, Body, Call, parse_moment
from sandbox.ksef.errors import BadRequest, Json
from sandbox.ksef.identities import Identity
from sandbox.ksef.limits import CHANGEABLE, PUBLISHED, UNLIMITED, RateLimit
from sandbox.ksef.permissions import access, forms, grants, subjects
from sandbox.ksef.permissions.grants import Grant
from sandbox.ksef.state import stamp

_CONTEXTS = ("Nip", "InternalId", "NipVatUe", "PeppolId")
_MOST_MEGABYTES = {"maxInvoiceSizeInMB": 5, "maxInvoiceWithAttachmentSizeInMB": 10, "maxInvoices": 100_000}


def add_subject(call: Call) -> Answer:
    """POST /testdata/subject: a VAT group, local government unit or enforcement authority, with subunits."""
    body = call.json()
    nip = _nip(body, "subjectNip")
    kind = body.choice("subjectType", subjects.KINDS)
    text = forms.description(body)
    units = body.objects("subunits") if body.values.get("subunits") else []
    created = _created(call, body)
    members = [(nip, "", text), *((_nip(unit, "subjectNip"), nip, forms.description(unit)) for unit in units)]
    if units and not subjects.KINDS[kind][1]:
        raise BadRequest(21405, f"subunits: {kind} nie ma jednostek podrzędnych.")
    for member, parent, label in members:
        earlier = call.state.one(
            "SELECT created, removed FROM subjects WHERE nip = ? AND parent = ?", (member, parent)
        )
        if earlier is not None:
            _check_repeated(bool(earlier["removed"]), earlier["created"], created)
        call.state.run(
            "INSERT OR REPLACE INTO subjects VALUES (?, ?, ?, ?, ?, 0)",
            (member, parent, kind, label, stamp(created)),
        )
    return Answer()


def remove_subject(call: Call) -> Answer:
    """POST /testdata/subject/remove: the entity and its subunits."""
    nip = _nip(call.json(), "subjectNip")
    call.state.run("UPDATE subjects SET removed = 1 WHERE nip = ? OR parent = ?", (nip, nip))
    return Answer()


def add_person(call: Call) -> Answer:
    """POST /testdata/person: a person whose PESEL owns the context of its NIP."""
    body = call.json()
    nip = _nip(body, "nip")
    pesel = body.required_text("pesel", form=forms.FORMS["Pesel"].pattern)
    bailiff, deceased = body.required_flag("isBailiff"), body.flag("isDeceased")
    text = forms.description(body)
    created = _created(call, body)
    earlier = call.state.one("SELECT created, removed FROM persons WHERE nip = ?", (nip,))
    if earlier is not None:
        _check_repeated(bool(earlier["removed"]), earlier["created"], created)
    call.state.run(
        "INSERT OR REPLACE INTO persons VALUES (?, ?, ?, ?, ?, ?, 0)",
        (nip, pesel, int(bailiff), int(deceased), text, stamp(created)),
    )
    return Answer()


def remove_person(call: Call) -> Answer:
    """POST /testdata/person/remove: the person loses every permission."""
    nip = _nip(call.json(), "nip")
    now = call.state.now()
    row = call.state.one("SELECT pesel FROM persons WHERE nip = ? AND removed = 0", (nip,))
    if row is not None:
        grants.end_of(call.state, ("Nip", nip), ended=now)
        grants.end_of(call.state, ("Pesel", row["pesel"]), ended=now)
        call.state.run("UPDATE persons SET removed = 1 WHERE nip = ?", (nip,))
    return Answer()


def grant(call: Call) -> Answer:
    """POST /testdata/permissions."""
    body = call.json()
    context = forms.identifier(body, "contextIdentifier", ("Nip",))
    subject = forms.identifier(body, "authorizedIdentifier", forms.PERSONS)
    items = [
        (item.choice("permissionType", access.OWNER_PERMISSIONS), forms.description(item))
        for item in body.objects("permissions")
    ]
    grants.add(
        call.state,
        [
            Grant(grants.PERSON, subject, context, context, grants.SYSTEM, permission, text)
            for permission, text in items
        ],
        started=call.state.now(),
    )
    return Answer()


def revoke(call: Call) -> Answer:
    """POST /testdata/permissions/revoke: everything that a subject has in a context."""
    body = call.json()
    context = forms.identifier(body, "contextIdentifier", ("Nip",))
    subject = forms.identifier(body, "authorizedIdentifier", forms.PERSONS)
    grants.end_of(call.state, subject, context=context, ended=call.state.now())
    return Answer()


def allow_attachments(call: Call) -> Answer:
    """POST /testdata/attachment."""
    consents.allow_attachments(call.state, _nip(call.json(), "nip"))
    return Answer()


def end_attachments(call: Call) -> Answer:
    """POST /testdata/attachment/revoke: now, or at the start of a day in Warsaw."""
    body = call.json()
    text = body.text("expectedEndDate", required=False)
    moment = call.state.now() if text is None else _start_of_day(text)
    consents.end_attachments(call.state, _nip(body, "nip"), moment)
    return Answer()


def block(call: Call) -> Answer:
    """POST /testdata/context/block: signing in ends with 480."""
    context = _context(call)
    if context is not None:
        consents.block(call.state, context)
    return Answer()


def unblock(call: Call) -> Answer:
    """POST /testdata/context/unblock."""
    context = _context(call)
    if context is not None:
        consents.unblock(call.state, context)
    return Answer()


def set_session_limits(call: Call) -> Answer:
    """POST /testdata/limits/context/session."""
    body = call.json()
    limits: dict[str, Json] = {}
    for name in ("onlineSession", "batchSession"):
        inner = body.required_object(name)
        limits[name] = {
            member: inner.whole(member, smallest=0, largest=largest)
            for member, largest in _MOST_MEGABYTES.items()
        }
    collected = body.required_object("collectiveIdentifier").whole("maxInvoices", smallest=2, largest=5000)
    limits["collectiveIdentifier"] = {"maxInvoices": collected}
    call.state.run(
        "INSERT OR REPLACE INTO context_limits VALUES (?, ?)",
        (call.principal.context_value, json.dumps(limits)),
    )
    return Answer()


def reset_session_limits(call: Call) -> Answer:
    """DELETE /testdata/limits/context/session."""
    call.state.run("DELETE FROM context_limits WHERE context_value = ?", (call.principal.context_value,))
    return Answer()


def set_certificate_limits(call: Call) -> Answer:
    """POST /testdata/limits/subject/certificate; what is absent stays as it is."""
    body = call.json()
    subject = _subject(call, body)
    now = allowances.of_subject(call.state, subject)
    changed = allowances.SubjectAllowance(
        _limit(body, "enrollment", "maxEnrollments", now.max_enrollments),
        _limit(body, "certificate", "maxCertificates", now.max_certificates),
    )
    call.state.run(
        "INSERT OR REPLACE INTO subject_limits VALUES (?, ?, ?, ?)",
        (*subject, changed.max_enrollments, changed.max_certificates),
    )
    return Answer()


def reset_certificate_limits(call: Call) -> Answer:
    """DELETE /testdata/limits/subject/certificate."""
    call.state.run(
        "DELETE FROM subject_limits WHERE subject_type = ? AND subject_value = ?", _subject(call, Body({}))
    )
    return Answer()


def set_rate_limits(call: Call) -> Answer:
    """POST /testdata/rate-limits: for the caller's context; they are enforced from then on."""
    body = call.json().required_object("rateLimits")
    changed = dict(PUBLISHED)
    for group in CHANGEABLE:
        inner = body.required_object(group)
        windows = [inner.whole(name, smallest=UNLIMITED) for name in ("perSecond", "perMinute", "perHour")]
        # a limit of no calls at all would also forbid the call that takes it back
        if 0 in windows:
            raise BadRequest(21405, f"rateLimits.{group}: limit 0 nie jest dozwolony.")
        changed[group] = RateLimit(*windows)
    allowances.change_rates(call.state, call.principal.context_value, changed)
    return Answer()


def reset_rate_limits(call: Call) -> Answer:
    """DELETE /testdata/rate-limits: back to the sandbox's own setting."""
    allowances.change_rates(call.state, call.principal.context_value, None)
    return Answer()


def production_rate_limits(call: Call) -> Answer:
    """POST /testdata/rate-limits/production: enforce the published limits for the caller's context."""
    allowances.change_rates(call.state, call.principal.context_value, PUBLISHED)
    return Answer()


def _nip(body: Body, name: str) -> str:
    return body.required_text(name, form=forms.FORMS["Nip"].pattern)


def _created(call: Call, body: Body) -> datetime:
    text = body.text("createdDate", required=False)
    return call.state.now() if text is None else parse_moment(text, "createdDate")


def _check_repeated(removed: bool, earlier: str, created: datetime) -> None:
    """Refuse what exists, and a return that is not later than the earlier making."""
    if not removed:
        raise BadRequest(30001)
    if stamp(created) <= earlier:
        raise BadRequest(21405, f"createdDate: data musi być późniejsza niż {earlier}.")


def _start_of_day(text: str) -> datetime:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadRequest(21405, f"expectedEndDate: {text!r} nie jest datą.") from None
    return datetime.combine(day, time(), WARSAW)


def _context(call: Call) -> Identity | None:
    """The context of a request to block or unblock; the contract lets it be absent."""
    return forms.optional_identifier(call.json(), "contextIdentifier", _CONTEXTS)


def _subject(call: Call, body: Body) -> Identity:
    """The caller, or the caller's identifier of the type that the request names."""
    wanted = body.one_of("subjectIdentifierType", forms.PERSONS)
    own = (call.principal.subject_type, call.principal.subject_value)
    if wanted is not None and wanted != own[0]:
        raise BadRequest(21405, f"subjectIdentifierType: podmiot jest uwierzytelniony jako {own[0]}.")
    return own


def _limit(body: Body, section: str, name: str, present: int) -> int:
    inner = body.object(section, required=False)
    if inner is None or inner.values.get(name) is None:
        return present
    return inner.whole(name, smallest=0)
