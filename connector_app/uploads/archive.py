"""Opening an uploaded ZIP: nothing is written to disk, and nothing grows beyond its bounds."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import PurePosixPath

from core.fa.bytes_check import MAX_BYTES_WITH_ATTACHMENT
from core.findings import Text

MOST_FILES = 200
"""Files of one upload, in an archive or not."""
MOST_BYTES = 64 * 1024 * 1024
"""All files of an archive together, unpacked."""
MOST_RATIO = 200
"""An archive whose files unpack to more times their size is a bomb; invoices reach about 20."""
_CHUNK = 64 * 1024
_FREE = 64 * 1024
"""Files up to this many bytes may be packed as well as they can."""


class BadArchive(ValueError):
    """A ZIP that is not opened.

    Attributes:
        text: why, for a person.
    """

    def __init__(self, pl: str, en: str) -> None:
        super().__init__(en)
        self.text = Text(pl, en)


def is_archive(data: bytes) -> bool:
    """Whether bytes look like a ZIP, whatever their name."""
    return data[:4] in {b"PK\x03\x04", b"PK\x05\x06"}


def unpack(data: bytes) -> list[tuple[str, bytes]]:
    """The XML files of an archive, in its order, with their names without folders.

    Folders and what a Mac adds are passed over. Names are shown only, never used as paths.

    Args:
        data: the ZIP.

    Raises:
        BadArchive: it is broken, encrypted, has too many or too large files, or files that are no XML.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [one for one in archive.infolist() if not _is_passed_over(one)]
            _check(entries)
            left, found = MOST_BYTES, []
            for entry in entries:
                content = _read(archive, entry, left)
                left -= len(content)
                found.append((shown(entry.filename), content))
            return found
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError):
        raise BadArchive(
            "Archiwum ZIP jest uszkodzone, zaszyfrowane albo spakowane nieznaną metodą.",
            "The ZIP is broken, encrypted or packed by an unknown method.",
        ) from None


def shown(name: str) -> str:
    """The last part of a file's name, for showing."""
    last = PurePosixPath(name.replace("\\", "/")).name
    return "".join(one for one in last if one.isprintable())[:120] or "?"


def _is_passed_over(entry: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
    return entry.is_dir() or "__MACOSX" in parts or (bool(parts) and parts[-1].startswith("."))


def _check(entries: list[zipfile.ZipInfo]) -> None:
    if not entries:
        raise BadArchive("W archiwum nie ma plików.", "The archive has no files.")
    if len(entries) > MOST_FILES:
        raise BadArchive(
            f"W archiwum jest więcej niż {MOST_FILES} plików. Podziel je.",
            f"The archive has more than {MOST_FILES} files. Split it.",
        )
    for entry in entries:
        name = shown(entry.filename)
        if not name.lower().endswith(".xml"):
            raise BadArchive(
                f"„{name}” w archiwum nie jest plikiem XML. Nic nie wgrano.",
                f'"{name}" in the archive is no XML file. Nothing was uploaded.',
            )


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, left: int) -> bytes:
    """One file, read in pieces: what its header says of its size is not believed."""
    most = min(MAX_BYTES_WITH_ATTACHMENT, left)
    parts, size = [], 0
    with archive.open(entry) as stream:
        while piece := stream.read(_CHUNK):
            size += len(piece)
            if size > most or (size > _FREE and size > MOST_RATIO * max(entry.compress_size, 1)):
                raise BadArchive(
                    f"„{shown(entry.filename)}” jest po rozpakowaniu za duży.",
                    f'"{shown(entry.filename)}" is too large when unpacked.',
                )
            parts.append(piece)
    return b"".join(parts)


def files_of(data: bytes, name: str) -> list[tuple[str, bytes]]:
    """What one uploaded file holds: itself, or the files of an archive.

    Args:
        data: its bytes.
        name: as given.

    Raises:
        BadArchive: see :func:`unpack`.
    """
    return unpack(data) if is_archive(data) else [(shown(name), data)]
