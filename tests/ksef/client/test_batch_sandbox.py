"""A batch over real HTTP against the sandbox: from packing to each document's number, faults on the way."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.calendar import warsaw_day
from core.ksef import auth, status, upo
from core.ksef.auth import Tokens
from core.ksef.batch import session as batches
from core.ksef.batch.archives import Archive
from core.ksef.batch.package import Package
from core.ksef.batch.packing import BatchDocument, PackLimits, pack, pack_all
from core.ksef.batch.results import Result, results
from core.ksef.batch.session import OpenBatch, open_batch
from core.ksef.batch.upload import upload
from core.ksef.budget import WindowBudget
from core.ksef.client import KsefClient
from core.ksef.environments import custom
from core.ksef.errors import KsefUnavailable, PartMissing, SessionClosed, UploadExpired
from core.ksef.http import HttpTransport, Timeouts
from core.ksef.interactive import FA_3
from core.ksef.public_keys import PublicKeys
from core.ksef.status import DocumentState, SessionStatus
from core.signing.keys import KeyMaterial, self_signed
from sandbox.ksef import KsefSandbox, SandboxState
from sandbox.ksef.state import Settings

NIP = "5265877635"
PARTS = PackLimits(part_bytes=900)
"""Cuts a few documents into several parts."""


@dataclass
class Clock:
    """The real time, moved forward by a test or by a pause."""

    ahead: timedelta = timedelta()
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.ahead += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    """The clock of client and sandbox."""
    return Clock()


@pytest.fixture
def sandbox(clock: Clock) -> Iterator[KsefSandbox]:
    """A running sandbox with the production limits."""
    state = SandboxState.open(None, clock=clock, settings=Settings(processing_seconds=0))
    with KsefSandbox(state=state) as running:
        yield running
    state.close()


@pytest.fixture(scope="module")
def key() -> KeyMaterial:
    """The seller's seal."""
    return self_signed(NIP, now=datetime.now(UTC))


@pytest.fixture
def client(sandbox: KsefSandbox, clock: Clock) -> KsefClient:
    """A client with the published limits as budget, which does not wait long for an answer."""
    return KsefClient(
        custom(sandbox.api_url, sandbox.qr_url),
        HttpTransport(Timeouts(2, 2, 5)),
        budget=WindowBudget(),
        clock=clock,
        sleep=clock.sleep,
        jitter=lambda: 1.0,
    ).for_context(NIP)


@pytest.fixture
def access(client: KsefClient, key: KeyMaterial) -> str:
    """Access token of the seller."""
    tokens: Tokens = auth.sign_in_with_certificate(client, NIP, key)
    return tokens.access


@pytest.fixture
def invoice(official_ksef: Path, clock: Clock) -> Callable[[str], bytes]:
    """Makes the Ministry's first example into an invoice of our seller, of today, with a number."""
    text = (official_ksef / "fa3-examples" / "FA_3_Przykład_1.xml").read_text(encoding="utf-8-sig")

    def make(number: str) -> bytes:
        made = text
        for element, value in (("NIP", NIP), ("P_1", warsaw_day(clock()).isoformat()), ("P_2", number)):
            start = made.index(f"<{element}>") + len(element) + 2
            made = made[:start] + value + made[made.index(f"</{element}>", start) :]
        return made.encode()

    return make


@pytest.fixture
def documents(invoice: Callable[[str], bytes]) -> list[BatchDocument]:
    """Twelve good documents."""
    return [BatchDocument(f"key-{n}", invoice(f"FV/{n}")) for n in range(1, 13)]


def _open(client: KsefClient, access: str, package: Package) -> OpenBatch:
    return open_batch(client, access, FA_3, package, PublicKeys(client))


def _ended(client: KsefClient, access: str, session: OpenBatch) -> SessionStatus:
    for _ in range(200):
        found = status.session(client, access, session.reference)
        if not found.is_processing:
            return found
        time.sleep(0.02)
    raise AssertionError("the session did not end")


def _finish(client: KsefClient, access: str, session: OpenBatch) -> list[Result]:
    """Close, wait and read the results."""
    batches.close(client, access, session)
    _ended(client, access, session)
    return list(results(client, access, session))


def _states(found: list[Result]) -> dict[str, DocumentState | None]:
    return {one.document.key: one.status.state if one.status else None for one in found}


@pytest.mark.parametrize("kind", list(Archive))
def test_batch_from_packing_to_the_proof(
    client: KsefClient,
    access: str,
    documents: list[BatchDocument],
    tmp_path: Path,
    kind: Archive,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """All documents get numbers, told by the caller's keys, and one collective UPO proves them."""
    caplog.set_level(logging.DEBUG)
    package = pack(documents, tmp_path, archive=kind, limits=PARTS)
    assert len(package.parts) > 2
    session = _open(client, access, package)
    assert status.session(client, access, session.reference).is_open
    upload(client, session)
    found = _finish(client, access, session)
    assert _states(found) == {one.key: DocumentState.ACCEPTED for one in documents}
    ended = _ended(client, access, session)
    assert (ended.code, ended.invoice_count, ended.successful_count) == (200, 12, 12)
    proof = upo.parse_upo(client.session_upo(access, session.reference, ended.upo_pages[0].reference).content)
    for one in found:
        assert one.status is not None
        assert one.status.ksef_number is not None
        upo.check_upo(proof, one.document.hash, one.status.ksef_number)
    with pytest.raises(SessionClosed):
        batches.close(client, access, session)
    assert access not in caplog.text
    assert "sig=" not in caplog.text


def test_each_document_has_its_own_result(
    client: KsefClient, access: str, invoice: Callable[[str], bytes], tmp_path: Path
) -> None:
    """A broken document, a document without schema and a second one with the same number fail alone."""
    good = invoice("FV/1")
    made = [
        BatchDocument("good", good),
        BatchDocument("same number", good.replace(b"</Faktura>", b"\n</Faktura>")),
        BatchDocument("no schema", b"<a/>"),
        BatchDocument("not utf-8", "\ufeff".encode("utf-16")),
        BatchDocument("also good", invoice("FV/2")),
    ]
    session = _open(client, access, pack(made, tmp_path))
    upload(client, session)
    found = _finish(client, access, session)
    assert _states(found) == {
        "good": DocumentState.ACCEPTED,
        "same number": DocumentState.DUPLICATE,
        "no schema": DocumentState.REJECTED,
        "not utf-8": DocumentState.REJECTED,
        "also good": DocumentState.ACCEPTED,
    }
    by_key = {one.document.key: one.status for one in found}
    first, second = by_key["good"], by_key["same number"]
    assert first is not None
    assert second is not None
    assert second.original_ksef_number == first.ksef_number
    assert second.original_session_reference == session.reference


def test_a_batch_without_a_good_document_ends_with_445(
    client: KsefClient, access: str, tmp_path: Path
) -> None:
    """The session fails in words, and its documents still tell why."""
    session = _open(client, access, pack([BatchDocument("bad", b"<a/>")], tmp_path))
    upload(client, session)
    found = _finish(client, access, session)
    ended = _ended(client, access, session)
    assert ended.code == 445
    assert ended.explanation.known
    assert _states(found) == {"bad": DocumentState.REJECTED}


@pytest.mark.parametrize(
    ("kind", "times", "value"),
    [
        ("drop_before", 3, None),
        ("drop_after", 3, None),
        ("http_500", 3, None),
        ("http_503", 3, 3),
        ("http_429", 3, 3),
        ("slow", 2, 0.2),
        ("html", 3, 200),
    ],
)
def test_faults_while_parts_are_sent(
    sandbox: KsefSandbox,
    client: KsefClient,
    access: str,
    documents: list[BatchDocument],
    tmp_path: Path,
    kind: str,
    times: int,
    value: float | None,
) -> None:
    """However the storage fails for a while, every document arrives once."""
    session = _open(client, access, pack(documents, tmp_path, limits=PARTS))
    sandbox.state.faults.add(kind, "PUT /storage/batch/.*/parts/[12]$", times=times, value=value)
    upload(client, session)
    assert sandbox.state.faults.waiting() == []
    assert set(_states(_finish(client, access, session)).values()) == {DocumentState.ACCEPTED}


def test_resume_after_a_crash(
    sandbox: KsefSandbox,
    client: KsefClient,
    access: str,
    documents: list[BatchDocument],
    tmp_path: Path,
) -> None:
    """A broken sending is finished by another process out of what was stored, and nothing is doubled."""
    session = _open(client, access, pack(documents, tmp_path, limits=PARTS))
    stored = json.dumps(session.as_dict())
    sandbox.state.faults.add("drop_before", "PUT /storage/batch/.*/parts/2$", times=8)
    done: set[int] = set()
    with pytest.raises(KsefUnavailable):
        upload(client, session, workers=1, on_stored=done.add)
    assert done == {1}
    with pytest.raises(PartMissing):
        batches.close(client, access, session)
    later = OpenBatch.from_dict(json.loads(stored))
    upload(client, later)
    found = _finish(client, access, later)
    assert _states(found) == {one.key: DocumentState.ACCEPTED for one in documents}


def test_expired_session_is_replaced_by_another_with_the_same_package(
    client: KsefClient,
    clock: Clock,
    key: KeyMaterial,
    access: str,
    documents: list[BatchDocument],
    tmp_path: Path,
) -> None:
    """When the time is over, sending and closing say so, and a new session takes the same parts."""
    session = _open(client, access, pack(documents, tmp_path, limits=PARTS))
    upload(client, session, done=[1])
    clock.ahead += timedelta(minutes=20) * len(session.package.parts)
    access = auth.sign_in_with_certificate(client, NIP, key).access
    with pytest.raises(UploadExpired):
        upload(client, session)
    with pytest.raises(UploadExpired):
        batches.close(client, access, session)
    ended = _ended(client, access, session)
    assert (ended.code, ended.explanation.known) == (440, True)
    again = _open(client, access, session.package)
    upload(client, again)
    assert set(_states(_finish(client, access, again)).values()) == {DocumentState.ACCEPTED}


def test_storage_that_says_the_time_is_over_is_believed(
    client: KsefClient, clock: Clock, access: str, documents: list[BatchDocument], tmp_path: Path
) -> None:
    """With a clock of ours that runs late, the storage's 403 says the same."""
    session = _open(client, access, pack(documents, tmp_path, limits=PARTS))
    parts = len(session.package.parts)
    clock.ahead += timedelta(minutes=20) * parts
    late = KsefClient(client.environment, clock=lambda: clock() - timedelta(hours=5), sleep=clock.sleep)
    with pytest.raises(UploadExpired) as caught:
        upload(late, session)
    assert caught.value.http_status == 403
    assert clock.slept == []


@pytest.mark.parametrize("code", [405, 420, 430, 435, 500])
def test_failed_sessions_are_told(
    sandbox: KsefSandbox,
    client: KsefClient,
    access: str,
    documents: list[BatchDocument],
    tmp_path: Path,
    code: int,
) -> None:
    """A session that fails as a whole has words for it and lists no result for its documents."""
    session = _open(client, access, pack(documents[:2], tmp_path))
    upload(client, session)
    sandbox.state.faults.add("refuse_code", "POST .*/sessions/batch/.*/close", value=code)
    found = _finish(client, access, session)
    ended = _ended(client, access, session)
    assert ended.code == code
    assert ended.explanation.known
    assert ended.explanation.title.pl
    assert {one.status for one in found} == {None}


def test_more_documents_than_a_batch_takes_go_in_several(
    client: KsefClient, access: str, documents: list[BatchDocument], tmp_path: Path
) -> None:
    """Twelve documents in batches of five: three sessions, each document in one of them."""
    numbers: dict[str, str | None] = {}
    for package in pack_all(documents, tmp_path, limits=PackLimits(documents=5)):
        session = _open(client, access, package)
        upload(client, session)
        for one in _finish(client, access, session):
            numbers[one.document.key] = one.status.ksef_number if one.status else None
        package.remove_files()
    assert list(numbers) == [one.key for one in documents]
    assert len(set(numbers.values()) - {None}) == 12
    assert list(tmp_path.iterdir()) == []


def test_a_batch_sent_again_is_told_as_duplicates(
    client: KsefClient, access: str, documents: list[BatchDocument], tmp_path: Path
) -> None:
    """After a lost close the same package may go once more: each document names the number it has."""
    package = pack(documents, tmp_path)
    sent: list[list[Result]] = []
    for _ in range(2):
        session = _open(client, access, package)
        upload(client, session)
        sent.append(_finish(client, access, session))
    for first, second in zip(*sent, strict=True):
        assert first.status is not None
        assert second.status is not None
        assert second.status.state is DocumentState.DUPLICATE
        assert second.status.original_ksef_number == first.status.ksef_number
