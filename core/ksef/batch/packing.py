"""Packing documents for batch sessions: an archive, cut and encrypted, in one pass and with flat memory.

Source: ``POST /sessions/batch`` and ``BatchFileInfo`` of the API contract; 10 000 documents in a session are
the default of ``BatchSessionEffectiveContextLimits.maxInvoices``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from core.ksef.batch.archives import Archive, writer
from core.ksef.batch.errors import (
    DuplicateContent,
    DuplicateKey,
    EmptyPackage,
    FolderNotEmpty,
    PackageFull,
    PackageTooLarge,
    TooManyDocuments,
    TooManyParts,
)
from core.ksef.batch.package import Package, PackedDocument
from core.ksef.batch.parts import PartWriter
from core.ksef.encryption import SessionKey, sha256_base64


@dataclass(frozen=True, slots=True)
class BatchDocument:
    """A document to be packed.

    Attributes:
        key: the caller's own name for it; stays here and never goes to KSeF.
        xml: its bytes, exactly as stored.
    """

    key: str
    xml: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PackLimits:
    """How much one package may hold.

    Attributes:
        documents: number of documents.
        parts: number of parts.
        part_bytes: largest part in bytes, before encryption.
        archive_bytes: largest archive in bytes, before encryption.
    """

    documents: int = 10_000
    parts: int = 50
    part_bytes: int = 100_000_000
    archive_bytes: int = 5_000_000_000


LIMITS = PackLimits()


def pack(
    documents: Iterable[BatchDocument],
    folder: Path,
    *,
    archive: Archive = Archive.TAR_GZ,
    limits: PackLimits = LIMITS,
    random: Callable[[int], bytes] = os.urandom,
) -> Package:
    """Pack documents into one package with a fresh key.

    Only encrypted bytes reach the disk. When anything fails, what was written is deleted; a process that was
    killed leaves parts without a package: begin again in another folder.

    Args:
        documents: the documents, taken one by one.
        folder: where the parts go; made when missing, otherwise empty.
        archive: kind of archive.
        limits: how much the package may hold.
        random: gives secret random bytes.

    Raises:
        PackError: the documents make no package, see :mod:`core.ksef.batch.errors`.
        OSError: the parts cannot be written.
    """
    with _Packer(folder, archive, limits, SessionKey.generate(random)) as packer:
        for document in documents:
            packer.add(document)
        return packer.finish()


def pack_all(
    documents: Iterable[BatchDocument],
    folder: Path,
    *,
    archive: Archive = Archive.TAR_GZ,
    limits: PackLimits = LIMITS,
    random: Callable[[int], bytes] = os.urandom,
) -> Iterator[Package]:
    """Pack any number of documents into as many packages as are needed, each with a key of its own.

    Packages are given as soon as they are full; equal documents are noticed within a package only.

    Args:
        documents: the documents, taken one by one.
        folder: gets a folder for each package: ``0001``, ``0002`` and so on.
        archive: kind of archive.
        limits: how much a package may hold.
        random: gives secret random bytes.

    Raises:
        PackError: the documents make no package; packages given before stay.
        OSError: the parts cannot be written.
    """
    waiting = iter(documents)
    document = next(waiting, None)
    number = 0
    while document is not None:
        number += 1
        with _Packer(folder / f"{number:04}", archive, limits, SessionKey.generate(random)) as packer:
            # the first one must fit, or no package would ever take it
            packer.add(document)
            while (document := next(waiting, None)) is not None and packer.obstacle(document) is None:
                packer.add(document)
            package = packer.finish()
        yield package


class _Packer:
    """One package in the making; in a ``with`` block, so that nothing half-made stays."""

    def __init__(self, folder: Path, archive: Archive, limits: PackLimits, key: SessionKey) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise FolderNotEmpty(folder)
        self._folder = folder
        self._kind = archive
        self._limits = limits
        self._key = key
        self._parts = PartWriter(folder, key, limits.part_bytes)
        self._archive = writer(archive, self._parts)
        self._documents: dict[str, PackedDocument] = {}
        self._keys: set[str] = set()
        self._done = False

    def __enter__(self) -> _Packer:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._done:
            self._parts.discard()

    def obstacle(self, document: BatchDocument) -> PackageFull | None:
        """Why the package cannot take this document any more; None when it can."""
        limits = self._limits
        if len(self._documents) >= limits.documents:
            return TooManyDocuments(document.key, limits.documents)
        most = min(limits.archive_bytes, limits.parts * limits.part_bytes)
        size = len(document.xml)
        if self._archive.bound(size) > most:
            self._archive.settle()
            if self._archive.bound(size) > most:
                if most < limits.archive_bytes:
                    return TooManyParts(document.key, limits.parts)
                return PackageTooLarge(document.key, limits.archive_bytes)
        return None

    def add(self, document: BatchDocument) -> None:
        """Append a document; raises PackError when it may not be in this package."""
        full = self.obstacle(document)
        if full is not None:
            raise full
        digest = sha256_base64(document.xml)
        first = self._documents.get(digest)
        if first is not None:
            raise DuplicateContent(document.key, first.key)
        if document.key in self._keys:
            raise DuplicateKey(document.key)
        self._archive.add(self._name(), document.xml)
        self._documents[digest] = PackedDocument(document.key, digest, len(document.xml))
        self._keys.add(document.key)

    def finish(self) -> Package:
        """End the archive and give the package."""
        if not self._documents:
            raise EmptyPackage("there are no documents to pack")
        self._archive.close()
        parts = self._parts.finish()
        self._done = True
        return Package(
            folder=self._folder,
            archive=self._kind,
            size=self._parts.size,
            hash=self._parts.hash,
            parts=parts,
            documents=tuple(self._documents.values()),
            key=self._key,
        )

    def _name(self) -> str:
        """Name of the next document in the archive: its number, which says nothing and is never too long."""
        return f"{len(self._documents) + 1:06}.xml"
