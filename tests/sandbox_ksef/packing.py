"""Archives and batches made by hand, and the steps of a client that sends them."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from requests import Response, request

from tests.sandbox_ksef.conftest import Client
from tests.sandbox_ksef.material import FA3, sha256

Documents = dict[str, bytes]


def zipped(documents: Documents, *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A Zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in documents.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(documents: Documents, *, kind: bytes = tarfile.REGTYPE) -> bytes:
    """A tar.gz archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in documents.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.type = len(content), kind
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def stuffed(name: str, header: int) -> bytes:
    """A tar.gz archive whose extended header has that many bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        entry = tarfile.TarInfo(name)
        entry.pax_headers = {"comment": "x" * header}
        archive.addfile(entry)
    return buffer.getvalue()


@dataclass
class Batch:
    """One batch on its way.

    Attributes:
        archive: the archive's bytes.
        compression: Zip or TarGz.
        parts: the encrypted parts.
        reference: reference number after the opening.
        requests: the answered upload requests by their ordinal numbers.
    """

    client: Client
    archive: bytes
    compression: str = "Zip"
    parts: list[bytes] = field(default_factory=list)
    reference: str = ""
    requests: dict[int, dict[str, object]] = field(default_factory=dict)

    def cut(self, count: int = 1) -> Batch:
        """Cut the archive into parts and encrypt each."""
        step = -(-len(self.archive) // count)
        pieces = [self.archive[start : start + step] for start in range(0, len(self.archive), step)]
        self.parts = [self.client.key.encrypt(piece) for piece in pieces]
        return self

    def request(self, **changes: object) -> dict[str, object]:
        """Body of POST /sessions/batch; changes replace members of batchFile or of the whole."""
        if not self.parts:
            self.cut()
        body = self.client.key.open_request(self.client.public_key("SymmetricKeyEncryption"), FA3)
        file: dict[str, object] = {
            "fileSize": len(self.archive),
            "fileHash": sha256(self.archive),
            "compressionType": self.compression,
            "fileParts": [
                {"ordinalNumber": number, "fileSize": len(part), "fileHash": sha256(part)}
                for number, part in enumerate(self.parts, start=1)
            ],
        }
        file |= {name: value for name, value in changes.items() if name in file}
        rest = {name: value for name, value in changes.items() if name not in file}
        return body | {"batchFile": file, "offlineMode": False} | rest

    def open(self, **changes: object) -> Batch:
        """Open the session; see :meth:`request` for the changes."""
        answer = self.client.http.call(
            "POST", "/sessions/batch", token=self.client.access, body=self.request(**changes)
        )
        assert answer.status_code == 201, answer.text
        values = answer.json()
        self.reference = values["referenceNumber"]
        self.requests = {entry["ordinalNumber"]: entry for entry in values["partUploadRequests"]}
        assert sorted(self.requests) == list(range(1, len(self.parts) + 1))
        return self

    def upload(
        self, number: int, content: bytes | None = None, headers: dict[str, str | None] | None = None
    ) -> Response:
        """Upload one part by what its request says; headers replace the given ones."""
        asked = self.requests[number]
        given = cast("dict[str, str | None]", asked["headers"]) | (headers or {})
        return request(
            str(asked["method"]),
            str(asked["url"]),
            data=self.parts[number - 1] if content is None else content,
            headers={name: value for name, value in given.items() if value is not None},
            timeout=20,
        )

    def upload_all(self) -> Batch:
        """Upload every part."""
        for number in self.requests:
            assert self.upload(number).status_code == 201
        return self

    def close(self) -> Response:
        """Close the session."""
        return self.client.http.call(
            "POST", f"/sessions/batch/{self.reference}/close", token=self.client.access
        )

    def send(self, **changes: object) -> dict[str, object]:
        """Open, upload, close; the status afterwards."""
        self.open(**changes).upload_all()
        assert self.close().status_code == 204
        return self.status()

    def status(self) -> dict[str, object]:
        """GET /sessions/{ref}."""
        return self.client.get(f"/sessions/{self.reference}")

    def documents(self) -> list[dict[str, object]]:
        """GET /sessions/{ref}/invoices, up to a thousand."""
        answer = self.client.get(f"/sessions/{self.reference}/invoices?pageSize=1000")
        return cast("list[dict[str, object]]", answer["invoices"])


def unzipped(archive: bytes) -> Documents:
    """The files of a Zip archive."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def untarred(archive: bytes) -> Documents:
    """The files of a tar.gz archive."""
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(archive))) as opened:
        found = {}
        for entry in opened.getmembers():
            stream = opened.extractfile(entry)
            assert stream is not None
            found[entry.name] = stream.read()
        return found


def bad_paths() -> Sequence[str]:
    """Names that would leave the archive's folder."""
    return ("../fv.xml", "/fv.xml", "a/../../fv.xml", "C:/fv.xml", "a\\fv.xml", "a//fv.xml")
