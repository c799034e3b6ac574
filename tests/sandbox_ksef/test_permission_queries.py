"""Reading permissions, and the life of the operations that change them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.sandbox_ksef.conftest import Client, MovingClock, codes
from tests.sandbox_ksef.granting import (
    PERSON,
    PESEL,
    grant_person,
    listed,
    person,
)


def test_owner_sees_its_permissions(signed: Client) -> None:
    """An owner has the owner's permissions, its token those it carries, a granted person none of them."""
    answer = signed.http.call("POST", "/permissions/query/personal/grants", token=signed.access).json()
    assert "InvoiceWrite" in answer["ownerPermissions"]
    assert answer["permissions"] == []
    grant_person(signed, "InvoiceRead")
    signed.sign_in_quickly()
    answer = signed.http.call("POST", "/permissions/query/personal/grants", token=signed.access).json()
    assert answer["ownerPermissions"] == ["InvoiceRead", "InvoiceWrite"]
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
