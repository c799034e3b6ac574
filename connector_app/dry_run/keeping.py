"""The last dry run of a store: one file in the installation's work folder, replaced by the next run.

A small SQLite file of its own, so that a page reads only the rows that it shows, and no document of a trial
is ever among the real ones.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp
from typing import Any, Final

from connector_app.dry_run.outcomes import OrderOutcome, Outcome

MOST_DOCUMENT_BYTES: Final = 64 * 1024 * 1024
"""Of compressed XML in one run; later documents are counted, but have no picture."""

_FOLDER = "dry-run"
_MOST_KEYS = 2**31
_ABANDONED = 86_400
"""Seconds after which a run that did not end is not going on any more."""
_TABLES = """
CREATE TABLE rows (
    seq INTEGER PRIMARY KEY, outcome TEXT NOT NULL, number TEXT NOT NULL, data TEXT NOT NULL
);
CREATE TABLE grouped (place INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (place, seq)) WITHOUT ROWID;
CREATE TABLE documents (id INTEGER PRIMARY KEY, number TEXT NOT NULL, xml BLOB NOT NULL);
CREATE TABLE summary (data TEXT NOT NULL);
CREATE INDEX by_outcome ON rows (outcome, seq);
"""


class Recorder:
    """Writes a run as it goes; nobody sees it before :meth:`finish`.

    Args:
        work_dir: the installation's work folder.
        store_id: whose run it is.
    """

    def __init__(self, work_dir: Path, store_id: int) -> None:
        self._target = path_of(work_dir, store_id)
        folder = self._target.parent
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _clean(folder)
        handle, name = mkstemp(prefix=f"{store_id}-", suffix=".part", dir=folder)
        os.close(handle)
        self._path = Path(name)
        self._file = sqlite3.connect(self._path)
        # a run that was cut is begun again, so nothing has to survive a crash half-way
        self._file.executescript(f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; {_TABLES}")
        self._bytes = self._rows = 0

    def add(self, one: OrderOutcome, groups: list[int]) -> None:
        """Keep one order with its documents.

        Args:
            one: the order.
            groups: places of its findings' groups in the summary.
        """
        self._rows += 1
        documents = [self._document(built.invoice.number, built.data) for built in one.documents]
        told = [
            {
                "id": key,
                "number": built.invoice.number,
                "kind": built.invoice.kind.value,
                "day": built.invoice.issued_on.isoformat(),
                "total": f"{built.invoice.total:f}",
            }
            for key, built in zip(documents, one.documents, strict=True)
        ]
        data = json.dumps(_row(one) | {"documents": told}, ensure_ascii=False)
        self._file.execute(
            "INSERT INTO rows VALUES (?, ?, ?, ?)", (self._rows, one.outcome.value, one.number, data)
        )
        self._file.executemany("INSERT INTO grouped VALUES (?, ?)", [(place, self._rows) for place in groups])

    def _document(self, number: str, data: bytes) -> int | None:
        packed = zlib.compress(data, 6)
        if self._bytes + len(packed) > MOST_DOCUMENT_BYTES:
            return None
        self._bytes += len(packed)
        made = self._file.execute("INSERT INTO documents (number, xml) VALUES (?, ?)", (number, packed))
        return made.lastrowid

    def finish(self, summary: dict[str, Any]) -> None:
        """Put the run in place of the one before."""
        self._file.execute("INSERT INTO summary VALUES (?)", (json.dumps(summary, ensure_ascii=False),))
        self._file.commit()
        self._file.close()
        self._path.replace(self._target)

    def drop(self) -> None:
        """Forget an unfinished run; after :meth:`finish` nothing happens."""
        self._file.close()
        self._path.unlink(missing_ok=True)


def _clean(folder: Path) -> None:
    """Remove what runs that were cut left behind."""
    for part in folder.glob("*.part"):
        with suppress(OSError):
            if time.time() - part.stat().st_mtime > _ABANDONED:
                part.unlink()


def path_of(work_dir: Path, store_id: int) -> Path:
    """Where a store's last run is kept."""
    return work_dir / _FOLDER / f"{store_id}.sqlite3"


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a run.

    Attributes:
        rows: as they were recorded. total: how many there are.
    """

    rows: list[dict[str, Any]]
    total: int


class LastRun:
    """The last finished run of a store.

    Args:
        path: see :func:`path_of`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def summary(self) -> dict[str, Any] | None:
        """Its numbers; ``None`` when there is no run that can be read."""
        if not self._path.is_file():
            return None
        with suppress(sqlite3.Error, ValueError, TypeError), self._open() as file:
            found: dict[str, Any] = json.loads(file.execute("SELECT data FROM summary").fetchone()[0])
            return found
        return None

    def page(
        self, first: int, size: int, *, outcome: Outcome | None = None, group: int | None = None
    ) -> Page:
        """Some orders in the order in which they were read.

        Args:
            first: how many to leave out.
            size: how many at most.
            outcome: only these.
            group: only those with a finding of this group.
        """
        where, values = ["1"], []
        if outcome is not None:
            where.append("outcome = ?")
            values.append(outcome.value)
        if group is not None:
            where.append("seq IN (SELECT seq FROM grouped WHERE place = ?)")
            values.append(str(group))
        chosen = " AND ".join(where)
        with self._open() as file:
            total = file.execute(f"SELECT count(*) FROM rows WHERE {chosen}", values).fetchone()[0]  # noqa: S608
            rows = file.execute(
                f"SELECT seq, data FROM rows WHERE {chosen} ORDER BY seq LIMIT ? OFFSET ?",  # noqa: S608
                [*values, size, first],
            ).fetchall()
        return Page([json.loads(data) | {"seq": seq} for seq, data in rows], total)

    def row(self, seq: int) -> dict[str, Any] | None:
        """One order by its place."""
        if seq > _MOST_KEYS:
            return None
        with self._open() as file:
            found = file.execute("SELECT data FROM rows WHERE seq = ?", (seq,)).fetchone()
        return None if found is None else json.loads(found[0]) | {"seq": seq}

    def document(self, document_id: int) -> bytes | None:
        """The XML of a document of the run."""
        if document_id > _MOST_KEYS:
            return None
        with self._open() as file:
            found = file.execute("SELECT xml FROM documents WHERE id = ?", (document_id,)).fetchone()
        return None if found is None else zlib.decompress(found[0])

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(f"{self._path.resolve().as_uri()}?mode=ro", uri=True)) as file:
            yield file


def _row(one: OrderOutcome) -> dict[str, Any]:
    return {
        "outcome": one.outcome.value,
        "order_id": one.order_id,
        "number": one.number,
        "placed": one.placed.isoformat() if one.placed else None,
        "buyer": one.buyer,
        "business": one.is_business,
        "total": None if one.total is None else f"{one.total:f}",
        "currency": one.currency,
        "reason": {"pl": one.reason.pl, "en": one.reason.en},
        "findings": [finding.as_json() for finding in one.findings],
    }
