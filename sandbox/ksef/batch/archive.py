"""Reading the archive of a batch: Zip or TarGz, entry by entry, with limits on what is unpacked.

Nothing is ever written under a name from the archive. Sizes are measured in bytes read, never believed.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, cast

from sandbox.ksef.files import pieces

ZIP = "Zip"
TAR_GZ = "TarGz"
_COMPRESSIONS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 0x1
# headers of one entry, extended ones included; more is an attempt to fill the memory
_MOST_HEADER_BYTES = 1_000_000
_MOST_FOLDERS = 10_000
_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    EOFError,
    OSError,
    NotImplementedError,
    ValueError,
)


class ArchiveError(Exception):
    """An archive that cannot be accepted; the message, in Polish, says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One document of an archive.

    Attributes:
        name: name of the file without folders.
        size: its bytes.
        hash: SHA-256 in Base64.
        content: the bytes; None when there are more than the reader was told to keep.
    """

    name: str
    size: int
    hash: str
    content: bytes | None = field(repr=False)


@dataclass(slots=True)
class _Budget:
    """How many unpacked bytes and how many folders are still allowed."""

    left: int
    folders: int = _MOST_FOLDERS

    def enter(self, folder: str) -> None:
        _check_path(folder)
        self.folders -= 1
        if self.folders < 0:
            raise ArchiveError("Archiwum zawiera za dużo folderów.")

    def spend(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise ArchiveError("Archiwum po rozpakowaniu przekracza dozwolony rozmiar.")


def entries(path: Path, compression: str, *, most_kept: int, most_unpacked: int) -> Iterator[Entry]:
    """The documents of an archive in its own order.

    Args:
        path: the archive.
        compression: ZIP or TAR_GZ.
        most_kept: a longer document is read for its size and hash only.
        most_unpacked: bytes that the whole archive may unpack to.

    Raises:
        ArchiveError: broken, encrypted, too large, or with anything but XML files in folders.
    """
    budget = _Budget(most_unpacked)
    reader = _zip_entries if compression == ZIP else _tar_entries
    try:
        yield from reader(path, budget, most_kept)
    except _BROKEN as error:
        raise ArchiveError(f"Archiwum {compression} jest uszkodzone: {type(error).__name__}.") from None


def _zip_entries(path: Path, budget: _Budget, most_kept: int) -> Iterator[Entry]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.is_dir():
                budget.enter(info.filename)
                continue
            name = _document_name(info.filename)
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG):
                raise ArchiveError(f"{name}: archiwum może zawierać tylko zwykłe pliki.")
            if info.flag_bits & _ENCRYPTED or info.compress_type not in _COMPRESSIONS:
                raise ArchiveError(f"{name}: niedozwolone szyfrowanie albo metoda kompresji.")
            with archive.open(info) as stream:
                yield _read(name, stream, budget, most_kept)


def _tar_entries(path: Path, budget: _Budget, most_kept: int) -> Iterator[Entry]:
    with gzip.open(path) as unzipped:
        # the first header is read by the opening already
        guard = _Guard(cast("BinaryIO", unzipped), _MOST_HEADER_BYTES)
        with tarfile.open(fileobj=cast("BinaryIO", guard), mode="r|") as archive:
            while True:
                guard.allow(_MOST_HEADER_BYTES)
                member = archive.next()
                if member is None:
                    break
                if member.isdir():
                    budget.enter(member.name)
                    continue
                name = _document_name(member.name)
                stream = archive.extractfile(member) if member.isreg() and not member.issparse() else None
                if stream is None:
                    raise ArchiveError(f"{name}: archiwum może zawierać tylko zwykłe pliki.")
                guard.allow(None)
                yield _read(name, stream, budget, most_kept)
        # the checksum stands at the very end
        for piece in pieces(cast("BinaryIO", unzipped)):
            budget.spend(len(piece))


@dataclass(slots=True)
class _Guard:
    """A stream that refuses to give more than it was told to allow: the length of headers is not believed."""

    stream: BinaryIO
    left: int | None

    def allow(self, size: int | None) -> None:
        """Allow this many bytes from now on; None means any number."""
        self.left = size

    def read(self, size: int = -1) -> bytes:
        """Read as a file does."""
        content = self.stream.read(size)
        if self.left is not None:
            self.left -= len(content)
            if self.left < 0:
                raise ArchiveError("Nagłówki w archiwum są za długie.")
        return content


def _read(name: str, stream: IO[bytes], budget: _Budget, most_kept: int) -> Entry:
    digest, size, kept = hashlib.sha256(), 0, bytearray()
    for piece in pieces(cast("BinaryIO", stream)):
        budget.spend(len(piece))
        digest.update(piece)
        size += len(piece)
        if size <= most_kept:
            kept += piece
    content = bytes(kept) if size <= most_kept else None
    return Entry(name, size, base64.b64encode(digest.digest()).decode(), content)


def _document_name(path: str) -> str:
    """The file's name inside its folders; only XML files are documents."""
    _check_path(path)
    name = PurePosixPath(path).name
    if not name.lower().endswith(".xml"):
        raise ArchiveError(f"{name[:128]}: archiwum może zawierać tylko pliki XML.")
    return name


def _check_path(path: str) -> None:
    """Refuse a path that would leave the archive's folder on any system."""
    steps = path.rstrip("/").split("/")
    if steps[0] == "." and len(steps) > 1:
        steps = steps[1:]
    if any(step in ("", "..") for step in steps) or any(sign in path for sign in "\\:\0"):
        raise ArchiveError(f"{path[:128]!r}: niedozwolona ścieżka w archiwum.")
