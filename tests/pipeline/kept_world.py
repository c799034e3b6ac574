"""Worlds whose orders were invoiced once in this process, and are copied for each test that begins there.

Sandboxes stand at the ports of the first time, since an installation keeps their addresses.
"""

from __future__ import annotations

import atexit
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp

from sandbox.ksef.server import KsefSandbox
from sandbox.ksef.state import SandboxState, Settings
from sandbox.woocommerce.server import WooSandbox
from tests import databases
from tests.pipeline.world import Clock, World, recorded, world

_PROCESSING = 0.3
_SHOP = "kept-shop.json"
_TRIES = 5


@dataclass(frozen=True, slots=True)
class _Kept:
    """A world at rest.

    Attributes:
        folder: its files. now: its time. ksef_port, shop_port: where its sandboxes stood.
    """

    folder: Path
    now: datetime
    ksef_port: int
    shop_port: int


_kept: dict[tuple[str, ...], _Kept] = {}


@contextmanager
def invoiced_world(home: Path, *names: str) -> Iterator[World]:
    """A world after :meth:`World.prepare` and one :meth:`World.run`.

    Args:
        home: an empty folder. names: of the recorded orders in the shop; ``order_full`` when not given.
    """
    names = names or ("order_full",)
    if not databases.url_of(home).startswith("sqlite"):
        # a database of a server is not copied with the folder
        with world(home, [recorded(name) for name in names], processing_seconds=_PROCESSING) as made:
            made.prepare()
            made.run()
            yield made
        return
    with ExitStack() as stack:
        for one in range(_TRIES):
            if names not in _kept:
                _kept[names] = _invoice(names)
            try:
                made = stack.enter_context(_again(home, _kept[names]))
            except (OSError, SystemExit):
                # somebody else listens on one of the ports
                del _kept[names]
                if one == _TRIES - 1:
                    raise
            else:
                break
        yield made


def _invoice(names: tuple[str, ...]) -> _Kept:
    folder = Path(mkdtemp(prefix="kept-world-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with world(folder, [recorded(name) for name in names], processing_seconds=_PROCESSING) as made:
        made.prepare()
        made.run()
        made.services().database.kw["bind"].dispose()
        made.shop.state.path = folder / _SHOP
        made.shop.state.save()
        kept = _Kept(folder, made.clock.now, made.ksef.port, int(made.shop.url.rpartition(":")[2]))
    for file in folder.glob("*.sqlite3"):
        with closing(sqlite3.connect(file)) as plain:
            plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return kept


@contextmanager
def _again(home: Path, kept: _Kept) -> Iterator[World]:
    shutil.copytree(kept.folder, home, dirs_exist_ok=True)
    clock = Clock(kept.now)
    with ExitStack() as stack:
        state = SandboxState.open(
            home / "ksef.sqlite3", settings=Settings(processing_seconds=_PROCESSING), clock=clock
        )
        stack.callback(state.close)
        shop = WooSandbox(
            clock=clock, sleep=lambda _seconds: None, port=kept.shop_port, state_path=home / _SHOP
        )
        shop.state.path = None
        (home / _SHOP).unlink()
        ksef = stack.enter_context(KsefSandbox(kept.ksef_port, state=state))
        stack.enter_context(shop)
        yield World(home, ksef, shop, clock)
