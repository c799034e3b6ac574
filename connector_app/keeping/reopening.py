"""Reading a backup: verified as a whole before anything is touched, and its rows afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from connector_app.keeping.digests import DOCUMENTS, Digests
from connector_app.keeping.package import TOO_NEW, Reader
from connector_app.keeping.sealing import TAMPERED, Unopenable
from connector_app.keeping.tables import Shape, values_of
from connector_app.store.database import knows_form


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup holds, verified.

    Attributes:
        path: the file. passphrase: opens it. made_at: aware UTC. form: of its tables.
        program, database: what made it. rows: by table. documents: issued ones.
        damaged: ids of documents that were damaged when it was made.
        digest: over the hashes of all documents. sequences: last ids given out.
        shapes: of its tables, those that others refer to first. files: by name.
    """

    path: Path
    passphrase: str | None = field(repr=False)
    made_at: datetime
    form: str
    program: str
    database: str
    rows: dict[str, int]
    documents: int
    damaged: tuple[int, ...]
    digest: str
    sequences: dict[str, int]
    shapes: tuple[Shape, ...]
    files: dict[str, bytes] = field(repr=False)


def examine(
    path: Path, passphrase: str | None, progress: Callable[[int, int], None] = lambda _done, _total: None
) -> Contents:
    """Read a whole backup and compare everything that it says of itself.

    Args:
        path: the file.
        passphrase: of an encrypted one.
        progress: told how many rows of how many were read.

    Raises:
        Unopenable: it is no backup, cut, changed, of a newer program, or the passphrase is wrong.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        reader = Reader(file, passphrase)
        try:
            shapes = tuple(Shape.from_json(one) for one in reader.head["tables"])
            form, made_at = str(reader.head["form"]), datetime.fromisoformat(reader.head["made_at"])
            rows = {str(name): int(count) for name, count in reader.head["rows"].items()}
        except (KeyError, TypeError, ValueError):
            raise Unopenable(TAMPERED) from None
        if not knows_form(form):
            raise Unopenable(TOO_NEW)
        by_name = {one.name: one for one in shapes}
        if DOCUMENTS not in by_name:
            raise Unopenable(TAMPERED)
        digests, found, files = Digests(by_name[DOCUMENTS]), dict.fromkeys(by_name, 0), {}
        total = sum(rows.values())
        for name, data in reader.parts():
            table = _table_of(name)
            if table is None:
                files[name] = data
                continue
            for values in _rows(data, by_name, table):
                found[table] += 1
                if table == DOCUMENTS:
                    digests.see(values)
            progress(sum(found.values()), total)
    more = reader.manifest.more if reader.manifest is not None else {}
    if found != rows or more.get("documents") != digests.as_json():
        raise Unopenable(TAMPERED)
    return Contents(
        path, passphrase, made_at, form, str(reader.head.get("program", "")),
        str(reader.head.get("database", "")), rows, digests.count, tuple(digests.damaged),
        digests.as_json()["sha256"], {str(one): int(last) for one, last in more.get("sequences", {}).items()},
        shapes, files,
    )  # fmt: skip


def rows_of(contents: Contents) -> Iterator[tuple[Shape, list[list[Any]]]]:
    """The rows of an examined backup, some megabytes at a time, tables that others refer to first.

    Raises:
        Unopenable: the file changed since.
    """
    by_name = {one.name: one for one in contents.shapes}
    with contents.path.open("rb") as file:
        for name, data in Reader(file, contents.passphrase).parts():
            table = _table_of(name)
            if table is not None:
                yield by_name[table], list(_rows(data, by_name, table))


def _table_of(name: str) -> str | None:
    kind, _, rest = name.partition("/")
    return rest.partition("/")[0] if kind == "tables" else None


def _rows(data: bytes, by_name: dict[str, Shape], table: str) -> Iterator[list[Any]]:
    shape = by_name.get(table)
    if shape is None:
        raise Unopenable(TAMPERED)
    try:
        # only line ends count: text may hold other characters that end lines elsewhere
        for line in data.split(b"\n")[:-1]:
            yield values_of(line, shape)
    except (ValueError, TypeError, AttributeError):
        raise Unopenable(TAMPERED) from None
