"""Permissions of the sandbox: granting, revoking, reading, and what sign-in and sending make of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from tests.sandbox_ksef.conftest import Client, MovingClock, bearer, code_of, codes, operation_status
from tests.sandbox_ksef.material import NIP, OTHER_NIP, Credential, auth_request, credential, invoice, sign

PESEL = "90010112349"
THIRD_NIP = "1111111111"
PERSON = {
    "subjectDetailsType": "PersonByIdentifier",
    "personById": {"firstName": "Anna", "lastName": "Przykład"},
}
WITHOUT_IDENTIFIER = {
    "subjectDetailsType": "PersonByFingerprintWithoutIdentifier",
    "personByFpNoId": {
        "firstName": "Anna",
        "lastName": "Przykład",
        "birthDate": "1990-01-01",
        "idDocument": {"type": "Paszport", "number": "XX0000001", "country": "DE"},
    },
}


def change(client: Client, path: str, body: object = None, method: str = "POST") -> int:
    """Grant or revoke; returns the status with which the operation ends."""
    answer = client.http.call(method, f"/permissions{path}", token=client.access, body=body)
    assert answer.status_code == 202, answer.text
    status = client.get(f"/permissions/operations/{answer.json()['referenceNumber']}")["status"]
    assert isinstance(status, dict)
    code: int = status["code"]
    return code


def grant_person(client: Client, *permissions: str, subject: tuple[str, str] = ("Pesel", PESEL)) -> int:
    return change(
        client,
        "/persons/grants",
        {
            "subjectIdentifier": {"type": subject[0], "value": subject[1]},
            "permissions": list(permissions),
            "description": "Księgowość",
            "subjectDetails": PERSON,
        },
    )


def grant_entity(client: Client, nip: str, *, delegate: bool = False) -> int:
    return change(
        client,
        "/entities/grants",
        {
            "subjectIdentifier": {"type": "Nip", "value": nip},
            "permissions": [{"type": "InvoiceWrite", "canDelegate": delegate}, {"type": "InvoiceRead"}],
            "description": "Biuro rachunkowe",
            "subjectDetails": {"fullName": "Biuro Przykładowe"},
        },
    )


def listed(
    client: Client, path: str, body: object = None, member: str = "permissions"
) -> list[dict[str, object]]:
    answer = client.http.call("POST", f"/permissions/query{path}", token=client.access, body=body)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, object]] = answer.json()[member]
    return items


def person() -> Credential:
    return credential(attribute=(NameOID.SERIAL_NUMBER, f"PNOPL-{PESEL}"))


def test_granted_person_sends_and_revoked_does_not(client: Client) -> None:
    """A person with InvoiceWrite sends in the context; after revoking it neither refreshes nor signs in."""
    client.sign_in()
    assert grant_person(client, "InvoiceWrite") == 200
    owner = client.access
    refresh = client.sign_in(by=person())
    assert client.verdict(invoice())[0] == 200
    client.access = owner
    found = listed(client, "/persons/grants", {"queryType": "PermissionsInCurrentContext"})
    assert [(item["permissionScope"], item["permissionState"]) for item in found] == [
        ("InvoiceWrite", "Active")
    ]
    assert found[0]["authorIdentifier"] == {"type": "Nip", "value": NIP}
    assert change(client, f"/common/grants/{found[0]['id']}", method="DELETE") == 200
    refused = client.http.call("POST", "/auth/token/refresh", token=refresh)
    assert codes(refused.json()) == [21301]
    assert code_of(operation_status(client, client.start(by=person())))[0] == 415


def test_refreshed_token_has_what_is_granted_now(client: Client) -> None:
    """An access token keeps its permissions to its end; a refreshed one has the present ones."""
    client.sign_in()
    grant_person(client, "InvoiceRead")
    owner = client.access
    refresh = client.sign_in(by=person())
    early, client.access = client.access, owner
    grant_person(client, "InvoiceWrite")
    body = client.key.open_request(client.public_key("SymmetricKeyEncryption"), {})
    assert (
        client.http.call("POST", "/sessions/online", token=early, body=body, valid=False).status_code == 403
    )
    pair = client.http.call("POST", "/auth/token/refresh", token=refresh).json()
    client.access = bearer(pair["accessToken"])
    assert client.open()


def test_entity_handles_invoices(client: Client) -> None:
    """An entity that was granted sends for its client, and sees on both sides what it was given."""
    client.sign_in()
    assert grant_entity(client, OTHER_NIP) == 200
    client.sign_in(NIP, credential(OTHER_NIP))
    assert client.verdict(invoice())[0] == 200
    own = listed(client, "/personal/grants")
    assert {item["permissionScope"] for item in own} == {"InvoiceWrite", "InvoiceRead"}
    client.sign_in(OTHER_NIP, credential(OTHER_NIP))
    received = listed(client, "/entities/grants")
    assert {str(item["contextIdentifier"]) for item in received} == {str({"type": "Nip", "value": NIP})}
    assert (
        listed(client, "/entities/grants", {"contextIdentifier": {"type": "Nip", "value": THIRD_NIP}}) == []
    )
    assert len(listed(client, "/personal/grants", {"contextIdentifier": {"type": "Nip", "value": NIP}})) == 2


def test_indirect_permission(client: Client) -> None:
    """A person works for a client through an intermediary, as long as the client lets it."""
    target = {"type": "Nip", "value": NIP}
    body = {
        "subjectIdentifier": {"type": "Pesel", "value": PESEL},
        "targetIdentifier": target,
        "permissions": ["InvoiceWrite"],
        "description": "Praca dla klienta",
        "subjectDetails": PERSON,
    }
    client.sign_in(OTHER_NIP, credential(OTHER_NIP))
    assert change(client, "/indirect/grants", body) == 430
    client.sign_in()
    grant_entity(client, OTHER_NIP, delegate=True)
    owner = client.access
    client.sign_in(OTHER_NIP, credential(OTHER_NIP))
    intermediary = client.access
    assert change(client, "/indirect/grants", body) == 200
    client.sign_in(by=person())
    assert client.verdict(invoice())[0] == 200
    mine = listed(client, "/personal/grants", {"targetIdentifier": target})
    assert [item["targetIdentifier"] for item in mine] == [target]
    client.access = owner
    given = listed(client, "/persons/grants", {"queryType": "PermissionsGrantedInCurrentContext"})
    for item in given:
        change(client, f"/common/grants/{item['id']}", method="DELETE")
    assert code_of(operation_status(client, client.start(by=person())))[0] == 415
    client.access = intermediary
    sleeping = listed(
        client,
        "/persons/grants",
        {"queryType": "PermissionsInCurrentContext", "permissionState": "Inactive"},
    )
    assert [item["permissionScope"] for item in sleeping] == ["InvoiceWrite"]


def test_general_indirect_permission(client: Client) -> None:
    """Without a target, a person works for every client that lets the intermediary pass the right on."""
    client.sign_in(OTHER_NIP, credential(OTHER_NIP))
    body = {
        "subjectIdentifier": {"type": "Pesel", "value": PESEL},
        "permissions": ["InvoiceRead", "InvoiceWrite"],
        "description": "Wszyscy klienci",
        "subjectDetails": PERSON,
    }
    assert change(client, "/indirect/grants", body) == 200
    assert code_of(operation_status(client, client.start(by=person())))[0] == 415
    client.sign_in()
    grant_entity(client, OTHER_NIP, delegate=True)
    client.sign_in(by=person())
    assert client.open()
    found = listed(client, "/personal/grants", {"targetIdentifier": {"type": "AllPartners"}})
    assert {str(item["targetIdentifier"]) for item in found} == {str({"type": "AllPartners", "value": None})}


def test_self_invoicing(client: Client) -> None:
    """With SelfInvoicing a buyer sends the seller's document; revoking it ends with 410."""
    document = invoice(nip=NIP, buyer=OTHER_NIP).replace(b"<P_17>2</P_17>", b"<P_17>1</P_17>")
    buyer = credential(OTHER_NIP)
    client.sign_in(OTHER_NIP, buyer)
    assert client.verdict(document)[0] == 410
    client.sign_in()
    body = {
        "subjectIdentifier": {"type": "Nip", "value": OTHER_NIP},
        "permission": "SelfInvoicing",
        "description": "Samofakturowanie",
        "subjectDetails": {"fullName": "Nabywca Przykładowy"},
    }
    assert change(client, "/authorizations/grants", body) == 200
    owner = client.access
    client.sign_in(OTHER_NIP, buyer)
    assert client.verdict(document)[0] == 200
    received = listed(
        client,
        "/authorizations/grants",
        {"queryType": "Received", "authorizingIdentifier": {"type": "Nip", "value": NIP}},
        "authorizationGrants",
    )
    assert [item["authorizationScope"] for item in received] == ["SelfInvoicing"]
    buyer_access, client.access = client.access, owner
    given = listed(client, "/authorizations/grants", {"queryType": "Granted"}, "authorizationGrants")
    assert change(client, f"/authorizations/grants/{given[0]['id']}", method="DELETE") == 200
    client.access = buyer_access
    assert client.verdict(document.replace(b"FV/1", b"FV/2"))[0] == 410


def test_statuses_of_operations(signed: Client) -> None:
    """What the relation of identifiers forbids ends the operation with its own status."""
    fingerprint = "A" * 64
    assert grant_entity(signed, NIP) == 440
    assert grant_person(signed, "EnforcementOperations") == 430
    assert grant_person(signed, "InvoiceRead", subject=("Fingerprint", fingerprint)) == 410
    peppol = {
        "subjectIdentifier": {"type": "PeppolId", "value": "PPL000001"},
        "permission": "SelfInvoicing",
        "description": "Dostawca",
        "subjectDetails": {"fullName": "Dostawca Przykładowy"},
    }
    assert change(signed, "/authorizations/grants", peppol) == 450
    assert change(signed, "/authorizations/grants", {**peppol, "permission": "PefInvoicing"}) == 200
    assert listed(signed, "/persons/grants", {"queryType": "PermissionsInCurrentContext"}) == []


def test_subunits(client: Client) -> None:
    """The administrator of an internal unit or of a group's member works in that unit's context."""
    client.sign_in()
    internal: dict[str, object] = {
        "subjectIdentifier": {"type": "Pesel", "value": PESEL},
        "contextIdentifier": {"type": "InternalId", "value": f"{NIP}-12345"},
        "description": "Administrator jednostki",
        "subunitName": "Oddział Przykładowy",
        "subjectDetails": PERSON,
    }
    own = internal_id(f"{NIP}-1234")
    wrong = f"{own[:-1]}{(int(own[-1]) + 1) % 10}"
    refused = client.http.call(
        "POST",
        "/permissions/subunits/grants",
        token=client.access,
        body={**internal, "contextIdentifier": {"type": "InternalId", "value": wrong}},
    )
    assert codes(refused.json()) == [21405]
    internal["contextIdentifier"] = {"type": "InternalId", "value": own}
    assert change(client, "/subunits/grants", internal) == 200
    found = listed(client, "/subunits/grants")
    assert [item["subunitName"] for item in found] == ["Oddział Przykładowy"]
    member = {**internal, "contextIdentifier": {"type": "Nip", "value": THIRD_NIP}}
    assert change(client, "/subunits/grants", member) == 430
    client.http.call(
        "POST",
        "/testdata/subject",
        body={
            "subjectNip": NIP,
            "subjectType": "VatGroup",
            "description": "Grupa przykładowa",
            "subunits": [{"subjectNip": THIRD_NIP, "description": "Członek grupy"}],
        },
    )
    assert change(client, "/subunits/grants", member) == 200
    assert (
        change(
            client,
            "/subunits/grants",
            {**member, "contextIdentifier": {"type": "Nip", "value": OTHER_NIP}},
        )
        == 410
    )
    roles = client.get("/permissions/query/entities/roles")["roles"]
    assert isinstance(roles, list)
    assert [role["role"] for role in roles] == ["VatGroupUnit"]
    below = listed(client, "/subordinate-entities/roles", {}, "roles")
    assert [item["subordinateEntityIdentifier"] for item in below] == [{"type": "Nip", "value": THIRD_NIP}]
    client.sign_in(THIRD_NIP, person())
    granted = listed(client, "/personal/grants")
    assert [item["permissionScope"] for item in granted] == ["CredentialsManage"]


def internal_id(value: str) -> str:
    """An internal identifier with its check digit: weights 1 and 3 in turns, modulo 10."""
    digits = [int(digit) for digit in value.replace("-", "")]
    return f"{value}{sum(digit * (1, 3)[place % 2] for place, digit in enumerate(digits)) % 10}"


def test_check_digit() -> None:
    """The contract's own example has the check digit 3."""
    assert internal_id("6824515772-1234") == "6824515772-12343"


def test_eu_entity(client: Client, owner: Credential) -> None:
    """The administrator of an EU entity signs in to the composed context and appoints a representative."""
    context = f"{NIP}-DE123456789"
    seal = credential(OTHER_NIP)
    client.sign_in()
    body = {
        "subjectIdentifier": {"type": "Fingerprint", "value": _fingerprint(seal)},
        "contextIdentifier": {"type": "NipVatUe", "value": context},
        "description": "Podmiot unijny",
        "euEntityName": "Beispiel GmbH, Berlin",
        "subjectDetails": {
            "subjectDetailsType": "EntityByFingerprint",
            "entityByFp": {"fullName": "Beispiel GmbH", "address": "Berlin"},
        },
        "euEntityDetails": {"fullName": "Beispiel GmbH", "address": "Berlin"},
    }
    assert change(client, "/eu-entities/administration/grants", body) == 200
    wrong = {**body, "contextIdentifier": {"type": "NipVatUe", "value": f"{OTHER_NIP}-DE123456789"}}
    assert change(client, "/eu-entities/administration/grants", wrong) == 410
    assert len(listed(client, "/eu-entities/grants", {"vatUeIdentifier": "DE123456789"})) == 4
    other = credential(THIRD_NIP)
    _sign_in_composed(client, context, seal)
    representative = {
        "subjectIdentifier": {"type": "Fingerprint", "value": _fingerprint(other)},
        "permissions": ["InvoiceRead"],
        "description": "Przedstawiciel",
        "subjectDetails": WITHOUT_IDENTIFIER,
    }
    assert change(client, "/eu-entities/grants", representative) == 200
    shown = listed(client, "/eu-entities/grants", {"permissionTypes": ["InvoiceRead"]})
    assert {item["euEntityName"] for item in shown} == {"Beispiel GmbH, Berlin"}
    assert len(shown) == 2
    _sign_in_composed(client, context, other)
    assert [item["permissionScope"] for item in listed(client, "/personal/grants")] == ["InvoiceRead"]


def _fingerprint(by: Credential) -> str:
    return by.certificate.fingerprint(hashes.SHA256()).hex().upper()


def _sign_in_composed(client: Client, context: str, by: Credential) -> None:
    text = auth_request(client.challenge()["challenge"]).decode()
    text = text.replace(f"<Nip>{NIP}</Nip>", f"<NipVatUe>{context}</NipVatUe>")
    text = text.replace("certificateSubject", "certificateFingerprint")
    started = client.http.call("POST", "/auth/xades-signature", xml=sign(text.encode(), by)).json()
    token = bearer(started["authenticationToken"])
    client.access = bearer(client.http.call("POST", "/auth/token/redeem", token=token).json()["accessToken"])


def test_owner_sees_its_permissions(signed: Client) -> None:
    """An owner has the owner's permissions; a granted person has none of them."""
    answer = signed.http.call("POST", "/permissions/query/personal/grants", token=signed.access).json()
    assert "InvoiceWrite" in answer["ownerPermissions"]
    assert answer["permissions"] == []
    grant_person(signed, "InvoiceRead")
    signed.sign_in(by=person())
    answer = signed.http.call("POST", "/permissions/query/personal/grants", token=signed.access).json()
    assert answer["ownerPermissions"] is None
    assert [item["permissionScope"] for item in answer["permissions"]] == ["InvoiceRead"]
    refused = signed.http.call(
        "POST",
        "/permissions/query/persons/grants",
        token=signed.access,
        body={"queryType": "PermissionsInCurrentContext"},
    )
    assert refused.status_code == 403


def test_pages_and_filters(signed: Client) -> None:
    """Lists come in pages, latest first, and each filter narrows them."""
    everything = ["InvoiceRead", "InvoiceWrite", "Introspection", "CredentialsRead"]
    for last in "1234":
        grant_person(signed, *everything, subject=("Nip", f"111111111{last}"))
    body: dict[str, object] = {"queryType": "PermissionsInCurrentContext"}

    def ask(page: int, **filters: object) -> dict[str, object]:
        answer = signed.http.call(
            "POST",
            "/permissions/query/persons/grants",
            token=signed.access,
            body={**body, **filters},
            query={"pageOffset": page},
        )
        values: dict[str, object] = answer.json()
        return values

    pages = [ask(page) for page in range(3)]
    assert [page["hasMore"] for page in pages] == [True, False, False]
    assert [len(page["permissions"]) for page in pages] == [10, 6, 0]  # type: ignore[arg-type]
    for filters, expected in (
        ({"authorizedIdentifier": {"type": "Nip", "value": "1111111112"}}, 4),
        ({"permissionTypes": ["InvoiceRead", "CredentialsRead"]}, 8),
        ({"authorIdentifier": {"type": "System"}}, 0),
        ({"permissionState": "Inactive"}, 0),
    ):
        found = ask(0, **filters)["permissions"]
        assert isinstance(found, list)
        assert len(found) == expected, filters


def test_waiting_and_end_of_retention(client: Client, clock: MovingClock) -> None:
    """A change is 100 first and happens with its 200; its status is 410 after thirty days."""
    client.sandbox.state.settings.access_token_seconds = 40 * 24 * 3600
    client.sign_in()
    client.sandbox.state.settings.processing_seconds = 2
    assert grant_person(client, "InvoiceRead") == 100
    query = {"queryType": "PermissionsInCurrentContext"}
    assert listed(client, "/persons/grants", query) == []
    clock.moment += timedelta(seconds=2)
    assert len(listed(client, "/persons/grants", query)) == 1
    reference = client.sandbox.state.all("SELECT reference FROM permission_operations")[0]["reference"]
    clock.moment += timedelta(days=31)
    path = f"/permissions/operations/{reference}"
    assert client.http.call("GET", path, token=client.access).status_code == 410
    unknown = client.http.call("GET", f"/permissions/operations/{'X' * 36}", token=client.access)
    assert codes(unknown.json()) == [21405]


@pytest.mark.parametrize(
    "wrong",
    [
        {"permissions": []},
        {"permissions": ["InvoiceRead", "InvoiceRead"]},
        {"permissions": ["Everything"]},
        {"description": "abc"},
        {"subjectIdentifier": {"type": "Nip", "value": "0000000000"}},
        {"subjectIdentifier": {"type": "PeppolId", "value": "PPL000001"}},
        {"subjectDetails": {"subjectDetailsType": "PersonByIdentifier"}},
    ],
)
def test_grant_off_contract(signed: Client, wrong: dict[str, object]) -> None:
    """A body that breaks the contract is refused with 21405."""
    body = {
        "subjectIdentifier": {"type": "Pesel", "value": PESEL},
        "permissions": ["InvoiceRead"],
        "description": "Księgowość",
        "subjectDetails": PERSON,
        **wrong,
    }
    answer = signed.http.call(
        "POST", "/permissions/persons/grants", token=signed.access, body=body, valid=False
    )
    assert codes(answer.json()) == [21405]


def test_unknown_permission_is_not_revoked(signed: Client) -> None:
    """An identifier that names nothing in this context is refused."""
    for path in ("common", "authorizations"):
        answer = signed.http.call("DELETE", f"/permissions/{path}/grants/{'0' * 36}", token=signed.access)
        assert codes(answer.json()) == [21405]
