"""The world of one run: KSeF, shops and a mail server, and the plan of the installation among them."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from sandbox.ksef import sessions
from sandbox.ksef.server import KsefSandbox
from sandbox.ksef.state import SandboxState, Settings
from tests.faults import databases
from tests.faults.clock import SharedClock, WorldClock
from tests.faults.faults import TickingPlan
from tests.faults.invariants import Stories
from tests.faults.shops import Shop, started
from tests.faults.stories import books_of, ksef_of
from tests.mail.server import Postbox, mail_server

NIPS = ("5265877635", "5210000049")
PLATFORMS = ("woocommerce", "shopify", "prestashop")
START = datetime(2026, 11, 24, 10, 5, tzinfo=UTC)
"""A moment after the keys of the sandbox KSeF were made."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What kind of installation a run has.

    Attributes:
        shops: platform and place of its seller in :data:`NIPS`, one for each store.
        batches: documents from which they go as a batch; 0 never.
        offline: outages are announced, and documents issued offline then.
        mails: the first store sends e-mails.
        counts: requests are counted against KSeF's limits. postgres: the database is PostgreSQL.
        from_nothing: even the database is made while the process is killed.
    """

    shops: tuple[tuple[str, int], ...]
    batches: int = 0
    offline: bool = False
    mails: bool = False
    counts: bool = False
    postgres: bool = False
    from_nothing: bool = False

    @classmethod
    def of(cls, chance: random.Random, *, postgres: bool) -> Layout:
        """Choose one; each kind of shop and of way has its share."""
        sellers = chance.choice((1, 1, 2))
        first = chance.choice(PLATFORMS)
        others = [chance.choice(PLATFORMS) for _ in range(chance.choice((0, 1, 2)))]
        places = [0, *(chance.randrange(sellers) for _ in others)]
        if sellers == 2 and 1 not in places:
            others, places = [*others, chance.choice(PLATFORMS)], [*places, 1]
        return cls(
            shops=tuple(zip((first, *others), places, strict=True)),
            batches=chance.choice((0, 0, 6, 12)),
            offline=chance.random() < 0.3,
            mails=chance.random() < 0.3,
            counts=chance.random() < 0.3,
            postgres=postgres and chance.random() < 0.15,
            from_nothing=chance.random() < 0.1,
        )


@dataclass
class World:
    """Everything outside the installation's process.

    Attributes:
        layout: see :class:`Layout`. home: the installation's folder. database: its address.
        clock: the time of all. state, ksef: KSeF. plan: its faults. shops: see :class:`Shop`.
        box: the mail server's. events: outages in force, by their number.
    """

    layout: Layout
    home: Path
    database: str
    clock: WorldClock
    state: SandboxState
    ksef: KsefSandbox
    plan: TickingPlan
    shops: list[Shop]
    box: Postbox
    certificates: dict[str, list[str]] = field(default_factory=dict)
    heard: list[list[str]] = field(default_factory=list)
    happened: Counter[str] = field(default_factory=Counter)

    def installation(self) -> dict[str, Any]:
        """The plan that the lives of the process follow."""
        nips = sorted({shop.nip for shop in self.shops})
        batches = self.layout.batches
        sending = {"batching": "auto", "batch_from": batches} if batches else {"batching": "never"}
        return {
            "home": str(self.home),
            "database": self.database,
            "clock": str(self.home.parent / "clock"),
            "counts": self.layout.counts,
            "api_url": self.ksef.api_url,
            "qr_url": self.ksef.qr_url,
            "latarnia_url": self.ksef.latarnia_url,
            "sellers": [
                {"nip": nip, "sending": sending, "offline": self.certificates.get(nip)} for nip in nips
            ],
            "stores": [
                {
                    "code": shop.code,
                    "nip": shop.nip,
                    "platform": shop.platform,
                    "config": shop.config,
                    "offline": self.layout.offline,
                    "mail": self.box.port if self.layout.mails and place == 0 else None,
                }
                for place, shop in enumerate(self.shops)
            ],
        }

    def close_sessions(self) -> None:
        """KSeF closes what is open."""
        self.happened["ksef session_closed"] += sessions.close_all(self.state)

    def begin_outage(self) -> None:
        """A failure that Latarnia announces; the API answers nothing meanwhile."""
        self.happened["ksef outage"] += 1
        self.state.insert(
            "outages",
            category="FAILURE",
            begins=self.state.now().isoformat(timespec="microseconds"),
            published=self.state.now().isoformat(timespec="microseconds"),
        )

    def end_outage(self) -> None:
        """Whatever failure goes on ends now, and Latarnia says so."""
        now = self.state.now().isoformat(timespec="microseconds")
        self.state.run("UPDATE outages SET ends = ?, end_published = ? WHERE ends IS NULL", (now, now))

    def jump(self, seconds: float, what: str) -> None:
        """Everybody's time goes on by hours, as after a machine's sleep."""
        self.happened[what] += 1
        self.clock.sleep(seconds)

    def calm(self) -> None:
        """Nothing goes wrong any more, and what was planned is forgotten."""
        self.plan.at.clear()
        self.plan.clear()
        self.end_outage()
        self.state.settings.document_seconds = 0.0
        self.state.settings.access_token_seconds = 900
        self.box.answers["RCPT"].clear()
        self.box.answers["DATA"].clear()
        self.box.hang_up = self.box.is_down = False
        for shop in self.shops:
            shop.server._faults.clear()

    def stories(self, doubtful_letters: int) -> Stories:
        """All sides for the invariants."""
        return Stories(
            sales=[sale for shop in self.shops for sale in shop.sales()],
            ksef=ksef_of(self.state),
            books=books_of(self.database),
            now=self.clock(),
            letters=self.box.messages if self.layout.mails else None,
            doubtful_letters=doubtful_letters,
        )


@contextmanager
def world(folder: Path, layout: Layout, seed: int, clock: WorldClock | None = None) -> Iterator[World]:
    """A fresh world in an empty folder.

    Args:
        folder: for all files. layout: see :class:`Layout`. seed: of the shops' generated orders.
        clock: of everything; without it one whose time costs nothing, in the folder's file ``clock``.
    """
    shutil.rmtree(folder, ignore_errors=True)
    home = folder / "home"
    home.mkdir(parents=True)
    clock = clock or SharedClock(folder / "clock", START)
    (folder / "ksef.sqlite3").write_bytes(keys_of_ksef())
    state = SandboxState.open(folder / "ksef.sqlite3", settings=Settings(processing_seconds=0.3), clock=clock)
    plan = TickingPlan()
    state.faults, state.sleep = plan, clock.sleep
    box = Postbox()
    with ExitStack() as stack:
        stack.callback(state.close)
        ksef = stack.enter_context(KsefSandbox(state=state))
        if layout.mails:
            stack.enter_context(mail_server(box))
        shops = []
        for place, (platform, seller) in enumerate(layout.shops):
            shop = started(platform, f"s{place}", NIPS[seller], place, clock, clock.sleep, seed + place)
            stack.callback(shop.server.stop)
            shops.append(shop)
        database = stack.enter_context(
            databases.fresh(home, postgres=layout.postgres, empty=layout.from_nothing)
        )
        made = World(layout, home, database, clock, state, ksef, plan, shops, box)
        if layout.offline:
            for nip in {shop.nip for shop in shops}:
                answer = requests.post(
                    f"{ksef.admin_url}/certificates", json={"nip": nip, "kind": "Offline"}, timeout=10
                ).json()
                made.certificates[nip] = [answer["certificate"], answer["privateKey"]]
        yield made


_KEYS: list[bytes] = []


def keys_of_ksef() -> bytes:
    """A sandbox's database with its keys, made once per process."""
    if not _KEYS:
        from tests.pipeline.world import _ksef_with_keys  # noqa: PLC0415  the one that makes them

        _KEYS.append(_ksef_with_keys())
    return _KEYS[0]
