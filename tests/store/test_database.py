"""The database file: opened by many, private, migrated whole, and clear words when it cannot be used."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from connector_app.store import database, desk, engines, machines, people
from connector_app.store.database import UnusableDatabase, open_database, trouble
from connector_app.store.models import Base, Document, Seller
from tests import migrated_once

ROOT = Path(__file__).resolve().parent.parent.parent


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'connector.sqlite3'}"


@pytest.fixture(autouse=True)
def migrations_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are what is tested."""
    migrated_once.every_time(monkeypatch)


def test_a_new_file_is_private_and_logs_ahead(tmp_path: Path) -> None:
    """Mode 0600, write-ahead log, full synchronisation, foreign keys."""
    factory = open_database(url(tmp_path))
    assert (tmp_path / "connector.sqlite3").stat().st_mode & 0o777 == 0o600
    with factory() as session:
        read = [session.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "synchronous")]
        assert read == ["wal", 2]
        assert session.execute(text("PRAGMA foreign_keys")).scalar() == 1


def test_eight_processes_open_a_new_database_at_once(tmp_path: Path) -> None:
    """All of them end well: one migrates, the others wait for it."""
    # forks of a process that has loaded the program: they begin at the same moment
    code = f"""
import os
from connector_app.store.database import open_database
children = []
for _ in range(8):
    child = os.fork()
    if not child:
        open_database({url(tmp_path)!r})
        os._exit(0)
    children.append(child)
print(*(os.waitpid(child, 0)[1] for child in children))
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.stdout.split() == ["0"] * 8, ended.stderr


def test_migrations_make_what_the_models_say_and_can_be_undone(tmp_path: Path) -> None:
    """The migrated tables and indexes are those of the models; down and up again changes nothing."""
    assert {desk.Job, machines.Hook, people.User} <= {one.class_ for one in Base.registry.mappers}
    open_database(url(tmp_path))
    engine = create_engine(url(tmp_path))
    config = database._alembic_config()

    def shape() -> dict[str, tuple[set[str], set[str]]]:
        seen = inspect(engine)
        return {
            name: (
                {column["name"] for column in seen.get_columns(name)},
                {str(index["name"]) for index in seen.get_indexes(name)},
            )
            for name in Base.metadata.tables
        }

    wanted = {
        name: ({column.name for column in table.columns}, {str(index.name) for index in table.indexes})
        for name, table in Base.metadata.tables.items()
    }
    assert shape() == wanted
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    assert shape() == wanted
    engine.dispose()


def test_migrations_keep_the_rows_of_every_earlier_form(tmp_path: Path) -> None:
    """A database with documents and their lives comes up from the first form, and goes back, row by row."""
    engine = create_engine(url(tmp_path))
    engines.prepare_sqlite(engine)
    config = database._alembic_config()

    def move(way: Callable[[Config, str], None], revision: str) -> None:
        with database.without_foreign_keys(engine) as connection:
            config.attributes["connection"] = connection
            way(config, revision)

    move(command.upgrade, "0001")
    day = "'2026-11-24 10:00:00'"
    rows = (
        "sellers (id, nip, name, profile, environment, schema_version, credential, created_at) "
        f"VALUES (1, '5265877635', 'Sklep', '{{}}', '{{}}', 'FA3', 'sealed', {day})",
        "stores (id, seller_id, code, platform, url, config, policy, created_at) "
        f"VALUES (1, 1, 'shop', 'woocommerce', 'https://shop.example', 'sealed', '{{}}', {day})",
        "orders (id, store_id, remote_id, number, modified_at, content_hash, seen_at) "
        f"VALUES (1, 1, '15', '15', {day}, 'hash', {day})",
        "documents (id, seller_id, order_id, purpose, kind, state, attempts, created_at, updated_at) "
        f"VALUES (1, 1, 1, 'invoice', 'VAT', 'ready', 0, {day}, {day})",
        f"events (id, document_id, at, state, text) VALUES (1, 1, {day}, 'ready', '{{}}')",
        "publications (id, document_id, channel) VALUES (1, 1, 'metadata')",
    )
    with engine.execution_options(ksef_writes=True).begin() as connection:
        for row in rows:
            connection.exec_driver_sql(f"INSERT INTO {row}")

    def count() -> list[int]:
        tables = ("sellers", "stores", "orders", "documents", "events", "publications")
        with engine.connect() as connection:
            return [connection.exec_driver_sql(f"SELECT COUNT(*) FROM {one}").scalar_one() for one in tables]

    revisions = [one.revision for one in ScriptDirectory.from_config(config).walk_revisions()]
    for revision in reversed(revisions):
        move(command.upgrade, revision)
        assert count() == [1] * 6, revision
    with open_database(url(tmp_path))() as session:
        assert [event.state for event in session.get_one(Document, 1).events] == ["ready"]
    for revision in revisions:
        move(command.downgrade, revision)
        assert count() == [1] * 6, revision
    engine.dispose()


def test_a_database_of_a_newer_program_is_not_touched(tmp_path: Path) -> None:
    """A clear sentence, and the file stays as it is."""
    open_database(url(tmp_path))
    with sqlite3.connect(tmp_path / "connector.sqlite3") as raw:
        raw.execute("UPDATE alembic_version SET version_num = '0999'")
    raw.close()
    with pytest.raises(UnusableDatabase) as caught:
        open_database(url(tmp_path))
    assert "nowszej wersji" in trouble(caught.value).pl
    with sqlite3.connect(tmp_path / "connector.sqlite3") as raw:
        assert raw.execute("SELECT version_num FROM alembic_version").fetchall() == [("0999",)]
    raw.close()


def test_a_file_that_is_no_database_is_said_so(tmp_path: Path) -> None:
    """Not a traceback of the driver but words."""
    (tmp_path / "connector.sqlite3").write_bytes(b"faktury" * 1000)
    with pytest.raises(SQLAlchemyError) as caught:
        open_database(url(tmp_path))
    assert trouble(caught.value).en == "The database: its file is no database."


def test_a_reader_does_not_hold_up_a_writer(tmp_path: Path) -> None:
    """A page that is being read and a step that is being written do not wait for each other."""
    factory = open_database(url(tmp_path))
    with factory() as reading:
        assert reading.query(Seller).all() == []
        with factory.begin() as writing:
            writing.execute(text("PRAGMA busy_timeout = 100"))
            writing.execute(text("UPDATE alembic_version SET version_num = version_num"))
        assert reading.query(Seller).all() == []


def test_an_error_shows_no_values(tmp_path: Path) -> None:
    """A failing statement names no parameter: they are names, amounts and sealed secrets."""
    factory = open_database(url(tmp_path))
    with pytest.raises(OperationalError) as caught, factory.begin() as session:
        session.execute(text("INSERT INTO nowhere VALUES (:secret)"), {"secret": "cs_sekret"})
    assert "cs_sekret" not in str(caught.value)
