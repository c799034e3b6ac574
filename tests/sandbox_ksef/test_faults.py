"""Faults on demand, through the sandbox's own operations."""

from __future__ import annotations

import time
from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest
import requests

from tests.sandbox_ksef.conftest import Client, codes
from tests.sandbox_ksef.contract import Contract, ContractAdapter
from tests.sandbox_ksef.material import invoice

SEND = r"POST /v2/sessions/online/[^/]+/invoices$"


def plan(client: Client, kind: str, operation: str = SEND, **more: object) -> None:
    """Plan a fault."""
    answer = requests.post(
        f"{client.sandbox.admin_url}/faults",
        json={"kind": kind, "operation": operation, **more},
        timeout=5,
    )
    assert answer.status_code == 201, answer.text


def post(client: Client, session: str, number: str = "FV/1") -> requests.Response:
    """Send a document without comparing the exchange with the contract."""
    return requests.post(
        f"{client.http.api_url}/sessions/online/{session}/invoices",
        json=client.key.send_request(invoice(number)),
        headers={"Authorization": f"Bearer {client.access}"},
        timeout=5,
    )


def count(client: Client, session: str) -> object:
    """How many documents the session holds."""
    return client.get(f"/sessions/{session}")["invoiceCount"]


@pytest.mark.parametrize(("kind", "stored"), [("drop_before", 0), ("drop_after", 1)])
def test_dropped_connection(signed: Client, kind: str, stored: int) -> None:
    """The connection ends without an answer, before or after the document was stored."""
    session = signed.open()
    plan(signed, kind)
    with pytest.raises(requests.ConnectionError):
        post(signed, session)
    assert count(signed, session) == stored
    assert post(signed, session).status_code == 202
    assert count(signed, session) == stored + 1


def test_truncated_answer(signed: Client) -> None:
    """Half of the answer arrives; the document was stored."""
    session = signed.open()
    plan(signed, "truncate")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        post(signed, session)
    assert count(signed, session) == 1


@pytest.mark.parametrize(
    ("kind", "status", "retry"),
    [
        ("http_500", 500, None),
        ("http_503", 503, "7"),
        ("http_429", 429, "7"),
        ("http_401", 401, None),
        ("http_410", 410, None),
    ],
)
def test_error_answers(signed: Client, kind: str, status: int, retry: str | None) -> None:
    """The planned HTTP error comes as often as planned, with Retry-After where it belongs."""
    session = signed.open()
    plan(signed, kind, times=2, value=7)
    for _ in range(2):
        answer = post(signed, session)
        assert answer.status_code == status
        assert answer.headers.get("Retry-After") == retry
    assert post(signed, session).status_code == 202


def test_every_answer_states_the_sandboxs_time_and_its_warning(signed: Client) -> None:
    """Good answers, refusals and faults carry the moved clock as Date; good ones the planned warning."""
    admin = signed.sandbox.admin_url
    requests.post(f"{admin}/settings", json={"system_warning": "[W1]: Stary schemat"}, timeout=5)
    requests.post(f"{admin}/clock", json={"advanceSeconds": 86_400}, timeout=5)
    plan(signed, "http_503", "POST /v2/auth/token/refresh")
    seen = [
        requests.post(f"{signed.http.api_url}{path}", timeout=5)
        for path in ("/auth/challenge", "/auth/token/redeem", "/auth/token/refresh")
    ]
    assert [answer.status_code for answer in seen] == [200, 401, 503]
    for answer in seen:
        stated = parsedate_to_datetime(answer.headers["Date"])
        assert abs(signed.sandbox.state.now() - stated) < timedelta(seconds=30)
    warnings = [answer.headers.get("X-System-Warning") for answer in seen]
    assert warnings == ["[W1]: Stary schemat", None, None]


def test_html_instead_of_json(signed: Client) -> None:
    """An HTML page comes with the planned status."""
    plan(signed, "html", "POST /v2/auth/challenge")
    answer = requests.post(f"{signed.http.api_url}/auth/challenge", timeout=5)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")


def test_slow_answer(signed: Client) -> None:
    """A slow answer is the right answer, later."""
    plan(signed, "slow", "challenge", value=0.3)
    started = time.monotonic()
    assert signed.challenge()["challenge"]
    assert time.monotonic() - started >= 0.3


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [("status_550", None, 550), ("refuse_code", 500, 500), ("refuse_code", 415, 415)],
)
def test_forced_verdict(signed: Client, kind: str, value: int | None, code: int) -> None:
    """The document ends with the planned status, and the same document is accepted when sent again."""
    plan(signed, kind, value=value)
    assert signed.verdict(invoice())[0] == code
    assert signed.verdict(invoice())[0] == 200


def test_forced_exception_code(signed: Client) -> None:
    """A call is refused with the planned exception code in the contract's form."""
    session = signed.open()
    plan(signed, "refuse_code", value=21184)
    answer = signed.http.call(
        "POST",
        f"/sessions/online/{session}/invoices",
        token=signed.access,
        body=signed.key.send_request(invoice()),
    )
    assert codes(answer.json()) == [21184]


def test_forced_sign_in(client: Client) -> None:
    """A sign-in ends with the planned status."""
    plan(client, "status_550", "POST /v2/auth/xades-signature")
    started = client.start()
    token = started["authenticationToken"]
    assert isinstance(token, dict)
    answer = client.http.call("GET", f"/auth/{started['referenceNumber']}", token=token["token"])
    assert answer.json()["status"]["code"] == 550


def test_faults_are_listed_and_forgotten(client: Client) -> None:
    """Waiting faults are listed; DELETE forgets them; wrong ones are refused."""
    url = f"{client.sandbox.admin_url}/faults"
    plan(client, "slow", times=3, value=1)
    assert requests.get(url, timeout=5).json() == [
        {"kind": "slow", "operation": SEND, "times": 3, "value": 1}
    ]
    assert requests.delete(url, timeout=5).status_code == 204
    assert requests.get(url, timeout=5).json() == []
    for body in (
        {"kind": "explode"},
        {"kind": "slow", "operation": "("},
        {"kind": "refuse_code"},
        {"kind": "slow", "times": 0},
        {"kind": "slow", "value": "x"},
    ):
        assert requests.post(url, json=body, timeout=5).status_code == 400


def test_adapter_watches_any_session(client: Client, contract: Contract) -> None:
    """ContractAdapter lets only the HTTP statuses pass that a test names as undocumented."""
    with requests.Session() as session:
        session.mount(client.http.api_url, ContractAdapter(contract, undocumented=frozenset({503})))
        plan(client, "http_503", "challenge")
        url = f"{client.http.api_url}/auth/challenge"
        assert session.post(url, timeout=5).status_code == 503
        plan(client, "http_500", "challenge")
        with pytest.raises(AssertionError):
            session.post(url, timeout=5)
        assert session.post(url, timeout=5).status_code == 200


def test_ksef_closes_sessions_by_itself(signed: Client) -> None:
    """What was open takes nothing more, and what it has comes to its end."""
    session = signed.open()
    reference = signed.send(session, invoice("FV/1"))
    closed = requests.post(f"{signed.sandbox.admin_url}/sessions/close", timeout=5)
    assert closed.json() == {"closed": 1}
    assert codes(post(signed, session, "FV/2").json()) == [21180]
    assert signed.status(session, reference)["status"] == {"code": 200, "description": "Sukces"}
    assert requests.post(f"{signed.sandbox.admin_url}/sessions/close", timeout=5).json() == {"closed": 0}


def test_documents_alone_stay_in_processing(signed: Client) -> None:
    """A sign-in is as quick as before; played faults are counted."""
    signed.sandbox.state.settings.document_seconds = 600
    session = signed.open()
    reference = signed.send(session, invoice())
    assert signed.status(session, reference)["status"] == {"code": 150, "description": "Trwa przetwarzanie"}
    plan(signed, "http_500", times=2)
    assert [post(signed, session).status_code for _ in range(3)] == [500, 500, 202]
    assert signed.sandbox.state.faults.played == {"http_500": 2}
