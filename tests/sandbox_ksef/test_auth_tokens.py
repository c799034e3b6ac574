"""Signing in by KSeF token, and the list of sign-ins."""

from __future__ import annotations

import pytest

from sandbox.ksef import keys, tokens
from tests.sandbox_ksef.conftest import Client, bearer, code_of, codes, operation_status
from tests.sandbox_ksef.material import NIP, OTHER_NIP, wrap


def token_request(client: Client, text: str, **changes: object) -> dict[str, object]:
    """Body of POST /auth/ksef-token for a KSeF token."""
    challenge = client.challenge()
    published = client.public_key("KsefTokenEncryption")
    content = f"{text}|{changes.pop('milliseconds', challenge['timestampMs'])}".encode()
    return {
        "challenge": challenge["challenge"],
        "contextIdentifier": {"type": "Nip", "value": NIP},
        "encryptedToken": wrap(published["certificate"], content),
        "publicKeyId": published["publicKeyId"],
        **changes,
    }


def test_token_signs_in(client: Client) -> None:
    """A KSeF token signs in with its own permissions, with or without the identifier of the key."""
    text = tokens.issue(client.sandbox.state, NIP, permissions=frozenset({"InvoiceWrite"}))
    for changes in ({}, {"publicKeyId": None}):
        started = client.http.call(
            "POST", "/auth/ksef-token", body=token_request(client, text, **changes)
        ).json()
        status = operation_status(client, started)
        assert code_of(status)[0] == 200
        assert status["authenticationMethod"] == "Token"
    pair = client.http.call("POST", "/auth/token/redeem", token=bearer(started["authenticationToken"])).json()
    number = f"{NIP}-20260101-0100001AF629-AF"
    refused = client.http.call("GET", f"/invoices/ksef/{number}", token=bearer(pair["accessToken"]))
    assert refused.status_code == 403


def test_token_refusals_are_statuses(client: Client) -> None:
    """Unknown token, wrong time, foreign context and unreadable encryption end with status 450."""
    text = tokens.issue(client.sandbox.state, NIP)
    symmetric = client.public_key("SymmetricKeyEncryption")["certificate"]
    for body, detail in (
        (token_request(client, "unknown"), "Nieprawidłowy token"),
        (token_request(client, text, milliseconds=1), "Nieprawidłowy czas tokena"),
        (
            token_request(client, text, contextIdentifier={"type": "Nip", "value": OTHER_NIP}),
            f"Token nie może być użyty w kontekście {OTHER_NIP}",
        ),
        (
            token_request(client, text, encryptedToken=wrap(symmetric, b"x")),
            "Nieprawidłowe szyfrowanie tokena",
        ),
    ):
        started = client.http.call("POST", "/auth/ksef-token", body=body)
        assert started.status_code == 202
        assert code_of(operation_status(client, started.json())) == (450, [detail])


def test_withdrawn_key(client: Client) -> None:
    """After a rotation the earlier key is refused with 21470 and the new list works."""
    text = tokens.issue(client.sandbox.state, NIP)
    before = token_request(client, text)
    keys.rotate(client.sandbox.state)
    answer = client.http.call("POST", "/auth/ksef-token", body=before)
    assert (answer.status_code, codes(answer.json())) == (400, [21470])
    again = client.http.call("POST", "/auth/ksef-token", body=token_request(client, text))
    assert again.status_code == 202


@pytest.mark.parametrize(
    "change",
    [
        {"challenge": "short"},
        {"contextIdentifier": {"type": "Pesel", "value": NIP}},
        {"encryptedToken": "not base64!"},
        {"contextIdentifier": None},
        {"authorizationPolicy": {"allowedIps": {"ip4Addresses": ["300.1.1.1"]}}},
    ],
)
def test_token_request_off_contract(client: Client, change: dict[str, object]) -> None:
    """A body that breaks the contract is refused with 21405 that names the field."""
    body = {**token_request(client, "any"), **change}
    answer = client.http.call("POST", "/auth/ksef-token", body=body, valid=False)
    assert codes(answer.json()) == [21405]
    assert next(iter(change)) in answer.text


def test_unreadable_json(client: Client) -> None:
    """A body that is no JSON object is refused with 21001, in both forms of errors."""
    for data in (b"{", b"[]", b"\xff"):
        answer = client.http.request(
            "POST",
            f"{client.http.api_url}/auth/ksef-token",
            data=data,
            headers={"Content-Type": "application/json", "X-Error-Format": "problem-details"},
            timeout=5,
        )
        client.http.contract.check(answer, with_request=False)
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["errors"][0]["code"] == 21001


def test_list_and_revoke_sign_ins(client: Client) -> None:
    """Sign-ins are listed newest first in pages; a revoked one's refresh token stops working at once."""
    refreshes = [client.sign_in() for _ in range(12)]
    first = client.get("/auth/sessions")
    items = first["items"]
    assert isinstance(items, list)
    assert len(items) == 10
    assert sum(item["isCurrent"] for item in items) <= 1
    rest = client.http.call(
        "GET",
        "/auth/sessions",
        token=client.access,
        headers={"x-continuation-token": str(first["continuationToken"])},
    ).json()
    assert len(rest["items"]) == 2
    assert rest["continuationToken"] is None
    assert client.http.call("DELETE", "/auth/sessions/current", token=refreshes[-1]).status_code == 204
    refused = client.http.call("POST", "/auth/token/refresh", token=refreshes[-1])
    assert codes(refused.json()) == [21301]
    assert client.http.call("GET", "/rate-limits", token=client.access).status_code == 200
    other = items[-1]["referenceNumber"]
    assert client.http.call("DELETE", f"/auth/sessions/{other}", token=client.access).status_code == 204
    bad = client.http.call(
        "GET", "/auth/sessions", token=client.access, headers={"x-continuation-token": "???"}
    )
    assert codes(bad.json()) == [21418]
