"""Operations that read permissions and roles.

Source: operations under ``/permissions/query`` and GET /permissions/attachments/status of open-api.json.
Every list is sorted by the latest start, then by identifier.
"""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.ksef import consents
from sandbox.ksef.call import Answer, Call
from sandbox.ksef.errors import Json
from sandbox.ksef.identities import Identity, linked
from sandbox.ksef.permissions import access, forms, grants, subjects
from sandbox.ksef.permissions.grants import Grant
from sandbox.ksef.permissions.operations import author, current

_TARGETS = ("Nip", "AllPartners", "InternalId")
_CONTEXTS = ("Nip", "InternalId")
_STATES = ("Active", "Inactive")
_IN_PERSONS = frozenset({grants.PERSON, grants.ENTITY, grants.SUBUNIT})
_GRANTED = frozenset({grants.PERSON, grants.ENTITY, grants.SUBUNIT, grants.INDIRECT})
_AUTHORIZATIONS = ("SelfInvoicing", "TaxRepresentative", "RRInvoicing", "PefInvoicing")
_EU_PERMISSIONS = ("VatUeManage", "InvoiceWrite", "InvoiceRead", "Introspection")


def personal(call: Call) -> Answer:
    """POST /permissions/query/personal/grants: what the caller may do in this context."""
    body = call.optional_json()
    giver = forms.optional_identifier(body, "contextIdentifier", _CONTEXTS)
    target = forms.optional_identifier(body, "targetIdentifier", _TARGETS)
    types = forms.permission_types(body, access.OWNER_PERMISSIONS | {"VatUeManage"})
    wanted = body.one_of("permissionState", _STATES)
    owner = access.is_owner(call.state, author(call), current(call))
    found = [
        grant
        for grant in _personal(call, owner=owner)
        if (not types or grant.permission in types)
        and wanted in (None, _state(call, grant))
        and giver in (None, grant.context if grant.kind == grants.ENTITY else None)
        and target in (None, grant.context if grant.kind == grants.INDIRECT else None)
    ]
    answer = _page(call, "permissions", [_personal_item(call, grant) for grant in found])
    # a KSeF token may carry fewer permissions than its author has
    may = access.OWNER_PERMISSIONS & call.principal.permissions
    answer["ownerPermissions"] = sorted(may) if owner else None
    return Answer(answer)


def persons(call: Call) -> Answer:
    """POST /permissions/query/persons/grants."""
    body = call.json()
    criteria = {
        "author": forms.optional_identifier(body, "authorIdentifier", (*forms.PERSONS, "System")),
        "subject": forms.optional_identifier(body, "authorizedIdentifier", forms.PERSONS),
    }
    context = forms.optional_identifier(body, "contextIdentifier", _CONTEXTS)
    target = forms.optional_identifier(body, "targetIdentifier", _TARGETS)
    types = forms.permission_types(body, access.OWNER_PERMISSIONS)
    wanted = body.one_of("permissionState", _STATES)
    kinds = ("PermissionsInCurrentContext", "PermissionsGrantedInCurrentContext")
    here = current(call)
    given = grants.from_context(call.state, here)
    if body.choice("queryType", kinds) == kinds[0]:
        found = [grant for grant in grants.in_context(call.state, here) if grant.kind in _IN_PERSONS]
        found += [grant for grant in given if grant.kind == grants.INDIRECT]
    else:
        own = linked(call.state, author(call))
        found = [grant for grant in given if grant.kind in _GRANTED and grant.author in own]
    found = [
        grant
        for grant in grants.in_order(found)
        if all(value in (None, getattr(grant, name)) for name, value in criteria.items())
        and (not types or grant.permission in types)
        and wanted in (None, _state(call, grant))
        and context in (None, grant.context if grant.kind == grants.SUBUNIT else None)
        and target in (None, grant.context if grant.kind == grants.INDIRECT else None)
    ]
    return Answer(_page(call, "permissions", [_person_item(call, grant) for grant in found]))


def subunits(call: Call) -> Answer:
    """POST /permissions/query/subunits/grants: administrators appointed in this context."""
    subunit = forms.optional_identifier(call.optional_json(), "subunitIdentifier", _CONTEXTS)
    items = [
        {
            **_common(grant),
            "authorizedIdentifier": _as_json(grant.subject),
            "subunitIdentifier": _as_json(grant.context),
            "authorIdentifier": _as_json(grant.author),
            **_shown(grant, "subjectPersonDetails", "subunitName"),
        }
        for grant in grants.from_context(call.state, current(call))
        if grant.kind == grants.SUBUNIT and subunit in (None, grant.context)
    ]
    return Answer(_page(call, "permissions", items))


def entities(call: Call) -> Answer:
    """POST /permissions/query/entities/grants: what other entities gave to this context's entity."""
    giver = forms.optional_identifier(call.optional_json(), "contextIdentifier", _CONTEXTS)
    items = [
        {
            **_common(grant),
            "contextIdentifier": _as_json(grant.context),
            "canDelegate": grant.delegate,
        }
        for grant in grants.of_subjects(call.state, [current(call)])
        if grant.kind == grants.ENTITY and giver in (None, grant.context)
    ]
    return Answer(_page(call, "permissions", items))


def roles(call: Call) -> Answer:
    """GET /permissions/query/entities/roles."""
    items: list[Json] = [
        {
            **({"parentEntityIdentifier": {"type": "Nip", "value": role.parent}} if role.parent else {}),
            "role": role.role,
            "description": role.description,
            "startDate": role.since.isoformat(),
        }
        for role in subjects.roles(call.state, call.principal.context_value)
    ]
    return Answer(_page(call, "roles", items))


def subordinate_roles(call: Call) -> Answer:
    """POST /permissions/query/subordinate-entities/roles."""
    body = call.optional_json()
    wanted = forms.optional_identifier(body, "subordinateEntityIdentifier", ("Nip",))
    items: list[Json] = [
        {
            "subordinateEntityIdentifier": {"type": "Nip", "value": role.nip},
            "role": role.role,
            "description": role.description,
            "startDate": role.since.isoformat(),
        }
        for role in subjects.subordinates(call.state, call.principal.context_value)
        if wanted in (None, ("Nip", role.nip))
    ]
    return Answer(_page(call, "roles", items))


def authorizations(call: Call) -> Answer:
    """POST /permissions/query/authorizations/grants: given by, or received by, this context's entity."""
    body = call.json()
    giver = forms.optional_identifier(body, "authorizingIdentifier", ("Nip",))
    receiver = forms.optional_identifier(body, "authorizedIdentifier", ("Nip", "PeppolId"))
    types = forms.permission_types(body, _AUTHORIZATIONS)
    if body.choice("queryType", ("Granted", "Received")) == "Granted":
        found, giver = grants.from_context(call.state, current(call)), None
    else:
        found, receiver = grants.of_subjects(call.state, [current(call)]), None
    items = [
        _authorization_item(grant)
        for grant in found
        if grant.kind == grants.AUTHORIZATION
        and giver in (None, grant.grantor)
        and receiver in (None, grant.subject)
        and (not types or grant.permission in types)
    ]
    return Answer(_page(call, "authorizationGrants", items))


def eu_entities(call: Call) -> Answer:
    """POST /permissions/query/eu-entities/grants."""
    body = call.optional_json()
    vat_number = body.text("vatUeIdentifier", required=False)
    fingerprint = body.text("authorizedFingerprintIdentifier", required=False) or ""
    types = forms.permission_types(body, _EU_PERMISSIONS)
    here = current(call)
    if here[0] == "NipVatUe":
        found = grants.in_context(call.state, here)
    else:
        found = grants.from_context(call.state, here)
    items = [
        _eu_item(grant)
        for grant in found
        if grant.kind in (grants.EU_ADMINISTRATOR, grants.EU_ENTITY)
        and vat_number in (None, _vat_number(grant))
        and fingerprint.upper() in grant.subject[1]
        and (not types or grant.permission in types)
    ]
    return Answer(_page(call, "permissions", items))


def attachments(call: Call) -> Answer:
    """GET /permissions/attachments/status."""
    found = consents.attachments(call.state, call.principal.context_value[:10])
    answer: Json = {"isAttachmentAllowed": found.is_allowed(call.state.now())}
    if found.ends is not None:
        answer["revokedDate"] = found.ends.isoformat()
    return Answer(answer)


def _personal(call: Call, *, owner: bool) -> list[Grant]:
    """Every grant that concerns the caller in the current context."""
    here = current(call)
    own = linked(call.state, author(call))
    found = [
        grant
        for grant in grants.of_subjects(call.state, own)
        if grant.kind != grants.AUTHORIZATION and _concerns(call, grant, here)
    ]
    if owner:
        shown = {grant.identifier for grant in found}
        found += [
            grant
            for grant in grants.of_subjects(call.state, [here])
            if grant.kind == grants.ENTITY and grant.identifier not in shown
        ]
    return grants.in_order(found)


def _concerns(call: Call, grant: Grant, here: Identity) -> bool:
    if grant.kind == grants.INDIRECT:
        return here in (grant.grantor, grant.context) or access.reaches(call.state, grant, here)
    return grant.context == here


def _personal_item(call: Call, grant: Grant) -> Json:
    """PersonalPermission of the contract."""
    item: Json = {
        **_common(grant),
        "permissionState": _state(call, grant),
        "canDelegate": grant.delegate,
        **_shown(grant, "subjectPersonDetails", "subjectEntityDetails"),
    }
    if grant.kind == grants.ENTITY:
        item["contextIdentifier"] = _as_json(grant.context)
    if grant.subject != author(call):
        item["authorizedIdentifier"] = _as_json(grant.subject)
    if grant.kind == grants.INDIRECT:
        item["targetIdentifier"] = _as_json(grant.context)
    return item


def _person_item(call: Call, grant: Grant) -> Json:
    """PersonPermission of the contract."""
    item: Json = {
        **_common(grant),
        "authorizedIdentifier": _as_json(grant.subject),
        "authorIdentifier": _as_json(grant.author),
        "permissionState": _state(call, grant),
        "canDelegate": grant.delegate,
        **_shown(grant, "subjectPersonDetails", "subjectEntityDetails"),
    }
    if grant.kind == grants.SUBUNIT:
        item["contextIdentifier"] = _as_json(grant.context)
    if grant.kind == grants.INDIRECT:
        item["targetIdentifier"] = _as_json(grant.context)
    return item


def _authorization_item(grant: Grant) -> Json:
    """EntityAuthorizationGrant of the contract."""
    return {
        "id": grant.identifier,
        "authorIdentifier": _as_json(grant.author),
        "authorizedEntityIdentifier": _as_json(grant.subject),
        "authorizingEntityIdentifier": _as_json(grant.grantor),
        "authorizationScope": grant.permission,
        "description": grant.description,
        "startDate": _start(grant),
        **_shown(grant, "subjectEntityDetails"),
    }


def _eu_item(grant: Grant) -> Json:
    """EuEntityPermission of the contract."""
    return {
        **_common(grant),
        "authorIdentifier": _as_json(grant.author),
        "vatUeIdentifier": _vat_number(grant),
        "authorizedFingerprintIdentifier": grant.subject[1],
        # a representative appointed where nobody administers is shown by the number of the EU entity
        "euEntityName": grant.details.get("euEntityName", _vat_number(grant)),
        **_shown(grant, "subjectPersonDetails", "subjectEntityDetails", "euEntityDetails"),
    }


def _common(grant: Grant) -> Json:
    return {
        "id": grant.identifier,
        "permissionScope": grant.permission,
        "description": grant.description,
        "startDate": _start(grant),
    }


def _shown(grant: Grant, *names: str) -> Json:
    return {name: grant.details[name] for name in names if name in grant.details}


def _state(call: Call, grant: Grant) -> str:
    return _STATES[0] if access.is_active(call.state, grant) else _STATES[1]


def _start(grant: Grant) -> str:
    assert grant.started is not None
    return grant.started.isoformat()


def _vat_number(grant: Grant) -> str:
    return grant.context[1].partition("-")[2]


def _as_json(identity: Identity) -> Json:
    kind, value = identity
    return {"type": kind, "value": value or None}


def _page(call: Call, name: str, items: Iterable[Json]) -> Json:
    """One page of a list by ``pageOffset`` and ``pageSize``."""
    size, page = call.page_size(largest=100), call.page_offset()
    found = list(items)
    return {name: found[page * size : (page + 1) * size], "hasMore": len(found) > (page + 1) * size}
