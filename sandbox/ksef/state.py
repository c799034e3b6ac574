"""What the sandbox remembers: one SQLite database, in memory or in a file, and its settings.

The same code serves both kinds. A file lets documents, numbers, sessions, tokens and keys survive a
restart. Every call runs in one transaction under one lock, so that two calls never see half of each other.
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from core.ksef.number import crc8
from sandbox.ksef import documents
from sandbox.ksef.faults import FaultPlan
from sandbox.ksef.files import Files
from sandbox.ksef.limits import RateLimiter
from sandbox.ksef.tables import TABLES, VERSION

Value = str | int | float | bytes | None
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The real time, aware, in UTC."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """Text form of a moment whose alphabetical order is the order of time (UTC, microseconds)."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


class StateError(Exception):
    """A database file that this version of the sandbox cannot use; the message names it."""


@dataclass(slots=True)
class Settings:
    """What a person may change while the sandbox runs.

    Attributes:
        processing_seconds: seconds between receiving something and its verdict (documents, sign-ins,
            collective UPO); 0 means that the next look sees the verdict.
        document_seconds: further seconds until the verdict about a document or a batch, which stays in
            processing meanwhile; sign-ins and the rest are not slower.
        verdicts_per_look: verdicts that one look writes down at most; those of a large batch come over
            several looks, so that no caller waits for all of them.
        rate_limits: whether the published rate limits are enforced.
        outage_stops_api: whether the API answers 503 while an announced outage is in force.
        access_token_seconds: life of an access token.
        refresh_token_seconds: life of a refresh token (KSeF: at most 7 days).
        operation_token_seconds: life of the token of a sign-in operation.
        challenge_seconds: life of a challenge (KSeF: 10 minutes).
        session_seconds: life of an interactive session (KSeF: 12 hours).
        link_seconds: life of a presigned download address.
        max_invoices: documents a session takes (KSeF: 10 000).
        max_invoice_bytes: size of a document without attachment (KSeF: 1 000 000).
        max_attachment_bytes: size of a document with attachment (KSeF: 3 000 000).
        max_part_bytes: size of a batch's part before encryption (KSeF: 100 000 000).
        max_unpacked_bytes: what the archive of a batch may unpack to.
        max_query_records: documents in the result of a query or an export (KSeF: 10 000).
        max_collective_invoices: documents behind one collective identifier (KSeF: 500).
        max_export_bytes: size of an export's package after which no document is added (KSeF: 1 GB).
        export_part_bytes: size of a part of a package before encryption (KSeF: 50 MB).
        package_seconds: life of an export's package.
        storage_seconds: seconds between a number and the permanent storage of a document; 0 means that
            a document can be read as soon as it has its number.
        system_warning: text of the header X-System-Warning of every good answer, in the contract's form
            ``[code]: message | [code]: message``; empty for none.
    """

    processing_seconds: float = 1.0
    document_seconds: float = 0.0
    verdicts_per_look: int = 1000
    rate_limits: bool = False
    outage_stops_api: bool = True
    access_token_seconds: int = 900
    refresh_token_seconds: int = 7 * 24 * 3600
    operation_token_seconds: int = 2700
    challenge_seconds: int = 600
    session_seconds: int = 12 * 3600
    link_seconds: int = 3 * 24 * 3600
    max_invoices: int = 10_000
    max_invoice_bytes: int = 1_000_000
    max_attachment_bytes: int = 3_000_000
    max_part_bytes: int = 100_000_000
    max_unpacked_bytes: int = 10_000_000_000
    max_query_records: int = 10_000
    max_collective_invoices: int = 500
    max_export_bytes: int = 1_000_000_000
    export_part_bytes: int = 50_000_000
    package_seconds: int = 24 * 3600
    storage_seconds: float = 0.0
    system_warning: str = ""


@dataclass(slots=True)
class SandboxState:
    """Database, settings, clock, faults and rate limits of one sandbox. Make it with :meth:`open`.

    Attributes:
        settings: see :class:`Settings`.
        clock: gives the aware UTC time; :meth:`now` adds ``clock_offset`` to it.
        clock_offset: how far the sandbox's time was moved by hand.
        random_bytes: source of randomness for numbers, tokens and challenges.
        sleep: lets the seconds of a slow answer pass.
        check_schema: compares a document with its schema, see :mod:`sandbox.ksef.documents`.
        faults: faults to play, see :mod:`sandbox.ksef.faults`.
        limiter: counts calls, see :mod:`sandbox.ksef.limits`.
        files: parts of batches and exports, beside the database file or in a temporary folder.
    """

    _database: sqlite3.Connection
    settings: Settings
    clock: Clock = utc_now
    clock_offset: timedelta = timedelta()
    random_bytes: Callable[[int], bytes] = secrets.token_bytes
    sleep: Callable[[float], None] = time.sleep
    check_schema: documents.SchemaCheck = documents.check_schema
    faults: FaultPlan = field(default_factory=FaultPlan)
    limiter: RateLimiter = field(default_factory=RateLimiter)
    files: Files = field(default_factory=Files)
    _after_commit: list[Callable[[], None]] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @classmethod
    def open(
        cls,
        path: Path | None = None,
        *,
        settings: Settings | None = None,
        clock: Clock = utc_now,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
        check_schema: documents.SchemaCheck = documents.check_schema,
    ) -> SandboxState:
        """Open a state.

        Args:
            path: SQLite file, made when absent; None keeps everything in memory.
            settings: None means the defaults.
            clock: gives the aware UTC time.
            random_bytes: gives that many random bytes.
            check_schema: replaces the project's own schemas (tests only).

        Raises:
            StateError: the file belongs to another version of the sandbox.
        """
        database = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        database.row_factory = sqlite3.Row
        if path is not None:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=NORMAL")
        _prepare(database, path)
        return cls(
            database,
            settings or Settings(),
            clock=clock,
            random_bytes=random_bytes,
            check_schema=check_schema,
            files=Files(None if path is None else path.with_name(f"{path.name}.files")),
        )

    def close(self) -> None:
        """Close the database; the state is of no use afterwards."""
        with self._lock:
            self._database.close()
            self.files.close()

    def now(self) -> datetime:
        """The sandbox's time: the clock plus what was added by hand."""
        return self.clock() + self.clock_offset

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One transaction: all of it is stored, or none when an exception passes."""
        with self._lock:
            if self._database.in_transaction:
                yield
                return
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._after_commit.clear()
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")
            actions = self._after_commit.copy()
            self._after_commit.clear()
        for action in actions:
            action()

    def after_commit(self, action: Callable[[], None]) -> None:
        """Do something that cannot be undone once the running transaction is stored; at once without one."""
        with self._lock:
            if self._database.in_transaction:
                self._after_commit.append(action)
                return
        action()

    def run(self, statement: str, values: Sequence[Value] = ()) -> None:
        """Execute one statement; bind values, never format them in."""
        with self._lock:
            self._database.execute(statement, values)

    def insert(self, table: str, **values: Value) -> None:
        """Add one row; table and columns are names from :mod:`sandbox.ksef.tables`."""
        names = ", ".join(values)
        marks = ", ".join("?" * len(values))
        self.run(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values()))  # noqa: S608

    def one(self, query: str, values: Sequence[Value] = ()) -> sqlite3.Row | None:
        """The first row of a query, or None."""
        with self._lock:
            row: sqlite3.Row | None = self._database.execute(query, values).fetchone()
            return row

    def all(self, query: str, values: Sequence[Value] = ()) -> list[sqlite3.Row]:
        """All rows of a query."""
        with self._lock:
            return self._database.execute(query, values).fetchall()

    def secret(self, name: str) -> bytes:
        """A 32-byte secret that is made at first use and kept with the state."""
        with self.transaction():
            row = self.one("SELECT value FROM secrets WHERE name = ?", (name,))
            if row is not None:
                return bytes(row["value"])
            value = self.random_bytes(32)
            self.insert("secrets", name=name, value=value)
            return value

    def new_reference(self, kind: str) -> str:
        """A fresh reference number of 36 characters.

        Args:
            kind: two letters: ``CR`` challenge, ``AU`` sign-in, ``SO`` interactive session, ``SB`` batch
                session, ``EE`` document, ``EH`` export, ``EU`` UPO, ``EC`` token, ``CE`` request for a
                certificate, ``PO`` change of permissions (TNumerReferencyjny of the UPO schema).
        """
        noise = self.random_bytes(10).hex().upper()
        head = f"{self.now():%Y%m%d}-{kind}-{noise[:10]}-{noise[10:]}"
        return f"{head}-{crc8(head)}"


def _prepare(database: sqlite3.Connection, path: Path | None) -> None:
    """Make the tables of an empty database, or check the version of a used one.

    All tables and their version come in one transaction: a process that ends in between leaves none.
    """
    database.execute("BEGIN IMMEDIATE")
    version = database.execute("PRAGMA user_version").fetchone()[0]
    used = database.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]
    if used and version != VERSION:
        database.execute("ROLLBACK")
        database.close()
        raise StateError(f"{path} has version {version} of the sandbox's tables, expected {VERSION}")
    for statement in TABLES:
        database.execute(statement)
    database.execute(f"PRAGMA user_version = {VERSION}")
    database.execute("COMMIT")
