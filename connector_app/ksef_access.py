"""A seller's way into KSeF: environment, credential, tokens and open session, sealed in the store."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, TypeVar

from sqlalchemy.orm import Session, sessionmaker

from connector_app.store.models import Seller
from connector_app.vault import Vault
from core.fa.registry import FaSchema
from core.ksef import auth, environments, interactive, status
from core.ksef.auth import CertificateCredential, Credential, TokenCredential, Tokens
from core.ksef.batch import session as batches
from core.ksef.batch.package import Package
from core.ksef.batch.session import OpenBatch
from core.ksef.client import KsefClient
from core.ksef.environments import Environment
from core.ksef.errors import Expired, InvalidSession, KsefBusy, SessionClosed, Unauthorized
from core.ksef.interactive import FormCode, OpenSession, StoredSessionError
from core.ksef.limits import PlannedBudget
from core.ksef.public_keys import PublicKeys
from core.signing.keys import KeyMaterial, load_pem

Result = TypeVar("Result")

SEND = "POST /sessions/online/{referenceNumber}/invoices"
"""The operation that sends a document, as the contract and the budget name it."""

_LONGEST_WAIT = 5.0
"""Seconds to wait for the budget before a document is numbered; beyond, the lane does something else."""

_MARGIN = timedelta(seconds=60)
"""Life that an access token must have left to be used."""


def environment_of(seller: Seller) -> Environment:
    """The KSeF environment a seller works in."""
    stored = seller.environment
    if set(stored) == {"name"}:
        return environments.by_name(stored["name"])
    return environments.custom(stored["api_url"], stored["qr_url"])


def environment_json(environment: Environment) -> dict[str, Any]:
    """What is stored of an environment: the name of a known one, the addresses of another."""
    if environment in {environments.TEST, environments.DEMO, environments.PRODUCTION}:
        return {"name": environment.name}
    return {"api_url": environment.api_url, "qr_url": environment.qr_url}


def hash_text(sha256_hex: str) -> str:
    """A stored hexadecimal SHA-256 in Base64, as KSeF writes it."""
    return base64.b64encode(bytes.fromhex(sha256_hex)).decode("ascii")


def seal_certificate(vault: Vault, key: KeyMaterial) -> str:
    """A certificate and its key, sealed."""
    password = secrets.token_urlsafe(24)
    return vault.seal(
        {
            "kind": "certificate",
            "certificate": key.certificate_pem().decode("ascii"),
            "key": key.private_key_pem(password).decode("ascii"),
            "password": password,
        }
    )


def seal_token(vault: Vault, token: str) -> str:
    """A KSeF token, sealed."""
    return vault.seal({"kind": "token", "token": token})


def credential_of(vault: Vault, seller: Seller, now: datetime) -> Credential:
    """The seller's credential.

    Raises:
        VaultLocked: it cannot be decrypted.
        KeyMaterialError: the certificate is no longer usable.
    """
    stored = vault.unseal(seller.credential)
    if not isinstance(stored, dict):
        raise TypeError("a stored credential must be a table")
    if stored["kind"] == "token":
        return TokenCredential(stored["token"])
    return CertificateCredential(
        load_pem(stored["certificate"].encode(), stored["key"].encode(), password=stored["password"], now=now)
    )


@dataclass(frozen=True, slots=True)
class _Connection:
    client: KsefClient
    keys: PublicKeys
    budget: PlannedBudget | None


def _network_client(environment: Environment, budget: PlannedBudget | None) -> KsefClient:
    return KsefClient(environment, budget=budget)


class Connections:
    """Clients of the environments in use, one each, with one budget and one list of public keys each.

    Args:
        make_budget: makes the budget of an environment; ``None`` counts nothing.
        make_client: makes the client of an environment that counts on a budget, instead of the usual one.
    """

    def __init__(
        self,
        make_budget: Callable[[Environment], PlannedBudget] | None = None,
        make_client: Callable[[Environment, PlannedBudget | None], KsefClient] | None = None,
    ) -> None:
        self._make_budget = make_budget
        self._make_client = make_client or _network_client
        self._lock = Lock()
        self._by_environment: dict[Environment, _Connection] = {}

    def client(self, seller: Seller) -> KsefClient:
        """The client whose requests count for this seller."""
        return self._connection(seller).client.for_context(seller.nip)

    def keys(self, seller: Seller) -> PublicKeys:
        """The Ministry's keys of the seller's environment."""
        return self._connection(seller).keys

    def sending_wait(self, seller: Seller) -> float:
        """Seconds until the seller's budget takes another document; 0 when it takes one now."""
        budget = self._connection(seller).budget
        return budget.wait(SEND, seller.nip) if budget else 0.0

    def sendings_left(self, seller: Seller) -> int | None:
        """How many single documents the hour still takes; ``None`` when nothing is counted."""
        budget = self._connection(seller).budget
        return budget.left_in_hour(SEND, seller.nip) if budget else None

    def _connection(self, seller: Seller) -> _Connection:
        environment = environment_of(seller)
        with self._lock:
            if environment not in self._by_environment:
                budget = self._make_budget(environment) if self._make_budget else None
                client = self._make_client(environment, budget)
                self._by_environment[environment] = _Connection(client, PublicKeys(client), budget)
            return self._by_environment[environment]


class SellerAccess:
    """One seller's sign-in and session for the length of a lane's work.

    Tokens and session survive a restart, sealed in the seller's row; what KSeF no longer takes is
    replaced once, without a person. The credential is unsealed only when it is needed: tokens that are
    still good go on working after a certificate has ended.
    """

    def __init__(
        self, seller: Seller, database: sessionmaker[Session], vault: Vault, connections: Connections
    ) -> None:
        self._seller = seller
        self._database = database
        self._vault = vault
        self._connections = connections
        self.client = connections.client(seller)
        self._keys = connections.keys(seller)
        self._tokens = _stored_tokens(vault, seller)
        self._session = _stored_session(vault, seller)
        self._session_is_seen = False

    @property
    def session_reference(self) -> str | None:
        """Reference of the session that documents go to; ``None`` without one."""
        return self._session.reference if self._session else None

    def call(self, operation: Callable[[str], Result]) -> Result:
        """Do something with a usable access token; sign in anew once when it was revoked."""
        try:
            return operation(self._access())
        except Unauthorized:
            self._keep_tokens(None)
        return operation(self._access())

    def session(self, schema: FaSchema) -> OpenSession:
        """An open session for documents of a schema: the stored one, or a new one."""
        form = FormCode(schema.system_code, schema.schema_version, schema.form_code)
        if self._session and self._session.form == form and self._session.is_usable(self.client.clock()):
            return self._session
        opened = self.call(lambda access: interactive.open_session(self.client, access, form, self._keys))
        self._keep_session(opened)
        self._session_is_seen = True
        return opened

    def ready_to_send(self, schema: FaSchema) -> None:
        """Make sure that a document which is numbered now can go out now.

        KSeF answers, lets us in and has the session open (asked once in a lane's pass), and the budget takes
        a document without a long wait.

        Raises:
            KsefError: it cannot go out now; ``KsefBusy`` when only the budget is used up.
        """
        while (wait := self._connections.sending_wait(self._seller)) > 0:
            if wait > _LONGEST_WAIT:
                message = "the published request limit is used up"
                raise KsefBusy(message, retry_after=wait, own_budget=True, operation=SEND)
            self.client.sleep(wait)
        stored = self.session(schema)
        if self._session_is_seen:
            return
        try:
            seen = self.call(lambda access: status.session(self.client, access, stored.reference))
            usable = seen.is_open
        except (InvalidSession, SessionClosed, Expired):
            usable = False
        if not usable:
            self.forget_session()
            self.session(schema)
        self._session_is_seen = True

    def open_batch(self, schema: FaSchema, package: Package, *, offline: bool = False) -> OpenBatch:
        """Open a batch session for packed documents of a schema."""
        form = FormCode(schema.system_code, schema.schema_version, schema.form_code)
        return self.call(
            lambda access: batches.open_batch(self.client, access, form, package, self._keys, offline=offline)
        )

    def forget_session(self) -> None:
        """The session takes nothing more: the next one to ask opens another."""
        self._keep_session(None)

    def close_session(self) -> None:
        """Close the open session, so that KSeF makes its collective UPO; does nothing without one."""
        session = self._session
        if session is None:
            return
        with suppress(InvalidSession, SessionClosed):  # closed already, by time or by another
            self.call(lambda access: interactive.close(self.client, access, session))
        self._keep_session(None)

    def _access(self) -> str:
        now = self.client.clock()
        if self._tokens and self._tokens.access_valid_until > now + _MARGIN:
            return self._tokens.access
        tokens = auth.valid_access(
            self.client,
            self._seller.nip,
            credential_of(self._vault, self._seller, now),
            self._keys,
            self._tokens,
            margin=_MARGIN,
        )
        self._keep_tokens(tokens)
        return tokens.access

    def _keep_tokens(self, tokens: Tokens | None) -> None:
        self._tokens = tokens
        sealed = None
        if tokens is not None:
            sealed = self._vault.seal(
                {
                    "access": tokens.access,
                    "access_valid_until": tokens.access_valid_until.isoformat(),
                    "refresh": tokens.refresh,
                    "refresh_valid_until": tokens.refresh_valid_until.isoformat(),
                }
            )
        with self._database.begin() as session:
            session.get_one(Seller, self._seller.id).tokens = sealed

    def _keep_session(self, opened: OpenSession | None) -> None:
        self._session = opened
        sealed = self._vault.seal(opened.as_dict()) if opened else None
        with self._database.begin() as session:
            row = session.get_one(Seller, self._seller.id)
            row.session = sealed
            row.session_reference = opened.reference if opened else None


def _stored_tokens(vault: Vault, seller: Seller) -> Tokens | None:
    if seller.tokens is None:
        return None
    stored = vault.unseal(seller.tokens)
    if not isinstance(stored, dict):
        return None
    return Tokens(
        stored["access"],
        datetime.fromisoformat(stored["access_valid_until"]),
        stored["refresh"],
        datetime.fromisoformat(stored["refresh_valid_until"]),
    )


def _stored_session(vault: Vault, seller: Seller) -> OpenSession | None:
    if seller.session is None:
        return None
    stored = vault.unseal(seller.session)
    try:
        return OpenSession.from_dict(stored) if isinstance(stored, dict) else None
    except StoredSessionError:
        return None  # a new one is opened; nothing depends on the old one
