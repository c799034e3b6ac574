"""State that survives a restart, and the server itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from sandbox.ksef import KsefSandbox, SandboxState, Settings, keys, tokens
from sandbox.ksef.state import StateError
from tests.sandbox_ksef.conftest import Client, codes, with_keys
from tests.sandbox_ksef.contract import Contract, ContractSession
from tests.sandbox_ksef.enrolling import obtain
from tests.sandbox_ksef.material import NIP, Credential, invoice


def test_restart_keeps_everything(
    tmp_path: Path, key_file: Path, contract: Contract, owner: Credential
) -> None:
    """After a restart tokens, certificates, sessions, keys, documents, numbers and UPO are as before."""
    path = tmp_path / "ksef.sqlite"
    with_keys(SandboxState.open(path), key_file).close()
    with KsefSandbox(database=path, processing_seconds=0) as first:
        client = Client(first, ContractSession(contract, first.api_url), owner)
        client.sign_in()
        session, reference, number = client.accept("FV/1")
        upo_path = f"/sessions/{session}/invoices/{reference}/upo"
        upo = client.http.call("GET", upo_path, token=client.access).content
        published = client.public_key("SymmetricKeyEncryption")
        text = tokens.issue(first.state, NIP)
        _, issued = obtain(client)
    with KsefSandbox(database=path, processing_seconds=0) as second:
        assert second.port > 0
        client.sandbox, client.http = second, ContractSession(contract, second.api_url)
        assert client.public_key("SymmetricKeyEncryption") == published
        assert client.status(session, reference)["ksefNumber"] == number
        assert client.http.call("GET", upo_path, token=client.access).content == upo
        assert client.status(session, client.send(session, invoice("FV/2")))["invoiceNumber"] == "FV/2"
        duplicate = client.status(session, client.send(session, invoice("FV/1")))["status"]
        assert isinstance(duplicate, dict)
        assert duplicate["extensions"]["originalKsefNumber"] == number
        assert text not in second.state.one("SELECT * FROM tokens")["digest"]  # type: ignore[index]
        client.sign_in_quickly()
        client.sign_in(by=issued)
        _, another = obtain(client)
        assert another.certificate.issuer == issued.certificate.issuer


def test_document_under_way_survives(
    tmp_path: Path, key_file: Path, contract: Contract, owner: Credential
) -> None:
    """A document that was received before the sandbox ended gets its verdict after the restart."""
    path = tmp_path / "ksef.sqlite"
    with_keys(SandboxState.open(path), key_file).close()
    with KsefSandbox(database=path, processing_seconds=0) as first:
        client = Client(first, ContractSession(contract, first.api_url), owner)
        client.sign_in()
        session = client.open()
        first.state.settings.processing_seconds = 0.5
        reference = client.send(session, invoice())
        status = client.status(session, reference)["status"]
        assert isinstance(status, dict)
        assert status["code"] == 150
    with KsefSandbox(database=path) as second:
        second.state.clock_offset += timedelta(seconds=5)
        client.sandbox, client.http = second, ContractSession(contract, second.api_url)
        status = client.status(session, reference)["status"]
        assert isinstance(status, dict)
        assert status["code"] == 200


def test_file_of_another_version(tmp_path: Path) -> None:
    """A database file of another version of the sandbox is refused by name."""
    path = tmp_path / "old.sqlite"
    state = SandboxState.open(path)
    state.run("PRAGMA user_version = 99")
    state.close()
    with pytest.raises(StateError, match=r"old\.sqlite has version 99"):
        SandboxState.open(path)


def test_refused_call_leaves_nothing(signed: Client) -> None:
    """A call that is refused half-way changes nothing: one transaction per call."""
    state = signed.sandbox.state
    signed.open()
    before = [tuple(row) for row in state.all("SELECT * FROM sessions")]

    def fail() -> None:
        with state.transaction():
            state.run("DELETE FROM sessions")
            state.insert("secrets", name="x", value=b"y")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert state.one("SELECT * FROM secrets WHERE name = 'x'") is None
    assert [tuple(row) for row in state.all("SELECT * FROM sessions")] == before


def test_admin_operations(signed: Client) -> None:
    """Documents, state, settings, clock, keys, tokens and grants are reached under /sandbox."""
    admin = signed.sandbox.admin_url
    session, reference, number = signed.accept("FV/9")
    (listed,) = requests.get(f"{admin}/documents", timeout=5).json()
    assert (listed["ksefNumber"], listed["sellerNip"], listed["invoiceNumber"]) == (number, NIP, "FV/9")
    assert (listed["sessionReferenceNumber"], listed["invoiceReferenceNumber"]) == (session, reference)
    assert requests.get(listed["xml"], timeout=5).content == invoice("FV/9")
    assert requests.get(f"{admin}/documents/none.xml", timeout=5).status_code == 404
    state = requests.get(f"{admin}/state", timeout=5).json()
    assert (state["counts"]["invoices"], state["invoiceStatuses"]) == (1, {"200": 1})
    changed = requests.post(f"{admin}/settings", json={"processing_seconds": 3}, timeout=5).json()
    assert changed["processing_seconds"] == signed.sandbox.state.settings.processing_seconds == 3
    requests.post(f"{admin}/settings", json={"processing_seconds": 0}, timeout=5)
    for wrong in ({"speed": 1}, {"rate_limits": 1}, {"max_invoices": "x"}):
        assert requests.post(f"{admin}/settings", json=wrong, timeout=5).status_code == 400
    now = signed.sandbox.state.now()
    requests.post(f"{admin}/clock", json={"advanceSeconds": 60}, timeout=5)
    assert (signed.sandbox.state.now() - now).total_seconds() == 60
    token = requests.post(f"{admin}/tokens", json={"nip": NIP}, timeout=5).json()["token"]
    assert f"|nip-{NIP}|" in token
    before = keys.current(signed.sandbox.state, keys.TOKENS)[0].public_key_id
    requests.post(f"{admin}/keys/rotate", timeout=5)
    assert keys.current(signed.sandbox.state, keys.TOKENS)[0].public_key_id != before
    grant = {
        "subjectType": "Nip",
        "subjectValue": NIP,
        "context": "1111111111",
        "permissions": ["InvoiceRead"],
    }
    assert requests.post(f"{admin}/grants", json=grant, timeout=5).status_code == 204
    signed.sign_in("1111111111")


def test_qr_page(signed: Client) -> None:
    """The page behind code I says in Polish that the document is there, or is not."""
    content = invoice("FV/<1>".replace("<", "&lt;").replace(">", "&gt;"))
    session = signed.open()
    number = str(signed.status(session, signed.send(session, content))["ksefNumber"])
    row = signed.sandbox.state.one("SELECT hash, issued FROM invoices")
    assert row is not None
    digest = row["hash"].replace("+", "-").replace("/", "_").rstrip("=")
    day = "-".join(reversed(row["issued"].split("-")))
    found = requests.get(f"{signed.sandbox.qr_url}/invoice/{NIP}/{day}/{digest}", timeout=5)
    assert found.status_code == 200
    assert number in found.text
    assert "FV/&lt;1&gt;" in found.text
    for path in (f"{NIP}/01-01-2020/{digest}", f"{NIP}/{day}/AAAA", f"{NIP}/{day}/%C5%BC"):
        missing = requests.get(f"{signed.sandbox.qr_url}/invoice/{path}", timeout=5)
        assert (missing.status_code, "Nie znaleziono" in missing.text) == (404, True)


def test_latarnia(client: Client) -> None:
    """The board of availability says AVAILABLE and announces nothing."""
    url = client.sandbox.latarnia_url
    assert requests.get(f"{url}/status", timeout=5).json() == {"status": "AVAILABLE"}
    assert requests.get(f"{url}/messages", timeout=5).json() == []


def test_tokens(signed: Client) -> None:
    """A token is generated, listed, read, used and revoked; too much permission is refused."""
    body = {"permissions": ["InvoiceRead", "InvoiceWrite"], "description": "Sklep internetowy"}
    made = signed.http.call("POST", "/tokens", token=signed.access, body=body)
    assert made.status_code == 202
    reference = made.json()["referenceNumber"]
    assert made.json()["token"].startswith(f"{reference}|nip-{NIP}|")
    assert signed.get(f"/tokens/{reference}")["status"] == "Active"
    listed = signed.http.call(
        "GET", "/tokens", token=signed.access, query={"status": ["Active"], "description": "sklep"}
    ).json()["tokens"]
    assert [entry["referenceNumber"] for entry in listed] == [reference]
    assert signed.http.call("DELETE", f"/tokens/{reference}", token=signed.access).status_code == 204
    assert signed.get(f"/tokens/{reference}")["status"] == "Revoked"
    signed.sign_in_quickly()
    more = {"permissions": ["CredentialsManage"], "description": "Za dużo"}
    answer = signed.http.call("POST", "/tokens", token=signed.access, body=more)
    assert codes(answer.json()) == [26001]
    wrong = signed.http.call(
        "POST",
        "/tokens",
        token=signed.access,
        body={"permissions": ["X"], "description": "Nieznane"},
        valid=False,
    )
    assert codes(wrong.json()) == [21405]


def test_limits_are_told(signed: Client) -> None:
    """Limits of the context, the subject and the API satisfy the contract."""
    limits = signed.get("/limits/context")["onlineSession"]
    assert limits == {
        "maxInvoiceSizeInMB": 1,
        "maxInvoiceWithAttachmentSizeInMB": 3,
        "maxInvoices": 10_000,
    }
    assert "certificate" in signed.get("/limits/subject")
    assert signed.get("/rate-limits")["invoiceSend"] == {"perSecond": 10, "perMinute": 30, "perHour": 180}


def test_metadata_query(signed: Client) -> None:
    """Accepted documents are found by seller and by buyer, filtered, sorted and paged."""
    for index in range(12):
        signed.accept(f"FV/{index:02}")
    day = signed.sandbox.state.now()
    span = {"dateType": "PermanentStorage", "from": day.replace(hour=0, minute=0).isoformat()}
    signed.sandbox.state.clock_offset += timedelta(seconds=1)

    def query(filters: dict[str, object], **parameters: str | int) -> dict[str, object]:
        body = {"subjectType": "Subject1", "dateRange": span, **filters}
        answer = signed.http.call(
            "POST", "/invoices/query/metadata", token=signed.access, body=body, query={**parameters}
        )
        assert answer.status_code == 200, answer.text
        values: dict[str, object] = answer.json()
        return values

    def numbers(answer: dict[str, object]) -> list[str]:
        found = answer["invoices"]
        assert isinstance(found, list)
        return [entry["invoiceNumber"] for entry in found]

    first = query({}, sortOrder="Desc")
    assert (len(numbers(first)), first["hasMore"], first["isTruncated"]) == (10, True, False)
    assert numbers(query({}, pageOffset=1, sortOrder="Desc")) == ["FV/01", "FV/00"]
    assert numbers(query({"invoiceNumber": "FV/05"})) == ["FV/05"]
    assert numbers(query({"amount": {"type": "Brutto", "from": 123.5}})) == []
    assert (
        len(numbers(query({"amount": {"type": "Netto", "from": 100, "to": 100}, "currencyCodes": ["PLN"]})))
        == 10
    )
    assert numbers(query({"subjectType": "Subject2"})) == []
    found = query({"invoiceNumber": "FV/05", "dateRange": {**span, "dateType": "Issue"}})["invoices"]
    assert isinstance(found, list)
    assert [found[0][name] for name in ("netAmount", "grossAmount", "vatAmount")] == [100, 123, 23]
    late = signed.http.call(
        "POST",
        "/invoices/query/metadata",
        token=signed.access,
        body={"subjectType": "Subject1", "dateRange": {**span, "to": "2020-01-01T00:00:00Z"}},
    )
    assert codes(late.json()) == [21405]


def test_served_from_the_command_line(tmp_path: Path, key_file: Path) -> None:
    """serve() prints the addresses, answers, and ends by itself on SIGTERM."""
    path = tmp_path / "ksef.sqlite"
    with_keys(SandboxState.open(path, settings=Settings()), key_file).close()
    code = f"from pathlib import Path; from sandbox.ksef import serve; serve(0, Path({str(path)!r}), 0.0)"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().split() for _ in range(4)]
        url = lines[0][-1]
        assert requests.post(f"{url}/auth/challenge", timeout=5).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
