"""Archives that are written as a stream, with the same bytes of metadata every time.

Source: ``CompressionType`` of the API contract. In tar.gz all documents are one compressed stream, which
packs the XML that repeats from document to document; in Zip each document is compressed by itself.
"""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from enum import StrEnum
from typing import Protocol, cast

_GZIP_WINDOW = 31
"""``wbits`` of zlib and isal: window of 32 KB in a gzip container."""
_ISAL_LEVEL = 2
"""Measured on 10 000 invoices of 5 lines: 0.04 s and 2.3 MB; level 1 as fast, level 3 slower and larger."""
_ZLIB_LEVEL = 6
_GATHERED = 256 * 1024
"""Bytes given to the compressor at once: igzip packs a few per cent better in large pieces."""
LONGEST_NAME = 100
"""Characters of a file's name: the field of a tar header."""
_MODE = 0o644
_NOTHING_BEFORE = (1980, 1, 1, 0, 0, 0)
"""The first moment that Zip knows."""


class Archive(StrEnum):
    """``CompressionType``: kind of archive, as the contract writes it."""

    TAR_GZ = "TarGz"
    ZIP = "Zip"


class Sink(Protocol):
    """Where an archive's bytes go."""

    @property
    def size(self) -> int:
        """Bytes that it has taken."""
        ...

    def write(self, data: bytes) -> int:
        """Take bytes; gives their number."""
        ...


class ArchiveWriter(Protocol):
    """An archive that grows document by document."""

    def add(self, name: str, content: bytes) -> None:
        """Append a file.

        Args:
            name: its name, in ASCII, at most :data:`LONGEST_NAME` characters.
            content: its bytes.
        """
        ...

    def bound(self, size: int) -> int:
        """The largest size in bytes that the finished archive could have with one more file.

        Args:
            size: size of that file in bytes.
        """
        ...

    def settle(self) -> None:
        """Write out what is held back, so that :meth:`bound` comes close to the truth."""
        ...

    def close(self) -> None:
        """Finish the archive."""
        ...


class _Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self, mode: int = ..., /) -> bytes: ...


def writer(kind: Archive, sink: Sink) -> ArchiveWriter:
    """A writer of an archive.

    Args:
        kind: which kind.
        sink: where its bytes go.
    """
    return _TarGz(sink) if kind is Archive.TAR_GZ else _Zip(sink)


def _gzip_compressor() -> _Compressor:
    """Intel's igzip where it installs, else zlib; both write no file name and no time into the header."""
    try:
        from isal import isal_zlib  # noqa: PLC0415 - absent on some platforms
    except ImportError:
        return zlib.compressobj(_ZLIB_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
    return cast("_Compressor", isal_zlib.compressobj(_ISAL_LEVEL, isal_zlib.DEFLATED, _GZIP_WINDOW))


def _worst(size: int) -> int:
    """Upper bound of deflate's output for so many bytes, whatever they are."""
    return size + size // 128 + 1024


class _TarGz:
    """USTAR headers are changed copies of one by tarfile, whose own making of each costs seven times that."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._compressor = _gzip_compressor()
        self._gathered = bytearray()
        self._held = 0
        model = tarfile.TarInfo("0")
        model.mode = _MODE
        self._header = model.tobuf(tarfile.USTAR_FORMAT)

    def add(self, name: str, content: bytes) -> None:
        gathered = self._gathered
        before = len(gathered)
        gathered += self._header_of(name, len(content))
        gathered += content
        gathered += bytes(-len(content) % tarfile.BLOCKSIZE)
        self._held += len(gathered) - before
        if len(gathered) >= _GATHERED:
            self._compress()

    def bound(self, size: int) -> int:
        # a header, the file's last block and the two empty blocks at the end
        return self._sink.size + _worst(self._held + size + 4 * tarfile.BLOCKSIZE)

    def settle(self) -> None:
        self._compress()
        self._sink.write(self._compressor.flush(zlib.Z_SYNC_FLUSH))
        self._held = 0

    def close(self) -> None:
        self._gathered += bytes(2 * tarfile.BLOCKSIZE)
        self._compress()
        self._sink.write(self._compressor.flush(zlib.Z_FINISH))

    def _compress(self) -> None:
        self._sink.write(self._compressor.compress(bytes(self._gathered)))
        self._gathered.clear()

    def _header_of(self, name: str, size: int) -> bytes:
        """The header of a file: name, size and check sum at their places (POSIX.1-1988, ustar)."""
        header = bytearray(self._header)
        header[0:LONGEST_NAME] = name.encode("ascii").ljust(LONGEST_NAME, b"\0")
        header[124:136] = b"%011o\0" % size
        header[148:156] = b" " * 8
        header[148:156] = b"%06o\0 " % sum(header)
        return bytes(header)


class _Zip:
    def __init__(self, sink: Sink) -> None:
        self._file = _File(sink)
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED, compresslevel=_ZLIB_LEVEL)
        self._directory = 22 + 76
        """Bytes of the directory at the end: its closing records, those for large archives included."""

    def add(self, name: str, content: bytes) -> None:
        info = zipfile.ZipInfo(name, _NOTHING_BEFORE)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.create_system = 3
        info.external_attr = _MODE << 16
        self._zip.writestr(info, content)
        self._directory += _zip_entry(len(name))

    def bound(self, size: int) -> int:
        # the file's own header is shorter than its entry in the directory; 24 for the description behind it
        return self._file.size + self._directory + _worst(size) + 2 * _zip_entry(LONGEST_NAME) + 24

    def settle(self) -> None:
        """Nothing: what is held back is counted."""

    def close(self) -> None:
        self._zip.close()
        self._file.pass_on()


def _zip_entry(name_length: int) -> int:
    """Bytes of a file's entry in the directory, with the extra field of large archives."""
    return 46 + 28 + name_length


class _File:
    """A sink as a file that cannot seek, as zipfile wants it; gathers the many small pieces it writes."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._gathered = bytearray()

    @property
    def size(self) -> int:
        """Bytes written to it."""
        return self._sink.size + len(self._gathered)

    def write(self, data: bytes, /) -> int:
        self._gathered += data
        if len(self._gathered) >= _GATHERED:
            self.pass_on()
        return len(data)

    def pass_on(self) -> None:
        """Give the sink what was gathered."""
        self._sink.write(bytes(self._gathered))
        self._gathered.clear()

    def flush(self) -> None:
        """Nothing: zipfile flushes after each file."""

    def close(self) -> None:
        """Nothing: the sink is not ours."""
