"""PostgreSQL, Redis and RabbitMQ for tests: real ones on this machine, started when they do not answer.

``KSEF_TEST_POSTGRES_URL``, ``KSEF_TEST_REDIS_URL`` and ``KSEF_TEST_RABBITMQ_URL`` name others. A service that
cannot be had skips its tests by name with the reason; with ``CI`` set it fails them, so that nobody takes a
green run for a proof.
"""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

_SCRIPT = Path(__file__).resolve().parent.parent / "tools" / "ensure_services.sh"
_PRIVATE_POSTGRES_PORT = 54329
"""Of the cluster that the script makes where the machine's own wants a password."""


def postgres() -> str:
    """Address of a server where databases may be made and dropped, ``postgresql://...`` without a database.

    A skip or, in CI, a failure when there is none.
    """
    return _required("postgres", find_postgres)


def redis() -> str:
    """Address of Redis, ``redis://...``, without a database's number; see :func:`postgres`."""
    return _required("redis", lambda: _answering("redis", "redis://127.0.0.1:6379"))


def rabbitmq() -> str:
    """Address of RabbitMQ, ``amqp://...``, without a virtual host; see :func:`postgres`."""
    return _required("rabbitmq", lambda: _answering("rabbitmq", "amqp://guest:guest@127.0.0.1:5672"))


def _required(name: str, find: Callable[[], str | None]) -> str:
    found = _found(name, find)
    if found is not None:
        return found
    message = f"{name} does not answer and could not be started; see tools/ensure_services.sh"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


_FOUND: dict[str, str | None] = {}


def _found(name: str, find: Callable[[], str | None]) -> str | None:
    """Where it answers; looked for once in a process, because starting may take half a minute."""
    if name not in _FOUND:
        _FOUND[name] = find() or (find() if _start(name) else None)
    return _FOUND[name]


@cache
def _start(name: str) -> bool:
    return subprocess.run(["bash", str(_SCRIPT), "--start", name], timeout=180, check=False).returncode == 0


def find_postgres() -> str | None:
    """Address of a PostgreSQL that answers now, without starting any; see :func:`postgres`."""
    named = os.environ.get("KSEF_TEST_POSTGRES_URL")
    candidates = (
        [named] if named else [f"postgresql://postgres@127.0.0.1:{p}" for p in (5432, _PRIVATE_POSTGRES_PORT)]
    )
    return next((one for one in candidates if _admits(one)), None)


def _admits(url: str) -> bool:
    try:
        with psycopg.connect(url, dbname="postgres", connect_timeout=5):
            return True
    except psycopg.OperationalError:
        return False


def _answering(name: str, usual: str) -> str | None:
    url = os.environ.get(f"KSEF_TEST_{name.upper()}_URL", usual)
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 0), timeout=5):
            return url
    except OSError:
        return None
