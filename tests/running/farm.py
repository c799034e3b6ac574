"""A scaled installation on this machine: PostgreSQL, a broker, sandboxes, and the program as processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from connector_app import credentials
from connector_app.ksef_access import hash_text
from connector_app.pipeline.services import Services
from connector_app.policies import Recipients, StorePolicy
from connector_app.profiles import parse
from connector_app.sellers import fill
from connector_app.store.database import open_database
from connector_app.store.models import Document, ShopOrder, Store
from connector_app.store.models import Seller as SellerRow
from connector_app.vault import Vault
from core.fa import registry
from core.ksef import environments
from core.signing.keys import self_signed
from sandbox.ksef.server import KsefSandbox
from sandbox.woocommerce.server import WooSandbox
from tests import databases
from tests.conftest import ROOT
from tests.pipeline.world import WOO_CONFIG, recorded

_WEIGHTS = (6, 5, 7, 2, 3, 4, 5, 6, 7)


def nip(number: int) -> str:
    """An invented NIP with a right check digit."""
    while True:
        first = f"{526_111_111 + number * 17}"
        check = sum(int(digit) * weight for digit, weight in zip(first, _WEIGHTS, strict=True)) % 11
        if check < 10:
            return f"{first}{check}"
        number += 10_000


def order(number: int) -> dict[str, Any]:
    """A paid order of this moment."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    dates = ("date_created", "date_modified", "date_paid")
    gmt = {f"{name}_gmt": now for name in dates}
    return recorded("order_full", id=number, number=str(number)) | dict.fromkeys(dates, now) | gmt


def wait_for(truth: Callable[[], object], seconds: float, what: str) -> float:
    """Wait until something is true; how many seconds that took."""
    began = time.monotonic()
    while not truth():
        assert time.monotonic() - began < seconds, f"{what}: not within {seconds} s"
        time.sleep(0.05)
    return time.monotonic() - began


def command(*words: object) -> list[str]:
    """The words that start the program."""
    return [sys.executable, "-c", "from connector_app.cli import main; main()", *map(str, words)]


@dataclass
class Farm:
    """The installation, its sellers' shops, and what was started for it."""

    folder: Path
    url: str
    broker: str
    ksef: KsefSandbox
    shops: list[WooSandbox]
    extra: dict[str, str] = field(default_factory=dict)
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _services: Services | None = None

    def services(self) -> Services:
        """The installation, as this process sees it."""
        if self._services is None:
            home = self.folder / "home"
            home.mkdir(exist_ok=True)
            self._services = Services(database=open_database(self.url), vault=Vault.open(home / "secret.key"))
        return self._services

    def environment(self, home: str = "home") -> dict[str, str]:
        """Of the program's processes; another ``home`` is another machine with the same key."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("KSEF_", "PYTHONPATH"))
        }
        return kept | {
            "PYTHONPATH": str(ROOT),
            "KSEF_CONNECTOR_HOME": str(self.folder / home),
            "KSEF_CONNECTOR_KEY_FILE": str(self.folder / "home" / "secret.key"),
            "KSEF_CONNECTOR_NBP_URL": "off",
            "KSEF_CONNECTOR_VAT_LIST_URL": "off",
            "KSEF_CONNECTOR_VIES_URL": "off",
            "KSEF_CONNECTOR_QUEUE": self.folder.name[:60],
            "DATABASE_URL": self.url,
            "BROKER_URL": self.broker,
            **self.extra,
        }

    def start(self, *words: object, home: str = "home") -> subprocess.Popen[bytes]:
        """Start the program in a group of its own; its log goes to a file of the folder."""
        log = (self.folder / f"{words[0]}-{len(self.running)}.log").open("wb")
        started = subprocess.Popen(
            command(*words),
            cwd=ROOT,
            env=self.environment(home),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        log.close()
        self.running.append(started)
        return started

    def kill(self, process: subprocess.Popen[bytes], number: int = signal.SIGKILL) -> None:
        """Kill a process with everything that it has forked, as the loss of a machine would."""
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        process.wait(timeout=30)

    def stop(self) -> None:
        """End what still runs."""
        for one in self.running:
            if one.poll() is None:
                self.kill(one)

    def logs(self) -> str:
        """What all processes said."""
        return "\n".join(
            f"== {one.name}\n{one.read_text('utf-8', 'replace')[-4000:]}" for one in self.folder.glob("*.log")
        )

    def documents(self) -> list[Document]:
        """All documents."""
        with self.services().database() as session:
            return list(
                session.scalars(
                    select(Document)
                    .options(selectinload(Document.order).selectinload(ShopOrder.store))
                    .order_by(Document.id)
                )
            )

    def published(self) -> int:
        """How many documents are done."""
        with self.services().database() as session:
            return len(list(session.scalars(select(Document.id).where(Document.state == "published"))))

    def in_ksef(self) -> list[dict[str, Any]]:
        """What KSeF accepted."""
        found: list[dict[str, Any]] = requests.get(f"{self.ksef.admin_url}/documents", timeout=30).json()
        return found

    def assert_one_story(self, orders: Sequence[Sequence[int]]) -> None:
        """Each order one invoice, no gap in any series; KSeF, shops and database agree."""
        documents, in_ksef = self.documents(), self.in_ksef()
        accepted = {one["invoiceHash"]: one for one in in_ksef}
        assert len(accepted) == len(in_ksef) == len(documents) == sum(map(len, orders))
        by_store: dict[str, list[Document]] = {}
        for one in documents:
            assert one.state == "published", (one.state, one.waiting_for, one.attention)
            told = accepted[hash_text(one.xml_sha256 or "")]
            assert (told["ksefNumber"], told["invoiceNumber"]) == (one.ksef_number, one.number)
            by_store.setdefault(one.order.store.code, []).append(one)
        for place, wanted in enumerate(orders):
            mine = by_store[f"shop{place}"]
            assert sorted(int(one.order.remote_id) for one in mine) == sorted(wanted)
            taken = sorted(int(str(one.number).rpartition("/")[2]) for one in mine)
            assert taken == list(range(1, len(wanted) + 1))
            for one in mine:
                self._assert_noted(self.shops[place], int(one.order.remote_id), str(one.ksef_number))

    def _assert_noted(self, shop: WooSandbox, number: int, ksef_number: str) -> None:
        seen = requests.get(f"{shop.url}/sandbox/orders/{number}", timeout=30).json()
        notes = Counter(one["customer_note"] for one in seen["notes"] if ksef_number in one["note"])
        assert notes == {False: 1, True: 1}
        assert [one["value"] for one in seen["meta_data"] if one["key"] == "_ksef_number"] == [ksef_number]


def add_sellers(farm: Farm, profile: dict[str, Any] | None = None) -> None:
    """A seller for each shop."""
    services = farm.services()
    environment = environments.custom(farm.ksef.api_url, farm.ksef.qr_url)
    for place, shop in enumerate(farm.shops):
        mine = {"seller": {"nip": nip(place), "name": f"Sklep {place}", "address": {"line1": "ul. Polna 1"}}}
        certificate = credentials.seal_certificate(
            services.vault, self_signed(nip(place), now=services.clock())
        )
        with services.database.begin() as session:
            seller = SellerRow(nip=nip(place), created_at=services.clock())
            session.add(seller)
            fill(
                seller,
                parse(mine | (profile or {})),
                environment,
                registry.schema_for("FA3"),
                certificate,
            )
            session.flush()
            session.add(
                Store(
                    code=f"shop{place}",
                    seller_id=seller.id,
                    platform="woocommerce",
                    url=shop.url,
                    config=services.vault.seal({"url": shop.url, **WOO_CONFIG}),
                    policy=StorePolicy(recipients=Recipients.EVERYONE).as_json(),
                    created_at=services.clock(),
                )
            )


@contextmanager
def farm(
    folder: Path,
    broker: str,
    orders: Sequence[Sequence[int]],
    *,
    profile: dict[str, Any] | None = None,
    rate_limits: bool = False,
) -> Iterator[Farm]:
    """Sandboxes, a database and sellers; processes are for the test to start.

    Args:
        folder: for all files.
        broker: its address.
        orders: numbers of the orders of each seller's shop.
        profile: settings of each seller besides name and address.
        rate_limits: whether KSeF's published limits are enforced.
    """
    with ExitStack() as stack:
        url = stack.enter_context(databases.migrated())
        ksef = stack.enter_context(KsefSandbox(processing_seconds=0.2, rate_limits=rate_limits))
        shops = [stack.enter_context(WooSandbox([order(one) for one in numbers])) for numbers in orders]
        made = Farm(folder, url.replace("postgresql://", "postgresql+psycopg://"), broker, ksef, shops)
        add_sellers(made, profile)
        stack.callback(made.stop)
        try:
            yield made
        except BaseException:
            print(made.logs())
            raise
