"""Exports: packages of invoices, encrypted for us, fetched and unpacked on disk.

Source: ``POST /invoices/exports`` and ``GET /invoices/exports/{referenceNumber}`` of the API contract. An
export takes invoices by their date, oldest first, up to 10 000 or 1 GB; the package is cut into parts of at
most 50 MB, each encrypted by itself with the key that was sent along, and holds ``{ksefNumber}.xml`` files
and ``_metadata.json``.
"""

from __future__ import annotations

import hashlib
import os
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from core.ksef.answers import Status
from core.ksef.calls import Operation
from core.ksef.client import KsefClient
from core.ksef.encryption import SessionKey
from core.ksef.environments import is_loopback
from core.ksef.errors import (
    Expired,
    KsefRefused,
    KsefUnavailable,
    OutsideData,
    ProofMismatch,
    UnreadableAnswer,
)
from core.ksef.explanations import CodeKind, explain
from core.ksef.fields import FieldError, Fields
from core.ksef.invoices import Ask, InvoiceQuery
from core.ksef.public_keys import PublicKey, PublicKeys, Usage

_START = Operation("POST /invoices/exports", changes=True)
_STATUS = Operation("GET /invoices/exports/{referenceNumber}")
_PART = Operation("GET presigned address")

_DONE = 200
_EXPIRED = 210
_NOTHING_NEW = 420
_CANCELLED = 550
_POLLS = (0.5, 1, 2, 4, 8, 15, 30)
"""Seconds before the status is asked for again; the last one goes on (600 questions an hour are allowed)."""
_CHUNK = 1024 * 1024


class Compression(StrEnum):
    """How a package is compressed (``CompressionType``)."""

    ZIP = "Zip"
    TAR_GZ = "TarGz"


@dataclass(frozen=True, slots=True)
class PackagePart:
    """``InvoicePackagePart``: one part; its address works without a token and is a credential itself.

    Attributes:
        ordinal: place in the package, from 1.
        url: where it is.
        size: bytes of the part. hash: their SHA-256, Base64.
        encrypted_size: bytes of its ciphertext. encrypted_hash: their SHA-256, Base64.
        valid_until: end of the address.
    """

    ordinal: int
    url: str = field(repr=False)
    size: int
    hash: str
    encrypted_size: int
    encrypted_hash: str
    valid_until: datetime

    @classmethod
    def read(cls, data: Fields) -> PackagePart:
        """Read the answer; raises FieldError."""
        if data.text("method").upper() != "GET":
            raise FieldError("a part is not fetched by GET")
        return cls(
            ordinal=data.integer("ordinalNumber"),
            url=data.text("url"),
            size=data.integer("partSize"),
            hash=data.text("partHash"),
            encrypted_size=data.integer("encryptedPartSize"),
            encrypted_hash=data.text("encryptedPartHash"),
            valid_until=data.moment("expirationDate"),
        )


@dataclass(frozen=True, slots=True)
class PackageInfo:
    """``InvoicePackage``: a package that is ready.

    Attributes:
        invoice_count: files in it.
        size: bytes of all parts together.
        parts: in their order.
        is_truncated: a limit was reached; go on from ``last_date``.
        last_date: date of permanent storage of the last invoice; only of a cut package.
        complete_until: up to when KSeF's data was complete (``permanentStorageHwmDate``).
        compression: of the parts joined.
    """

    invoice_count: int
    size: int
    parts: tuple[PackagePart, ...]
    is_truncated: bool
    last_date: datetime | None
    complete_until: datetime | None
    compression: Compression

    @classmethod
    def read(cls, data: Fields) -> PackageInfo:
        """Read the answer; raises FieldError."""
        parts = sorted(map(PackagePart.read, data.children("parts")), key=lambda one: one.ordinal)
        if [one.ordinal for one in parts] != list(range(1, len(parts) + 1)):
            raise FieldError("parts are missing")
        try:
            compression = Compression(data.text("compressionType"))
        except ValueError:
            raise FieldError("compressionType is unknown") from None
        return cls(
            invoice_count=data.integer("invoiceCount"),
            size=data.integer("size"),
            parts=tuple(parts),
            is_truncated=data.flag("isTruncated"),
            last_date=data.optional_moment("lastPermanentStorageDate"),
            complete_until=data.optional_moment("permanentStorageHwmDate"),
            compression=compression,
        )


@dataclass(frozen=True, slots=True)
class ExportStatus:
    """``InvoiceExportStatusResponse``: where an export is.

    Attributes:
        status: 100 running, 200 done, others failed.
        package: once it is done.
    """

    status: Status
    package: PackageInfo | None

    @classmethod
    def read(cls, data: Fields) -> ExportStatus:
        """Read the answer; raises FieldError."""
        package = data.optional_child("package")
        status = Status.read(data.child("status"))
        if status.code == _DONE and package is None:
            raise FieldError("a finished export has no package")
        return cls(status, PackageInfo.read(package) if package else None)


@dataclass(frozen=True, slots=True)
class Export:
    """An export under way.

    Attributes:
        reference: its reference number.
        key: what its package is encrypted with; never shown.
    """

    reference: str
    key: SessionKey = field(repr=False)


def start(
    client: KsefClient,
    access: str,
    keys: PublicKeys,
    query: InvoiceQuery,
    *,
    compression: Compression = Compression.TAR_GZ,
    only_metadata: bool = False,
    random: Callable[[int], bytes] = os.urandom,
) -> Export:
    """Begin an export (``POST /invoices/exports``; 20 an hour, ten at once).

    Args:
        client: the client, of the context's NIP.
        access: access token.
        keys: the Ministry's keys; one that was withdrawn (21470) is replaced once.
        query: which invoices.
        compression: of the package.
        only_metadata: leave the invoices themselves out.
        random: gives secret random bytes.

    Raises:
        OutsideData: the range begins after the moment up to which data is complete (21183).
        TooManyExports: ten are running (21182).
        Forbidden: no permission InvoiceRead.
    """
    key = SessionKey.generate(random)

    def attempt(public_key: PublicKey) -> str:
        body = {
            "encryption": key.info(public_key),
            "onlyMetadata": only_metadata,
            "filters": query.as_json(),
            "compressionType": compression.value,
        }
        return client.caller.ask(
            _START, lambda data: data.text("referenceNumber"), token=access, json_body=body
        )

    return Export(keys.use(Usage.SYMMETRIC_KEY, attempt), key)


def status(client: KsefClient, access: str, reference: str) -> ExportStatus:
    """Where an export is (``GET /invoices/exports/{referenceNumber}``).

    Raises:
        Expired: asked after more than 7 days.
        NotFound: no such export of this context (21175).
    """
    return client.caller.ask(
        _STATUS, ExportStatus.read, parameters={"referenceNumber": reference}, token=access
    )


def wait(client: KsefClient, ask: Ask, export: Export, *, patience: float = 3600.0) -> PackageInfo:
    """Wait until an export is done.

    Args:
        client: the client, of the context's NIP.
        ask: gives an access token for each question.
        export: under way.
        patience: seconds.

    Raises:
        OutsideData: the range begins after the moment up to which data is complete (420).
        Expired: the package is gone already (210).
        KsefUnavailable: not done in time, or cancelled by KSeF (550, 500): start it anew.
        KsefRefused: it failed for another reason.
    """
    deadline = client.clock() + timedelta(seconds=patience)
    asked = 0
    while True:
        found = ask(lambda access: status(client, access, export.reference))
        if found.package is not None and found.status.code == _DONE:
            return found.package
        if not 100 <= found.status.code < _DONE:
            raise _failed(found.status)
        if client.clock() >= deadline:
            raise KsefUnavailable("the export is not done in time", operation=_STATUS.name)
        client.sleep(_POLLS[min(asked, len(_POLLS) - 1)])
        asked += 1


def _failed(status: Status) -> Exception:
    kinds = {_NOTHING_NEW: OutsideData, _EXPIRED: Expired}
    hint = explain(status.code, CodeKind.EXPORT).action
    said = "the export failed"
    if status.code in {500, _CANCELLED}:
        return KsefUnavailable(
            said, operation=_STATUS.name, code=status.code, description=status.description, hint=hint
        )
    return kinds.get(status.code, KsefRefused)(
        said,
        operation=_STATUS.name,
        code=status.code,
        description=status.description,
        details=status.details,
        hint=hint,
    )


def download(client: KsefClient, export: Export, info: PackageInfo, file: Path) -> None:
    """Fetch all parts of a package and decrypt them into one file, part by part.

    In memory there is one part (50 MB at the most), never the package. Each part is compared with both of its
    hashes. Presigned addresses get no token and count against no limit.

    Args:
        client: the client.
        export: whose key decrypts.
        info: the package.
        file: is written anew, readable by its owner only.

    Raises:
        ProofMismatch: a part is not what its hash or size says, or cannot be decrypted.
        KsefError: a part could not be fetched.
    """
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        for part in info.parts:
            content = _fetch(client, part)
            digest, size = hashlib.sha256(), 0
            try:
                for piece in export.key.decrypted(_pieces(content)):
                    digest.update(piece)
                    size += len(piece)
                    out.write(piece)
            except ValueError:
                raise ProofMismatch("a part of the package cannot be decrypted") from None
            if size != part.size or digest.digest() != _digest_of(part.hash):
                raise ProofMismatch("a part of the package is not what KSeF announced")


def _fetch(client: KsefClient, part: PackagePart) -> bytes:
    parts = urlsplit(part.url)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        raise UnreadableAnswer("the download address is not https", operation=_PART.name)
    content = client.caller.fetch(_PART, part.url).body
    is_whole = len(content) == part.encrypted_size
    if not is_whole or hashlib.sha256(content).digest() != _digest_of(part.encrypted_hash):
        raise ProofMismatch("a part of the package arrived damaged", operation=_PART.name)
    return content


def _pieces(content: bytes) -> Iterator[memoryview]:
    view = memoryview(content)
    for at in range(0, len(view), _CHUNK):
        yield view[at : at + _CHUNK]


def _digest_of(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise UnreadableAnswer("a hash is no Base64", operation=_STATUS.name) from None
