"""Operations that grant permissions.

Source: the POST operations under ``/permissions/.../grants`` of open-api.json.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sandbox.ksef.call import Answer, Body, Call
from sandbox.ksef.errors import Json
from sandbox.ksef.identities import Identity
from sandbox.ksef.permissions import access, forms, grants, subjects
from sandbox.ksef.permissions.grants import Grant
from sandbox.ksef.permissions.operations import author, current, start

_MISMATCH = 410
_ROLE = 430
_RELATION = 440
_ENTITY_PERMISSIONS = ("InvoiceWrite", "InvoiceRead", "CollectiveIdentifierManage")
_EU_PERMISSIONS = ("InvoiceWrite", "InvoiceRead")
_EU_ADMINISTRATOR = ("VatUeManage", "InvoiceWrite", "InvoiceRead", "Introspection")
_AUTHORIZATIONS = ("SelfInvoicing", "RRInvoicing", "TaxRepresentative", "PefInvoicing")
_SUPERIORS = frozenset({"LocalGovernmentUnit", "VatGroupUnit"})


def persons(call: Call) -> Answer:
    """POST /permissions/persons/grants."""
    body = call.json()
    subject = forms.identifier(body, "subjectIdentifier", forms.PERSONS)
    wanted = forms.permissions(body, access.OWNER_PERMISSIONS)
    details, fits = forms.person_details(body, subject)
    code = 200 if fits else _MISMATCH
    roles = {role.role for role in subjects.roles(call.state, call.principal.context_value)}
    if "EnforcementOperations" in wanted and not roles & {subjects.ENFORCEMENT, subjects.BAILIFF}:
        code = _ROLE
    return _grant(call, code, grants.PERSON, body, subject, wanted, details=details)


def entities(call: Call) -> Answer:
    """POST /permissions/entities/grants."""
    body = call.json()
    subject = forms.identifier(body, "subjectIdentifier", ("Nip",))
    items = {item.choice("type", _ENTITY_PERMISSIONS): item.flag("canDelegate") for item in _items(body)}
    details = forms.entity_details(body)
    code = _RELATION if subject == current(call) else 200
    return _grant(call, code, grants.ENTITY, body, subject, items, details=details, delegate=items)


def authorizations(call: Call) -> Answer:
    """POST /permissions/authorizations/grants."""
    body = call.json()
    subject = forms.identifier(body, "subjectIdentifier", ("Nip", "PeppolId"))
    permission = body.choice("permission", _AUTHORIZATIONS)
    details = forms.entity_details(body)
    code = _RELATION if subject == current(call) else 200
    if (permission == "PefInvoicing") != (subject[0] == "PeppolId"):
        code = 450
    return _grant(call, code, grants.AUTHORIZATION, body, subject, [permission], details=details)


def indirect(call: Call) -> Answer:
    """POST /permissions/indirect/grants: by an intermediary, for one client or for all."""
    body = call.json()
    subject = forms.identifier(body, "subjectIdentifier", forms.PERSONS)
    given = forms.optional_identifier(body, "targetIdentifier", ("Nip", "AllPartners", "InternalId"))
    target = given or grants.ALL_PARTNERS
    wanted = forms.permissions(body, _ENTITY_PERMISSIONS)
    details, fits = forms.person_details(body, subject)
    code = 200 if fits else _MISMATCH
    selective = target != grants.ALL_PARTNERS
    if selective and not access.delegable(call.state, target, current(call)):
        code = _ROLE
    return _grant(call, code, grants.INDIRECT, body, subject, wanted, details=details, context=target)


def subunits(call: Call) -> Answer:
    """POST /permissions/subunits/grants: the administrator of a subunit."""
    body = call.json()
    subject = forms.identifier(body, "subjectIdentifier", forms.PERSONS)
    context = forms.identifier(body, "contextIdentifier", ("Nip", "InternalId"))
    is_internal = context[0] == "InternalId"
    name = body.text("subunitName", shortest=5, longest=256, required=is_internal)
    details, fits = forms.person_details(body, subject)
    code = 200 if fits else _MISMATCH
    own = call.principal.context_value
    if is_internal:
        forms.check_internal_id(context[1])
        code = code if context[1].startswith(f"{own}-") else _MISMATCH
    elif not _SUPERIORS & {role.role for role in subjects.roles(call.state, own)}:
        code = _ROLE
    elif context[1] not in {role.nip for role in subjects.subordinates(call.state, own)}:
        code = _MISMATCH
    if name is not None:
        details["subunitName"] = name
    return _grant(
        call, code, grants.SUBUNIT, body, subject, ["CredentialsManage"], details=details, context=context
    )


def eu_administrators(call: Call) -> Answer:
    """POST /permissions/eu-entities/administration/grants."""
    body = call.json()
    subject = forms.identifier(body, "subjectIdentifier", ("Fingerprint",))
    context = forms.identifier(body, "contextIdentifier", ("NipVatUe",))
    name = body.required_text("euEntityName", shortest=5, longest=256)
    details, _ = forms.person_details(body, subject, eu=True)
    details |= {"euEntityName": name, **forms.eu_entity(body)}
    code = 200 if context[1].startswith(f"{call.principal.context_value}-") else _MISMATCH
    return _grant(
        call,
        code,
        grants.EU_ADMINISTRATOR,
        body,
        subject,
        _EU_ADMINISTRATOR,
        details=details,
        context=context,
    )


def eu_entities(call: Call) -> Answer:
    """POST /permissions/eu-entities/grants: in the composed context of an EU entity."""
    body = call.json()
    subject = forms.identifier(body, "subjectIdentifier", ("Fingerprint",))
    wanted = forms.permissions(body, _EU_PERMISSIONS)
    details, _ = forms.person_details(body, subject, eu=True)
    for grant in grants.in_context(call.state, current(call)):
        if grant.kind == grants.EU_ADMINISTRATOR:
            shown = ("euEntityName", "euEntityDetails")
            details |= {key: grant.details[key] for key in shown if key in grant.details}
    return _grant(call, 200, grants.EU_ENTITY, body, subject, wanted, details=details)


def _items(body: Body) -> list[Body]:
    """The list ``permissions`` of objects, none of a type twice."""
    items = body.objects("permissions")
    forms.distinct([item.required_text("type") for item in items], _ENTITY_PERMISSIONS)
    return items


def _grant(
    call: Call,
    code: int,
    kind: str,
    body: Body,
    subject: Identity,
    wanted: Iterable[str],
    *,
    details: Json,
    context: Identity | None = None,
    delegate: Mapping[str, bool] | None = None,
) -> Answer:
    """Start the operation that grants, and store the grants that it makes.

    Args:
        call: who grants.
        code: status with which the operation ends.
        kind: kind of the grants.
        body: has the description.
        subject: who gets the permissions.
        wanted: the permissions.
        details: what queries show of the subject.
        context: where they hold; None means the caller's context.
        delegate: permission -> whether it may be passed on.
    """
    text = forms.description(body)
    started = start(call, code)
    if started.succeeds:
        grants.add(
            call.state,
            [
                Grant(
                    kind=kind,
                    subject=subject,
                    context=context or current(call),
                    grantor=current(call),
                    author=author(call),
                    permission=permission,
                    description=text,
                    delegate=(delegate or {}).get(permission, False),
                    details=details,
                )
                for permission in wanted
            ],
            started=started.ends,
        )
    return started.answer
