"""The file of a backup: a tar.gz of numbered parts that ends with their manifest, sealed when it is wanted.

``head.json`` comes first (which program, which form of the tables), then the parts of the tables and the
files, and ``manifest.json`` last: names, sizes and SHA-256 of all parts. A file that was cut has no manifest.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from connector_app.keeping.sealing import (
    NOT_A_BACKUP,
    TAMPERED,
    SealedFile,
    SealingFile,
    Unopenable,
    is_sealed,
)
from core.findings import Text

FORMAT = 1
SUFFIX = ".ksefbackup"
HEAD, MANIFEST = "head.json", "manifest.json"
PART = 4 << 20
"""Bytes of a part; one row may be longer."""
_LARGEST_PART = 256 << 20
_LEVEL = 6


@dataclass(slots=True)
class Manifest:
    """What a backup says of itself.

    Attributes:
        head: of :data:`HEAD`. parts: name, size and SHA-256 of each. more: counts and marks.
    """

    head: dict[str, Any]
    parts: list[tuple[str, int, str]] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)


class Writer:
    """Writes a backup forwards only.

    Args:
        out: the file.
        head: what the backup says first.
        passphrase: seals it; ``None`` leaves it open.
    """

    def __init__(self, out: IO[bytes], head: dict[str, Any], passphrase: str | None) -> None:
        self._sealing = SealingFile(out, passphrase) if passphrase is not None else None
        inner: Any = self._sealing or out
        self._gzip = gzip.GzipFile(filename="", fileobj=inner, mode="wb", compresslevel=_LEVEL, mtime=0)
        self._tar = tarfile.open(fileobj=self._gzip, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115  closed by finish
        self.manifest = Manifest(head | {"format": FORMAT})
        self._add(HEAD, _json(self.manifest.head))

    def part(self, name: str, data: bytes) -> None:
        """Add one part."""
        self._add(name, data)
        self.manifest.parts.append((name, len(data), hashlib.sha256(data).hexdigest()))

    def finish(self, more: dict[str, Any]) -> None:
        """Write the manifest and end the file."""
        self.manifest.more = more
        values = {"head": self.manifest.head, "parts": self.manifest.parts, **more}
        self._add(MANIFEST, _json(values))
        self._tar.close()
        self._gzip.close()
        if self._sealing is not None:
            self._sealing.finish()

    def _add(self, name: str, data: bytes) -> None:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(data), 0o600
        self._tar.addfile(entry, io.BytesIO(data))


class Reader:
    """Reads a backup forwards; every part is compared with the manifest at the end.

    Args:
        file: at its beginning.
        passphrase: of a sealed one.

    Attributes:
        head: what it says first.
        manifest: known when :meth:`parts` has ended.

    Raises:
        Unopenable: it is no backup, of a newer program, or the passphrase is missing or wrong.
    """

    def __init__(self, file: IO[bytes], passphrase: str | None) -> None:
        self.is_sealed = is_sealed(file)
        if self.is_sealed and passphrase is None:
            raise Unopenable(PASSPHRASE_NEEDED)
        inner: Any = (
            io.BufferedReader(SealedFile(file, passphrase or ""), 1 << 20) if self.is_sealed else file
        )
        self.manifest: Manifest | None = None
        self._seen: list[tuple[str, int, str]] = []
        self._gzip = gzip.GzipFile(fileobj=inner, mode="rb")
        self._members = self._read()
        name, data = next(self._members, ("", b""))
        if name != HEAD:
            raise Unopenable(NOT_A_BACKUP)
        self.head = _object(data)
        if self.head.get("format") != FORMAT:
            raise Unopenable(TOO_NEW)

    def parts(self) -> Iterator[tuple[str, bytes]]:
        """All parts, one in memory at a time; may be read once.

        Raises:
            Unopenable: the file is cut, damaged or was changed.
        """
        for name, data in self._members:
            if self.manifest is not None:
                raise Unopenable(TAMPERED)
            if name == MANIFEST:
                self._compare(_object(data))
                continue
            self._seen.append((name, len(data), hashlib.sha256(data).hexdigest()))
            yield name, data
        if self.manifest is None:
            raise Unopenable(TAMPERED)

    def _read(self) -> Iterator[tuple[str, bytes]]:
        began = False
        try:
            with tarfile.open(fileobj=self._gzip, mode="r|") as tar:
                for entry in tar:
                    if not entry.isreg() or entry.size > _LARGEST_PART:
                        raise Unopenable(TAMPERED)
                    stream = tar.extractfile(entry)
                    began = True
                    yield entry.name, stream.read() if stream is not None else b""
            # to the end of the file: its own checksum, and nothing behind it
            while self._gzip.read(1 << 20):
                pass
        except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error):
            raise Unopenable(TAMPERED if began else NOT_A_BACKUP) from None

    def _compare(self, values: dict[str, Any]) -> None:
        try:
            parts = [(str(name), int(size), str(digest)) for name, size, digest in values.pop("parts")]
        except (KeyError, ValueError, TypeError):
            raise Unopenable(TAMPERED) from None
        if parts != self._seen or values.pop("head", None) != self.head:
            raise Unopenable(TAMPERED)
        self.manifest = Manifest(self.head, parts, values)


def _json(values: object) -> bytes:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()


def _object(data: bytes) -> dict[str, Any]:
    try:
        values = json.loads(data)
    except ValueError:
        raise Unopenable(TAMPERED) from None
    if not isinstance(values, dict):
        raise Unopenable(TAMPERED)
    return values


PASSPHRASE_NEEDED = Text(
    "Ta kopia zapasowa jest zaszyfrowana: podaj jej hasło (--passphrase-file albo "
    "KSEF_CONNECTOR_BACKUP_PASSPHRASE).",
    "This backup is encrypted: give its passphrase (--passphrase-file, or KSEF_CONNECTOR_BACKUP_PASSPHRASE).",
)
TOO_NEW = Text(
    "Tę kopię zapasową zrobiła nowsza wersja programu. Uruchom tę wersję.",
    "A newer version of the program made this backup. Run that version.",
)
