"""Runs an installation's pipeline in child processes that die by SIGKILL where a test says.

Started as ``python -m tests.pipeline.crash_driver`` by the crash tests, once for all of them. Each line on
standard input is one run: ``clean 0``, ``before N`` or ``after N`` (killed right before or after the N-th
commit), and after that ``HOME API_URL QR_URL SHOP_URL FACTOR ZERO`` as a JSON list; the last two make its
:class:`~tests.pipeline.quick_clock.QuickClock`.
One line of output per run gives how the process ended: ``0``, or ``-9`` for a kill.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

from adapters import woocommerce
from adapters.contract import ShopAdapter
from connector_app.ksef_access import Connections
from connector_app.pipeline.runner import Runner
from connector_app.pipeline.services import Services
from connector_app.running.alone import RUNNER
from connector_app.settings import Settings
from connector_app.store.database import open_database
from connector_app.store.locks import lock
from connector_app.vault import Vault
from core.ksef.client import KsefClient
from core.ksef.environments import Environment
from core.ksef.limits import PlannedBudget
from tests import one_compiler
from tests.pipeline.quick_clock import QuickClock
from tests.pipeline.world import install, recorded, world

_PATIENCE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class _Place:
    """The installation's folder, the sandboxes, and the time they share."""

    home: Path
    api_url: str
    qr_url: str
    shop_url: str
    clock: QuickClock


def main() -> None:
    """Serve runs until standard input ends."""
    _warm_up()
    for line in sys.stdin:
        mode, number, where = line.split(maxsplit=2)
        home, api_url, qr_url, shop_url, factor, zero = json.loads(where)
        place = _Place(Path(home), api_url, qr_url, shop_url, QuickClock(factor, zero))
        child = _fork(mode, int(number), place)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _warm_up() -> None:
    """Load and compile what a run needs, so that each child finds it done; nothing stays open.

    A child still opens its database, signs in and works as a new process does.
    """
    one_compiler.share()
    # a world of its own: this process's first run must not be seen by the test
    with TemporaryDirectory() as folder, world(Path(folder), [recorded("order_full")]) as made:
        made.prepare()
        made.run()
        made.services().database.kw["bind"].dispose()
    # what is shared with the children stays shared when they collect their garbage
    gc.collect()
    gc.freeze()


def _fork(mode: str, number: int, place: _Place) -> int:
    child = os.fork()
    if child:
        return child
    try:
        _die_at_commit(mode, number)
        _run(Settings(home=place.home), place)
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(3)
    os._exit(0)


def _die_at_commit(mode: str, number: int) -> None:
    """Kill this process at its n-th commit; the product knows nothing of it."""
    real = DefaultDialect.do_commit
    left = number

    def commit(dialect: DefaultDialect, connection: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0 and mode == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        real(dialect, connection)  # type: ignore[no-untyped-call]
        if left == 0 and mode == "after":
            os.kill(os.getpid(), signal.SIGKILL)

    if mode in {"before", "after"}:
        DefaultDialect.do_commit = commit  # type: ignore[method-assign]


def _run(settings: Settings, place: _Place) -> None:
    clock = place.clock

    def client(environment: Environment, budget: PlannedBudget | None) -> KsefClient:
        return KsefClient(environment, budget=budget, clock=clock, sleep=clock.sleep)

    def shop(_platform: str, config: Mapping[str, str], /, **_keeping: object) -> ShopAdapter:
        return woocommerce.connect(config, clock=clock, sleep=clock.sleep)

    settings.prepare()
    database = open_database(settings.database)
    with lock(database, RUNNER):
        services = Services(
            database=database,
            vault=Vault.open(settings.key_file),
            clock=clock,
            connections=Connections(make_client=client),
            connect_shop=shop,
        )
        install(services, api_url=place.api_url, qr_url=place.qr_url, shop_url=place.shop_url)
        runner = Runner(services, sleep=clock.sleep, monotonic=clock.seconds)
        problems = runner.take_in().problems + runner.work_until_idle(_PATIENCE).problems
    if problems:
        raise RuntimeError("; ".join(problem.en for problem in problems))


if __name__ == "__main__":
    main()
