"""Installations of a load run: sellers with a certificate and a shop each, in a fresh home or database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks import documents
from connector_app import credentials, subscriptions
from connector_app.pipeline.services import Services
from connector_app.policies import Recipients, StorePolicy
from connector_app.profiles import parse
from connector_app.sellers import fill
from connector_app.store.database import Sessions, open_database
from connector_app.store.models import Seller, Store
from connector_app.vault import Vault
from core.fa import registry
from core.ksef.environments import Environment
from core.signing.keys import self_signed
from sandbox.woocommerce.server import DEMO_CONSUMER_KEY, DEMO_CONSUMER_SECRET

_WEIGHTS = (6, 5, 7, 2, 3, 4, 5, 6, 7)


@dataclass(frozen=True, slots=True)
class Installation:
    """A home folder that the program can be started with.

    Attributes:
        home: its folder.
        services: to look into it from here.
        url: of its database.
    """

    home: Path
    services: Services
    url: str

    @property
    def database(self) -> Sessions:
        """The database, as the program opens it."""
        assert isinstance(self.services.database, Sessions)
        return self.services.database

    def environment(self) -> dict[str, str]:
        """Variables that make the program use it; nothing outside this machine is asked."""
        return {
            "KSEF_CONNECTOR_HOME": str(self.home),
            "DATABASE_URL": self.url,
            "KSEF_CONNECTOR_NBP_URL": "off",
            "KSEF_CONNECTOR_VAT_LIST_URL": "off",
            "KSEF_CONNECTOR_VIES_URL": "off",
        }

    def close(self) -> None:
        """Give the connections to the database back."""
        self.services.database.kw["bind"].dispose()


def make(home: Path, database_url: str = "") -> Installation:
    """An installation without sellers.

    Args:
        home: empty folder.
        database_url: of an empty database; SQLite in ``home`` without one.
    """
    url = database_url or f"sqlite:///{home / 'connector.sqlite3'}"
    services = Services(database=open_database(url), vault=Vault.open(home / "secret.key"))
    return Installation(home, services, url)


def add_sellers(
    made: Installation, environment: Environment, shops_url: str, number: int, *, webhook_base: str = ""
) -> None:
    """Add sellers, each with a shop whose orders become invoices for every buyer.

    Args:
        made: the installation.
        environment: of KSeF.
        shops_url: see :func:`benchmarks.load.sandboxes.shops`.
        number: how many.
        webhook_base: public address under which shops' webhooks come in; without one there are none.
    """
    services, now = made.services, made.services.clock()
    for place in range(1, number + 1):
        nip = nip_of(place)
        name = f"Sklep {place} sp. z o.o."
        table = {"nip": nip, "name": name, "address": {"line1": documents.SELLER.address.line1}}
        credential = credentials.seal_certificate(services.vault, self_signed(nip, now=now))
        url = f"{shops_url}/shop-{place}"
        config = {"url": url, "consumer_key": DEMO_CONSUMER_KEY, "consumer_secret": DEMO_CONSUMER_SECRET}
        with services.database.begin() as session:
            seller = Seller(nip=nip, created_at=now)
            session.add(seller)
            fill(seller, parse({"seller": table}), environment, registry.schema_for("FA3"), credential)
            session.flush()
            store = Store(
                code=f"shop-{place}", seller_id=seller.id, platform="woocommerce", url=url,
                config=services.vault.seal(config), created_at=now,
                policy=StorePolicy(recipients=Recipients.EVERYONE).as_json(),
            )  # fmt: skip
            session.add(store)
            session.flush()
            store_id = store.id
        if webhook_base:
            subscriptions.register(services, store_id, webhook_base)


def nip_of(place: int) -> str:
    """An invented NIP with a right check digit."""
    body = 526_000_000 + place * 11
    while True:
        digits = [int(one) for one in str(body)]
        check = sum(weight * digit for weight, digit in zip(_WEIGHTS, digits, strict=True)) % 11
        if check < 10:
            return f"{body}{check}"
        body += 1
