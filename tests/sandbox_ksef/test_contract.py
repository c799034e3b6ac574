"""The helper that compares exchanges with the contract is strict itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from sandbox.ksef.operations import API
from tests.sandbox_ksef.conftest import Client
from tests.sandbox_ksef.contract import Contract, ContractViolation
from tests.sandbox_ksef.material import invoice


def changed(response: requests.Response, change: Callable[[dict[str, object]], object]) -> requests.Response:
    """The same exchange with a changed answer."""
    values = response.json()
    change(values)
    response._content = json.dumps(values).encode()
    return response


@pytest.mark.parametrize(
    "change",
    [
        lambda values: values.pop("challenge"),
        lambda values: values.update(challenge="short"),
        lambda values: values.update(timestamp="yesterday"),
        lambda values: values.update(timestampMs="1"),
        lambda values: values.update(surprise=1),
    ],
)
def test_wrong_answer_is_seen(
    client: Client, contract: Contract, change: Callable[[dict[str, object]], object]
) -> None:
    """A missing, ill-formed or undocumented member of an answer is a violation."""
    good = client.http.call("POST", "/auth/challenge")
    with pytest.raises(ContractViolation):
        contract.check(changed(good, change))


def test_wrong_exchange_is_seen(client: Client, contract: Contract) -> None:
    """An undocumented status, media type or operation, and a wrong request are violations."""
    good = client.http.call("POST", "/auth/challenge")
    good.status_code = 418
    with pytest.raises(ContractViolation):
        contract.check(good)
    html = client.http.call("POST", "/auth/challenge")
    html.headers["Content-Type"] = "text/html"
    with pytest.raises(ContractViolation):
        contract.check(html)
    with pytest.raises(ContractViolation):
        client.http.call("GET", "/nothing")
    with pytest.raises(ContractViolation):
        client.http.call("POST", "/auth/ksef-token", body={"challenge": "x"})


def test_every_operation_is_documented(official_ksef: Path) -> None:
    """Each operation that the sandbox serves below /v2 is one of the contract."""
    paths = json.loads((official_ksef / "open-api.json").read_text("utf-8"))["paths"]
    for operation in API:
        assert operation.method.lower() in paths[operation.path]


ELSEWHERE = (
    "/sessions/batch",
    "/invoices/exports",
    "/collective-identifiers",
)
"""Beginnings of paths whose operations may be missing: batch sessions, exports, collective identifiers."""


def test_every_operation_is_served(official_ksef: Path) -> None:
    """The sandbox serves each operation of the contract."""
    paths = json.loads((official_ksef / "open-api.json").read_text("utf-8"))["paths"]
    served = {(operation.method, operation.path) for operation in API}
    documented = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    assert {entry for entry in documented - served if not entry[1].startswith(ELSEWHERE)} == set()
    assert len(served) == len(API)


def test_parallel_callers(signed: Client) -> None:
    """Documents sent by eight callers at once are all counted, and one number is given once."""
    session = signed.open()
    url = f"{signed.http.api_url}/sessions/online/{session}/invoices"
    headers = {"Authorization": f"Bearer {signed.access}"}
    contents = [invoice(f"FV/{index % 40}") for index in range(80)]

    def send(content: bytes) -> int:
        body = signed.key.send_request(content)
        return requests.post(url, json=body, headers=headers, timeout=20).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(send, contents)) == {202}
    status = signed.get(f"/sessions/{session}")
    assert (status["invoiceCount"], status["successfulInvoiceCount"], status["failedInvoiceCount"]) == (
        80,
        40,
        40,
    )
    listed = signed.http.call(
        "GET", f"/sessions/{session}/invoices", token=signed.access, query={"pageSize": 100}
    ).json()["invoices"]
    assert sorted(entry["ordinalNumber"] for entry in listed) == list(range(1, 81))
    assert len({entry.get("ksefNumber") for entry in listed}) == 41
