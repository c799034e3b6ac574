"""A new SQLite database gets the tables that the migrations made once, which takes longer than many a test.

The program's own :func:`~connector_app.store.database.migrate` then finds nothing to do. Tests of the
migrations take it back by :func:`every_time`.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import Engine

from connector_app.store import database
from connector_app.store.engines import make_engine

_migrate = database.migrate


def share() -> None:
    """Let new databases of this process start from the tables made once."""
    vars(database)["migrate"] = _fill_and_migrate


def every_time(patch: pytest.MonkeyPatch) -> None:
    """Run the migrations for each new database, as the program does."""
    patch.setattr(database, "migrate", _migrate)


@cache
def new_database() -> bytes:
    """The bytes of a file with the tables and nothing else, without a log beside it."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "connector.sqlite3"
        engine = make_engine(f"sqlite:///{file}")
        _migrate(engine)
        engine.dispose()
        with closing(sqlite3.connect(file)) as plain:
            plain.execute("PRAGMA journal_mode = DELETE")
        return file.read_bytes()


def _fill_and_migrate(engine: Engine) -> None:
    name = engine.url.database
    if engine.dialect.name == "sqlite" and name and Path(name).is_file():
        with closing(sqlite3.connect(":memory:")) as made, closing(sqlite3.connect(name)) as new:
            try:
                (tables,) = new.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
            except sqlite3.DatabaseError:
                # the program says what is wrong with it
                tables = -1
            if tables == 0:
                made.deserialize(new_database())
                # takes SQLite's own lock, so that nobody sees half of it
                made.backup(new)
    _migrate(engine)
