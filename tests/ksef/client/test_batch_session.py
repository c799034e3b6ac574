"""Opening, closing and reading results of a batch, each exchange checked against the official contract."""

from __future__ import annotations

import base64
import json
import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from core.ksef.batch import session as batches
from core.ksef.batch.archives import Archive
from core.ksef.batch.package import Package
from core.ksef.batch.packing import BatchDocument, PackLimits, pack
from core.ksef.batch.results import results
from core.ksef.batch.session import OpenBatch, open_batch
from core.ksef.client import KsefClient
from core.ksef.errors import (
    InvalidSession,
    KsefRefused,
    KsefUnavailable,
    PartMissing,
    ProofMismatch,
    SessionClosed,
    UnreadableAnswer,
    UploadExpired,
)
from core.ksef.interactive import FA_3, StoredSessionError
from core.ksef.public_keys import PublicKeys
from core.ksef.status import DocumentState
from core.ksef.transport import Request
from tests.ksef.client.unpacking import sha, unpacked

if TYPE_CHECKING:
    from tests.ksef.client.conftest import FakeKsef, Reply

OPEN = "POST /sessions/batch"
CLOSE = "POST /sessions/batch/{referenceNumber}/close"
LIST = "GET /sessions/{referenceNumber}/invoices"
ACCESS = "access-secret"
BATCH = "20250626-SB-213D593000-4DE10D80A5-E9"
STORAGE = "https://storage.example.com/batch/"


@pytest.fixture
def package(tmp_path: Path) -> Package:
    """Thirty documents in several parts."""
    documents = [BatchDocument(f"FV/{n}", random.Random(n).randbytes(400)) for n in range(30)]
    return pack(documents, tmp_path / "package", limits=PackLimits(part_bytes=5000))


def _answer(ksef: FakeKsef, request: Request, **changes: object) -> Reply:
    """A good answer to an opening; changes replace fields of each upload request."""
    parts = json.loads(request.body)["batchFile"]["fileParts"]
    uploads = [
        {
            "ordinalNumber": part["ordinalNumber"],
            "method": "PUT",
            "url": f"{STORAGE}{part['ordinalNumber']}?sig=upload-secret",
            "headers": {"x-ms-blob-type": "BlockBlob"},
            **changes,
        }
        # the order is not promised
        for part in reversed(parts)
    ]
    return ksef.reply(201, {"referenceNumber": BATCH, "partUploadRequests": uploads})


@pytest.fixture
def opened(ksef: FakeKsef, client: KsefClient, public_keys: PublicKeys, package: Package) -> OpenBatch:
    """An open session for the package."""
    ksef.script(OPEN, lambda request: _answer(ksef, request))
    return open_batch(client, ACCESS, FA_3, package, public_keys)


@pytest.mark.parametrize("offline", [False, True])
@pytest.mark.parametrize("kind", list(Archive))
def test_opening_declares_what_was_packed(
    ksef: FakeKsef,
    client: KsefClient,
    public_keys: PublicKeys,
    tmp_path: Path,
    kind: Archive,
    offline: bool,
) -> None:
    """KSeF can unpack the files with what the opening told it, and all that it told is true."""
    documents = [BatchDocument(str(n), random.Random(n).randbytes(400)) for n in range(20)]
    package = pack(documents, tmp_path, archive=kind, limits=PackLimits(part_bytes=3000))
    ksef.script(OPEN, lambda request: _answer(ksef, request))
    opened = open_batch(client, ACCESS, FA_3, package, public_keys, offline=offline)
    body = ksef.body(OPEN)
    assert body["formCode"] == {"systemCode": "FA (3)", "schemaVersion": "1-0E", "value": "FA"}
    assert body["offlineMode"] is offline
    info = cast("dict[str, str]", body["encryption"])
    key = ksef.keys[0].decrypt(info["encryptedSymmetricKey"])
    file = cast("dict[str, object]", body["batchFile"])
    parts = [path.read_bytes() for path in sorted(tmp_path.iterdir())]
    assert file["fileParts"] == [
        {"ordinalNumber": n, "fileSize": len(one), "fileHash": sha(one)} for n, one in enumerate(parts, 1)
    ]
    vector = base64.b64decode(info["initializationVector"])
    found = unpacked(parts, key, vector, str(file["compressionType"]))
    assert list(found.values()) == [one.xml for one in documents]
    assert (opened.reference, [one.ordinal for one in opened.uploads]) == (
        BATCH,
        list(range(1, len(parts) + 1)),
    )
    assert opened.upload_until == client.clock() + timedelta(minutes=20) * len(parts)


def test_withdrawn_key_is_replaced_once(
    ksef: FakeKsef, client: KsefClient, public_keys: PublicKeys, package: Package
) -> None:
    """21470 fetches the keys again; the same package is then opened with the new key."""
    refusal = ksef.problem(21470, "Przesłany identyfikator klucza jest nieznany lub wycofany.")
    ksef.script(OPEN, refusal, lambda request: _answer(ksef, request))
    open_batch(client, ACCESS, FA_3, package, public_keys)
    keys = "GET /security/public-key-certificates"
    assert ksef.operations() == [keys, OPEN, keys, OPEN]


@pytest.mark.parametrize(
    "changes",
    [
        {"ordinalNumber": 1},
        {"url": "http://storage.example.com/1?sig=upload-secret"},
        {"url": "ftp://127.0.0.1/1?sig=upload-secret"},
        {"url": "https://[storage?sig=upload-secret"},
    ],
    ids=["doubled part", "not encrypted", "not http", "broken"],
)
def test_unusable_upload_addresses_are_refused(
    ksef: FakeKsef,
    client: KsefClient,
    public_keys: PublicKeys,
    package: Package,
    changes: dict[str, object],
) -> None:
    """Addresses that do not fit the parts, or would send them unencrypted, are an error without them."""
    ksef.script(OPEN, lambda request: _answer(ksef, request, **changes))
    with pytest.raises(UnreadableAnswer) as caught:
        open_batch(client, ACCESS, FA_3, package, public_keys)
    assert "upload-secret" not in f"{caught.value} {caught.value!r}"


def test_header_without_a_value_is_left_out(
    ksef: FakeKsef, client: KsefClient, public_keys: PublicKeys, package: Package
) -> None:
    """The contract lets a header be null: it is not sent."""
    headers = {"x-ms-blob-type": "BlockBlob", "x-ms-tags": None}
    ksef.script(OPEN, lambda request: _answer(ksef, request, headers=headers))
    opened = open_batch(client, ACCESS, FA_3, package, public_keys)
    assert opened.uploads[0].headers == {"x-ms-blob-type": "BlockBlob"}


def test_session_is_stored_and_read_back(opened: OpenBatch) -> None:
    """Through JSON a session comes back equal; its key and addresses are never shown."""
    stored = json.dumps(opened.as_dict())
    assert OpenBatch.from_dict(json.loads(stored)) == opened
    assert "upload-secret" not in repr(opened)
    assert "upload-secret" not in repr(opened.uploads)
    assert str(opened.package.key.key) not in repr(opened)


@pytest.mark.parametrize("field", ["reference", "opened", "form", "package", "uploads"])
@pytest.mark.parametrize("value", [None, 7, []])
def test_damaged_storage_is_an_error_without_its_secrets(
    opened: OpenBatch, field: str, value: object
) -> None:
    """A missing or damaged field makes no session, and the message does not quote what is stored."""
    with pytest.raises(StoredSessionError) as caught:
        OpenBatch.from_dict({**opened.as_dict(), field: value})
    assert "upload-secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (21157, PartMissing),
        (21205, PartMissing),
        (21208, UploadExpired),
        (21180, SessionClosed),
        (21173, InvalidSession),
        (21405, KsefRefused),
    ],
)
def test_closing_tells_what_is_wrong(
    ksef: FakeKsef, client: KsefClient, opened: OpenBatch, code: int, expected: type[KsefRefused]
) -> None:
    """Each refusal of closing is its own exception that says what to do."""
    ksef.script(CLOSE, ksef.problem(code, "Odmowa."))
    with pytest.raises(expected) as caught:
        batches.close(client, ACCESS, opened)
    assert type(caught.value) is expected
    assert caught.value.hint.pl


def test_closing_by_reference(ksef: FakeKsef, client: KsefClient) -> None:
    """A session of which only the reference number is left can be closed; a lost answer is ambiguous."""
    ksef.script(CLOSE, ksef.reply(204), ksef.reply(503, None, contract=False))
    batches.close(client, ACCESS, BATCH)
    assert ksef.requests[-1][1].headers["Authorization"] == f"Bearer {ACCESS}"
    with pytest.raises(KsefUnavailable) as caught:
        batches.close(client, ACCESS, BATCH)
    assert caught.value.outcome_ambiguous


def _listed(ksef: FakeKsef, opened: OpenBatch, ordinals: range, code: int = 200) -> list[dict[str, object]]:
    number = {"ksefNumber": "5265877635-20250826-0100001AF629-AF"} if code == 200 else {}
    return [
        ksef.document(code, ordinalNumber=n + 1, invoiceHash=opened.package.documents[n].hash, **number)
        for n in ordinals
    ]


def test_results_are_told_by_hash_over_pages(ksef: FakeKsef, client: KsefClient, opened: OpenBatch) -> None:
    """Each document comes once with the caller's key; refused and not listed ones too."""
    pages = [
        {"invoices": _listed(ksef, opened, range(10, 20)), "continuationToken": "next"},
        {"invoices": [*_listed(ksef, opened, range(10)), *_listed(ksef, opened, range(20, 25), 450)]},
    ]
    ksef.script(LIST, *(ksef.reply(200, page) for page in pages))
    found = list(results(client, ACCESS, opened))
    assert [one.document.key for one in found[:25]] == [
        f"FV/{n}" for n in [*range(10, 20), *range(10), *range(20, 25)]
    ]
    states = [one.status.state if one.status else None for one in found]
    assert states == [DocumentState.ACCEPTED] * 20 + [DocumentState.REJECTED] * 5 + [None] * 5
    assert [one.document.key for one in found[25:]] == [f"FV/{n}" for n in range(25, 30)]
    assert ksef.requests[-1][1].headers["x-continuation-token"] == "next"


@pytest.mark.parametrize("doubled", [True, False])
def test_a_document_that_was_not_packed_is_noticed(
    ksef: FakeKsef, client: KsefClient, opened: OpenBatch, doubled: bool
) -> None:
    """A foreign document, or ours twice, in our session's list proves nothing: a person has to look."""
    foreign = ksef.document(450, ordinalNumber=2, invoiceHash=sha(b"foreign"))
    listed = _listed(ksef, opened, range(1))
    ksef.script(LIST, ksef.reply(200, {"invoices": [*listed, *(listed if doubled else [foreign])]}))
    found = results(client, ACCESS, opened)
    assert next(found).document.key == "FV/0"
    with pytest.raises(ProofMismatch):
        next(found)


def test_package_can_go_to_another_session(
    ksef: FakeKsef, client: KsefClient, public_keys: PublicKeys, opened: OpenBatch
) -> None:
    """After a session whose time ran out the same parts are declared again, from another folder if moved."""
    moved = opened.package.folder.rename(opened.package.folder.with_name("moved"))
    ksef.script(OPEN, lambda request: _answer(ksef, request))
    again = open_batch(client, ACCESS, FA_3, replace(opened.package, folder=moved), public_keys)
    assert ksef.body(OPEN, 0)["batchFile"] == ksef.body(OPEN, 1)["batchFile"]
    assert again.package.path(again.package.parts[0]).is_file()
