"""Cutting an archive into parts that are encrypted, hashed and written while it is being made.

Source: ``BatchFileInfo`` and ``BatchFilePartInfo`` of the API contract: the archive is cut as bytes before
encryption; each part is encrypted by itself with the session's key and IV (AES-256-CBC, PKCS#7).
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import BinaryIO

from core.ksef.batch.package import Part
from core.ksef.encryption import SessionKey, hash_base64


class PartWriter:
    """Takes the bytes of an archive and leaves encrypted parts in a folder; holds no more than a piece.

    Args:
        folder: where the parts go; must be there and be empty.
        key: encrypts each part.
        part_bytes: largest part in bytes, before encryption.
    """

    def __init__(self, folder: Path, key: SessionKey, part_bytes: int) -> None:
        self._folder = folder
        self._key = key
        self._part_bytes = part_bytes
        self._whole = hashlib.sha256()
        self._size = 0
        self._parts: list[Part] = []
        self._current: _OpenPart | None = None
        self._discarded = False

    @property
    def size(self) -> int:
        """Bytes of the archive so far."""
        return self._size

    @property
    def hash(self) -> str:
        """SHA-256 of the archive so far, Base64."""
        return hash_base64(self._whole)

    def write(self, data: bytes) -> int:
        """Take bytes of the archive; after :meth:`discard` they are dropped.

        Raises:
            OSError: a part cannot be written.
        """
        if self._discarded:
            # zipfile writes its directory even when it is thrown away
            return len(data)
        self._whole.update(data)
        self._size += len(data)
        rest = memoryview(data)
        while rest:
            if self._current is None:
                ordinal = len(self._parts) + 1
                self._current = _OpenPart(self._folder / f"part-{ordinal:04}.bin", self._key)
            room = self._part_bytes - self._current.taken
            self._current.write(rest[:room])
            rest = rest[room:]
            if self._current.taken == self._part_bytes:
                self._end_part()
        return len(data)

    def finish(self) -> tuple[Part, ...]:
        """End the last part; gives all of them."""
        self._end_part()
        return tuple(self._parts)

    def discard(self) -> None:
        """Delete everything written."""
        self._discarded = True
        if self._current is not None:
            self._current.close()
            self._current.path.unlink(missing_ok=True)
            self._current = None
        for part in self._parts:
            (self._folder / part.name).unlink(missing_ok=True)
        self._parts.clear()

    def _end_part(self) -> None:
        if self._current is not None:
            self._parts.append(self._current.finish(len(self._parts) + 1))
            self._current = None


class _OpenPart:
    """The part that is being written."""

    def __init__(self, path: Path, key: SessionKey) -> None:
        self.path = path
        self.taken = 0
        self._written = 0
        self._hash = hashlib.sha256()
        self._encryptor = key.encryptor()
        # only new files: a part of another package is never overwritten
        self._file: BinaryIO = path.open("xb")

    def write(self, data: memoryview) -> None:
        self.taken += len(data)
        self._put(self._encryptor.update(data))

    def finish(self, ordinal: int) -> Part:
        self._put(self._encryptor.finish())
        self._file.close()
        return Part(ordinal, self.path.name, self._written, hash_base64(self._hash))

    def close(self) -> None:
        self._file.close()

    def _put(self, encrypted: bytes) -> None:
        self._hash.update(encrypted)
        self._written += len(encrypted)
        self._file.write(encrypted)
