"""Moving an installation to PostgreSQL and back: whole or not at all, checked, and the old one closed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import JSON, insert, null, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from connector_app.commands.root import root
from connector_app.moving.move import Damaged, NotTheSame, Steps, TargetInUse, move, undo
from connector_app.store.database import open_database
from connector_app.store.locks import LockHeld, lock
from connector_app.store.models import Document, Event, Seller
from connector_app.store.sessions import Sessions
from connector_app.store.trouble import UnusableDatabase, trouble
from tests import databases
from tests.pipeline.world import recorded, world

ROOT = Path(__file__).resolve().parent.parent.parent
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
KILLED = """
import os, signal, sys
from connector_app.moving.move import Steps, move
from connector_app.store.database import open_database
die = lambda: os.kill(os.getpid(), signal.SIGKILL)
move(open_database(sys.argv[1]), sys.argv[2], Steps(**{sys.argv[3]: die}))
"""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The database of an installation whose orders went all the way, as a file."""
    home = tmp_path_factory.mktemp("filled")
    with world(home, [recorded("order_full"), recorded("order_eur_no_matching_rate")]) as made:
        made.prepare()
        made.run()
        database = made.services().database
        with database.begin() as session:
            event = Event(document_id=1, at=NOW, state="ready", text="{}")
            session.add(event)
            session.flush()
            # its id was given once and must not be given again
            session.delete(event)
            session.flush()
            session.execute(update(Document).where(Document.id == 2).values(refund=null(), plan=JSON.NULL))
        _fold(database)
    return (home / "connector.sqlite3").read_bytes()


def _fold(database: Sessions) -> None:
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


@pytest.fixture
def old(tmp_path: Path, filled: bytes) -> Iterator[Sessions]:
    """The installation, opened; :attr:`Sessions.engine` knows its address."""
    (tmp_path / "connector.sqlite3").write_bytes(filled)
    found = open_database(f"sqlite:///{tmp_path / 'connector.sqlite3'}")
    yield found
    found.close()


@pytest.fixture
def new() -> Iterator[str]:
    """Address of an empty PostgreSQL database."""
    with databases.empty() as url:
        yield url


def address(database: Sessions) -> str:
    return database.engine.url.render_as_string(hide_password=False)


def contents(database: Sessions) -> list[Any]:
    """Documents and lives, as the program reads them."""
    with database() as session:
        documents = session.execute(
            select(
                Document.id, Document.number, Document.xml, Document.upo, Document.total, Document.attention,
                Document.decision, Document.accepted_at, Document.issued_on, Document.offline_asked,
            ).order_by(Document.id)
        )  # fmt: skip
        lives = session.execute(select(Event.id, Event.at, Event.text).order_by(Event.id))
        return [*documents.all(), *lives.all()]


def newest_event(database: Sessions) -> int:
    with database.begin() as session:
        event = Event(document_id=1, at=NOW, state="ready", text="{}")
        session.add(event)
        session.flush()
        return event.id


def test_everything_arrives_and_work_goes_on_there(old: Sessions, new: str) -> None:
    """The same rows as the program reads them, a missing value and JSON's null apart; ids go on."""
    before = contents(old)
    with old() as session:
        given = session.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = 'events'"))
    found = move(old, new)
    assert found.rows["documents"] == 2
    assert found.hashes >= 2
    target = open_database(new)
    assert contents(target) == before
    with target() as session:
        kinds = session.execute(text("SELECT refund IS NULL, plan::text FROM documents WHERE id = 2")).one()
        assert tuple(kinds) == (True, "null")
    assert newest_event(target) == given + 1


def test_the_old_database_takes_nothing_any_more(old: Sessions, new: str) -> None:
    """Neither a process that has it open, nor one that opens it; rows stay."""
    before = contents(old)
    move(old, new)
    with pytest.raises(SQLAlchemyError) as caught, old.begin() as session:
        session.get_one(Seller, 1).name = "inna"
    assert "przeniesiona" in trouble(caught.value).pl
    with pytest.raises(UnusableDatabase) as refused:
        open_database(address(old))
    assert new.removeprefix("postgresql") in refused.value.text.en
    assert contents(old) == before


def test_who_writes_meanwhile_waits_and_is_told(old: Sessions, new: str) -> None:
    """A row that would be added to the old database during the copy is not lost: its writer fails."""
    begun, failures = threading.Event(), []

    def write() -> None:
        begun.wait(20)
        try:
            newest_event(old)
        except SQLAlchemyError as error:
            failures.append(trouble(error).en)

    writer = threading.Thread(target=write)
    writer.start()
    rows = len(contents(old))
    move(old, new, Steps(begin=lambda _step, _rows: begun.set()))
    writer.join(40)
    assert failures == ["The database: it was moved, nothing changes in it."]
    assert len(contents(open_database(new))) == rows


@pytest.mark.parametrize("moment", ["before_commit", "before_closing"])
def test_a_copy_that_was_killed_is_begun_again(old: Sessions, new: str, moment: str) -> None:
    """Killed before the copy is committed, or the old one closed: the old one works, then all moves."""
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, address(old), new, moment], cwd=ROOT, timeout=60, check=False
    )
    assert ended.returncode == -signal.SIGKILL
    newer = newest_event(old) if moment == "before_commit" else 0
    before = contents(old)
    assert move(old, new).is_same
    assert contents(open_database(new)) == before
    assert newer == 0 or before[-1][0] == newer


def test_what_changed_after_a_whole_copy_is_noticed(old: Sessions, new: str) -> None:
    """Killed between both commits, and the old installation went on: the copy is not taken for the whole."""
    subprocess.run(
        [sys.executable, "-c", KILLED, address(old), new, "before_closing"], cwd=ROOT, timeout=60, check=False
    )
    added = newest_event(old)
    with pytest.raises(NotTheSame) as caught:
        move(old, new)
    assert [(one.table, one.key) for one in caught.value.comparison.differences] == [("events", (added,))]


def test_a_damaged_file_is_found_before_anything_moves(old: Sessions, new: str) -> None:
    """One byte of a stored XML changed: named, and moved only when a person wants it so."""
    with old.begin() as session:
        xml = session.scalar(select(Document.xml).where(Document.id == 1)) or b""
        session.execute(update(Document).where(Document.id == 1).values(xml=xml[:-1] + b"?"))
    with pytest.raises(Damaged) as caught:
        move(old, new)
    assert caught.value.comparison.damaged == ["documents 1 xml"]
    assert newest_event(old) > 0
    assert move(old, new, with_damage=True).damaged == ["documents 1 xml"]


def test_another_value_in_one_column_is_found(old: Sessions, new: str) -> None:
    """Bytes that changed after the copy was committed are named by row and column."""
    with pytest.raises(NotTheSame) as caught:
        move(old, new, Steps(before_closing=lambda: _change_upo(new)))
    (one,) = caught.value.comparison.differences
    assert (one.table, one.key, one.columns) == ("documents", (1,), ("upo",))


def _change_upo(new: str) -> None:
    with open_database(new).begin() as session:
        session.execute(update(Document).where(Document.id == 1).values(upo=b"<UPO/>"))


def test_nothing_moves_while_a_runner_works_or_onto_other_rows(old: Sessions, new: str) -> None:
    """A lock that is held, a database that has rows, and the database itself are refused."""
    with lock(old, "runner"), pytest.raises(LockHeld):
        move(old, new)
    with open_database(new).begin() as session:
        session.execute(
            insert(Seller).values(
                nip="5265877635", name="S", profile={}, environment={}, schema_version="FA3", credential="",
                created_at=NOW,
            )
        )  # fmt: skip
    with pytest.raises(TargetInUse) as caught:
        move(old, new)
    assert caught.value.tables == ["sellers"]
    assert newest_event(old) > 0


def test_the_way_back(old: Sessions, new: str, tmp_path: Path) -> None:
    """At once: the old database opens again. Later: the new one is moved into a new file."""
    before = contents(old)
    move(old, new)
    undo(open_database(address(old), also_moved=True), new)
    assert contents(open_database(address(old))) == before
    with pytest.raises(UnusableDatabase):
        open_database(new)
    newest_event(old)
    with databases.empty() as again:
        move(old, again)
        target = open_database(again)
        added = newest_event(target)
        with pytest.raises(NotTheSame):
            undo(open_database(address(old), also_moved=True), again)
        back = f"sqlite:///{tmp_path / 'back.sqlite3'}"
        move(target, back)
        assert newest_event(open_database(back)) == added + 1


def program(home: Path, *words: str) -> Result:
    return CliRunner().invoke(
        root, ["--lang", "en", *words], env={"KSEF_CONNECTOR_HOME": str(home), "DATABASE_URL": ""}
    )


def test_the_command_reports_and_says_what_to_set(old: Sessions, new: str, tmp_path: Path) -> None:
    """In words and as JSON; no password is shown; refusals come with a hint."""
    secret = new.replace("postgres@", "postgres:tajne@")
    with lock(old, "runner"):
        busy = program(tmp_path, "migrate-store", "--to", secret)
    assert busy.exit_code == 1
    assert "Stop serve" in busy.stderr
    done = program(tmp_path, "migrate-store", "--to", secret, "--json")
    assert done.exit_code == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["moved"], said["rows"]["documents"], said["differences"]) == (True, 2, [])
    refused = program(tmp_path, "documents", "list")
    assert refused.exit_code == 1
    assert "DATABASE_URL=postgresql+psycopg://postgres@" in refused.stderr
    back = program(tmp_path, "migrate-store", "--to", secret, "--undo")
    assert back.exit_code == 0, back.stderr
    assert program(tmp_path, "documents", "list").exit_code == 0
    for one in (busy, done, refused, back):
        assert "tajne" not in one.output
