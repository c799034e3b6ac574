"""Scenario b: a hundred sellers at once: one process with SQLite, or workers with PostgreSQL and a broker."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from benchmarks.load import installation, sandboxes
from benchmarks.load.processes import Watched, child, family, free_port, named, one, program
from benchmarks.load.watching import Progress, Watch, watch
from connector_app.commands.root import root

DATABASE = "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"
"""Server to make a database on, unless ``LOAD_DATABASE_URL`` names another."""
BROKER = "amqp://guest:guest@127.0.0.1:5672//"
"""Broker, unless ``LOAD_BROKER_URL`` names another."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a run gave.

    Attributes:
        sellers: each with a shop. orders: of each.
        workers: processes; 0 is the one embedded process with SQLite.
        watch: milestones and what each process used.
        ksef: answers of KSeF by ``METHOD path status``.
        numbered: orders that carry a KSeF number at the end. notes: all notes that they have.
    """

    sellers: int
    orders: int
    workers: int
    watch: Watch
    ksef: dict[str, int]
    numbered: int
    notes: int

    @property
    def per_second(self) -> float:
        """Documents from the shop and back, a second."""
        return self.sellers * self.orders / self.watch.seconds["in the shop"]


def can_scale_out() -> bool:
    """Whether this version of the program has workers, and a database for them answers."""
    return "worker" in root.commands and has_server()


def has_server() -> bool:
    """Whether PostgreSQL answers."""
    server = make_url(os.environ.get("LOAD_DATABASE_URL") or DATABASE)
    try:
        engine = create_engine(server, connect_args={"connect_timeout": 3})
        with engine.connect():
            return True
    except (SQLAlchemyError, ImportError):
        return False


def run(sellers: int, orders: int, workers: int, progress: Progress) -> Result:
    """Let an installation work until all numbers are in all shops.

    Args:
        sellers: each with a shop.
        orders: of each.
        workers: worker processes on PostgreSQL and a broker; 0 for the embedded process on SQLite.
        progress: told how it goes.

    Raises:
        RuntimeError: it did not end within an hour.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        sandboxes.ksef() as (ksef, environment),
        sandboxes.shops(sellers, orders) as shops,
        _database(workers) as url,
    ):
        made = installation.make(Path(folder), url)
        installation.add_sellers(made, environment, shops.url, sellers)
        words = program("--lang", "en", "serve", "--port", free_port())
        extra = {}
        if workers:
            words = program("--lang", "en", "worker", "--processes", workers, "--beat")
            broker = os.environ.get("LOAD_BROKER_URL") or BROKER
            extra = {"BROKER_URL": broker, "KSEF_CONNECTOR_QUEUE": f"load-{os.getpid()}-{workers}"}
        with child(words, made.environment() | extra, Path(folder) / "log") as process:
            watched = {
                "application": Watched(family(process.pid)),
                "KSeF sandbox": Watched(one(ksef.pid)),
                "shop sandboxes": Watched(one(shops.pid)),
            }
            if workers:
                watched["PostgreSQL"] = Watched(named("postgres:", str(make_url(url).database)))
                watched["RabbitMQ"] = Watched(named("beam.smp", "rabbit"))
            seen = watch(made, sellers * orders, watched, progress, until="in the shop")
        told = shops.told()
        made.close()
        return Result(sellers, orders, workers, seen, dict(ksef.counts()), told["numbered"], told["notes"])


@contextmanager
def _database(workers: int) -> Iterator[str]:
    """An empty database on PostgreSQL that is dropped afterwards; for SQLite nothing has to be made."""
    if not workers:
        yield ""
        return
    with database(f"load_{os.getpid()}_{workers}") as url:
        yield url


@contextmanager
def database(name: str) -> Iterator[str]:
    """A database of this name on the server for load runs, dropped at the end."""
    server = make_url(os.environ.get("LOAD_DATABASE_URL") or DATABASE)
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0"))
        try:
            yield server.set(database=name).render_as_string(hide_password=False)
        finally:
            with engine.connect() as connection:
                connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
    finally:
        engine.dispose()
