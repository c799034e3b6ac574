"""Files that the sandbox keeps outside its database: parts of batches and of exports.

A part has up to 100 000 000 bytes, so it is written and read in pieces and never held in memory as a whole.
"""

from __future__ import annotations

import base64
import hashlib
import shutil
import tempfile
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

_PIECE = 256 * 1024


@dataclass(frozen=True, slots=True)
class Written:
    """What was written.

    Attributes:
        size: bytes.
        hash: SHA-256 in Base64.
    """

    size: int
    hash: str


@dataclass(slots=True)
class Files:
    """A folder of files, made at first use.

    Attributes:
        kept: the folder beside a database file; None takes a temporary folder that goes with the process.
    """

    kept: Path | None = None
    _temporary: tempfile.TemporaryDirectory[str] | None = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def folder(self, name: str) -> Path:
        """The folder of a batch or of an export; made when missing."""
        path = self._root() / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def _root(self) -> Path:
        if self.kept is not None:
            return self.kept
        # two uploads may come first at the same time
        with self._lock:
            if self._temporary is None:
                self._temporary = tempfile.TemporaryDirectory(prefix="ksef-sandbox-")
            return Path(self._temporary.name)

    def remove(self, name: str) -> None:
        """Remove the folder of a batch or of an export with all files in it."""
        shutil.rmtree(self._root() / name, ignore_errors=True)

    def close(self) -> None:
        """Remove the temporary folder; files beside a database stay."""
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = None


def pieces(stream: BinaryIO, *, most: int | None = None) -> Iterator[bytes]:
    """The bytes of a stream piece by piece.

    Args:
        stream: where to read.
        most: how many bytes at most; None reads to the end.
    """
    left = most
    while True:
        piece = stream.read(_PIECE if left is None else min(left, _PIECE))
        if not piece:
            return
        if left is not None:
            left -= len(piece)
        yield piece


class Meter:
    """Measures bytes on their way: size and SHA-256."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._size = 0

    def through(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Hand the pieces on unchanged."""
        for chunk in chunks:
            self._digest.update(chunk)
            self._size += len(chunk)
            yield chunk

    def result(self) -> Written:
        """What went through until now."""
        return Written(self._size, base64.b64encode(self._digest.digest()).decode())


def write(path: Path, chunks: Iterable[bytes]) -> Written:
    """Write pieces into a file; an incomplete file is removed when an exception passes."""
    meter = Meter()
    try:
        with path.open("wb") as file:
            for chunk in meter.through(chunks):
                file.write(chunk)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return meter.result()
