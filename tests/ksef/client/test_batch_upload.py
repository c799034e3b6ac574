"""Sending the parts of a batch over real HTTP to a storage that misbehaves."""

from __future__ import annotations

import itertools
import json
import logging
import random
import threading
import time
import tracemalloc
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from core.ksef import environments
from core.ksef.batch.errors import PartDamaged
from core.ksef.batch.package import Package
from core.ksef.batch.packing import BatchDocument, PackLimits, pack
from core.ksef.batch.session import OpenBatch, PartUpload
from core.ksef.batch.upload import upload
from core.ksef.calls import Retry
from core.ksef.client import KsefClient
from core.ksef.errors import KsefUnavailable, UploadExpired, UploadRefused
from core.ksef.http import HttpTransport, Timeouts
from core.ksef.interactive import FA_3
from core.ksef.transport import FileBody, Request, TransportFailure
from tests.ksef.client.unpacking import sha

Handler = BaseHTTPRequestHandler
Behaviour = Callable[[Handler], None]
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
SIGNATURE = "sig=upload-secret"


@dataclass
class Storage:
    """Stores parts; behaviours planned for a part come first, one each."""

    port: int = 0
    planned: defaultdict[int, deque[Behaviour]] = field(default_factory=lambda: defaultdict(deque))
    stored: dict[int, str] = field(default_factory=dict)
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    running: int = 0
    most_running: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def serve(self, handler: Handler) -> None:
        ordinal = int(handler.path.partition("?")[0].rpartition("/")[2])
        with self.lock:
            self.seen.append(
                (handler.command, handler.path, {k.lower(): v for k, v in handler.headers.items()})
            )
            self.running += 1
            self.most_running = max(self.most_running, self.running)
            behave = self.planned[ordinal].popleft() if self.planned[ordinal] else None
        try:
            (behave or self.store)(handler)
        finally:
            with self.lock:
                self.running -= 1

    def store(self, handler: Handler) -> None:
        ordinal = int(handler.path.partition("?")[0].rpartition("/")[2])
        body = _read(handler)
        if len(body) == int(handler.headers["Content-Length"]):
            self.stored[ordinal] = sha(body)
            _status(handler, 201)

    def tried(self, ordinal: int) -> int:
        return sum(path.partition("?")[0].endswith(f"/{ordinal}") for _, path, _ in self.seen)


def _read(handler: Handler) -> bytes:
    return handler.rfile.read(int(handler.headers["Content-Length"]))


def _status(handler: Handler, status: int, **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def _answer(status: int, **headers: str) -> Behaviour:
    def behave(handler: Handler) -> None:
        _read(handler)
        _status(handler, status, **headers)

    return behave


def _drop(handler: Handler) -> None:
    """End the connection in the middle of the part."""
    handler.rfile.read(100)
    handler.close_connection = True


def _drop_after(handler: Handler) -> None:
    """Take the whole part and end the connection without an answer."""
    _read(handler)
    handler.close_connection = True


def _silent(handler: Handler) -> None:
    _read(handler)
    time.sleep(0.5)
    handler.close_connection = True


@pytest.fixture
def storage() -> Iterator[Storage]:
    """A running storage."""
    state = Storage()

    class Recorder(Handler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            state.serve(self)

        do_PUT = do_POST = _serve  # noqa: N815 - names that the base class looks for

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            pass

    httpd = Quiet(("127.0.0.1", 0), Recorder)
    state.port = httpd.server_address[1]
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    httpd.shutdown()
    httpd.server_close()
    thread.join()


@dataclass
class Clock:
    """A clock that moves only when somebody sleeps."""

    now: datetime = NOW
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    """The client's clock."""
    return Clock()


@pytest.fixture
def client(clock: Clock) -> KsefClient:
    """A client with short timeouts and without real pauses."""
    transport = HttpTransport(Timeouts(2, 0.3, 2), max_answer=10_000)
    return KsefClient(environments.TEST, transport, clock=clock, sleep=clock.sleep, jitter=lambda: 1.0)


def _package(folder: Path, parts: int, part_bytes: int = 2000) -> Package:
    source = random.Random(parts)
    # headers and compression need a little room of the last part
    total = part_bytes * parts
    documents = [BatchDocument("FV/1", source.randbytes(total - 600 - total // 1000))]
    package = pack(documents, folder, limits=PackLimits(part_bytes=part_bytes))
    assert len(package.parts) == parts
    return package


def _session(storage: Storage, package: Package) -> OpenBatch:
    uploads = tuple(
        PartUpload(
            part.ordinal,
            "PUT",
            f"http://127.0.0.1:{storage.port}/batch/{part.ordinal}?{SIGNATURE}",
            {"x-ms-blob-type": "BlockBlob", "X-Other": "1"},
        )
        for part in package.parts
    )
    return OpenBatch("20250626-SB-213D593000-4DE10D80A5-E9", NOW, FA_3, False, package, uploads)


@pytest.fixture
def session(storage: Storage, tmp_path: Path) -> OpenBatch:
    """A session of six parts."""
    return _session(storage, _package(tmp_path / "package", 6))


def _hashes(session: OpenBatch) -> dict[int, str]:
    return {part.ordinal: part.hash for part in session.package.parts}


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_parts_go_with_exactly_what_was_given(
    storage: Storage, client: KsefClient, session: OpenBatch, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Method, address, headers and bytes are the given ones; no token, nothing of the library, no log."""
    caplog.set_level(logging.DEBUG)
    session = replace(session, uploads=tuple(replace(one, method=method) for one in session.uploads))
    stored: list[int] = []
    threads: set[int] = set()

    def note(ordinal: int) -> None:
        stored.append(ordinal)
        threads.add(threading.get_ident())

    upload(client, session, on_stored=note)
    assert storage.stored == _hashes(session)
    assert sorted(stored) == list(range(1, 7))
    assert threads == {threading.get_ident()}
    sizes = {part.ordinal: str(part.size) for part in session.package.parts}
    for used, path, headers in storage.seen:
        ordinal = int(path.partition("?")[0].rpartition("/")[2])
        assert (used, path) == (method, f"/batch/{ordinal}?{SIGNATURE}")
        assert headers == {
            "host": f"127.0.0.1:{storage.port}",
            "content-length": sizes[ordinal],
            "x-ms-blob-type": "BlockBlob",
            "x-other": "1",
        }
    assert f"{method} /batch/1" in caplog.text
    assert "upload-secret" not in caplog.text


@pytest.mark.parametrize(
    ("behaviour", "least_pause"),
    [
        (_drop, 1.0),
        (_drop_after, 1.0),
        (_silent, 1.0),
        (_answer(500), 1.0),
        (_answer(503, Retry_After="7"), 7.0),
        (_answer(429, Retry_After="9"), 9.0),
        (_answer(408), 1.0),
        (_answer(200), 1.0),
    ],
    ids=["dropped", "lost answer", "silent", "500", "503", "429", "408", "not 201"],
)
def test_a_part_that_did_not_get_through_goes_again(
    storage: Storage,
    client: KsefClient,
    clock: Clock,
    session: OpenBatch,
    behaviour: Behaviour,
    least_pause: float,
) -> None:
    """Only that part is repeated, after growing pauses or the one asked for, until it is stored."""
    storage.planned[3].extend([behaviour, behaviour])
    upload(client, session)
    assert storage.stored == _hashes(session)
    assert [storage.tried(n) for n in range(1, 7)] == [1, 1, 3, 1, 1, 1]
    assert clock.slept == [least_pause, max(least_pause, 2.0)]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (403, UploadExpired),
        (404, UploadExpired),
        (410, UploadExpired),
        (400, UploadRefused),
        (401, UploadRefused),
        (302, UploadRefused),
    ],
)
def test_a_refused_part_is_not_repeated(
    storage: Storage,
    client: KsefClient,
    clock: Clock,
    session: OpenBatch,
    status: int,
    expected: type[UploadRefused],
) -> None:
    """A refusal is final, says that a new session is needed, stops the rest and follows no redirect."""
    storage.planned[1].append(_answer(status, Location="/batch/6"))
    with pytest.raises(UploadRefused) as caught:
        upload(client, session, workers=1)
    assert type(caught.value) is expected
    assert caught.value.http_status == status
    assert "sesję" in caught.value.hint.pl
    assert "upload-secret" not in f"{caught.value} {caught.value!r}"
    assert len(storage.seen) == 1
    assert clock.slept == []


def test_a_refusal_says_more_than_a_failure(storage: Storage, client: KsefClient, session: OpenBatch) -> None:
    """When one part fails for now and another for good, the caller hears of the one for good."""
    both = threading.Barrier(2)

    def together(status: int) -> Behaviour:
        def behave(handler: Handler) -> None:
            both.wait(5)
            _answer(status)(handler)

        return behave

    storage.planned[1].append(together(500))
    storage.planned[2].append(together(403))
    with pytest.raises(UploadExpired):
        upload(client, session, workers=2, retry=Retry(attempts=1))


def test_failure_can_be_resumed(storage: Storage, client: KsefClient, session: OpenBatch) -> None:
    """After too many tries the call ends; called again, it sends what is left and nothing else."""
    storage.planned[4].extend([_answer(500)] * 3)
    done: set[int] = set()
    with pytest.raises(KsefUnavailable) as caught:
        upload(client, session, on_stored=done.add, workers=1, retry=Retry(attempts=3))
    assert caught.value.http_status == 500
    assert done == {1, 2, 3}
    storage.seen.clear()
    upload(client, session, done=done, on_stored=done.add)
    assert storage.stored == _hashes(session)
    assert done == set(range(1, 7))
    assert [storage.tried(n) for n in range(1, 7)] == [0, 0, 0, 1, 1, 1]
    upload(client, session, done=done)
    assert len(storage.seen) == 3


def test_crash_can_be_resumed_from_storage(storage: Storage, client: KsefClient, session: OpenBatch) -> None:
    """A process that starts anew goes on with the stored session; parts may arrive a second time."""
    stored = json.dumps(session.as_dict())

    def crash(ordinal: int) -> None:
        raise KeyboardInterrupt(str(ordinal))

    with pytest.raises(KeyboardInterrupt):
        upload(client, session, on_stored=crash, workers=1)
    assert storage.stored
    upload(client, OpenBatch.from_dict(json.loads(stored)))
    assert storage.stored == _hashes(session)


def test_nothing_is_sent_when_the_time_is_over(
    storage: Storage, client: KsefClient, clock: Clock, session: OpenBatch
) -> None:
    """Six parts have two hours from the opening; after that nothing is tried."""
    clock.now = NOW + timedelta(minutes=120)
    with pytest.raises(UploadExpired):
        upload(client, session)
    assert storage.seen == []
    clock.now -= timedelta(seconds=1)
    upload(client, session)
    assert storage.stored == _hashes(session)


def test_a_pause_beyond_the_time_is_not_made(
    storage: Storage, client: KsefClient, clock: Clock, session: OpenBatch
) -> None:
    """Waiting longer than the session lasts is pointless: the failure is told at once."""
    storage.planned[1].append(_answer(503, Retry_After="7200"))
    with pytest.raises(KsefUnavailable) as caught:
        upload(client, session, workers=1)
    assert caught.value.retry_after == 7200
    assert clock.slept == []


@pytest.mark.parametrize("damage", ["changed", "shortened", "missing"])
def test_damaged_parts_are_not_sent(
    storage: Storage, client: KsefClient, session: OpenBatch, damage: str
) -> None:
    """A file that is not what was packed never leaves, and the error names it."""
    part = session.package.parts[2]
    path = session.package.path(part)
    data = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(data[:-1] + b"?" if damage == "changed" else data[:-16])
    with pytest.raises(PartDamaged) as caught:
        upload(client, session)
    assert (caught.value.ordinal, caught.value.path) == (3, path)
    assert storage.tried(3) == 0


def test_parts_go_at_once_but_not_too_many(storage: Storage, client: KsefClient, session: OpenBatch) -> None:
    """With three workers three parts are on their way together, and never four."""
    meeting = threading.Barrier(3)

    def meet(handler: Handler) -> None:
        meeting.wait(5)
        storage.store(handler)

    for ordinal in range(1, 7):
        storage.planned[ordinal].append(meet)
    upload(client, session, workers=3)
    assert storage.most_running == 3
    assert storage.stored == _hashes(session)


def test_a_large_part_is_streamed(storage: Storage, client: KsefClient, tmp_path: Path) -> None:
    """A part of 20 MB goes from the disk in pieces: memory does not grow with it."""
    session = _session(storage, _package(tmp_path / "large", 1, 20_000_000))
    received: list[int] = []

    def swallow(handler: Handler) -> None:
        left = int(handler.headers["Content-Length"])
        while left:
            left -= len(handler.rfile.read(min(left, 65_536)))
        received.append(int(handler.headers["Content-Length"]))
        _status(handler, 201)

    storage.planned[1].append(swallow)
    tracemalloc.start()
    try:
        upload(client, session)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert received == [session.package.parts[0].size]
    assert peak < 5_000_000


def test_sending_a_file_ends_in_time(storage: Storage, session: OpenBatch) -> None:
    """A sending that takes longer than it may is given up, however steadily it goes."""
    part = session.package.parts[0]
    path = session.package.path(part)
    ticks = itertools.count()
    transport = HttpTransport(monotonic=lambda: float(next(ticks)))
    url = session.uploads[0].url
    with pytest.raises(TransportFailure, match="not sent in time"):
        transport.send(Request("PUT", url, file=FileBody(path, part.size, 0.5)))
    with pytest.raises(TransportFailure, match="cannot be read"):
        transport.send(Request("PUT", url, file=FileBody(path.with_name("none"), part.size, 5)))
    assert storage.stored == {}


def test_the_time_for_the_answer_begins_after_the_file(storage: Storage, tmp_path: Path) -> None:
    """However long a large file takes, its answer is still read to the end."""
    session = _session(storage, _package(tmp_path / "large", 1, 500_000))
    part = session.package.parts[0]
    ticks = itertools.count()

    def refuse(handler: Handler) -> None:
        _read(handler)
        handler.send_response(403)
        handler.send_header("Content-Length", "7")
        handler.end_headers()
        handler.wfile.write(b"expired")

    storage.planned[1].append(refuse)
    transport = HttpTransport(Timeouts(2, 2, total=10), monotonic=lambda: float(next(ticks)))
    file = FileBody(session.package.path(part), part.size, 1000)
    answer = transport.send(Request("PUT", session.uploads[0].url, file=file))
    assert (answer.status, answer.body) == (403, b"expired")
    assert next(ticks) > 20
