"""Runs an installation's pipeline in child processes that die by SIGKILL where a test says.

Started as ``python -m tests.pipeline.crash_driver HOME API_URL QR_URL SHOP_URL`` by the crash tests. Each
line on standard input is one run: ``clean 0``, ``before N`` or ``after N`` (killed right before or after
the N-th commit), ``timed SECONDS`` (killed from outside at that moment), ``pair 0`` (two processes at once).
One line of output per run gives how each process ended: ``0``, or ``-9`` for a kill.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

from connector_app.pipeline.runner import Runner, runner_lock
from connector_app.pipeline.services import Services
from connector_app.settings import Settings
from connector_app.store.database import open_database
from connector_app.vault import Vault
from tests.pipeline.world import install

_PATIENCE = timedelta(seconds=60)


def main(home: str, api_url: str, qr_url: str, shop_url: str) -> None:
    """Serve runs until standard input ends."""
    for line in sys.stdin:
        mode, number = line.split()
        children = [
            _fork(mode, float(number), Path(home), api_url, qr_url, shop_url)
            for _ in range(2 if mode == "pair" else 1)
        ]
        if mode == "timed":
            time.sleep(float(number))
            os.kill(children[0], signal.SIGKILL)
        print(*(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children), flush=True)


def _fork(mode: str, number: float, home: Path, api_url: str, qr_url: str, shop_url: str) -> int:
    child = os.fork()
    if child:
        return child
    try:
        _die_at_commit(mode, int(number))
        _run(Settings(home=home), api_url, qr_url, shop_url)
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


def _run(settings: Settings, api_url: str, qr_url: str, shop_url: str) -> None:
    settings.prepare()
    with runner_lock(settings.lock_file, wait=True, on_wait=lambda: None):
        services = Services(database=open_database(settings.database), vault=Vault.open(settings.key_file))
        install(services, api_url=api_url, qr_url=qr_url, shop_url=shop_url)
        runner = Runner(services)
        problems = runner.take_in().problems + runner.work_until_idle(_PATIENCE).problems
    if problems:
        raise RuntimeError("; ".join(problem.en for problem in problems))


if __name__ == "__main__":
    main(*sys.argv[1:])
