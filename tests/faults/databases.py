"""A fresh database for a run: a copy of one that is migrated, an SQLite file or one of PostgreSQL."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import sqlalchemy

from connector_app.store.database import open_database
from tests.migrated_once import new_database
from tests.services import find_postgres


@contextmanager
def fresh(home: Path, *, postgres: bool, empty: bool) -> Iterator[str]:
    """The address of a database of its own, gone afterwards.

    Args:
        home: the installation's folder.
        postgres: on the server of the tests. empty: without tables.
    """
    if not postgres:
        file = home / "connector.sqlite3"
        if not empty:
            file.write_bytes(new_database())
            file.chmod(0o600)
        yield f"sqlite:///{file}"
        return
    name = f"faults_{uuid.uuid4().hex[:12]}"
    copied = "" if empty else f" TEMPLATE {_template()}"
    _tell(f"CREATE DATABASE {name}{copied}")
    # the server is never killed, so that waiting for its disk would prove nothing
    _tell(f"ALTER DATABASE {name} SET synchronous_commit = off")
    try:
        yield f"{_server()}/{name}"
    finally:
        _tell(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@cache
def _template() -> str:
    """A migrated database of this process to copy from."""
    name = f"faults_template_{os.getpid()}"
    _tell(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    _tell(f"CREATE DATABASE {name}")
    open_database(f"{_server()}/{name}").close()
    return name


def drop_template() -> None:
    """Remove the template, when there is one."""
    if _template.cache_info().currsize:
        _tell(f"DROP DATABASE IF EXISTS {_template()} WITH (FORCE)")
        _template.cache_clear()


def postgres_answers() -> bool:
    """Whether there is a PostgreSQL to use."""
    return _found() is not None


@cache
def _found() -> str | None:
    return find_postgres()


def _server() -> str:
    found = _found()
    assert found is not None, "asked for only where PostgreSQL answers"
    return found.replace("postgresql:", "postgresql+psycopg:")


def _tell(statement: str) -> None:
    engine = sqlalchemy.create_engine(
        f"{_server()}/postgres", isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool
    )
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text(statement))
