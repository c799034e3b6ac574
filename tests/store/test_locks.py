"""Locks among workers: one at a time across threads and processes, and nothing left after a killed one."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from connector_app.store.database import open_database
from connector_app.store.locks import lock
from tests import databases

pytestmark = pytest.mark.both_databases

ROOT = Path(__file__).resolve().parent.parent.parent
HOLDER = """
import sys, time
from connector_app.store.database import open_database
from connector_app.store.locks import lock
with lock(open_database(sys.argv[1]), "x"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_threads_take_turns(tmp_path: Path) -> None:
    """Eight threads add to a number that would lose counts without the lock."""
    database = open_database(databases.url_of(tmp_path))
    seen: list[int] = []

    def work() -> None:
        for _ in range(20):
            with lock(database, "x"):
                seen.append(-1)
                assert seen.count(-1) == 1
                seen[seen.index(-1)] = len(seen)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert seen == list(range(1, 161))


def test_a_killed_holder_leaves_nothing_to_wait_for(tmp_path: Path) -> None:
    """While another process holds it we wait; when that is killed we go on at once. Other names are free."""
    url = databases.url_of(tmp_path)
    database = open_database(url)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, url], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        got = threading.Event()

        def wait() -> None:
            with lock(database, "x"):
                got.set()

        waiting = threading.Thread(target=wait)
        waiting.start()
        with lock(database, "y"):
            assert not got.wait(0.1)
        holder.kill()
        assert got.wait(20)
        waiting.join(20)
    if url.startswith("sqlite"):
        assert (tmp_path / "connector.sqlite3.x.lock").stat().st_mode & 0o777 == 0o600
