"""Databases of tests: an SQLite file, or a clone of a migrated PostgreSQL database, which costs little.

A test (or module, by ``pytestmark``) with the marker ``both_databases`` runs once on each. Whatever opens an
installation in it asks :func:`url_of` for the address of its folder. ``KSEF_TEST_DATABASE=postgresql`` runs
everything that asks on PostgreSQL; tests that look into an SQLite file themselves fail then.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import event
from sqlalchemy.pool import Pool

from connector_app.store.database import open_database
from tests import services

SQLITE, POSTGRESQL = "sqlite", "postgresql"
_BARE = "template0"
_NUMBERS = itertools.count(1)


def usual() -> str:
    """The kind of database of tests that ask for none."""
    return os.environ.get("KSEF_TEST_DATABASE", SQLITE)


@dataclass
class _Chosen:
    """The kind of database of the running test, and what was made for it."""

    kind: str = field(default_factory=usual)
    names: dict[Path, str] = field(default_factory=dict)
    template: str | None = None


_CHOSEN = _Chosen()


def url_of(home: Path) -> str:
    """Address of the database of an installation's folder; the same folder has the same one."""
    if _CHOSEN.kind == SQLITE:
        return f"sqlite:///{home / 'connector.sqlite3'}"
    if home not in _CHOSEN.names:
        _CHOSEN.names[home] = _clone(_template())
    return _url(_CHOSEN.names[home])


@contextmanager
def kind(name: str, own: Path) -> Iterator[None]:
    """Use a kind of database until the block ends.

    Args:
        name: the kind.
        own: folder of the running test; databases of installations in it are dropped at the end.
    """
    if name != SQLITE:
        services.postgres()
    before, _CHOSEN.kind = _CHOSEN.kind, name
    try:
        with connections_closed():
            yield
    finally:
        _CHOSEN.kind = before
        for home in [one for one in _CHOSEN.names if one.is_relative_to(own)]:
            drop(_CHOSEN.names.pop(home))


@contextmanager
def empty() -> Iterator[str]:
    """Address of a PostgreSQL database without any table."""
    services.postgres()
    name = _clone(_BARE)
    try:
        with connections_closed():
            yield _url(name)
    finally:
        drop(name)


@contextmanager
def migrated() -> Iterator[str]:
    """Address of a PostgreSQL database of the newest form, without rows."""
    services.postgres()
    name = _clone(_template())
    try:
        with connections_closed():
            yield _url(name)
    finally:
        drop(name)


@contextmanager
def connections_closed() -> Iterator[None]:
    """Close at the end what pools of the block opened: a test forgets its databases, drivers complain."""
    opened: list[Any] = []

    def note(connection: Any, _record: object) -> None:
        if hasattr(connection, "pgconn"):
            opened.append(connection)

    event.listen(Pool, "connect", note)
    try:
        yield
    finally:
        event.remove(Pool, "connect", note)
        for one in opened:
            one.close()


def drop(name: str) -> None:
    """Drop a database, also while somebody is connected."""
    with _server() as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def drop_all() -> None:
    """At the end of all tests of a process."""
    for home in list(_CHOSEN.names):
        drop(_CHOSEN.names.pop(home))
    if _CHOSEN.template is not None:
        drop(_CHOSEN.template)
        _CHOSEN.template = None


def _template() -> str:
    """A migrated database of this process; made once."""
    if _CHOSEN.template is None:
        name = _clone(_BARE)
        with connections_closed():
            open_database(_url(name)).close()
        _CHOSEN.template = name
    return _CHOSEN.template


def _clone(template: str) -> str:
    name = f"ksef_test_{os.getpid()}_{next(_NUMBERS)}"
    drop(name)
    with _server() as server:
        # a server's own order of letters would not do, see connector_app.store.database
        how = sql.SQL("ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'" if template == _BARE else "")
        make = sql.SQL("CREATE DATABASE {} TEMPLATE {} {}")
        server.execute(make.format(sql.Identifier(name), sql.Identifier(template), how))
        # a test survives no loss of power, so it need not wait for the disk
        server.execute(sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(sql.Identifier(name)))
    return name


def _server() -> psycopg.Connection:
    return psycopg.connect(services.postgres(), dbname="postgres", autocommit=True)


def _url(name: str) -> str:
    return f"{services.postgres()}/{name}"
