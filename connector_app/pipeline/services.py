"""What the steps of the pipeline need from outside, handed over in one value."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Protocol

from cryptography.x509 import Certificate

from adapters import registry
from adapters.contract import ShopAdapter
from connector_app.giving_way import GivingWay
from connector_app.ksef_access import Connections, SellerAccess
from connector_app.measured_shop import measured
from connector_app.measures import Measures
from connector_app.profiles import Profile, parse
from connector_app.registers import Registers
from connector_app.store.locks import lock
from connector_app.store.models import Document, Seller, Store
from connector_app.store.sessions import Sessions
from connector_app.vault import Vault
from core.findings import Text
from core.invoices.exchange import Rates
from core.ksef.latarnia import Latarnia
from core.law import TOKENS_END


def _utc_now() -> datetime:
    return datetime.now(UTC)


class ConnectShop(Protocol):
    """Makes the adapter of a platform; see :func:`adapters.registry.connect`."""

    def __call__(
        self,
        platform: str,
        config: Mapping[str, str],
        /,
        *,
        save_config: Callable[[Mapping[str, str]], None] | None = None,
        load_config: Callable[[], Mapping[str, str]] | None = None,
        guard: Callable[[], AbstractContextManager[None]] | None = None,
    ) -> ShopAdapter:
        """Make it from the store's connection data; nothing is contacted yet."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """The outside world of the pipeline.

    Attributes:
        database: factory of sessions; ``database.begin()`` is one transaction.
        vault: decrypts credentials.
        clock: current time, aware UTC.
        schema_dir: official XSD files to check with instead of the project's own.
        watch: told after each change of a document's state that was committed.
        connections: clients of KSeF, shared by all lanes.
        connect_shop: makes the adapter of a platform from its connection data.
        rates: exchange rates; ``None`` leaves only those that a seller entered.
        work_dir: folder for packages on their way to KSeF; without one documents go singly only.
        board: makes the client of a board of availability from its address.
        tokens_end: last Warsaw day on which KSeF tokens sign in.
        registers: public registers of taxpayers; none by default.
        upo_trust: certificates of whoever may sign UPOs, or of their issuers; none trusts nobody and
            refuses nobody.
        backup_passphrase: encrypts the backups that the program makes by itself; empty leaves them open.
        measures: where times and counts are added up, see :mod:`connector_app.measures`.
        way: lets what comes in go before the work, see :mod:`connector_app.giving_way`.
        public_url: address under which buyers reach this installation, without a trailing slash; empty when
            they do not.
    """

    database: Sessions
    vault: Vault
    clock: Callable[[], datetime] = _utc_now
    schema_dir: Path | None = None
    watch: Callable[[Document], None] = field(default=lambda _document: None)
    connections: Connections = field(default_factory=Connections)
    connect_shop: ConnectShop = registry.connect
    rates: Rates | None = None
    work_dir: Path | None = None
    board: Callable[[str], Latarnia] = Latarnia
    tokens_end: date = TOKENS_END.day
    upo_trust: tuple[Certificate, ...] = ()
    public_url: str = ""
    registers: Registers = field(default_factory=Registers)
    backup_passphrase: str = field(default="", repr=False)
    measures: Measures = field(default_factory=Measures)
    way: GivingWay = field(default_factory=GivingWay)

    def shop(self, store: Store) -> ShopAdapter:
        """Connect to a store with its own credentials; tokens that it renews are kept at once."""

        def load() -> Mapping[str, str]:
            with self.database() as session:
                return self._unsealed(session.get_one(Store, store.id))

        def save(changed: Mapping[str, str]) -> None:
            with self.database.begin(store.seller_id) as session:
                row = session.get_one(Store, store.id)
                row.config = self.vault.seal({**self._unsealed(row), **changed})

        def guard() -> AbstractContextManager[None]:
            return lock(self.database, f"store-{store.id}-config")

        shop = self.connect_shop(
            store.platform, self._unsealed(store), save_config=save, load_config=load, guard=guard
        )
        return measured(shop, self.measures)

    def _unsealed(self, store: Store) -> dict[str, str]:
        config = self.vault.unseal(store.config)
        if not isinstance(config, dict):
            raise TypeError("a store's connection data must be a table")
        return config

    def access(self, seller: Seller) -> SellerAccess:
        """The seller's sign-in and session, as they were left."""
        return SellerAccess(seller, self.database, self.vault, self.connections)

    def profile(self, seller: Seller) -> Profile:
        """The seller's settings."""
        return parse(seller.profile)


def dump_text(text: Text) -> str:
    """Both languages of a sentence in one database column."""
    return json.dumps({"pl": text.pl, "en": text.en}, ensure_ascii=False)


def load_text(raw: str) -> Text:
    """The sentence that :func:`dump_text` kept."""
    values: dict[str, Any] = json.loads(raw)
    return Text(values["pl"], values["en"])
