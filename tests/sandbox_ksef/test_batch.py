"""Batch sessions: opening, presigned uploads, closing, results."""

from __future__ import annotations

import socket
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import pytest
import requests

from sandbox.ksef import KsefSandbox, SandboxState
from tests.sandbox_ksef.conftest import Client, MovingClock, code_of, codes, with_keys
from tests.sandbox_ksef.contract import Contract, ContractSession
from tests.sandbox_ksef.material import NIP, Credential, SessionKey, invoice, sha256
from tests.sandbox_ksef.packing import Batch, Documents, tarred, zipped

PART = 100_000_000


def three() -> Documents:
    """Two good documents, one of them in a folder, and a duplicate."""
    return {
        "fv1.xml": invoice("FV/1"),
        "2026/11/fv2.xml": invoice("FV/2"),
        "fv1-again.xml": invoice("FV/1", buyer=NIP),
    }


def document_code(document: dict[str, object]) -> int:
    """Code of a document's status."""
    return int(cast("dict[str, int]", document["status"])["code"])


@pytest.mark.parametrize(("compression", "pack"), [("Zip", zipped), ("TarGz", tarred)])
def test_batch_in_several_parts(signed: Client, compression: str, pack: Callable[[Documents], bytes]) -> None:
    """Both kinds of archive in three parts: documents in order, verdicts, one UPO, the bytes as sent."""
    documents = three()
    batch = Batch(signed, pack(documents), compression).cut(3)
    status = batch.send()
    assert code_of(status) == (200, [])
    assert (status["invoiceCount"], status["successfulInvoiceCount"], status["failedInvoiceCount"]) == (
        3,
        2,
        1,
    )
    found = batch.documents()
    assert [entry["invoiceHash"] for entry in found] == [sha256(content) for content in documents.values()]
    assert [entry["invoiceFileName"] for entry in found] == ["fv1.xml", "fv2.xml", "fv1-again.xml"]
    assert [document_code(entry) for entry in found] == [200, 200, 440]
    assert {entry["invoicingDate"] for entry in found} == {status["dateCreated"]}
    assert cast("str", found[0]["acquisitionDate"]) < cast("str", found[1]["acquisitionDate"])
    upo = cast("dict[str, list[dict[str, str]]]", status["upo"])["pages"][0]
    confirmation = signed.http.get(upo["downloadUrl"]).text
    assert all(str(entry["ksefNumber"]) in confirmation for entry in found[:2])
    document = signed.http.call("GET", f"/invoices/ksef/{found[1]['ksefNumber']}", token=signed.access)
    assert document.content == documents["2026/11/fv2.xml"]
    listed = signed.http.call(
        "GET", "/sessions", token=signed.access, query={"sessionType": "Batch", "statuses": "Succeeded"}
    ).json()["sessions"]
    assert [entry["referenceNumber"] for entry in listed] == [batch.reference]


def test_statuses_on_the_way(signed: Client, clock: MovingClock) -> None:
    """100 while parts are awaited, 150 after the close, 200 when the time for processing is over."""
    signed.sandbox.state.settings.processing_seconds = 5
    batch = Batch(signed, zipped(three())).open()
    assert code_of(batch.status()) == (100, [])
    batch.upload_all()
    assert batch.close().status_code == 204
    assert code_of(batch.status()) == (150, [])
    assert codes(batch.close().json()) == [21180]
    clock.moment += timedelta(seconds=6)
    assert code_of(batch.status()) == (200, [])


def test_offline_by_the_moment_of_opening(signed: Client, clock: MovingClock) -> None:
    """Documents of yesterday are Offline; of the day of opening Online, even when closed after midnight."""
    clock.moment = clock.moment.replace(hour=12)
    signed.sign_in_quickly()
    day = clock.moment.date()
    documents = {
        "today.xml": invoice("FV/1", day=day),
        "yesterday.xml": invoice("FV/2", day=day - timedelta(days=1)),
    }
    batch = Batch(signed, zipped(documents)).cut(40).open().upload_all()
    clock.moment += timedelta(hours=12)
    signed.sign_in_quickly()
    assert batch.close().status_code == 204
    assert [entry["invoicingMode"] for entry in batch.documents()] == ["Online", "Offline"]


def test_declared_offline(signed: Client) -> None:
    """offlineMode of the batch marks every document."""
    batch = Batch(signed, zipped({"fv.xml": invoice()}))
    batch.send(offlineMode=True)
    assert [entry["invoicingMode"] for entry in batch.documents()] == ["Offline"]


def test_requests_refused(signed: Client) -> None:
    """The opening is refused with the codes of the contract."""
    batch = Batch(signed, zipped({"fv.xml": invoice()})).cut()

    def refused(*, valid: bool = True, **changes: object) -> list[int]:
        answer = signed.http.call(
            "POST", "/sessions/batch", token=signed.access, body=batch.request(**changes), valid=valid
        )
        assert answer.status_code == 400
        return codes(answer.json())

    def part(number: int, size: int = 16) -> dict[str, object]:
        return {"ordinalNumber": number, "fileSize": size, "fileHash": sha256(b"")}

    assert refused(fileParts=[part(number) for number in range(1, 52)], valid=False) == [21161]
    assert refused(fileParts=[part(1, PART + 17)]) == [21157]
    assert refused(fileParts=[part(1), part(3)]) == [21405]
    assert refused(fileParts=[part(1), part(1)]) == [21405]
    assert refused(fileParts=[], valid=False) == [21405]
    assert refused(fileSize=5_000_000_001, valid=False) == [21405]
    assert refused(compressionType="Rar", valid=False) == [21405]
    assert refused(formCode={"systemCode": "FA (1)", "schemaVersion": "1-0E", "value": "FA"}) == [21405]
    encryption = cast("dict[str, object]", batch.request()["encryption"]) | {"publicKeyId": sha256(b"")}
    assert refused(encryption=encryption) == [21470]


def test_upload_rules(signed: Client) -> None:
    """Only the given method, address and headers with the declared bytes store a part; a token never."""
    batch = Batch(signed, zipped(three())).cut(2).open()
    part = batch.parts[0]
    assert batch.upload(1, headers={"Authorization": f"Bearer {signed.access}"}).status_code == 401
    assert batch.upload(1, headers={"x-ms-blob-type": None}).status_code == 400
    assert batch.upload(1, headers={"x-ms-blob-type": "PageBlob"}).status_code == 400
    assert batch.upload(1, part + b"0").status_code == 400
    assert batch.upload(1, part[:-1]).status_code == 400
    assert batch.upload(1, b"0" * len(part)).status_code == 400
    url = str(batch.requests[1]["url"])
    headers = cast("dict[str, str]", batch.requests[1]["headers"])
    assert signed.http.post(url, data=part, headers=headers).status_code == 405
    for changed in (
        url.replace("parts/1", "parts/2"),
        url.replace("sig=", "sig=0"),
        url.partition("&sig=")[0],
    ):
        assert signed.http.put(changed, data=part, headers=headers).status_code == 403
    assert codes(batch.close().json()) == [21205]
    batch.upload_all()
    assert batch.upload(1).status_code == 201
    assert batch.close().status_code == 204
    assert batch.upload(1).status_code == 403
    assert code_of(batch.status())[0] == 200


def test_broken_upload_stores_nothing(signed: Client) -> None:
    """A part of which only a piece arrived counts as not sent; sent again it counts."""
    batch = Batch(signed, zipped(three())).open()
    url = str(batch.requests[1]["url"])

    def piece() -> Iterator[bytes]:
        yield batch.parts[0][:10]
        raise OSError

    headers = {"x-ms-blob-type": "BlockBlob", "Content-Length": str(len(batch.parts[0]))}
    with pytest.raises(requests.ConnectionError):
        signed.http.put(url, data=piece(), headers=headers)
    assert codes(batch.close().json()) == [21205]
    assert batch.upload(1).status_code == 201
    assert batch.close().status_code == 204


def test_time_limit(signed: Client, clock: MovingClock) -> None:
    """Twenty minutes for each part; then uploads and the close are refused and the session is cancelled."""
    batch = Batch(signed, zipped(three())).cut(3).open()
    clock.moment += timedelta(minutes=59)
    signed.sign_in_quickly()
    assert batch.upload(1).status_code == 201
    clock.moment += timedelta(minutes=2)
    assert batch.upload(2).status_code == 403
    answer = batch.close()
    assert codes(answer.json()) == [21208]
    assert code_of(batch.status()) == (440, ["Przekroczono czas wysyłki"])
    assert codes(batch.close().json()) == [21208]


def test_ends_of_a_batch(signed: Client) -> None:
    """What the archive and its parts get wrong ends the session with the status of the contract."""
    good = zipped(three())

    def end(batch: Batch, **changes: object) -> int:
        return code_of(batch.send(**changes))[0]

    assert end(Batch(signed, good), fileSize=len(good) + 1) == 405
    assert end(Batch(signed, good), fileHash=sha256(b"")) == 405
    assert end(Batch(signed, good, parts=[b"0" * 31])) == 435
    assert end(Batch(signed, good, parts=[SessionKey().encrypt(good)])) in (435, 405)
    assert end(Batch(signed, good, "TarGz")) == 430
    assert end(Batch(signed, good[:-10])) == 430
    assert end(Batch(signed, zipped({}))) == 440
    assert end(Batch(signed, zipped({"fv.xml": b"<a/>"}))) == 445
    signed.sandbox.state.settings.max_invoices = 2
    assert end(Batch(signed, good)) == 420
    assert signed.get("/sessions?sessionType=Batch&statuses=Cancelled")["sessions"]


def test_part_too_large_before_encryption(signed: Client) -> None:
    """The padding may hide up to fifteen bytes above the limit of a part; decryption finds them."""
    # a name one letter longer makes the archive two bytes longer: one of the two is no multiple of a block
    archives = (zipped({name: invoice()}) for name in ("fv.xml", "fv1.xml"))
    archive = next(found for found in archives if len(found) % 16)
    signed.sandbox.state.settings.max_part_bytes = len(archive) - 1
    assert code_of(Batch(signed, archive).send())[0] == 405
    signed.sandbox.state.settings.max_part_bytes = len(archive)
    assert code_of(Batch(signed, archive).send())[0] == 200


def test_verdicts_over_several_looks(signed: Client) -> None:
    """A look writes down a part of the verdicts; until all are there the mark of queries stays below them."""
    signed.sandbox.state.settings.verdicts_per_look = 2
    batch = Batch(signed, zipped({f"{index}.xml": invoice(f"FV/{index}") for index in range(5)}))
    status = batch.send()
    assert (code_of(status)[0], status["successfulInvoiceCount"]) == (150, 2)
    start = signed.sandbox.state.now() - timedelta(days=1)
    signed.sandbox.state.clock_offset += timedelta(seconds=1)
    span = {"dateType": "PermanentStorage", "from": start.isoformat()}
    body = {"subjectType": "Subject1", "dateRange": span}
    marks = []
    for _ in range(2):
        answer = signed.http.call("POST", "/invoices/query/metadata", token=signed.access, body=body).json()
        stored = [entry["permanentStorageDate"] for entry in answer["invoices"]]
        marks.append((len(stored), answer["permanentStorageHwmDate"] > max(stored)))
    assert marks == [(4, False), (5, True)]
    assert code_of(batch.status())[0] == 200


def test_slow_upload_holds_nobody_up(signed: Client) -> None:
    """While one part is still on its way, other calls are answered; then it is stored."""
    batch = Batch(signed, zipped(three())).cut(2).open()
    url = urlsplit(str(batch.requests[1]["url"]))
    part = batch.parts[0]
    head = (
        f"PUT {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\nx-ms-blob-type: BlockBlob\r\n"
        f"Content-Length: {len(part)}\r\n\r\n"
    )
    with socket.create_connection((str(url.hostname), url.port or 0), timeout=10) as connection:
        connection.sendall(head.encode() + part[:100])
        assert batch.upload(2).status_code == 201
        assert codes(batch.close().json()) == [21205]
        connection.sendall(part[100:])
        assert connection.recv(20).split()[1] == b"201"
    assert batch.close().status_code == 204


def test_key_that_cannot_be_opened(signed: Client) -> None:
    """A wrapped key that the published key does not open is status 415, and the close is refused."""
    batch = Batch(signed, zipped(three()))
    encryption = cast("dict[str, str]", batch.request()["encryption"])
    batch.open(encryption=encryption | {"encryptedSymmetricKey": "AAAA"})
    assert code_of(batch.status())[0] == 415
    assert codes(batch.close().json()) == [21180]


def test_faults_of_a_batch(signed: Client) -> None:
    """A planned status of the session ends it; 550 falls on its documents."""
    faults = signed.sandbox.state.faults
    faults.add("refuse_code", "POST /v2/sessions/batch/.*/close", value=500)
    assert code_of(Batch(signed, zipped(three())).send())[0] == 500
    faults.add("status_550", "POST /v2/sessions/batch/.*/close")
    batch = Batch(signed, zipped(three()))
    assert code_of(batch.send())[0] == 445
    assert {document_code(entry) for entry in batch.documents()} == {550}


def test_other_kind_of_session(signed: Client) -> None:
    """Operations of one kind of session do not know sessions of the other."""
    batch = Batch(signed, zipped(three())).open()
    answer = signed.http.call("POST", f"/sessions/online/{batch.reference}/close", token=signed.access)
    assert codes(answer.json()) == [21173]
    answer = signed.http.call("POST", f"/sessions/batch/{signed.open()}/close", token=signed.access)
    assert codes(answer.json()) == [21173]


def test_batch_limits(signed: Client) -> None:
    """Opening and closing have their own groups of rate limits."""
    batch = Batch(signed, zipped(three())).cut()
    body = batch.request()
    signed.sandbox.state.settings.rate_limits = True
    for _ in range(10):
        signed.http.call("POST", "/sessions/batch", token=signed.access, body=body)
    answer = signed.http.call("POST", "/sessions/batch", token=signed.access, body=body)
    assert answer.status_code == 429
    signed.sandbox.state.settings.rate_limits = False


def test_restart_in_the_middle(tmp_path: Path, key_file: Path, contract: Contract, owner: Credential) -> None:
    """Parts of a file-based state survive a restart; after the end nothing of them is left on disk."""
    path = tmp_path / "ksef.sqlite"
    with_keys(SandboxState.open(path), key_file).close()
    with KsefSandbox(database=path, processing_seconds=0) as first:
        client = Client(first, ContractSession(contract, first.api_url), owner)
        client.sign_in()
        batch = Batch(client, zipped(three())).cut(2).open()
        assert batch.upload(1).status_code == 201
        origin = first.origin
    with KsefSandbox(database=path, processing_seconds=0) as second:
        client.sandbox, client.http = second, ContractSession(contract, second.api_url)
        for asked in batch.requests.values():
            asked["url"] = str(asked["url"]).replace(origin, second.origin)
        assert batch.upload(2).status_code == 201
        assert batch.close().status_code == 204
        assert code_of(batch.status())[0] == 200
    assert [entry for entry in tmp_path.rglob("*") if entry.is_file() and entry.name != path.name] == []


def test_parts_are_streamed(signed: Client) -> None:
    """A part of 30 MB goes to disk in pieces: the server's memory grows by a small share of it."""
    archive = zipped({"fv.xml": invoice(), "big.xml": bytes(30_000_000)}, compression=0)
    batch = Batch(signed, archive).open()
    tracemalloc.start()
    try:
        assert batch.upload(1).status_code == 201
        assert batch.close().status_code == 204
        assert code_of(batch.status())[0] == 200
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 12_000_000
    assert [document_code(entry) for entry in batch.documents()] == [200, 430]
