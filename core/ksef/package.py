"""Reading an exported package from disk: invoices one by one, with what KSeF says of each.

Source: ``POST /invoices/exports`` of the API contract: files ``{ksefNumber}.xml`` and ``_metadata.json``, an
object with the array ``invoices`` of ``InvoiceMetadata``. Sizes are measured while bytes are read, never
believed from the archive's own table.
"""

from __future__ import annotations

import json
import tarfile
import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import IO

from core.ksef.encryption import sha256_base64
from core.ksef.errors import UnreadableAnswer
from core.ksef.fields import FieldError, Fields
from core.ksef.metadata import InvoiceMetadata

METADATA = "_metadata.json"
LARGEST_INVOICE = 3_000_000
"""Bytes of an invoice with attachments, the largest that KSeF takes."""

LARGEST_METADATA = 64 * 1024 * 1024
"""Bytes; 10 000 entries of about a kilobyte each have room in it several times."""

_BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError)


@dataclass(frozen=True, slots=True)
class ExportedInvoice:
    """One invoice of a package.

    Attributes:
        metadata: what KSeF says of it.
        content: the XML, byte for byte.
    """

    metadata: InvoiceMetadata
    content: bytes = field(repr=False)

    @property
    def is_genuine(self) -> bool:
        """Whether the bytes have the hash that KSeF tells."""
        return sha256_base64(self.content) == self.metadata.invoice_hash


class Package:
    """A decrypted package on disk.

    Args:
        file: the archive.
        is_zip: Zip, otherwise TarGz.
        invoice_count: how many invoices have to be in it.
    """

    def __init__(self, file: Path, is_zip: bool, invoice_count: int) -> None:
        self._file, self._is_zip, self._count = file, is_zip, invoice_count

    def __iter__(self) -> Iterator[ExportedInvoice]:
        """The invoices in the order of the archive.

        Raises:
            UnreadableAnswer: the archive is broken, a file is too large, or invoices and metadata do not
                belong together; nothing may be taken for complete then.
        """
        if not self._count and not self._file.stat().st_size:
            return
        listed = self._metadata()
        if len(listed) != self._count:
            raise UnreadableAnswer(f"the package lists {len(listed)} invoices, not {self._count}")
        for name, content in self._files(LARGEST_INVOICE, skip=METADATA):
            metadata = listed.pop(name.removesuffix(".xml"), None)
            if metadata is None:
                raise UnreadableAnswer("the package holds a file that its metadata does not list")
            yield ExportedInvoice(metadata, content)
        if listed:
            raise UnreadableAnswer(f"{len(listed)} invoices are missing in the package")

    def _metadata(self) -> dict[str, InvoiceMetadata]:
        for _, content in self._files(LARGEST_METADATA, only=METADATA):
            try:
                data = Fields(json.loads(content, parse_float=Decimal))
                entries = [InvoiceMetadata.read(item) for item in data.children("invoices")]
            except FieldError as error:
                raise UnreadableAnswer(
                    f"the package's metadata is not what the contract says: {error}"
                ) from None
            except (ValueError, RecursionError):
                raise UnreadableAnswer("the package's metadata is no JSON") from None
            return {one.ksef_number: one for one in entries}
        raise UnreadableAnswer(f"the package has no {METADATA}")

    def _files(self, most: int, *, only: str = "", skip: str = "") -> Iterator[tuple[str, bytes]]:
        """Names and contents of the archive's files, at most so many bytes of each."""
        with closing(self._members()) as members:
            while True:
                try:
                    found = next(members, None)
                    if found is None:
                        return
                    name, stream = found
                    if (only and name != only) or name == skip:
                        continue
                    content = stream.read(most + 1)
                except _BROKEN:
                    raise UnreadableAnswer("the package is damaged") from None
                if len(content) > most:
                    raise UnreadableAnswer(f"{name} in the package is larger than {most} bytes")
                yield name, content

    def _members(self) -> Generator[tuple[str, IO[bytes]], None, None]:
        if self._is_zip:
            with zipfile.ZipFile(self._file) as archive:
                for entry in archive.infolist():
                    with archive.open(entry) as stream:
                        yield entry.filename, stream
            return
        with tarfile.open(self._file, "r|gz") as bundle:
            for member in bundle:
                content = bundle.extractfile(member) if member.isfile() else None
                if content is not None:
                    yield member.name, content
