"""The machine and the programs that a load run is measured on, for the report."""

from __future__ import annotations

import os
import platform
import sqlite3
from importlib import metadata
from pathlib import Path

_PACKAGES = ("sqlalchemy", "flask", "waitress", "requests", "lxml", "cryptography", "psycopg", "celery")


def described() -> dict[str, str]:
    """What to know of the machine, by names that the report shows."""
    return {
        "CPU": f"{_first('/proc/cpuinfo', 'model name') or platform.machine()}, {os.cpu_count()} cores",
        "Memory": _memory(),
        "System": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "Packages": ", ".join(filter(None, map(_version, _PACKAGES))),
    }


def busy() -> float:
    """Processes that wanted a core in the last minute, on average."""
    return os.getloadavg()[0]


def _memory() -> str:
    found = _first("/proc/meminfo", "MemTotal")
    return f"{int(found.split()[0]) / 2**20:.0f} GiB" if found else "?"


def _first(path: str, key: str) -> str:
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")


def _version(name: str) -> str:
    try:
        return f"{name} {metadata.version(name)}"
    except metadata.PackageNotFoundError:
        return ""
