"""A backup of a running installation: one file, one moment.

All tables are read in one transaction, whose snapshot does not change while others write (WAL of SQLite,
REPEATABLE READ of PostgreSQL); nobody waits for it. What is in work folders is made anew after a restore, so
it is left out. The file appears under its name when it is whole, on the disk, and was read back.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, Table, func, inspect, select, text

from connector_app.keeping.digests import DOCUMENTS, Digests
from connector_app.keeping.package import PART, SUFFIX, Reader, Writer
from connector_app.keeping.places import BackupFailed, check_place, clean, name_of
from connector_app.keeping.sealing import SHORTEST
from connector_app.keeping.tables import lines_of, shape_of, tables_of
from connector_app.nbp.cache import FILE_NAME as RATES_FILE
from connector_app.pipeline.services import Services
from connector_app.store.database import newest_form
from connector_app.store.locks import LockHeld, lock
from core.findings import Text

KEY = "files/secret.key"
RATES = f"files/{RATES_FILE}"
_LOCK = "backup"


@dataclass(frozen=True, slots=True)
class Wanted:
    """How to make a backup.

    Attributes:
        to: a folder, which gets a file of its own name, or the file.
        passphrase: encrypts it; then the installation's key is in it too.
        with_key: put the key into a backup that is not encrypted.
    """

    to: Path
    passphrase: str | None = field(default=None, repr=False)
    with_key: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made.

    Attributes:
        path: the file. size: its bytes. rows: of all tables. documents: issued ones in it.
        damaged: ids of documents that are damaged in the installation, and so in the backup.
        seconds: how long it took. encrypted, with_key: what it is.
    """

    path: Path
    size: int
    rows: int
    documents: int
    damaged: tuple[int, ...]
    seconds: float
    encrypted: bool
    with_key: bool


Progress = Callable[[int, int], None]
"""Told how many rows of how many were read."""


def back_up(services: Services, wanted: Wanted, progress: Progress = lambda _done, _total: None) -> Made:
    """Make a backup while the installation works.

    Args:
        services: the installation.
        wanted: where and how.
        progress: told some times a second.

    Raises:
        BackupFailed: it cannot be made; nothing is left of it.
        SQLAlchemyError: the database cannot be read.
    """
    if wanted.passphrase is not None and len(wanted.passphrase) < SHORTEST:
        raise BackupFailed(_TOO_SHORT)
    now, began = services.clock(), time.monotonic()
    path = wanted.to / name_of(services.vault, now) if _is_folder(wanted.to) else wanted.to
    try:
        check_place(path, encrypted=wanted.passphrase is not None)
        with lock(services.database, _LOCK, wait=False):
            clean(path.parent)
            made = _write(services, wanted, path, now, progress)
    except LockHeld:
        raise BackupFailed(_ANOTHER) from None
    except OSError as error:
        raise BackupFailed(
            Text(
                f"Kopii zapasowej {path} nie da się zapisać: {error.strerror}.",
                f"The backup {path} cannot be written: {error.strerror}.",
            )
        ) from error
    writer, rows, digests = made
    return Made(
        path,
        path.stat().st_size,
        rows,
        digests.count,
        tuple(digests.damaged),
        time.monotonic() - began,
        wanted.passphrase is not None,
        bool(writer.manifest.head["with_key"]),
    )


def size_of(services: Services) -> int:
    """Bytes of the database: a backup is smaller."""
    engine = services.database.kw["bind"]
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            return int(connection.scalar(text("SELECT pg_database_size(current_database())")) or 0)
        pages, size = (connection.scalar(text(f"PRAGMA {one}")) or 0 for one in ("page_count", "page_size"))
    return int(pages) * int(size)


def free_at(path: Path) -> int:
    """Free bytes of the disk that a path is or will be on."""
    place = path
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free


def home_of(services: Services) -> Path | None:
    """The installation's folder; ``None`` when it has none."""
    return services.work_dir.parent if services.work_dir is not None else None


def _is_folder(path: Path) -> bool:
    return path.is_dir() or path.suffix != SUFFIX


def _write(
    services: Services, wanted: Wanted, path: Path, now: datetime, progress: Progress
) -> tuple[Writer, int, Digests]:
    """Write aside, read back, and put in place."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w+b") as file:
            made = _fill(services, wanted, file, now, progress)
            file.flush()
            os.fsync(file.fileno())
            file.seek(0)
            for _ in Reader(file, wanted.passphrase).parts():
                pass
        aside.replace(path)
        _sync(path.parent)
    finally:
        aside.unlink(missing_ok=True)
    return made


def _fill(
    services: Services, wanted: Wanted, file: IO[bytes], now: datetime, progress: Progress
) -> tuple[Writer, int, Digests]:
    key = services.vault.exported() if wanted.passphrase is not None or wanted.with_key else None
    with snapshot(services) as connection:
        tables = tables_of(connection)
        counts = {one.name: _count(connection, one) for one in tables}
        head = {
            "program": _program(),
            "form": newest_form(),
            "made_at": now.astimezone(UTC).isoformat(),
            "database": connection.dialect.name,
            "with_key": key is not None,
            "tables": [shape_of(one).as_json() for one in tables],
            "rows": counts,
        }
        writer = Writer(file, head, wanted.passphrase)
        digests = Digests(shape_of(next(one for one in tables if one.name == DOCUMENTS)))
        done, total = 0, sum(counts.values())
        for table in tables:
            watch = digests.see if table.name == DOCUMENTS else None
            for number, (data, rows) in enumerate(_pieces(lines_of(connection, table, watch)), 1):
                writer.part(f"tables/{table.name}/{number:06}.jsonl", data)
                done += rows
                progress(done, total)
        sequences = _sequences(connection, tables)
    for name, content in _files(services, key):
        writer.part(name, content)
    writer.finish({"rows": counts, "sequences": sequences, "documents": digests.as_json()})
    return writer, total, digests


@contextmanager
def snapshot(services: Services) -> Iterator[Connection]:
    """A connection that sees one moment of the database until the block ends, and holds up nobody."""
    engine = services.database.kw["bind"]
    with engine.connect() as connection, connection.begin():
        if engine.dialect.name == "sqlite":
            # the snapshot is taken by the first read
            connection.exec_driver_sql("SELECT 1 FROM sellers LIMIT 1")
        yield connection


def _pieces(lines: Iterator[bytes]) -> Iterator[tuple[bytes, int]]:
    """Lines in pieces of some megabytes, each with how many they are."""
    waiting, size = [], 0
    for line in lines:
        waiting.append(line)
        size += len(line)
        if size >= PART:
            yield b"".join(waiting), len(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting), len(waiting)


def _count(connection: Connection, table: Table) -> int:
    return connection.scalar(select(func.count()).select_from(table)) or 0


def _sequences(connection: Connection, tables: list[Table]) -> dict[str, int]:
    """The last id that a table gave out, also to a row that is gone: ids are not used twice."""
    if connection.dialect.name == "sqlite":
        if not inspect(connection).has_table("sqlite_sequence"):
            return {}
        rows = connection.execute(text("SELECT name, seq FROM sqlite_sequence"))
        return {row.name: row.seq for row in rows}
    found = {}
    for table in tables:
        if "id" not in table.columns:
            continue
        named = {"name": table.name}
        sequence = connection.scalar(text("SELECT pg_get_serial_sequence(:name, 'id')"), named)
        if sequence is not None:
            query = text(f"SELECT last_value FROM {sequence} WHERE is_called")  # noqa: S608  the server's own name
            found[table.name] = int(connection.scalar(query) or 0)
    return found


def _files(services: Services, key: bytes | None) -> Iterator[tuple[str, bytes]]:
    if key is not None:
        yield KEY, key
    home = home_of(services)
    rates = home / RATES_FILE if home is not None else None
    if rates is not None and rates.exists():
        with closing(sqlite3.connect(rates)) as cache:
            yield RATES, cache.serialize()


def _program() -> str:
    try:
        return version("ksef-shop-connector")
    except PackageNotFoundError:
        return ""


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def as_json(made: Made) -> dict[str, Any]:
    """What was made, for scripts and for the settings page."""
    return {
        "path": str(made.path),
        "bytes": made.size,
        "rows": made.rows,
        "documents": made.documents,
        "damaged": list(made.damaged),
        "seconds": round(made.seconds, 1),
        "encrypted": made.encrypted,
        "with_key": made.with_key,
    }


_ANOTHER = Text("Inna kopia zapasowa jest właśnie robiona.", "Another backup is being made right now.")
_TOO_SHORT = Text(
    f"Hasło kopii zapasowej musi mieć co najmniej {SHORTEST} znaków.",
    f"The passphrase of a backup needs at least {SHORTEST} characters.",
)
