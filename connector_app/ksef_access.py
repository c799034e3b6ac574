"""A seller's way into KSeF: environment, sign-in and open session, kept in the store."""

from __future__ import annotations

import base64
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from threading import Lock
from typing import Any, TypeVar
from urllib.parse import urlsplit

from connector_app.ksef_notices import NoticeBook
from connector_app.measures import BUSY, KSEF, Measures
from connector_app.sign_in import SharedSignIn
from connector_app.store.models import Seller
from connector_app.store.sessions import Sessions
from connector_app.vault import Vault
from core.fa.registry import FaSchema
from core.ksef import environments, interactive, status
from core.ksef.batch import session as batches
from core.ksef.batch.package import Package
from core.ksef.batch.session import OpenBatch
from core.ksef.calls import Exchange
from core.ksef.client import KsefClient
from core.ksef.environments import Environment
from core.ksef.errors import Expired, InvalidSession, KsefBusy, SessionClosed, Unauthorized
from core.ksef.interactive import FormCode, OpenSession, StoredSessionError
from core.ksef.limits import PlannedBudget
from core.ksef.public_keys import PublicKeys

Result = TypeVar("Result")

SEND = "POST /sessions/online/{referenceNumber}/invoices"
"""The operation that sends a document, as the contract and the budget name it."""

_LONGEST_WAIT = 5.0
"""Seconds to wait for the budget before a document is numbered; beyond, the lane does something else."""


def environment_of(seller: Seller) -> Environment:
    """The KSeF environment a seller works in."""
    stored = seller.environment
    if set(stored) == {"name"}:
        return environments.by_name(stored["name"])
    return environments.custom(
        stored["api_url"], stored["qr_url"], latarnia_url=stored.get("latarnia_url", "")
    )


def environment_json(environment: Environment) -> dict[str, Any]:
    """What is stored of an environment: the name of a known one, the addresses of another."""
    if environment in {environments.TEST, environments.DEMO, environments.PRODUCTION}:
        return {"name": environment.name}
    addresses = {"api_url": environment.api_url, "qr_url": environment.qr_url}
    return addresses | ({"latarnia_url": environment.latarnia_url} if environment.latarnia_url else {})


def hash_text(sha256_hex: str) -> str:
    """A stored hexadecimal SHA-256 in Base64, as KSeF writes it."""
    return base64.b64encode(bytes.fromhex(sha256_hex)).decode("ascii")


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
        make_notices: makes the book that keeps an environment's warnings and clock; without one they are
            only logged.
        measures: where the time of requests is added up; nowhere by default.
    """

    def __init__(
        self,
        make_budget: Callable[[Environment], PlannedBudget] | None = None,
        make_client: Callable[[Environment, PlannedBudget | None], KsefClient] | None = None,
        make_notices: Callable[[Environment], NoticeBook] | None = None,
        measures: Measures | None = None,
    ) -> None:
        self._measures = measures
        self._make_budget = make_budget
        self._make_client = make_client or _network_client
        self._make_notices = make_notices
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
                if self._make_notices:
                    book = self._make_notices(environment)
                    client = client.telling(book.warn, book.read_clock)
                if self._measures:
                    client = client.measured(partial(_measure, self._measures, _host(environment)))
                self._by_environment[environment] = _Connection(client, PublicKeys(client), budget)
            return self._by_environment[environment]


def _host(environment: Environment) -> str:
    return urlsplit(environment.api_url).netloc


def _measure(measures: Measures, host: str, exchange: Exchange) -> None:
    status = "none" if exchange.status is None else f"{exchange.status // 100}xx"
    measures.observe(KSEF, exchange.seconds, host, exchange.operation, status)
    if exchange.status == HTTPStatus.TOO_MANY_REQUESTS:
        measures.count(BUSY, "ksef", host)


class SellerAccess:
    """One seller's sign-in and session for the length of a lane's work.

    Tokens and session survive a restart, sealed in the seller's row; what KSeF no longer takes is
    replaced once, without a person.

    Attributes:
        client: whose requests count for this seller.
        sign_in: the seller's tokens.
    """

    def __init__(self, seller: Seller, database: Sessions, vault: Vault, connections: Connections) -> None:
        self._seller = seller
        self._database = database
        self._vault = vault
        self._connections = connections
        self.client = connections.client(seller)
        self._keys = connections.keys(seller)
        self.sign_in = SharedSignIn(seller, database, vault, self.client, self._keys)
        self._session = _stored_session(vault, seller)
        self._session_is_seen = False

    @property
    def session_reference(self) -> str | None:
        """Reference of the session that documents go to; ``None`` without one."""
        return self._session.reference if self._session else None

    def call(self, operation: Callable[[str], Result]) -> Result:
        """Do something with a usable access token; with another one, once, when KSeF does not take it."""
        access = self.sign_in.access()
        try:
            return operation(access)
        except Unauthorized:
            self.sign_in.refused(access)
        return operation(self.sign_in.access())

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

    def _keep_session(self, opened: OpenSession | None) -> None:
        self._session = opened
        sealed = self._vault.seal(opened.as_dict()) if opened else None
        with self._database.begin(self._seller.id) as session:
            row = session.get_one(Seller, self._seller.id)
            row.session = sealed
            row.session_reference = opened.reference if opened else None


def _stored_session(vault: Vault, seller: Seller) -> OpenSession | None:
    if seller.session is None:
        return None
    stored = vault.unseal(seller.session)
    try:
        return OpenSession.from_dict(stored) if isinstance(stored, dict) else None
    except StoredSessionError:
        return None  # a new one is opened; nothing depends on the old one
