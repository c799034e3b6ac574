"""One order end to end: paid in the shop's sandbox, until its KSeF number stands in the shop.

Real HTTP at both ends, a database file, the runner of the application with its real pauses; KSeF judges at
once. The time runs from the look at the shop to the end of all work, UPO, PDF and notes included.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from benchmarks import documents, servers
from benchmarks.timing import Effort, Row
from connector_app import credentials
from connector_app.pipeline.runner import Runner
from connector_app.pipeline.services import Services
from connector_app.policies import Recipients, StorePolicy
from connector_app.profiles import parse
from connector_app.sellers import fill
from connector_app.store.database import open_database
from connector_app.store.models import Document, Seller, Store
from connector_app.vault import Vault
from core.fa import registry
from core.ksef.environments import Environment
from core.signing.keys import self_signed
from sandbox.woocommerce.server import DEMO_CONSUMER_KEY, DEMO_CONSUMER_SECRET, WooSandbox

NAME = "pipeline"
_GOAL = 3.0
_LINES = 5
_PATIENCE = timedelta(minutes=2)


def measure(effort: Effort) -> Iterator[Row]:
    """The rows of this bench."""
    first = Row(NAME, "first order: shop -> KSeF -> note, with sign-in", "core", goal="<= 3 s")
    later = Row(NAME, "one more order: shop -> KSeF -> note", "core", goal="<= 3 s")
    with (
        tempfile.TemporaryDirectory() as folder,
        servers.ksef() as environment,
        WooSandbox() as shop,
    ):
        services = _installation(Path(folder), environment, shop)
        runner = Runner(services)
        for number in range(effort.rounds + 1):
            row = later if number else first
            row.rounds.append(_one_order(runner, services, shop, number + 1))
    for row in (first, later):
        row.met = (row.median or 0) <= _GOAL if row.rounds else None
    return iter((first, later))


def _one_order(runner: Runner, services: Services, shop: WooSandbox, number: int) -> float:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    dates = dict.fromkeys(("date_created", "date_modified", "date_paid"), now)
    order = documents.order_json(_LINES, number) | dates | {f"{key}_gmt": now for key in dates}
    shop.state.add_orders([order], {})
    started = time.perf_counter()
    runner.take_in()
    done = runner.work_until_idle(_PATIENCE)
    spent = time.perf_counter() - started
    with services.database() as session:
        document = session.scalars(select(Document).order_by(Document.id.desc())).first()
        state = document.state if document else "missing"
    if state != "published":
        raise RuntimeError(f"the order ended as {state}: {[text.en for text in done.problems]}")
    return spent


def _installation(home: Path, environment: Environment, shop: WooSandbox) -> Services:
    """A seller and a store in a fresh database."""
    services = Services(
        database=open_database(f"sqlite:///{home / 'connector.sqlite3'}"),
        vault=Vault.open(home / "secret.key"),
    )
    now = services.clock()
    profile = parse(
        {
            "seller": {
                "nip": documents.NIP,
                "name": documents.SELLER.name,
                "address": {"line1": documents.SELLER.address.line1},
            }
        }
    )
    credential = credentials.seal_certificate(services.vault, self_signed(documents.NIP, now=now))
    config = {
        "url": shop.url,
        "consumer_key": DEMO_CONSUMER_KEY,
        "consumer_secret": DEMO_CONSUMER_SECRET,
    }
    with services.database.begin() as session:
        seller = Seller(nip=documents.NIP, created_at=now)
        session.add(seller)
        fill(seller, profile, environment, registry.schema_for("FA3"), credential)
        session.flush()
        session.add(
            Store(
                code="bench",
                seller_id=seller.id,
                platform="woocommerce",
                url=shop.url,
                config=services.vault.seal(config),
                policy=StorePolicy(recipients=Recipients.EVERYONE).as_json(),
                created_at=now,
            )
        )
    return services
