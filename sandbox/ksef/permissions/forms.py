"""Reading identifiers and personal data out of the bodies of permission requests.

Source: the ``...Identifier`` and ``...Details`` schemas of open-api.json.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date

from sandbox.ksef.call import Body
from sandbox.ksef.errors import BadRequest, Json
from sandbox.ksef.identities import Identity

_NIP = r"[1-9](?:\d[1-9]|[1-9]\d)\d{7}"
# the month carries the century: 81-92 for 1800-1899, up to 61-72 for 2200-2299
_PESEL = r"\d{2}(?:0[1-9]|1[0-2]|2[1-9]|3[0-2]|4[1-9]|5[0-2]|6[1-9]|7[0-2]|8[1-9]|9[0-2])\d{7}"
_EMPTY = frozenset({"AllPartners", "System"})
FORMS = {
    "Nip": re.compile(_NIP),
    "Pesel": re.compile(_PESEL),
    "Fingerprint": re.compile(r"[0-9A-Fa-f]{64}"),
    "InternalId": re.compile(_NIP + r"-\d{5}"),
    "NipVatUe": re.compile(_NIP + r"-[A-Z]{2}[A-Z0-9+*]{2,12}"),
    "PeppolId": re.compile(r"P[A-Z]{2}\d{6}"),
}
"""Type of an identifier -> form of its value."""

PERSONS = ("Nip", "Pesel", "Fingerprint")
"""Types that identify a person."""
_PERSON_MEMBERS = {
    "PersonByIdentifier": "personById",
    "PersonByFingerprintWithIdentifier": "personByFpWithId",
    "PersonByFingerprintWithoutIdentifier": "personByFpNoId",
}


def identifier(body: Body, name: str, kinds: Collection[str]) -> Identity:
    """An identifier that must be there, as (type, value); the value of AllPartners and System is empty.

    Raises:
        BadRequest: 21405.
    """
    found = optional_identifier(body, name, kinds)
    if found is None:
        raise BadRequest(21405, f"{body.prefix}{name}: pole jest wymagane.")
    return found


def optional_identifier(body: Body, name: str, kinds: Collection[str]) -> Identity | None:
    """An identifier as (type, value); None when absent or null.

    Raises:
        BadRequest: 21405.
    """
    inner = body.object(name, required=False)
    if inner is None:
        return None
    kind = inner.choice("type", kinds)
    if kind in _EMPTY:
        return kind, ""
    value = inner.required_text("value")
    if not FORMS[kind].fullmatch(value) or not value.isascii():
        raise BadRequest(21405, f"{body.prefix}{name}.value: {value!r} nie jest identyfikatorem {kind}.")
    return kind, value.upper() if kind == "Fingerprint" else value


def permissions(body: Body, allowed: Collection[str]) -> list[str]:
    """The list ``permissions``: at least one, each of the allowed, none twice.

    Raises:
        BadRequest: 21405.
    """
    return distinct(body.texts("permissions"), allowed)


def distinct(values: list[str], allowed: Collection[str]) -> list[str]:
    """A list of permissions: at least one, each of the allowed, none twice.

    Raises:
        BadRequest: 21405.
    """
    unknown = [value for value in values if value not in allowed]
    if unknown:
        raise BadRequest(21405, f"permissions: nieznane uprawnienia {', '.join(unknown)}.")
    if not values or len(set(values)) < len(values):
        raise BadRequest(21405, "permissions: oczekiwano niepustej listy bez powtórzeń.")
    return values


def permission_types(body: Body, allowed: Collection[str]) -> list[str]:
    """The filter ``permissionTypes``; empty means every permission.

    Raises:
        BadRequest: 21405.
    """
    values = body.texts("permissionTypes", required=False)
    unknown = [value for value in values if value not in allowed]
    if unknown:
        raise BadRequest(21405, f"permissionTypes: nieznane uprawnienia {', '.join(unknown)}.")
    return values


def description(body: Body) -> str:
    """The ``description``.

    Raises:
        BadRequest: 21405.
    """
    return body.required_text("description", shortest=5, longest=256)


def entity_details(body: Body) -> Json:
    """EntityDetails of a request as the ``subjectEntityDetails`` of queries.

    Raises:
        BadRequest: 21405.
    """
    inner = body.required_object("subjectDetails")
    name = inner.required_text("fullName", shortest=5, longest=90)
    return {"subjectEntityDetails": {"subjectDetailsType": "EntityByIdentifier", "fullName": name}}


def person_details(body: Body, subject: Identity, *, eu: bool = False) -> tuple[Json, bool]:
    """``subjectDetails`` of a person, or (eu) of a person or entity known by fingerprint.

    Args:
        body: the request.
        subject: whom it is about.
        eu: whether it is a request about an EU entity.

    Returns:
        Members as queries show them, and whether the kind of details fits the kind of identifier.

    Raises:
        BadRequest: 21405.
    """
    inner = body.required_object("subjectDetails")
    members = dict(_PERSON_MEMBERS)
    if eu:
        del members["PersonByIdentifier"]
        members["EntityByFingerprint"] = "entityByFp"
    kind = inner.choice("subjectDetailsType", members)
    data = inner.required_object(members[kind])
    if kind == "EntityByFingerprint":
        return {"subjectEntityDetails": {"subjectDetailsType": kind, **_entity(data)}}, True
    shown: Json = {
        "subjectDetailsType": kind,
        "firstName": data.required_text("firstName", shortest=2, longest=30),
        "lastName": data.required_text("lastName", shortest=2, longest=81),
    }
    if kind == "PersonByFingerprintWithIdentifier":
        known = identifier(data, "identifier", ("Nip", "Pesel"))
        shown["personIdentifier"] = {"type": known[0], "value": known[1]}
    if kind == "PersonByFingerprintWithoutIdentifier":
        shown |= _document(data)
    return {"subjectPersonDetails": shown}, (kind == "PersonByIdentifier") == (subject[0] != "Fingerprint")


def eu_entity(body: Body) -> Json:
    """``euEntityDetails`` as queries show them.

    Raises:
        BadRequest: 21405.
    """
    return {"euEntityDetails": _entity(body.required_object("euEntityDetails"))}


def check_internal_id(value: str) -> None:
    """Compare the check digit of an internal identifier (weights 1 and 3 in turns, modulo 10).

    Raises:
        BadRequest: 21405.
    """
    digits = [int(digit) for digit in value.replace("-", "")]
    total = sum(digit * (3 if index % 2 else 1) for index, digit in enumerate(digits[:-1]))
    if total % 10 != digits[-1]:
        raise BadRequest(21405, f"contextIdentifier: {value} ma niepoprawną cyfrę kontrolną.")


def _entity(data: Body) -> Json:
    return {
        "fullName": data.required_text("fullName", longest=100),
        "address": data.required_text("address", longest=512),
    }


def _document(data: Body) -> Json:
    born = data.required_text("birthDate")
    try:
        date.fromisoformat(born)
    except ValueError:
        raise BadRequest(21405, f"{data.prefix}birthDate: {born!r} nie jest datą.") from None
    document = data.required_object("idDocument")
    return {
        "birthDate": born,
        "idDocument": {
            "type": document.required_text("type", longest=20),
            "number": document.required_text("number", longest=20),
            "country": document.required_text("country", form="[A-Z]{2}"),
        },
    }
