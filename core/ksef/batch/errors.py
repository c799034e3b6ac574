"""What can go wrong before anything is sent: documents that make no package, and damaged packages.

All are :class:`PackError`; what KSeF says is a :class:`core.ksef.errors.KsefError` instead::

    PackError
    ├── EmptyPackage          no documents at all
    ├── DuplicateContent      two documents have the same bytes: KSeF would refuse one of them (440)
    ├── DuplicateKey          two documents have the same key of the caller
    ├── FolderNotEmpty        another package, or what is left of one, is in the folder
    ├── PackageFull           the document goes into another package
    │   ├── TooManyDocuments
    │   ├── TooManyParts
    │   └── PackageTooLarge
    └── PartDamaged           a file of a package is missing or changed: pack again
"""

from __future__ import annotations

from pathlib import Path


class PackError(ValueError):
    """No package can be made of these documents, or a package cannot be used any more."""


class EmptyPackage(PackError):
    """There are no documents (``BatchFileInfo`` needs at least one part)."""


class DuplicateContent(PackError):
    """Two documents have the same bytes; results are told by hash, so they could not be told apart.

    Attributes:
        key: the caller's key of the second document.
        first_key: the caller's key of the first one.
    """

    def __init__(self, key: str, first_key: str) -> None:
        super().__init__(f"document {key!r} has the same bytes as {first_key!r}")
        self.key = key
        self.first_key = first_key


class DuplicateKey(PackError):
    """Two documents have the same key of the caller.

    Attributes:
        key: that key.
    """

    def __init__(self, key: str) -> None:
        super().__init__(f"two documents have the key {key!r}")
        self.key = key


class FolderNotEmpty(PackError):
    """The folder for the parts holds something; nothing is overwritten.

    Attributes:
        folder: that folder.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(f"the folder {folder} is not empty")
        self.folder = folder


class PackageFull(PackError):
    """The package takes no further document.

    Attributes:
        key: the caller's key of the document that does not fit.
        limit: the limit, in the unit that the class names.
    """

    unit = ""

    def __init__(self, key: str, limit: int) -> None:
        super().__init__(f"with document {key!r} the package would have more than {limit} {self.unit}")
        self.key = key
        self.limit = limit


class TooManyDocuments(PackageFull):
    """More documents than a batch may have (10 000)."""

    unit = "documents"


class TooManyParts(PackageFull):
    """More parts than a batch may have (``BatchFileInfo.fileParts``: 50)."""

    unit = "parts"


class PackageTooLarge(PackageFull):
    """A larger archive than a batch may have (``BatchFileInfo.fileSize``: 5 000 000 000 bytes)."""

    unit = "bytes"


class PartDamaged(PackError):
    """A file of a package is missing or is not the one that was packed.

    Attributes:
        ordinal: number of the part, from 1.
        path: the file.
    """

    def __init__(self, ordinal: int, path: Path, reason: str) -> None:
        super().__init__(f"part {ordinal} ({path.name}) {reason}; pack the documents again")
        self.ordinal = ordinal
        self.path = path
