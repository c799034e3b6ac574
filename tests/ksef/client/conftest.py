"""A tiny KSeF in the test's own process; every exchange with it is checked against the official contract."""

from __future__ import annotations

import base64
import json
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest, MockResponse

from core.ksef import environments
from core.ksef.client import KsefClient
from core.ksef.encryption import SessionKey, sha256_base64
from core.ksef.public_keys import PublicKeys
from core.ksef.transport import Answer, Request, TransportFailure

NIP = "5265877635"
NUMBER = "5265877635-20250826-0100001AF629-AF"
SESSION = "20250625-SO-2C3E6C8000-B675CF5D68-07"
DOCUMENT = "20250625-EE-319D7EE000-B67F415CDC-2C"
SIGN_IN = "20250514-AU-2DFC46C000-3AC6D5877F-D4"
CHALLENGE = "20250514-CR-226FB7B000-3ACF9BE4C0-10"
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
SECRETS = ("access-secret", "refresh-secret", "sign-in-secret", "ksef-token-secret")


@dataclass
class Reply:
    """One scripted answer; ``contract`` False lets it break the contract."""

    status: int = 200
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    contract: bool = True

    def raw(self) -> bytes:
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


Scripted = Reply | TransportFailure | Callable[[Request], Reply]


@dataclass
class Clock:
    """A clock that moves only when somebody sleeps or sets it."""

    now: datetime = NOW
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


class MinistryKey:
    """A key pair as the Ministry publishes it."""

    def __init__(self, key_id: str, usages: tuple[str, ...], valid_from: datetime) -> None:
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.key_id = base64.b64encode(key_id.encode().ljust(32, b"-")).decode()
        self.usages = usages
        self.valid_from = valid_from
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, key_id)])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(valid_from)
            .not_valid_after(valid_from + timedelta(days=900))
            .sign(self.private, hashes.SHA256())
        )
        self.der = certificate.public_bytes(Encoding.DER)

    def published(self) -> dict[str, object]:
        return {
            "certificate": base64.b64encode(self.der).decode(),
            "certificateId": self.key_id,
            "publicKeyId": self.key_id,
            "validFrom": self.valid_from.isoformat(),
            "validTo": (self.valid_from + timedelta(days=900)).isoformat(),
            "usage": list(self.usages),
        }

    def decrypt(self, text: str) -> bytes:
        oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), label=None)
        return self.private.decrypt(base64.b64decode(text), oaep)


class FakeKsef:
    """Answers by the contract; scripted answers come first."""

    def __init__(self, contract: OpenAPI, spec: Mapping[str, object], clock: Clock) -> None:
        self._contract = contract
        self._paths = sorted(cast("Mapping[str, Mapping[str, object]]", spec["paths"]), key=_literal_first)
        self.clock = clock
        self.requests: list[tuple[str, Request]] = []
        self.scripts: defaultdict[str, deque[Scripted]] = defaultdict(deque)
        both = ("KsefTokenEncryption", "SymmetricKeyEncryption")
        self.keys = [MinistryKey("key-one", both, NOW - timedelta(days=30))]
        self.session_key: SessionKey | None = None
        self.received: list[bytes] = []

    def script(self, operation: str, *answers: Scripted) -> None:
        """Answer the next calls of an operation so, one each."""
        self.scripts[operation].extend(answers)

    reply = Reply

    @staticmethod
    def problem(code: int, description: str, *details: str) -> Reply:
        """A 400 in problem details."""
        return problem(code, description, *details)

    @staticmethod
    def sign_in_result(code: int, *details: str) -> Reply:
        """A status of the sign-in."""
        return Reply(200, sign_in_status(code, *details))

    @staticmethod
    def document(code: int, **fields: object) -> dict[str, object]:
        """A document's status; fields replace or add."""
        return document(code, **fields)

    def challenge(self) -> dict[str, object]:
        """A good challenge."""
        return challenge(self.clock.now)

    @staticmethod
    def new_key(name: str, valid_from: datetime) -> MinistryKey:
        """A key for both usages."""
        return MinistryKey(name, ("KsefTokenEncryption", "SymmetricKeyEncryption"), valid_from)

    def operations(self) -> list[str]:
        return [operation for operation, _ in self.requests]

    def body(self, operation: str, index: int = -1) -> dict[str, object]:
        """JSON body of a recorded request."""
        bodies = [request.body for name, request in self.requests if name == operation]
        return cast("dict[str, object]", json.loads(bodies[index]))

    def send(self, request: Request) -> Answer:
        base = environments.TEST.api_url
        if not request.url.startswith(base + "/"):
            operation = "GET presigned address"
        else:
            operation = f"{request.method} {self._template(request.path.removeprefix('/v2'))}"
        self.requests.append((operation, request))
        answer = self.scripts[operation].popleft() if self.scripts[operation] else self._default(operation)
        if isinstance(answer, TransportFailure):
            raise answer
        reply = answer if isinstance(answer, Reply) else answer(request)
        if operation != "GET presigned address":
            self._check(request, reply)
        headers = {name.lower(): value for name, value in reply.headers.items()}
        return Answer(reply.status, {"content-type": reply.content_type, **headers}, reply.raw())

    def _check(self, request: Request, reply: Reply) -> None:
        """Both sides against the contract."""
        url, _, query = request.url.partition("?")
        sent = MockRequest(
            "https://api-test.ksef.mf.gov.pl",
            request.method.lower(),
            url.removeprefix("https://api-test.ksef.mf.gov.pl"),
            args=dict(pair.split("=") for pair in query.split("&")) if query else None,
            headers=dict(request.headers),
            data=request.body or None,
            content_type=request.headers.get("Content-Type", "application/json"),
        )
        self._contract.validate_request(sent)
        if reply.contract:
            given = MockResponse(reply.raw(), reply.status, reply.headers, reply.content_type)
            self._contract.validate_response(sent, given)

    def _template(self, path: str) -> str:
        for template in self._paths:
            parts, given = template.split("/"), path.split("/")
            if len(parts) == len(given) and all(
                part == other or part.startswith("{") for part, other in zip(parts, given, strict=True)
            ):
                return template
        raise AssertionError(f"{path} is not in the contract")

    def _default(self, operation: str) -> Scripted:
        return {
            "POST /auth/challenge": lambda _: Reply(200, challenge(self.clock.now)),
            "POST /auth/xades-signature": lambda _: Reply(202, sign_in(self.clock.now)),
            "POST /auth/ksef-token": lambda _: Reply(202, sign_in(self.clock.now)),
            "GET /auth/{referenceNumber}": lambda _: Reply(200, sign_in_status(200)),
            "POST /auth/token/redeem": lambda _: Reply(200, tokens(self.clock.now)),
            "POST /auth/token/refresh": lambda _: Reply(
                200, {"accessToken": token("access-secret-2", self.clock.now, minutes=15)}
            ),
            "GET /security/public-key-certificates": lambda _: Reply(
                200, [key.published() for key in self.keys]
            ),
            "POST /sessions/online": self._open,
            "POST /sessions/online/{referenceNumber}/invoices": self._take,
            "POST /sessions/online/{referenceNumber}/close": lambda _: Reply(204),
        }[operation]

    def _open(self, request: Request) -> Reply:
        info = json.loads(request.body)["encryption"]
        used = next((key for key in self.keys if key.key_id == info["publicKeyId"]), None)
        if used is None:
            return problem(
                21470, "Przesłany identyfikator klucza jest nieznany lub wskazuje na wycofany klucz."
            )
        self.session_key = SessionKey(
            used.decrypt(info["encryptedSymmetricKey"]), base64.b64decode(info["initializationVector"])
        )
        until = self.clock.now + timedelta(hours=12)
        return Reply(201, {"referenceNumber": SESSION, "validUntil": until.isoformat()})

    def _take(self, request: Request) -> Reply:
        body = json.loads(request.body)
        content = base64.b64decode(body["encryptedInvoiceContent"])
        assert body["encryptedInvoiceHash"] == sha256_base64(content)
        assert body["encryptedInvoiceSize"] == len(content)
        assert self.session_key is not None
        plain = self.session_key.decrypt(content)
        assert body["invoiceHash"] == sha256_base64(plain)
        assert body["invoiceSize"] == len(plain)
        self.received.append(plain)
        return Reply(202, {"referenceNumber": DOCUMENT})


def challenge(now: datetime) -> dict[str, object]:
    return {
        "challenge": CHALLENGE,
        "timestamp": now.isoformat(),
        "timestampMs": int(now.timestamp() * 1000),
        "clientIp": "127.0.0.1",
    }


def token(value: str, now: datetime, minutes: int) -> dict[str, object]:
    return {"token": value, "validUntil": (now + timedelta(minutes=minutes)).isoformat()}


def sign_in(now: datetime) -> dict[str, object]:
    return {"referenceNumber": SIGN_IN, "authenticationToken": token("sign-in-secret", now, 45)}


def tokens(now: datetime) -> dict[str, object]:
    return {
        "accessToken": token("access-secret", now, 15),
        "refreshToken": token("refresh-secret", now, 7 * 24 * 60),
    }


def sign_in_status(code: int, *details: str) -> dict[str, object]:
    return {
        "startDate": NOW.isoformat(),
        "authenticationMethod": "InternalCertificate",
        "authenticationMethodInfo": {
            "category": "XadesSignature",
            "code": "xades.certificate",
            "displayName": "Certyfikat KSeF",
        },
        "status": {"code": code, "description": f"Status {code}", "details": list(details)},
    }


def problem(code: int, description: str, *details: str) -> Reply:
    """A 400 in problem details."""
    body = {
        "title": "Bad Request",
        "status": 400,
        "instance": "/v2/x",
        "detail": "Żądanie jest nieprawidłowe.",
        "errors": [{"code": code, "description": description, "details": list(details)}],
        "timestamp": NOW.isoformat(),
        "traceId": "673843e023c432286660bc0501a3af44",
    }
    return Reply(400, body, content_type="application/problem+json")


def document(code: int, **fields: object) -> dict[str, object]:
    """``SessionInvoiceStatusResponse`` with a status code."""
    return {
        "ordinalNumber": 1,
        "referenceNumber": DOCUMENT,
        "invoiceHash": sha256_base64(b"<Faktura/>"),
        "invoicingDate": NOW.isoformat(),
        "status": {"code": code, "description": f"Status {code}"},
        **fields,
    }


def _literal_first(template: str) -> tuple[int, str]:
    return (template.count("{"), template)


@pytest.fixture(scope="session")
def spec(official_ksef: Path) -> dict[str, object]:
    """The official contract."""
    text = (official_ksef / "open-api.json").read_text(encoding="utf-8")
    return cast("dict[str, object]", json.loads(text))


@pytest.fixture(scope="session")
def contract(spec: dict[str, object]) -> OpenAPI:
    """The official contract, ready to check exchanges."""
    config = Config(
        spec_validator_cls=None,
        # the contract describes XML as text, and problem details are JSON
        extra_media_type_deserializers={
            "application/xml": lambda body: body.decode(),
            "application/problem+json": json.loads,
        },
    )
    return OpenAPI.from_dict(spec, config=config)


@pytest.fixture
def clock() -> Clock:
    """The test's clock."""
    return Clock()


@pytest.fixture
def ksef(contract: OpenAPI, spec: dict[str, object], clock: Clock) -> FakeKsef:
    """A KSeF that works."""
    return FakeKsef(contract, spec, clock)


@pytest.fixture
def client(ksef: FakeKsef, clock: Clock) -> KsefClient:
    """A client of it."""
    return KsefClient(environments.TEST, ksef, clock=clock, sleep=clock.sleep, jitter=lambda: 0.5)


@pytest.fixture
def public_keys(client: KsefClient) -> PublicKeys:
    """Its keys."""
    return PublicKeys(client)


@pytest.fixture
def no_secrets(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fails when a secret got into the log at any level."""
    caplog.set_level("DEBUG")
    yield
    for secret in SECRETS:
        assert secret not in caplog.text
