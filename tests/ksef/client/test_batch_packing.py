"""The packer of batches against independent unpacking, its limits, its memory and its storage."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import sys
import tempfile
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.ksef.batch.archives import Archive
from core.ksef.batch.errors import (
    DuplicateContent,
    DuplicateKey,
    EmptyPackage,
    FolderNotEmpty,
    PackageTooLarge,
    PackError,
    TooManyDocuments,
    TooManyParts,
)
from core.ksef.batch.package import Package
from core.ksef.batch.packing import BatchDocument, PackLimits, pack, pack_all
from core.ksef.interactive import StoredSessionError
from tests.ksef.client.unpacking import decrypted, sha, unpacked

KINDS = list(Archive)


def _documents(count: int, size: int = 300) -> list[BatchDocument]:
    return [
        BatchDocument(f"FV/{n}", f"<Faktura><P_2>FV/{n}</P_2>{'<x/>' * (size // 4)}</Faktura>".encode())
        for n in range(1, count + 1)
    ]


def _noise(count: int, size: int) -> list[BatchDocument]:
    """Documents that nothing can compress."""
    source = random.Random(7)
    return [BatchDocument(f"N/{n}", source.randbytes(size)) for n in range(count)]


def _parts(package: Package) -> list[bytes]:
    return [package.path(part).read_bytes() for part in package.parts]


def _check(package: Package, documents: list[BatchDocument]) -> None:
    """Everything that the package states is true, found out independently."""
    parts = _parts(package)
    assert [(part.size, part.hash) for part in package.parts] == [(len(one), sha(one)) for one in parts]
    assert [part.ordinal for part in package.parts] == list(range(1, len(parts) + 1))
    archive = b"".join(decrypted(one, package.key.key, package.key.iv) for one in parts)
    assert (package.size, package.hash) == (len(archive), sha(archive))
    assert package.encrypted_size == sum(map(len, parts))
    found = unpacked(parts, package.key.key, package.key.iv, package.archive.value)
    assert list(found.values()) == [one.xml for one in documents]
    assert [(one.key, one.hash, one.size) for one in package.documents] == [
        (one.key, sha(one.xml), len(one.xml)) for one in documents
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_package_unpacks_to_the_same_bytes(tmp_path: Path, kind: Archive) -> None:
    """One part, made of many documents, holds exactly their bytes and nothing in plain text."""
    documents = _documents(500)
    package = pack(documents, tmp_path / "made", archive=kind)
    _check(package, documents)
    assert len(package.parts) == 1
    assert b"Faktura" not in _parts(package)[0]
    assert {path.name for path in package.folder.iterdir()} == {part.name for part in package.parts}


@pytest.mark.parametrize("kind", KINDS)
def test_archive_is_cut_as_bytes_into_parts(tmp_path: Path, kind: Archive) -> None:
    """All parts but the last have the full size before encryption; each is encrypted by itself."""
    documents = _noise(40, 1500)
    limits = PackLimits(parts=1000, part_bytes=1000)
    package = pack(documents, tmp_path, archive=kind, limits=limits)
    _check(package, documents)
    sizes = [len(decrypted(one, package.key.key, package.key.iv)) for one in _parts(package)]
    assert len(sizes) > 50
    assert set(sizes[:-1]) == {1000}
    assert 0 < sizes[-1] <= 1000


@settings(max_examples=60, deadline=None)
@given(
    contents=st.lists(st.binary(max_size=3000), min_size=1, max_size=12, unique=True),
    part_bytes=st.integers(1, 2000),
    kind=st.sampled_from(KINDS),
)
def test_any_documents_and_any_cut(contents: list[bytes], part_bytes: int, kind: Archive) -> None:
    """Whatever the documents and wherever the cuts fall, unpacking gives the documents."""
    documents = [BatchDocument(str(n), one) for n, one in enumerate(contents)]
    limits = PackLimits(parts=10**9, part_bytes=part_bytes)
    with tempfile.TemporaryDirectory() as folder:
        package = pack(documents, Path(folder), archive=kind, limits=limits)
        _check(package, documents)
        assert len(package.parts) == -(-package.size // part_bytes)


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 4000), min_size=1, max_size=25),
    most_documents=st.integers(1, 25),
    parts=st.integers(1, 4),
    compressible=st.booleans(),
    kind=st.sampled_from(KINDS),
)
def test_any_number_of_documents_becomes_packages_within_the_limits(
    sizes: list[int], most_documents: int, parts: int, compressible: bool, kind: Archive
) -> None:
    """Every document is in exactly one package, in order, and no package is over any limit."""
    source = random.Random(1)
    documents = [
        BatchDocument(f"{n}", f"{n}".encode() + (b"x" * size if compressible else source.randbytes(size)))
        for n, size in enumerate(sizes)
    ]
    limits = PackLimits(most_documents, parts, part_bytes=9000, archive_bytes=20_000)
    with tempfile.TemporaryDirectory() as folder:
        packages = list(pack_all(documents, Path(folder), archive=kind, limits=limits))
        start = 0
        for package in packages:
            _check(package, documents[start : start + len(package.documents)])
            start += len(package.documents)
            assert len(package.documents) <= most_documents
            assert len(package.parts) <= parts
            assert package.size <= 20_000
        assert start == len(documents)


def test_more_documents_than_a_session_takes_become_several_packages(tmp_path: Path) -> None:
    """25 documents of at most 10 become 10, 10 and 5, each with a key of its own, given one by one."""
    documents = _documents(25)
    packages = pack_all(iter(documents), tmp_path, limits=PackLimits(documents=10))
    first = next(packages)
    assert [path.name for path in tmp_path.iterdir()] == ["0001"]
    found = [first, *packages]
    assert [len(one.documents) for one in found] == [10, 10, 5]
    assert len({one.key.key for one in found}) == len({one.key.iv for one in found}) == 3
    assert list(pack_all([], tmp_path / "none")) == []


@pytest.mark.parametrize("compressor", ["igzip", "zlib"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_full_archive_is_filled_to_its_limit(
    tmp_path: Path, kind: Archive, compressor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Splitting by size wastes little room, although the compressors hold bytes back."""
    if compressor == "zlib":
        monkeypatch.setitem(sys.modules, "isal", None)
    documents = _noise(300, 1000)
    packages = list(pack_all(documents, tmp_path, archive=kind, limits=PackLimits(archive_bytes=100_000)))
    assert all(90_000 < one.size <= 100_000 for one in packages[:-1])


@pytest.mark.parametrize("kind", KINDS)
def test_same_documents_and_key_give_the_same_bytes(
    tmp_path: Path, kind: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the machine or the moment is in an archive."""
    documents = _documents(50)
    made = []
    for name, moment in (("a", 1_000_000_000.0), ("b", 1_800_000_000.0)):
        monkeypatch.setattr("time.time", lambda moment=moment: moment)
        package = pack(documents, tmp_path / name, archive=kind, random=lambda count: b"k" * count)
        made.append((package.hash, package.parts))
    assert made[0] == made[1]


def test_without_igzip_zlib_packs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where isal does not install the package is just as good."""
    documents = _documents(200)
    monkeypatch.setitem(sys.modules, "isal", None)
    package = pack(documents, tmp_path)
    _check(package, documents)
    archive = b"".join(decrypted(one, package.key.key, package.key.iv) for one in _parts(package))
    # level 6 of zlib leaves this mark in the header's eighth byte, igzip another
    assert archive[8:10] == gzip.compress(b"", 6, mtime=0)[8:10]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("limits", "expected", "limit"),
    [
        (PackLimits(documents=19), TooManyDocuments, 19),
        (PackLimits(parts=5, part_bytes=2000), TooManyParts, 5),
        (PackLimits(archive_bytes=9000), PackageTooLarge, 9000),
    ],
)
def test_too_much_is_refused_and_nothing_stays(
    tmp_path: Path,
    kind: Archive,
    limits: PackLimits,
    expected: type[TooManyDocuments | TooManyParts | PackageTooLarge],
    limit: int,
) -> None:
    """Each limit has its error, which names the document; what was written is deleted."""
    with pytest.raises(expected) as caught:
        pack(_noise(20, 1000), tmp_path, archive=kind, limits=limits)
    assert caught.value.limit == limit
    assert caught.value.key in {f"N/{n}" for n in range(5, 20)}
    assert list(tmp_path.iterdir()) == []


def test_a_document_that_fits_no_package_is_refused(tmp_path: Path) -> None:
    """Splitting never goes on for ever: a document larger than a package is an error."""
    documents = [*_noise(2, 500), BatchDocument("big", random.Random(3).randbytes(50_000))]
    packages = pack_all(documents, tmp_path, limits=PackLimits(archive_bytes=20_000))
    assert len(next(packages).documents) == 2
    with pytest.raises(PackageTooLarge, match="big"):
        next(packages)


def test_equal_documents_are_refused(tmp_path: Path) -> None:
    """Equal bytes and equal keys are refused by name; no documents are refused too."""
    one, two = _documents(2)
    with pytest.raises(DuplicateContent) as caught:
        pack([one, two, BatchDocument("again", one.xml)], tmp_path)
    assert (caught.value.key, caught.value.first_key) == ("again", one.key)
    with pytest.raises(DuplicateKey) as twice:
        pack([one, BatchDocument(one.key, two.xml)], tmp_path)
    assert twice.value.key == one.key
    with pytest.raises(EmptyPackage):
        pack([], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_another_package_is_never_overwritten(tmp_path: Path) -> None:
    """A folder that holds something takes no second package; what is there stays as it is."""
    documents = _documents(3)
    package = pack(documents, tmp_path)
    with pytest.raises(FolderNotEmpty):
        pack(_documents(5), tmp_path)
    _check(package, documents)
    package.remove_files()
    package.remove_files()
    assert not tmp_path.exists()


def test_a_broken_source_leaves_nothing(tmp_path: Path) -> None:
    """When the documents cannot be read to the end, no half package stays."""

    def broken() -> Iterator[BatchDocument]:
        yield from _noise(30, 5000)
        raise OSError("the database went away")

    with pytest.raises(OSError, match="went away"):
        pack(broken(), tmp_path, limits=PackLimits(part_bytes=10_000))
    assert list(tmp_path.iterdir()) == []


def test_package_is_stored_and_read_back(tmp_path: Path) -> None:
    """Through JSON a package comes back equal; its key and documents are never shown."""
    package = pack(_documents(20), tmp_path, limits=PackLimits(parts=100, part_bytes=100))
    stored = json.dumps(package.as_dict())
    assert Package.from_dict(json.loads(stored)) == package
    shown = f"{package!r} {package}"
    assert str(package.key.key) not in shown
    assert "FV/1" not in shown


@pytest.mark.parametrize("field", ["folder", "archive", "size", "hash", "parts", "documents", "key", "iv"])
@pytest.mark.parametrize("value", [None, [], "?"])
def test_damaged_storage_is_an_error_without_its_secrets(tmp_path: Path, field: str, value: object) -> None:
    """A missing or damaged field makes no package, and the message does not quote what is stored."""
    stored = pack(_documents(2), tmp_path).as_dict()
    if field in {"folder", "hash"} and value == "?":
        value = 7
    with pytest.raises(StoredSessionError) as caught:
        Package.from_dict({**stored, field: value})
    assert str(stored["key"]) not in str(caught.value)


def test_memory_stays_flat(tmp_path: Path) -> None:
    """10 000 documents of 3 KB, made one by one, need less than half of their own 30 MB."""

    def documents() -> Iterator[BatchDocument]:
        filler = b"".join(hashlib.sha256(b"%d" % n).hexdigest().encode() for n in range(47))
        for n in range(10_000):
            yield BatchDocument(f"FV/2026/{n}", b"<Faktura>%d%s</Faktura>" % (n, filler))

    pack(_documents(1), tmp_path / "warm")
    tracemalloc.start()
    try:
        package = pack(documents(), tmp_path / "made")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(package.documents) == 10_000
    assert sum(one.size for one in package.documents) > 30_000_000
    assert peak < 15_000_000


def test_errors_are_one_tree() -> None:
    """A caller that handles PackError handles every refusal of the packer."""
    kinds = (EmptyPackage, DuplicateContent, DuplicateKey, FolderNotEmpty, TooManyDocuments, TooManyParts)
    assert all(issubclass(kind, PackError) for kind in kinds)
