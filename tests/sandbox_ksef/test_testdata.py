"""Test data of the sandbox: what each operation changes is seen and obeyed elsewhere."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sandbox.ksef import KsefSandbox
from sandbox.ksef.limits import CHANGEABLE, PUBLISHED
from tests.sandbox_ksef.conftest import Client, MovingClock, code_of, codes, operation_status
from tests.sandbox_ksef.granting import PESEL, person
from tests.sandbox_ksef.material import NIP, OTHER_NIP, Credential, credential, invoice

DESCRIPTION = "Dane testowe"


def put(client: Client, path: str, body: object = None, method: str = "POST", *, signed: bool = False) -> int:
    """Call an operation under /testdata; returns the HTTP status."""
    token = client.access if signed else None
    return client.http.call(method, f"/testdata{path}", token=token, body=body).status_code


def status_of_sign_in(client: Client, by: Credential | None = None) -> tuple[int, list[str]]:
    return code_of(operation_status(client, client.start(by=by)))


def person_body(**changes: object) -> dict[str, object]:
    return {"nip": NIP, "pesel": PESEL, "isBailiff": False, "description": DESCRIPTION, **changes}


def test_person_owns_its_context(client: Client) -> None:
    """A person's PESEL owns the context of its NIP until the person is removed; a dead one gets 470."""
    assert put(client, "/person", person_body()) == 200
    client.sign_in(by=person())
    assert client.verdict(invoice())[0] == 200
    again = client.http.call("POST", "/testdata/person", body=person_body())
    assert codes(again.json()) == [30001]
    assert put(client, "/person/remove", {"nip": NIP}) == 200
    assert status_of_sign_in(client, person())[0] == 415
    early = client.http.call("POST", "/testdata/person", body=person_body(createdDate="2020-01-01T00:00:00Z"))
    assert codes(early.json()) == [21405]
    later = (client.sandbox.state.now() + timedelta(seconds=1)).isoformat()
    assert put(client, "/person", person_body(isDeceased=True, createdDate=later)) == 200
    assert status_of_sign_in(client, person()) == (
        470,
        ["Próba wykorzystania metod autoryzacyjnych osoby zmarłej"],
    )


def test_deceased_person_does_not_refresh(client: Client) -> None:
    """The refresh token of a person who was marked as dead meanwhile is refused with 21308."""
    refresh = client.sign_in()
    put(client, "/person", person_body(isDeceased=True))
    answer = client.http.call("POST", "/auth/token/refresh", token=refresh)
    assert codes(answer.json()) == [21308]


def test_person_reaches_tokens_of_both_identifiers(client: Client) -> None:
    """NIP and PESEL of one person reach each other's KSeF tokens."""
    client.sign_in()
    client.http.call(
        "POST", "/tokens", token=client.access, body={"permissions": ["InvoiceRead"], "description": "Token"}
    )
    put(client, "/person", person_body())
    client.sign_in(by=person())
    tokens = client.get("/tokens?authorIdentifierType=Nip&authorIdentifier=526")["tokens"]
    assert isinstance(tokens, list)
    assert len(tokens) == 1
    assert client.get("/tokens?authorIdentifierType=Pesel&authorIdentifier=526")["tokens"] == []
    reference = tokens[0]["referenceNumber"]
    assert client.http.call("DELETE", f"/tokens/{reference}", token=client.access).status_code == 204


def test_roles(client: Client) -> None:
    """Entities get their roles, a bailiff its own, and a removed entity none; an existing one is 30001."""
    client.sign_in()

    def roles() -> list[str]:
        found = client.get("/permissions/query/entities/roles")["roles"]
        assert isinstance(found, list)
        return [role["role"] for role in found]

    body = {"subjectNip": NIP, "subjectType": "EnforcementAuthority", "description": DESCRIPTION}
    assert roles() == []
    assert put(client, "/subject", body) == 200
    assert codes(client.http.call("POST", "/testdata/subject", body=body).json()) == [30001]
    assert put(client, "/person", person_body(isBailiff=True)) == 200
    assert sorted(roles()) == ["CourtBailiff", "EnforcementAuthority"]
    assert put(client, "/subject/remove", {"subjectNip": NIP}) == 200
    assert roles() == ["CourtBailiff"]


def test_subunits_have_a_parent(client: Client) -> None:
    """A member of a local government unit sees its superior, until the unit is removed with its members."""
    body = {
        "subjectNip": OTHER_NIP,
        "subjectType": "JST",
        "description": DESCRIPTION,
        "subunits": [{"subjectNip": NIP, "description": DESCRIPTION}],
    }
    assert put(client, "/subject", body) == 200
    client.sign_in()
    roles = client.get("/permissions/query/entities/roles")["roles"]
    assert isinstance(roles, list)
    assert roles[0]["role"] == "LocalGovernmentSubUnit"
    assert roles[0]["parentEntityIdentifier"] == {"type": "Nip", "value": OTHER_NIP}
    put(client, "/subject/remove", {"subjectNip": OTHER_NIP})
    assert client.get("/permissions/query/entities/roles")["roles"] == []


def test_permissions(client: Client) -> None:
    """Test permissions let a person in and send; taken back they do not."""
    subject = {
        "contextIdentifier": {"type": "Nip", "value": NIP},
        "authorizedIdentifier": {"type": "Pesel", "value": PESEL},
    }
    wanted = [{"permissionType": "InvoiceWrite", "description": DESCRIPTION}]
    assert put(client, "/permissions", {**subject, "permissions": wanted}) == 200
    client.sign_in(by=person())
    assert client.verdict(invoice())[0] == 200
    assert put(client, "/permissions/revoke", subject) == 200
    assert status_of_sign_in(client, person())[0] == 415


def test_blocked_context(client: Client) -> None:
    """Signing in to a blocked context ends with 480 until it is unblocked."""
    context = {"contextIdentifier": {"type": "Nip", "value": NIP}}
    assert put(client, "/context/block", context) == 200
    assert status_of_sign_in(client)[0] == 480
    assert put(client, "/context/unblock", context) == 200
    assert status_of_sign_in(client)[0] == 200


def test_attachment_consent(client: Client, clock: MovingClock) -> None:
    """The consent is seen in its status, ends on the day it was taken back for, and is over then."""
    client.sandbox.state.settings.access_token_seconds = 10 * 24 * 3600
    client.sign_in()
    path = "/permissions/attachments/status"
    assert client.get(path) == {"isAttachmentAllowed": False}
    assert put(client, "/attachment", {"nip": NIP}) == 200
    assert client.get(path) == {"isAttachmentAllowed": True}
    day = (clock.moment + timedelta(days=2)).date().isoformat()
    assert put(client, "/attachment/revoke", {"nip": NIP, "expectedEndDate": day}) == 200
    assert client.get(path)["isAttachmentAllowed"] is True
    clock.moment += timedelta(days=3)
    assert client.get(path)["isAttachmentAllowed"] is False
    assert "revokedDate" in client.get(path)


def session_limits(**online: int) -> dict[str, dict[str, int]]:
    session = {"maxInvoiceSizeInMB": 1, "maxInvoiceWithAttachmentSizeInMB": 3, "maxInvoices": 10_000}
    return {
        "onlineSession": {**session, **online},
        "batchSession": session,
        "collectiveIdentifier": {"maxInvoices": 700},
    }


def test_session_limits(signed: Client) -> None:
    """Changed limits of a context are shown and obeyed, and reset to the defaults."""
    limits = session_limits(maxInvoices=1)
    assert put(signed, "/limits/context/session", limits, signed=True) == 200
    assert signed.get("/limits/context") == limits
    session = signed.open()
    signed.send(session, invoice())
    refused = signed.http.call(
        "POST",
        f"/sessions/online/{session}/invoices",
        token=signed.access,
        body=signed.key.send_request(invoice("FV/2")),
    )
    assert codes(refused.json()) == [21155]
    put(signed, "/limits/context/session", session_limits(maxInvoiceSizeInMB=0), signed=True)
    assert signed.verdict(invoice("FV/3"))[0] == 430
    assert put(signed, "/limits/context/session", method="DELETE", signed=True) == 200
    shown = signed.get("/limits/context")["onlineSession"]
    assert isinstance(shown, dict)
    assert shown["maxInvoices"] == 10_000
    assert signed.verdict(invoice("FV/4"))[0] == 200


def test_limits_off_contract(signed: Client) -> None:
    """Limits above what the contract lets a test set are refused."""
    for body in (session_limits(maxInvoices=100_001), session_limits(maxInvoiceSizeInMB=6), {}):
        answer = signed.http.call(
            "POST", "/testdata/limits/context/session", token=signed.access, body=body, valid=False
        )
        assert codes(answer.json()) == [21405]


def test_certificate_limits(signed: Client) -> None:
    """Changed limits of a subject are shown by both operations that tell them, and reset."""
    body = {"certificate": {"maxCertificates": 0}}
    assert put(signed, "/limits/subject/certificate", body, signed=True) == 200
    assert signed.get("/limits/subject") == {
        "enrollment": {"maxEnrollments": 12},
        "certificate": {"maxCertificates": 0},
    }
    assert signed.get("/certificates/limits")["canRequest"] is False
    assert put(signed, "/limits/subject/certificate", method="DELETE", signed=True) == 200
    assert signed.get("/certificates/limits")["canRequest"] is True


def test_rate_limits(signed: Client, clock: MovingClock) -> None:
    """Limits that a test set are shown and enforced for its context alone, also with the setting off."""
    limits = {group: {"perSecond": 100, "perMinute": 100, "perHour": 100} for group in CHANGEABLE}
    limits["sessionList"] = {"perSecond": 2, "perMinute": 100, "perHour": -1}
    assert put(signed, "/rate-limits", {"rateLimits": limits}, signed=True) == 200
    shown = signed.get("/rate-limits")
    assert {group: shown[group] for group in CHANGEABLE} == limits
    assert shown["anonymous"] == PUBLISHED["anonymous"].as_json()

    def calls() -> list[int]:
        query: dict[str, str | int | list[str]] = {"sessionType": "Online"}
        return [
            signed.http.call("GET", "/sessions", token=signed.access, query=query).status_code
            for _ in range(3)
        ]

    assert calls() == [200, 200, 429]
    own = signed.access
    signed.sign_in(OTHER_NIP, credential(OTHER_NIP))
    assert calls() == [200, 200, 200]
    signed.access = own
    clock.moment += timedelta(seconds=2)
    assert put(signed, "/rate-limits", method="DELETE", signed=True) == 200
    assert calls() == [200, 200, 200]


def test_production_rate_limits(signed: Client) -> None:
    """Production limits are enforced for the context that asks: the sixth list in a second is 429."""
    assert put(signed, "/rate-limits/production", signed=True) == 200
    answers = [
        signed.http.call("GET", "/sessions", token=signed.access, query={"sessionType": "Online"})
        for _ in range(6)
    ]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert int(answers[-1].headers["Retry-After"]) >= 1


def test_global_rate_limit(signed: Client) -> None:
    """With production limits on, the 76th call of one address in a second is 429, whatever it calls."""
    signed.sandbox.state.settings.rate_limits = True
    token, query = signed.access, {"sessionType": "Online"}
    answers = [signed.http.call("POST", "/auth/challenge") for _ in range(60)]
    answers += [signed.http.call("GET", "/limits/context", token=token) for _ in range(10)]
    answers += [signed.http.call("GET", "/sessions", token=token, query={**query}) for _ in range(5)]
    assert {answer.status_code for answer in answers} == {200}
    answer = signed.http.call("GET", f"/invoices/ksef/{NIP}-20260101-0100001AF629-AF", token=token)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")


def test_one_switch() -> None:
    """A sandbox is started with production limits by one argument."""
    with KsefSandbox(rate_limits=True) as running:
        assert running.state.settings.rate_limits is True


def test_peppol(client: Client) -> None:
    """The list of providers comes in pages, latest first, without a token."""
    answer = client.http.call("GET", "/peppol/query").json()
    dates = [provider["dateCreated"] for provider in answer["peppolProviders"]]
    assert (len(dates), dates) == (3, sorted(dates, reverse=True))
    assert answer["hasMore"] is False
    assert client.http.call("GET", "/peppol/query", query={"pageOffset": 1}).json()["peppolProviders"] == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/subject", {"subjectNip": "0", "subjectType": "JST", "description": DESCRIPTION}),
        ("/subject", {"subjectNip": NIP, "subjectType": "Firma", "description": DESCRIPTION}),
        ("/person", {"nip": NIP, "pesel": "1", "isBailiff": False, "description": DESCRIPTION}),
        ("/person", {"nip": NIP, "pesel": PESEL, "description": DESCRIPTION}),
        ("/attachment", {}),
        ("/attachment/revoke", {"nip": NIP, "expectedEndDate": "jutro"}),
        ("/context/block", {"contextIdentifier": {"type": "Pesel", "value": PESEL}}),
        ("/permissions", {"permissions": []}),
    ],
)
def test_body_off_contract(client: Client, path: str, body: dict[str, object]) -> None:
    """A body that breaks the contract is refused with 21405."""
    answer = client.http.call("POST", f"/testdata{path}", body=body, valid=False)
    assert codes(answer.json()) == [21405]


def test_token_search(signed: Client) -> None:
    """Tokens are searched by description and author; a search of fewer than three characters is refused."""
    body = {"permissions": ["InvoiceRead"], "description": "Magazyn"}
    signed.http.call("POST", "/tokens", token=signed.access, body=body)
    found = signed.get("/tokens?description=maga")["tokens"]
    assert isinstance(found, list)
    assert len(found) == 1
    assert signed.get("/tokens?description=biuro")["tokens"] == []
    refused = signed.http.call(
        "GET", "/tokens", token=signed.access, query={"description": "ma"}, valid=False
    )
    assert codes(refused.json()) == [21405]


def test_reader_of_credentials_does_not_revoke(client: Client) -> None:
    """CredentialsRead shows every token of the context; revoking a foreign one needs CredentialsManage."""
    client.sign_in()
    created = client.http.call(
        "POST", "/tokens", token=client.access, body={"permissions": ["InvoiceRead"], "description": "Token"}
    ).json()
    put(
        client,
        "/permissions",
        {
            "contextIdentifier": {"type": "Nip", "value": NIP},
            "authorizedIdentifier": {"type": "Pesel", "value": PESEL},
            "permissions": [{"permissionType": "CredentialsRead", "description": DESCRIPTION}],
        },
    )
    client.sign_in(by=person())
    path = f"/tokens/{created['referenceNumber']}"
    assert client.http.call("GET", path, token=client.access).status_code == 200
    assert codes(client.http.call("DELETE", path, token=client.access).json()) == [21405]
