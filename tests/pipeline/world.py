"""A whole small world for pipeline tests: KSeF, a shop, an installation, and one clock for all of them."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests
from sqlalchemy import select
from sqlalchemy.orm import selectinload, undefer

from adapters import woocommerce
from adapters.contract import ShopAdapter
from connector_app import credentials
from connector_app.ksef_access import Connections
from connector_app.ksef_budget import StoredBudget
from connector_app.ksef_notices import NoticeBook
from connector_app.measures import Measures
from connector_app.pipeline.runner import Pass, Runner
from connector_app.pipeline.services import Services
from connector_app.policies import Recipients, StorePolicy
from connector_app.profiles import parse
from connector_app.sellers import fill
from connector_app.store.database import Sessions, open_database
from connector_app.store.models import Document, Seller, Store
from connector_app.vault import Vault
from core.fa import registry
from core.ksef import environments
from core.ksef.client import KsefClient
from core.ksef.limits import PlannedBudget
from core.ksef.offline import OfflinePolicy
from core.signing.keys import self_signed
from sandbox.ksef import keys
from sandbox.ksef.server import KsefSandbox
from sandbox.ksef.state import SandboxState, Settings
from sandbox.woocommerce.server import DEMO_CONSUMER_KEY, DEMO_CONSUMER_SECRET, WooSandbox
from tests import databases

DATA = Path(__file__).resolve().parent.parent / "data" / "woocommerce"
NIP = "5265877635"
START = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
PATIENCE = timedelta(hours=12)
Connect = Callable[..., ShopAdapter]


class Clock:
    """One time for everybody; sleeping moves it."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def seconds(self) -> float:
        return self.now.timestamp()

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def recorded(name: str, **changes: Any) -> dict[str, Any]:
    """A recorded order, with some values changed."""
    order: dict[str, Any] = json.loads((DATA / f"{name}.json").read_text("utf-8"))
    return copy.deepcopy(order) | changes


DEMO = (
    "order_full",
    "order_blocks_checkout_with_nip",
    "order_net_prices_round_per_line",
    "order_net_prices_round_at_subtotal",
    "order_eur_no_matching_rate",
)


WOO_CONFIG = {"consumer_key": DEMO_CONSUMER_KEY, "consumer_secret": DEMO_CONSUMER_SECRET}


def install(
    services: Services,
    *,
    api_url: str,
    qr_url: str,
    shop_url: str,
    latarnia_url: str = "",
    offline: OfflinePolicy = OfflinePolicy.ASK,
    schema: str = "FA3",
    token: str | None = None,
    nip: str = NIP,
    platform: str = "woocommerce",
    config: Mapping[str, str] = WOO_CONFIG,
) -> None:
    """A seller and a store in an installation, unless they are there."""
    with services.database() as session:
        if session.scalar(select(Seller.id)) is not None:
            return
    profile = parse(
        {"seller": {"nip": nip, "name": "Sklep Testowy", "address": {"line1": "ul. Przykładowa 1"}}}
    )
    credential = (
        credentials.seal_token(services.vault, token)
        if token
        else credentials.seal_certificate(services.vault, self_signed(nip, now=services.clock()))
    )
    with services.database.begin() as session:
        if session.scalar(select(Seller.id)) is not None:
            return
        seller = Seller(nip=nip, created_at=services.clock())
        session.add(seller)
        environment = environments.custom(api_url, qr_url, latarnia_url=latarnia_url)
        fill(seller, profile, environment, registry.schema_for(schema), credential)
        session.flush()
        session.add(
            Store(
                code="test",
                seller_id=seller.id,
                platform=platform,
                url=shop_url,
                config=services.vault.seal({"url": shop_url, **config}),
                policy=StorePolicy(recipients=Recipients.EVERYONE, offline=offline).as_json(),
                created_at=services.clock(),
            )
        )


class Installation:
    """KSeF's sandbox and an installation's files; :meth:`services` opens it as a new process would.

    Args:
        connect: makes the adapter of a shop from its configuration, a clock, a sleep and a jitter.
    """

    def __init__(self, home: Path, ksef: KsefSandbox, clock: Clock, connect: Connect) -> None:
        self.home, self.ksef, self.clock, self._connect = home, ksef, clock, connect
        self.watch: Callable[[Document], None] = lambda _document: None
        self.counts_requests = False
        self._opened: tuple[object, Sessions] | None = None
        self.public_url = ""

    def services(self) -> Services:
        """Open the installation."""

        def client(environment: environments.Environment, budget: PlannedBudget | None) -> KsefClient:
            return KsefClient(
                environment,
                budget=budget,
                clock=self.clock,
                sleep=self.clock.sleep,
                jitter=lambda: 0.5,
            )

        database = self._database(databases.url_of(self.home))

        def budget(environment: environments.Environment) -> StoredBudget:
            return StoredBudget(database, environment.api_url, self.clock)

        def notices(environment: environments.Environment) -> NoticeBook:
            return NoticeBook(database, environment.api_url, self.clock)

        measures = Measures()
        return Services(
            database=database,
            measures=measures,
            work_dir=self.home / "work",
            vault=Vault.open(self.home / "secret.key"),
            clock=self.clock,
            watch=self._watch,
            connections=Connections(budget if self.counts_requests else None, client, notices, measures),
            connect_shop=self._connect_shop,
            public_url=self.public_url,
        )

    def _database(self, url: str) -> Sessions:
        """The open database; the same one as before as long as nobody put another file there.

        The engine compiles each statement once, which takes longer than running it.
        """
        if self._opened is None or self._opened[0] != _which(self.home, url):
            opened = open_database(url)
            self._opened = (_which(self.home, url), opened)
        return self._opened[1]

    def _connect_shop(self, _platform: str, config: Mapping[str, str], /, **_keeping: object) -> ShopAdapter:
        return self._connect(config, clock=self.clock, sleep=self.clock.sleep, jitter=lambda: 0.5)

    def _watch(self, document: Document) -> None:
        self.watch(document)

    def run(self, patience: timedelta = PATIENCE) -> Pass:
        """One whole run as a new process: take in, then work until idle; waiting costs no real time."""
        runner = Runner(self.services(), sleep=self.clock.sleep, monotonic=self.clock.seconds)
        seen = runner.take_in()
        work = runner.work_until_idle(patience)
        work.problems = seen.problems + work.problems
        return work

    def documents(self) -> list[Document]:
        """All documents with everything they have."""
        with self.services().database() as session:
            return list(
                session.scalars(
                    select(Document)
                    .options(
                        undefer(Document.xml),
                        undefer(Document.upo),
                        selectinload(Document.order),
                        selectinload(Document.seller),
                        selectinload(Document.publications),
                        selectinload(Document.events),
                    )
                    .order_by(Document.id)
                )
            )

    def by_order(self) -> dict[str, Document]:
        """Invoices by the shop's order number."""
        return {one.order.number: one for one in self.documents() if one.purpose == "invoice"}

    def in_ksef(self) -> list[dict[str, Any]]:
        """What KSeF accepted."""
        found: list[dict[str, Any]] = requests.get(f"{self.ksef.admin_url}/documents", timeout=10).json()
        return found


def _which(home: Path, url: str) -> object:
    """What tells the database of an address from another that had it before: of SQLite, the file."""
    file = home / "connector.sqlite3"
    if not url.startswith("sqlite"):
        return url
    if not file.exists():
        return None
    seen = file.stat()
    return seen.st_dev, seen.st_ino


class World(Installation):
    """An installation with a WooCommerce shop."""

    def __init__(self, home: Path, ksef: KsefSandbox, shop: WooSandbox, clock: Clock) -> None:
        super().__init__(home, ksef, clock, woocommerce.connect)
        self.shop = shop

    def prepare(
        self,
        *,
        schema: str = "FA3",
        token: str | None = None,
        nip: str = NIP,
        offline: OfflinePolicy | None = None,
    ) -> None:
        """Add the seller and the store; with an offline policy, Latarnia is listened to."""
        install(
            self.services(),
            api_url=self.ksef.api_url,
            qr_url=self.ksef.qr_url,
            shop_url=self.shop.url,
            latarnia_url=self.ksef.latarnia_url if offline else "",
            offline=offline or OfflinePolicy.ASK,
            schema=schema,
            token=token,
            nip=nip,
        )

    def in_shop(self, order_id: int) -> dict[str, Any]:
        """Notes, metadata and e-mails of an order."""
        found: dict[str, Any] = requests.get(f"{self.shop.url}/sandbox/orders/{order_id}", timeout=10).json()
        return found


@cache
def _ksef_with_keys() -> bytes:
    """A sandbox's database with its keys: making them takes longer than most tests."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "ksef.sqlite3"
        state = SandboxState.open(file, clock=Clock(START))
        keys.published(state)
        keys.seal(state)
        state.close()
        return file.read_bytes()


@contextmanager
def ksef_sandbox(home: Path, clock: Clock, *, processing_seconds: float = 0.3) -> Iterator[KsefSandbox]:
    """KSeF's sandbox on a free port."""
    (home / "ksef.sqlite3").write_bytes(_ksef_with_keys())
    state = SandboxState.open(
        home / "ksef.sqlite3", settings=Settings(processing_seconds=processing_seconds), clock=clock
    )
    with KsefSandbox(state=state) as ksef:
        yield ksef
    state.close()


@contextmanager
def world(
    home: Path,
    orders: list[dict[str, Any]] | None = None,
    *,
    now: datetime = START,
    processing_seconds: float = 0.3,
) -> Iterator[World]:
    """Start the sandboxes on free ports."""
    clock = Clock(now)
    shop_orders = [recorded(name) for name in DEMO] if orders is None else orders
    with (
        ksef_sandbox(home, clock, processing_seconds=processing_seconds) as ksef,
        WooSandbox(shop_orders, clock=clock, sleep=lambda _seconds: None) as shop,
    ):
        yield World(home, ksef, shop, clock)
