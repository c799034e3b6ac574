"""PostgreSQL: opened by many at once, migrated whole, and clear words when it cannot be used."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from connector_app.commands.failures import explain
from connector_app.moving.rows import all_models
from connector_app.settings import Settings
from connector_app.store import database as store
from connector_app.store.database import open_database
from connector_app.store.engines import address, make_engine, shown
from connector_app.store.models import Document
from connector_app.store.sessions import Sessions
from connector_app.store.trouble import UnusableDatabase, hint_for, trouble
from tests import databases, services
from tests.pipeline.test_serve import free_port

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def empty() -> Iterator[str]:
    with databases.empty() as url:
        yield url


@pytest.fixture
def migrated() -> Iterator[Sessions]:
    with databases.migrated() as url:
        yield open_database(url)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_an_address_is_taken_as_people_write_it(scheme: str) -> None:
    """Providers hand out postgres://, libpq's pages postgresql://; psycopg 3 speaks for all."""
    found = address(f"{scheme}://ktos:haslo@db.example/faktury?sslmode=require")
    assert found.drivername == "postgresql+psycopg"
    assert found.query["sslmode"] == "require"


def test_many_processes_open_a_new_database_at_once(empty: str) -> None:
    """All end well: one migrates, the others wait for it, and the next finds nothing to do."""
    code = f"from connector_app.store.database import open_database; open_database({empty!r})"
    running = [
        subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE) for _ in range(3)
    ]
    ends = [(one.wait(60), one.stderr.read() if one.stderr else b"") for one in running]
    for one in running:
        if one.stderr:
            one.stderr.close()
    assert [code for code, _ in ends] == [0] * 3, ends
    with open_database(empty)() as session:
        assert session.scalar(text("SELECT count(*) FROM alembic_version")) == 1


def test_migrations_make_what_the_models_say(migrated: Sessions) -> None:
    """Tables, columns, their types and lengths, indexes with their conditions, keys: nothing differs."""
    with migrated.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, all_models()) == []


def test_migrations_keep_the_rows_of_every_earlier_form(empty: str) -> None:
    """A database with a document comes up from the first form, step by step, and goes back."""
    engine = make_engine(empty)
    config = store._alembic_config()

    def move(way: Callable[[Config, str], None], revision: str) -> None:
        with store.without_foreign_keys(engine) as connection:
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
        "documents (id, seller_id, order_id, purpose, kind, state, attempts, ksef_number, session_reference, "
        f"upo, total, created_at, updated_at) VALUES (1, 1, 1, 'invoice', 'VAT', 'accepted', 0, 'K', 'S', "
        f"'x', '12.30', {day}, {day})",
        f"events (id, document_id, at, state, text) VALUES (1, 1, {day}, 'ready', '{{}}')",
    )
    with engine.begin() as connection:
        for row in rows:
            connection.exec_driver_sql(f"INSERT INTO {row}")

    def count() -> list[int]:
        with engine.connect() as connection:
            return [
                connection.exec_driver_sql(f"SELECT COUNT(*) FROM {one}").scalar_one()
                for one in ("sellers", "stores", "orders", "documents", "events")
            ]

    revisions = [one.revision for one in ScriptDirectory.from_config(config).walk_revisions()]
    for revision in reversed(revisions):
        move(command.upgrade, revision)
        assert count() == [1] * 5, revision
    with open_database(empty)() as session:
        kept = session.get_one(Document, 1)
        assert (str(kept.total), kept.sort_total, kept.upo) == ("12.30", 1230, b"x")
    for revision in revisions:
        move(command.downgrade, revision)
        assert count() == [1] * 5, revision
    engine.dispose()


def test_a_newer_form_and_an_order_by_language_are_refused(empty: str) -> None:
    """Each with what to do; nothing is changed."""
    open_database(empty)
    engine = create_engine(address(empty))
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
    engine.dispose()
    with pytest.raises(UnusableDatabase, match="newer version"):
        open_database(empty)
    name = f"{empty.rsplit('/', 1)[1]}_pl"
    with psycopg.connect(services.postgres(), dbname="postgres", autocommit=True) as server:
        make = "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'pl'"
        server.execute(sql.SQL(make).format(sql.Identifier(name)))
    try:
        with pytest.raises(UnusableDatabase) as caught:
            open_database(empty.rsplit("/", 1)[0] + f"/{name}")
        assert "createdb" in str(caught.value.hint)
    finally:
        databases.drop(name)


def test_connections_find_out_that_the_other_side_died(migrated: Sessions) -> None:
    """Of both sides in under a minute, and a writer that hangs is let go of."""
    with migrated() as session:
        read = session.execute(
            text(
                "SELECT current_setting('tcp_keepalives_idle')::int + "
                "current_setting('tcp_keepalives_interval')::int * "
                "current_setting('tcp_keepalives_count')::int, "
                "current_setting('tcp_user_timeout'), current_setting('transaction_isolation'), "
                "current_setting('transaction_read_only'), current_setting('application_name')"
            )
        ).one()
        assert tuple(read) == (30, "30000", "repeatable read", "on", "ksef-connector")
    with migrated.begin(1) as session:
        idle = text("SELECT current_setting('idle_in_transaction_session_timeout')")
        assert session.scalar(idle) == "1min"
        raw = session.connection().connection.dbapi_connection
        assert raw is not None
        assert raw.info.get_parameters()["tcp_user_timeout"] == "30000"


def test_a_connection_that_was_cut_is_replaced(migrated: Sessions) -> None:
    """The server was restarted: the transaction under way fails in words, the next one works."""
    cut = text("SELECT pg_terminate_backend(pg_backend_pid())")
    with pytest.raises(SQLAlchemyError) as caught, migrated.begin() as session:
        session.execute(cut)
    assert trouble(caught.value).en == "The database: the server closed the connection."
    with migrated() as session:
        assert session.scalar(text("SELECT 1")) == 1


def test_errors_show_no_values(migrated: Sessions) -> None:
    """PostgreSQL quotes whole rows in its details: names, amounts and sealed secrets."""
    for statement in (
        "INSERT INTO sellers (nip, credential) VALUES ('cs_sekret', 'cs_sekret')",
        "SELECT CAST('cs_sekret' AS integer)",
    ):
        with pytest.raises(DBAPIError) as caught, migrated.begin() as session:
            session.connection().exec_driver_sql(statement)
        assert "cs_sekret" not in f"{caught.value.orig} {trouble(caught.value).pl}"
        assert "cs_sekret" not in str(caught.value).replace(statement, "")


def _url(**changes: object) -> str:
    """The tests' server, at another port, by another name or with another database."""
    found = address(services.postgres()).set(database="postgres")
    return found.set(**changes).render_as_string(hide_password=False)  # type: ignore[arg-type]  # names of parts


@pytest.mark.parametrize(
    ("make", "said", "hint"),
    [
        (lambda: _url(port=free_port()), "does not answer at this address", "DATABASE_URL"),
        (lambda: _url(database="nie_ma_takiej"), "has no database of this name", "createdb"),
        (lambda: "faktury", "cannot be read", "postgresql://user"),
    ],
)
def test_what_is_wrong_is_said(make: Callable[[], str], said: str, hint: str) -> None:
    """With what to do about it, by the program and without a password."""
    with pytest.raises(SQLAlchemyError) as caught:
        open_database(make().replace("postgres@", "postgres:tajne@"))
    failure = explain(caught.value, "en")
    assert failure is not None
    assert said in failure.message
    assert hint in failure.hint
    assert "tajne" not in failure.message + failure.hint + str(caught.value)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("53100", "no space left on the disk"),
        ("53300", "too many connections"),
        ("28P01", "refused the user name or password"),
        ("42501", "lacks rights"),
        ("55P03", "another program keeps it busy"),
        ("57014", "too long to answer"),
    ],
)
def test_troubles_of_a_server_have_words(migrated: Sessions, state: str, said: str) -> None:
    """Raised by the server itself under its own code, whatever language it speaks."""
    raising = f"DO $$ BEGIN RAISE EXCEPTION 'coś po polsku' USING ERRCODE = '{state}'; END $$"
    with pytest.raises(DBAPIError) as caught, migrated.begin() as session:
        session.connection().exec_driver_sql(raising)
    assert said in trouble(caught.value).en


def test_a_wrong_password_is_said(tmp_path: Path) -> None:
    """By a server that asks for one."""
    with _AsksForPassword() as port, pytest.raises(SQLAlchemyError) as caught:
        open_database(f"postgresql://ktos:tajne@127.0.0.1:{port}/baza?sslmode=disable")
    assert "refused the user name or password" in trouble(caught.value).en
    assert "pg_hba.conf" in str(hint_for(caught.value))
    assert "tajne" not in str(caught.value)


class _AsksForPassword:
    """A server's end of a refused sign-in, as PostgreSQL sends it (protocol 3.0, ErrorResponse)."""

    _REFUSAL = b'SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user "ktos"\0\0'

    def __enter__(self) -> int:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._answer)
        self._thread.start()
        port: int = self._server.getsockname()[1]
        return port

    def _answer(self) -> None:
        connection, _ = self._server.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"E" + (len(self._REFUSAL) + 4).to_bytes(4) + self._REFUSAL)

    def __exit__(self, *_error: object) -> None:
        self._thread.join(10)
        self._server.close()


def test_a_missing_driver_is_said() -> None:
    """With the words to install it."""
    code = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from connector_app.store.database import open_database\n"
        "from connector_app.commands.failures import explain\n"
        "try: open_database('postgresql://ktos@db.example/faktury')\n"
        "except Exception as error: print(explain(error, 'en').message, explain(error, 'en').hint)"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert "driver for PostgreSQL is missing" in said.stdout, said.stderr
    assert "pip install 'ksef-shop-connector[scale]'" in said.stdout


def test_a_password_is_never_shown() -> None:
    """Neither by settings nor by engines nor where an address is shown to people."""
    url = "postgresql://ktos:tajne@db.example/faktury?sslpassword=tajne2"
    settings = Settings.from_environment({"DATABASE_URL": url})
    engine: Engine = make_engine(url)
    for one in (repr(settings), str(settings), repr(engine), repr(Sessions(engine)), shown(url)):
        assert "tajne" not in one.replace("sslpassword=tajne2", ""), one
    assert "tajne" not in shown(url)
