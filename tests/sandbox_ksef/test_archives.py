"""Archives: what a batch may contain, and what is refused before it can do harm."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.ksef.batch.archive import ArchiveError, Entry, entries
from tests.sandbox_ksef.packing import Documents, bad_paths, stuffed, tarred, zipped

KINDS = pytest.mark.parametrize(("compression", "pack"), [("Zip", zipped), ("TarGz", tarred)])
Pack = Callable[[Documents], bytes]


def read(
    tmp_path: Path, archive: bytes, compression: str, *, kept: int = 1000, unpacked: int = 100_000
) -> list[Entry]:
    """The entries of an archive."""
    path = tmp_path / "archive"
    path.write_bytes(archive)
    return list(entries(path, compression, most_kept=kept, most_unpacked=unpacked))


@KINDS
def test_documents_in_their_order(tmp_path: Path, compression: str, pack: Pack) -> None:
    """Names without folders, sizes, and the bytes of documents that are not too long."""
    found = read(tmp_path, pack({"b.xml": b"1", "x/a.XML": b"22", "./long.xml": b"3" * 1001}), compression)
    assert [(entry.name, entry.size, entry.content) for entry in found] == [
        ("b.xml", 1, b"1"),
        ("a.XML", 2, b"22"),
        ("long.xml", 1001, None),
    ]


@KINDS
def test_paths_and_other_files(tmp_path: Path, compression: str, pack: Pack) -> None:
    """Paths that leave the archive's folder on any system, and files that are no XML."""
    for name in (*bad_paths(), "readme.txt", "xml"):
        with pytest.raises(ArchiveError):
            read(tmp_path, pack({name: b"1"}), compression)


@KINDS
def test_bomb(tmp_path: Path, compression: str, pack: Pack) -> None:
    """What unpacks to more than is allowed is refused by the bytes read, in one document or in many."""
    with pytest.raises(ArchiveError):
        read(tmp_path, pack({"a.xml": bytes(100_001)}), compression)
    with pytest.raises(ArchiveError):
        read(tmp_path, pack({f"{index}.xml": bytes(1000) for index in range(101)}), compression)


@KINDS
def test_broken(tmp_path: Path, compression: str, pack: Pack) -> None:
    """An archive that is cut, damaged or no archive at all."""
    whole = pack({"a.xml": bytes(range(256)) * 200})
    spoiled = bytearray(whole)
    spoiled[60] ^= 0xFF
    for archive in (b"", b"x" * 2000, whole[: len(whole) // 2], bytes(spoiled)):
        with pytest.raises(ArchiveError):
            read(tmp_path, archive, compression)


def test_links_and_devices(tmp_path: Path) -> None:
    """Anything but a regular file is refused."""
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
        with pytest.raises(ArchiveError):
            read(tmp_path, tarred({"a.xml": b""}, kind=kind), "TarGz")
    link = zipfile.ZipInfo("a.xml")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "links", "w") as archive:
        archive.writestr(link, "/etc/hosts")
    with pytest.raises(ArchiveError):
        read(tmp_path, (tmp_path / "links").read_bytes(), "Zip")


def test_compression_and_encryption(tmp_path: Path) -> None:
    """Stored and deflated entries only, and none that needs a password."""
    with pytest.raises(ArchiveError):
        read(tmp_path, zipped({"a.xml": b"1" * 500}, compression=zipfile.ZIP_BZIP2), "Zip")
    archive = bytearray(zipped({"a.xml": b"1"}))
    archive[archive.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(ArchiveError):
        read(tmp_path, bytes(archive), "Zip")


def test_header_that_fills_the_memory(tmp_path: Path) -> None:
    """A tar header of megabytes is refused while it is read."""
    with pytest.raises(ArchiveError):
        read(tmp_path, stuffed("a.xml", 2_000_000), "TarGz", unpacked=100_000_000)


def test_too_many_folders(tmp_path: Path) -> None:
    """Folders are no documents, but they are counted too."""
    folders = {f"{index}/": b"" for index in range(10_001)}
    with pytest.raises(ArchiveError):
        read(tmp_path, zipped(folders), "Zip")
