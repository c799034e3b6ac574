"""A package: what was packed, as it is declared to KSeF and stored until its results are known."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.ksef.batch.archives import Archive
from core.ksef.encryption import SessionKey
from core.ksef.fields import FieldError, Fields
from core.ksef.interactive import StoredSessionError


@dataclass(frozen=True, slots=True)
class PackedDocument:
    """One document of a package.

    Attributes:
        key: the caller's own name for it.
        hash: SHA-256 of its XML bytes, Base64: KSeF's ``invoiceHash``.
        size: bytes of its XML.
    """

    key: str
    hash: str
    size: int


@dataclass(frozen=True, slots=True)
class Part:
    """One encrypted part of a package's archive (``BatchFilePartInfo``).

    Attributes:
        ordinal: its number, from 1.
        name: its file in the package's folder.
        size: bytes, encrypted.
        hash: SHA-256 of the encrypted bytes, Base64.
    """

    ordinal: int
    name: str
    size: int
    hash: str


@dataclass(frozen=True, slots=True)
class Package:
    """Documents in an archive that was cut and encrypted, ready for a batch session.

    One package may be used for several sessions, one after another: after a session whose time ran out the
    same parts go to a new one.

    Attributes:
        folder: where the parts are.
        archive: kind of archive.
        size: bytes of the whole archive before encryption.
        hash: SHA-256 of the whole archive before encryption, Base64.
        parts: its parts, in order.
        documents: its documents, in order.
        key: the symmetric key of its parts; never shown.
    """

    folder: Path
    archive: Archive
    size: int
    hash: str
    parts: tuple[Part, ...]
    documents: tuple[PackedDocument, ...] = field(repr=False)
    key: SessionKey = field(repr=False)

    @property
    def encrypted_size(self) -> int:
        """Bytes that have to be sent."""
        return sum(part.size for part in self.parts)

    def path(self, part: Part) -> Path:
        """The file of a part."""
        return self.folder / part.name

    def as_json(self) -> dict[str, object]:
        """``BatchFileInfo`` of the contract."""
        return {
            "fileSize": self.size,
            "fileHash": self.hash,
            "compressionType": self.archive.value,
            "fileParts": [
                {"ordinalNumber": part.ordinal, "fileSize": part.size, "fileHash": part.hash}
                for part in self.parts
            ],
        }

    def remove_files(self) -> None:
        """Delete the parts, and the folder when nothing else is in it; files that are gone do not matter."""
        for part in self.parts:
            self.path(part).unlink(missing_ok=True)
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()

    def as_dict(self) -> dict[str, object]:
        """As values for JSON, to be stored ENCRYPTED: the session key is among them."""
        return {
            "folder": str(self.folder),
            "archive": self.archive.value,
            "size": self.size,
            "hash": self.hash,
            "parts": [
                {"ordinal": part.ordinal, "name": part.name, "size": part.size, "hash": part.hash}
                for part in self.parts
            ],
            "documents": [{"key": one.key, "hash": one.hash, "size": one.size} for one in self.documents],
            "key": base64.b64encode(self.key.key).decode("ascii"),
            "iv": base64.b64encode(self.key.iv).decode("ascii"),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, object]) -> Package:
        """Back from :meth:`as_dict`.

        Raises:
            StoredSessionError: a field is missing or damaged.
        """
        fault = ""
        try:
            return _package(Fields(stored, "package."))
        except FieldError as error:
            fault = str(error)
        except (binascii.Error, ValueError) as error:
            # such messages may quote what was stored
            fault = f"the stored package is damaged ({type(error).__name__})"
        raise StoredSessionError(fault)


def _package(data: Fields) -> Package:
    parts = tuple(
        Part(one.integer("ordinal"), one.text("name"), one.integer("size"), one.text("hash"))
        for one in data.children("parts")
    )
    documents = tuple(
        PackedDocument(one.text("key"), one.text("hash"), one.integer("size"))
        for one in data.children("documents")
    )
    if not parts or not documents:
        raise FieldError("the stored package has no parts or no documents")
    key = SessionKey(
        base64.b64decode(data.text("key"), validate=True), base64.b64decode(data.text("iv"), validate=True)
    )
    return Package(
        folder=Path(data.text("folder")),
        archive=Archive(data.text("archive")),
        size=data.integer("size"),
        hash=data.text("hash"),
        parts=parts,
        documents=documents,
        key=key,
    )
