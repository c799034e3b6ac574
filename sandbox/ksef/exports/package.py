"""The package of an export: an archive with documents and metadata, cut into encrypted parts.

Source: POST /invoices/exports and GET /invoices/exports/{referenceNumber} of open-api.json: files
``{ksefNumber}.xml``, ``_metadata.json`` that counts for no limit, parts of at most 50 MB before encryption.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from sandbox.ksef import encryption, files
from sandbox.ksef.batch.archive import ZIP
from sandbox.ksef.metadata import Found
from sandbox.ksef.state import SandboxState

METADATA_FILE = "_metadata.json"
_Add = Callable[[str, bytes], None]
"""Adds one file, by its name, to an archive."""
EXTENSIONS = {"Zip": "zip", "TarGz": "tar.gz"}
"""compressionType -> ending of a part's name."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a package.

    Attributes:
        ordinal: number from 1.
        plain: size and hash before encryption.
        encrypted: size and hash of what is downloaded.
    """

    ordinal: int
    plain: files.Written
    encrypted: files.Written


@dataclass(frozen=True, slots=True)
class Package:
    """A package that was built.

    Attributes:
        count: documents in it; the first ones of those that were found.
        size: bytes of the archive.
        parts: its parts.
    """

    count: int
    size: int
    parts: tuple[Part, ...]


def build(
    state: SandboxState,
    folder: Path,
    found: Sequence[Found],
    *,
    compression: str,
    only_metadata: bool,
    given: tuple[bytes, bytes],
) -> Package:
    """Pack, cut and encrypt; part number n is the file ``n`` of the folder.

    Args:
        state: has the documents and the limits.
        folder: where to write.
        found: the documents in their order.
        compression: Zip or TarGz.
        only_metadata: leave the documents out.
        given: key and initialization vector of the caller.
    """
    if not found:
        return Package(0, 0, ())
    path = folder / "archive"
    try:
        count = _pack(state, path, found, compression=compression, only_metadata=only_metadata)
        parts = tuple(_cut(path, state.settings.export_part_bytes, *given))
        return Package(count, path.stat().st_size, parts)
    finally:
        path.unlink(missing_ok=True)


def _pack(
    state: SandboxState, path: Path, found: Sequence[Found], *, compression: str, only_metadata: bool
) -> int:
    """Write the archive; returns how many documents went in before a limit was reached."""
    count = 0
    pack = _zip if compression == ZIP else _tar_gz
    with path.open("wb") as file, pack(file, state.now()) as add:
        for entry in found:
            if not only_metadata:
                row = state.one("SELECT xml FROM invoices WHERE sequence = ?", (entry.sequence,))
                assert row is not None
                add(f"{entry.item['ksefNumber']}.xml", bytes(row["xml"]))
            count += 1
            if file.tell() >= state.settings.max_export_bytes:
                break
        metadata = {"invoices": [entry.item for entry in found[:count]]}
        add(METADATA_FILE, json.dumps(metadata, ensure_ascii=False).encode())
    return count


@contextmanager
def _zip(file: BinaryIO, _moment: datetime) -> Iterator[_Add]:
    """A Zip archive that is being written."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        yield archive.writestr


@contextmanager
def _tar_gz(file: BinaryIO, moment: datetime) -> Iterator[_Add]:
    """A tar.gz archive that is being written."""
    seconds = int(moment.timestamp())
    with (
        gzip.GzipFile(fileobj=file, mode="wb", mtime=seconds) as zipped,
        tarfile.open(fileobj=zipped, mode="w|") as archive,
    ):

        def add(name: str, content: bytes) -> None:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = len(content), seconds
            archive.addfile(entry, io.BytesIO(content))

        yield add


def _cut(path: Path, most: int, key: bytes, vector: bytes) -> Iterator[Part]:
    count = -(-path.stat().st_size // most)
    with path.open("rb") as file:
        for ordinal in range(1, count + 1):
            plain = files.Meter()
            chunks = plain.through(files.pieces(file, most=most))
            encrypted = files.write(path.parent / str(ordinal), encryption.encrypt(key, vector, chunks))
            yield Part(ordinal, plain.result(), encrypted)
