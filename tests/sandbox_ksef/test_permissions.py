"""Permissions of the sandbox: granting, revoking, reading, and what sign-in and sending make of them."""

from __future__ import annotations

from tests.sandbox_ksef.conftest import Client, bearer, code_of, codes, operation_status
from tests.sandbox_ksef.granting import (
    PERSON,
    PESEL,
    THIRD_NIP,
    WITHOUT_IDENTIFIER,
    change,
    fingerprint_of,
    grant_entity,
    grant_person,
    internal_id,
    listed,
    person,
    sign_in_composed,
)
from tests.sandbox_ksef.material import NIP, OTHER_NIP, Credential, credential, invoice


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


def test_check_digit() -> None:
    """The contract's own example has the check digit 3."""
    assert internal_id("6824515772-1234") == "6824515772-12343"


def test_eu_entity(client: Client, owner: Credential) -> None:
    """The administrator of an EU entity signs in to the composed context and appoints a representative."""
    context = f"{NIP}-DE123456789"
    seal = credential(OTHER_NIP)
    client.sign_in()
    body = {
        "subjectIdentifier": {"type": "Fingerprint", "value": fingerprint_of(seal)},
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
    sign_in_composed(client, context, seal)
    representative = {
        "subjectIdentifier": {"type": "Fingerprint", "value": fingerprint_of(other)},
        "permissions": ["InvoiceRead"],
        "description": "Przedstawiciel",
        "subjectDetails": WITHOUT_IDENTIFIER,
    }
    assert change(client, "/eu-entities/grants", representative) == 200
    shown = listed(client, "/eu-entities/grants", {"permissionTypes": ["InvoiceRead"]})
    assert {item["euEntityName"] for item in shown} == {"Beispiel GmbH, Berlin"}
    assert len(shown) == 2
    sign_in_composed(client, context, other)
    assert [item["permissionScope"] for item in listed(client, "/personal/grants")] == ["InvoiceRead"]
