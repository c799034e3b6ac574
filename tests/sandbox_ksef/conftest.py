"""A sandbox per test on a free port, with one set of keys for the whole run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox.ksef import KsefSandbox, SandboxState, Settings, tokens
from tests.sandbox_ksef.contract import Contract, ContractSession
from tests.sandbox_ksef.material import (
    FA3,
    NIP,
    Credential,
    SessionKey,
    auth_request,
    credential,
    invoice,
    sign,
    wrap,
)


@pytest.fixture(scope="session")
def contract(official_ksef: Path) -> Contract:
    """The official contract."""
    return Contract.load(official_ksef)


@pytest.fixture(scope="session")
def owner() -> Credential:
    """The seal of the seller in the tests."""
    return credential()


@dataclass
class Client:
    """The steps of a client, each compared with the contract."""

    sandbox: KsefSandbox
    http: ContractSession
    owner: Credential
    access: str = ""
    key: SessionKey = field(default_factory=SessionKey)

    def challenge(self) -> dict[str, str]:
        answer: dict[str, str] = self.http.call("POST", "/auth/challenge").json()
        return answer

    def start(self, nip: str = NIP, by: Credential | None = None) -> dict[str, object]:
        xml = sign(auth_request(self.challenge()["challenge"], nip), by or self.owner)
        answer: dict[str, object] = self.http.call("POST", "/auth/xades-signature", xml=xml).json()
        return answer

    def sign_in(self, nip: str = NIP, by: Credential | None = None) -> str:
        """Sign in with a certificate and keep the access token; returns the refresh token."""
        operation = bearer(self.start(nip, by)["authenticationToken"])
        pair = self.http.call("POST", "/auth/token/redeem", token=operation).json()
        self.access = bearer(pair["accessToken"])
        return bearer(pair["refreshToken"])

    def sign_in_quickly(self) -> None:
        """Sign in with a KSeF token that the sandbox gives."""
        text = tokens.issue(self.sandbox.state, NIP)
        challenge = self.challenge()
        published = self.public_key("KsefTokenEncryption")
        body = {
            "challenge": challenge["challenge"],
            "contextIdentifier": {"type": "Nip", "value": NIP},
            "encryptedToken": wrap(published["certificate"], f"{text}|{challenge['timestampMs']}".encode()),
            "publicKeyId": published["publicKeyId"],
        }
        started = self.http.call("POST", "/auth/ksef-token", body=body).json()
        operation = bearer(started["authenticationToken"])
        pair = self.http.call("POST", "/auth/token/redeem", token=operation).json()
        self.access = bearer(pair["accessToken"])

    def public_key(self, usage: str) -> dict[str, str]:
        listed = self.http.call("GET", "/security/public-key-certificates").json()
        chosen: dict[str, str] = next(entry for entry in listed if usage in entry["usage"])
        return chosen

    def open(self, form: dict[str, str] | None = None) -> str:
        body = self.key.open_request(self.public_key("SymmetricKeyEncryption"), form or FA3)
        answer = self.http.call("POST", "/sessions/online", token=self.access, body=body)
        assert answer.status_code == 201
        reference: str = answer.json()["referenceNumber"]
        return reference

    def send(self, session: str, content: bytes, **changes: object) -> str:
        body = {**self.key.send_request(content), **changes}
        answer = self.http.call("POST", f"/sessions/online/{session}/invoices", token=self.access, body=body)
        assert answer.status_code == 202, answer.text
        reference: str = answer.json()["referenceNumber"]
        return reference

    def status(self, session: str, reference: str) -> dict[str, object]:
        answer: dict[str, object] = self.get(f"/sessions/{session}/invoices/{reference}")
        return answer

    def verdict(self, content: bytes, **changes: object) -> tuple[int, list[str]]:
        """(code, details) of a document sent in a session of its own."""
        session = self.open()
        status = self.status(session, self.send(session, content, **changes))["status"]
        assert isinstance(status, dict)
        return status["code"], status.get("details") or []

    def get(self, path: str) -> dict[str, object]:
        answer = self.http.call("GET", path, token=self.access)
        assert answer.status_code == 200, answer.text
        values: dict[str, object] = answer.json()
        return values

    def close(self, session: str) -> None:
        assert (
            self.http.call("POST", f"/sessions/online/{session}/close", token=self.access).status_code == 204
        )

    def accept(self, number: str = "FV/1") -> tuple[str, str, str]:
        """(session, document, KSeF number) of a document that was accepted."""
        session = self.open()
        reference = self.send(session, invoice(number))
        status = self.status(session, reference)
        return session, reference, str(status["ksefNumber"])


def bearer(value: object) -> str:
    """The token of a TokenInfo."""
    assert isinstance(value, dict)
    return str(value["token"])


def operation_status(client: Client, started: dict[str, object]) -> dict[str, object]:
    """The answer of GET /auth/{ref} for a sign-in that was started."""
    answer = client.http.call(
        "GET", f"/auth/{started['referenceNumber']}", token=bearer(started["authenticationToken"])
    )
    values: dict[str, object] = answer.json()
    return values


def code_of(status: dict[str, object]) -> tuple[int, list[str]]:
    """(code, details) of a status answer."""
    inner = status["status"]
    assert isinstance(inner, dict)
    return inner["code"], inner["details"] or []


def codes(answer: object) -> list[int]:
    """Exception codes of a refusal in the older form."""
    assert isinstance(answer, dict)
    return [entry["exceptionCode"] for entry in answer["exception"]["exceptionDetailList"]]


class MovingClock:
    """A clock that a test moves by hand; starts at the real time."""

    def __init__(self) -> None:
        self.moment = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture(scope="session")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that holds nothing but keys: making RSA keys is slow, and every sandbox needs them."""
    path = tmp_path_factory.mktemp("keys") / "keys.sqlite"
    with KsefSandbox(database=path):
        pass
    return path


def with_keys(state: SandboxState, key_file: Path) -> SandboxState:
    """Give a fresh state the prepared keys."""
    source = SandboxState.open(key_file)
    for row in source.all("SELECT * FROM key_pairs"):
        state.insert("key_pairs", **dict(row))
    source.close()
    return state


@pytest.fixture
def clock() -> MovingClock:
    """The sandbox's clock."""
    return MovingClock()


@pytest.fixture
def sandbox(key_file: Path, clock: MovingClock) -> Iterator[KsefSandbox]:
    """A sandbox that judges at once and whose clock stands still."""
    state = with_keys(SandboxState.open(settings=Settings(processing_seconds=0), clock=clock), key_file)
    with KsefSandbox(state=state) as running:
        yield running
    state.close()


@pytest.fixture
def client(sandbox: KsefSandbox, contract: Contract, owner: Credential) -> Iterator[Client]:
    """A client that has not signed in."""
    with ContractSession(contract, sandbox.api_url) as http:
        yield Client(sandbox, http, owner)


@pytest.fixture
def signed(client: Client) -> Client:
    """A client that has signed in with a certificate."""
    client.sign_in()
    return client
