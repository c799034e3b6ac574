"""No secret in a log, a repr or an exception: every way to sign in, enrolment, sending, publishing, at DEBUG.

What is secret is taken from where it cannot hide: everything that the vault seals, and every header, token
and encrypted text that passes the wire.
"""

from __future__ import annotations

import io
import json
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree
from sqlalchemy import select

from connector_app import certificates as ours
from connector_app import offline_certificates
from connector_app.credentials import seal_token
from connector_app.ksef_access import Connections, SellerAccess
from connector_app.pipeline.runner import Runner
from connector_app.pipeline.services import Services
from connector_app.store.models import Seller
from connector_app.vault import Vault
from core.ksef import auth, sign_ins, tokens
from core.ksef.certificates import CertificateKind
from core.ksef.client import KsefClient
from core.ksef.environments import Environment
from core.ksef.errors import KsefError
from core.ksef.http import HttpTransport
from core.ksef.outside import unsigned_request
from core.ksef.tokens import TokenPermission
from core.ksef.transport import Answer, Request
from core.signing.keys import generate_key, key_pem, self_signed
from core.signing.xades import sign_enveloped
from sandbox.ksef import tokens as sandbox_tokens
from tests.pipeline.world import NIP, PATIENCE, World, recorded, world

_SEALED = frozenset(
    {"key", "password", "token", "access", "refresh", "iv", "consumer_key", "consumer_secret"}
)


class Secrets:
    """Every secret of a run, in each form in which it could leak."""

    def __init__(self) -> None:
        self.found: set[str] = set()

    def add(self, value: str) -> None:
        """A text; of a PEM each line."""
        self.found |= {line for line in value.splitlines() if len(line) >= 16 and "-----" not in line}

    def add_json(self, value: object) -> None:
        """The tokens and encrypted texts of a JSON body."""
        if isinstance(value, dict):
            for name, one in value.items():
                if name in {"token", "encryptedToken", "encryptedSymmetricKey"} and isinstance(one, str):
                    self.add(one)
                self.add_json(one)
        elif isinstance(value, list):
            for one in value:
                self.add_json(one)


class WatchedVault(Vault):
    """The vault, whose every sealed value is a secret."""

    def __init__(self, key: bytes, secrets: Secrets) -> None:
        super().__init__(key)
        secrets.add(key.decode())
        self._secrets = secrets

    def seal(self, value: object) -> str:
        sealed = super().seal(value)
        self._secrets.add(sealed)
        if isinstance(value, dict):
            for name, one in value.items():
                if name in _SEALED:
                    self._secrets.add(str(one))
        return sealed


class WatchedWire:
    """The network, whose every credential is a secret."""

    def __init__(self, secrets: Secrets) -> None:
        self._network = HttpTransport()
        self._secrets = secrets

    def send(self, request: Request) -> Answer:
        self._secrets.add(request.headers.get("Authorization", "").removeprefix("Bearer "))
        if request.headers.get("Content-Type") == "application/xml":
            value = etree.fromstring(request.body).findtext(".//{*}SignatureValue") or ""
            self._secrets.add(value)
        for body in (request.body, (answer := self._network.send(request)).body):
            try:
                self._secrets.add_json(json.loads(body))
            except ValueError:
                continue
        return answer


@pytest.fixture
def secrets() -> Secrets:
    """None yet."""
    return Secrets()


@pytest.fixture
def made(tmp_path: Path) -> Iterator[World]:
    """One paid order, KSeF and a shop."""
    with world(tmp_path, [recorded("order_full")]) as running:
        yield running


def open_watched(made: World, secrets: Secrets) -> Services:
    """The installation with a watched vault and wire."""

    def client(environment: Environment, _budget: object) -> KsefClient:
        return KsefClient(environment, WatchedWire(secrets), clock=made.clock, sleep=made.clock.sleep)

    made.services().vault.seal("")  # the key file is there
    key = (made.home / "secret.key").read_bytes().strip()
    return replace(
        made.services(), vault=WatchedVault(key, secrets), connections=Connections(make_client=client)
    )


def access_of(services: Services) -> tuple[Seller, SellerAccess]:
    """The seller and its way into KSeF."""
    with services.database() as session:
        seller = session.scalars(select(Seller)).one()
    return seller, services.access(seller)


def shown(values: list[object], failures: list[Callable[[], object]]) -> str:
    """Everything that a careless log line could show: representations, and errors with their traces."""
    texts = [repr(value) for value in values]
    for failure in failures:
        try:
            failure()
        except KsefError as error:
            texts += [repr(error), str(error), repr(vars(error)), *traceback.format_exception(error)]
        else:
            raise AssertionError("this was to fail")
    return "\n".join(texts)


def test_no_secret_is_shown_by_a_whole_run(made: World, secrets: Secrets, log: io.StringIO) -> None:
    """Token, signature outside, enrolment of both kinds, certificate, sending, publishing, revoking."""
    token = sandbox_tokens.issue(made.ksef.state, NIP, permissions=frozenset(TokenPermission))
    secrets.add(token)
    made.prepare(token=token)
    services = open_watched(made, secrets)
    with services.database.begin() as session:
        session.scalars(select(Seller)).one().credential = seal_token(services.vault, token)
    runner = Runner(services, sleep=made.clock.sleep, monotonic=made.clock.seconds)
    assert runner.take_in().problems == []
    assert runner.work_until_idle(PATIENCE).problems == []
    assert [one.state for one in made.documents()] == ["published"]

    seller, access = access_of(services)
    person = self_signed(NIP, kind="person", now=made.clock())
    request = unsigned_request(access.client, NIP)
    signed = sign_enveloped(request.xml, person, made.clock())
    given = auth.sign_in_with_signed_request(access.client, signed)
    access.sign_in.keep(given)
    enroller = ours.Enroller(services, seller, access, lambda _text: None)
    own = enroller.enroll(CertificateKind.AUTHENTICATION, "Sklep logowanie", "ec")
    offline = enroller.enroll(CertificateKind.OFFLINE, "Sklep offline", "rsa")
    ours.use(services, seller, access, own)
    another = access.call(
        lambda one: tokens.create(access.client, one, {TokenPermission.INVOICE_READ}, "Odczyt")
    )

    made.shop.state.add_orders([recorded("order_net_prices_round_per_line", id=900, number="900")], {})
    runner = Runner(services, sleep=made.clock.sleep, monotonic=made.clock.seconds)
    assert runner.take_in().problems == []
    assert runner.work_until_idle(PATIENCE).problems == []
    assert made.by_order()["900"].state == "published"

    seller, access = access_of(services)
    wrong = generate_key()
    secrets.add(key_pem(wrong, "x" * 20).decode())
    with services.database() as session:
        key = offline_certificates.find(session, services.vault, seller, services.clock())
    assert key is not None
    values = [services, services.vault, access, access.sign_in, access.client, given, another, key, person]
    values += [seller, own, offline, request, list(sign_ins.listing(access.client, access.sign_in.access()))]
    text = shown(
        [*values, *map(str, values)],
        [
            lambda: auth.sign_in_with_signed_request(access.client, signed),
            lambda: auth.sign_in_with_certificate(access.client, NIP, key),
            lambda: auth.refresh(access.client, replace(given, refresh=f"{given.refresh}x")),
            lambda: sign_ins.revoke(access.client, access.sign_in.access(), "x" * 36),
        ],
    )
    said = log.getvalue()
    assert len(said.splitlines()) > 10
    assert len(secrets.found) > 60
    for secret in [*secrets.found, "oauth_signature", "Bearer "]:
        assert secret not in said, "in the log"
        assert secret not in text, "in a representation or an error"
