"""Sending the parts of a batch to the addresses that KSeF gave, several at once, until its time is over.

Source: ``PartUploadRequest`` of the API contract: exactly the given method and headers and no access token;
201 stored, 400 wrong data, 401 not authenticated, 403 no right to write, such as when the time is over. The
requests are outside the API's limits. A part may be sent again, so a sending can go on after a crash.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from http import HTTPStatus

from core.ksef.batch.errors import PartDamaged
from core.ksef.batch.package import Part
from core.ksef.batch.session import OpenBatch, PartUpload
from core.ksef.calls import Retry
from core.ksef.client import KsefClient
from core.ksef.encryption import hash_base64
from core.ksef.errors import KsefError, KsefUnavailable, UploadExpired, UploadRefused
from core.ksef.transport import Answer, FileBody, Request, TransportFailure

OPERATION = "PUT part of a batch"
"""What errors call this: the address itself is a credential."""

RETRY = Retry(attempts=8, first_pause=1.0, longest_pause=60.0)
WORKERS = 4
_GONE = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_LATER = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


def upload(
    client: KsefClient,
    session: OpenBatch,
    *,
    done: Collection[int] = (),
    on_stored: Callable[[int], None] | None = None,
    workers: int = WORKERS,
    retry: Retry = RETRY,
) -> None:
    """Send the parts of a session; returns when all are stored.

    Each part's file is checked before it goes. A part that did not get through is sent again after growing
    pauses, as long as the session's time lasts. After a failure or a crash, call it again with the stored
    session: parts that were stored may be sent once more or left out.

    Args:
        client: the client.
        session: the open session.
        done: numbers of parts that are stored already.
        on_stored: called in the caller's own thread with the number of each part that is stored.
        workers: how many parts go at once.
        retry: how often a part is tried in this call, and how long to pause.

    Raises:
        UploadExpired: the time is over, by our clock or by the storage's word (403, 404, 410): begin a new
            session with the same package.
        UploadRefused: a part was refused for another reason: likewise.
        KsefUnavailable: a part could not be sent now; call again.
        PartDamaged: a file is missing or changed: pack the documents again.
    """
    parts = {part.ordinal: part for part in session.package.parts}
    waiting = [(parts[one.ordinal], one) for one in session.uploads if one.ordinal not in done]
    if not waiting:
        return
    stop = threading.Event()
    sender = _Sender(client, session, retry, stop)
    failures: list[KsefError | PartDamaged] = []
    with ThreadPoolExecutor(min(workers, len(waiting)), thread_name_prefix="batch-upload") as pool:
        running: list[Future[int | None]] = [pool.submit(sender.send, *one) for one in waiting]
        try:
            for future in as_completed(running):
                try:
                    stored = future.result()
                except (KsefError, PartDamaged) as error:
                    failures.append(error)
                else:
                    if stored is not None and on_stored is not None:
                        on_stored(stored)
        finally:
            stop.set()
    if failures:
        # a final refusal says more than a failure that may pass
        raise min(failures, key=lambda error: isinstance(error, KsefUnavailable))


@dataclass(frozen=True, slots=True)
class _Sender:
    """Sends single parts of one session; used by several threads.

    Attributes:
        client: the client.
        session: the session.
        retry: how a part is repeated.
        stop: set when nothing more is to be tried.
    """

    client: KsefClient
    session: OpenBatch
    retry: Retry
    stop: threading.Event

    def send(self, part: Part, where: PartUpload) -> int | None:
        """Send one part until it is stored; gives its number, or None when it was stopped before."""
        if self.stop.is_set():
            return None
        try:
            return self._until_stored(part, where)
        except BaseException:
            # the other parts would wait and try in vain
            self.stop.set()
            raise

    def _until_stored(self, part: Part, where: PartUpload) -> int | None:
        self._check_file(part)
        for attempt in range(1, self.retry.attempts + 1):
            failure = self._try_once(part, where)
            if failure is None:
                return part.ordinal
            pause = self._pause(attempt, failure)
            if attempt == self.retry.attempts or pause >= self._seconds_left():
                raise failure
            if self.stop.is_set():
                return None
            self.client.sleep(pause)
            if self.stop.is_set():
                return None
        return None

    def _try_once(self, part: Part, where: PartUpload) -> KsefUnavailable | None:
        """One sending; gives a failure that may pass, raises a final one."""
        seconds = self._seconds_left()
        if seconds <= 0:
            raise UploadExpired("the time to send the parts is over", operation=OPERATION)
        body = FileBody(self.session.package.path(part), part.size, seconds)
        reason = ""
        try:
            answer = self.client.caller.transport.send(
                Request(where.method, where.url, where.headers, file=body)
            )
        except TransportFailure as error:
            # raised and kept outside the handler: the cause may quote a whole address
            reason = str(error)
        if reason:
            return KsefUnavailable(f"part {part.ordinal}: {reason}", operation=OPERATION)
        return self._judge(part, answer)

    def _judge(self, part: Part, answer: Answer) -> KsefUnavailable | None:
        if answer.status == HTTPStatus.CREATED:
            return None
        message = f"part {part.ordinal} was answered with HTTP {answer.status}"
        if answer.status in _GONE:
            raise UploadExpired(message, operation=OPERATION, http_status=answer.status)
        if answer.status in _LATER or not 300 <= answer.status < 500:
            return KsefUnavailable(
                message,
                operation=OPERATION,
                http_status=answer.status,
                retry_after=self.client.caller.retry_after(answer),
            )
        raise UploadRefused(message, operation=OPERATION, http_status=answer.status)

    def _pause(self, attempt: int, failure: KsefUnavailable) -> float:
        """Seconds before the next try: doubled each time, jittered by half, at least what was asked for."""
        full = min(self.retry.first_pause * 2.0 ** (attempt - 1), self.retry.longest_pause)
        return max(full * (0.5 + self.client.caller.jitter() / 2), failure.retry_after or 0.0)

    def _seconds_left(self) -> float:
        return (self.session.upload_until - self.client.clock()).total_seconds()

    def _check_file(self, part: Part) -> None:
        """Raise PartDamaged unless the file is the one that was packed."""
        path = self.session.package.path(part)
        try:
            with path.open("rb") as file:
                found = hash_base64(hashlib.file_digest(file, "sha256"))
        except OSError as error:
            raise PartDamaged(part.ordinal, path, f"cannot be read ({type(error).__name__})") from None
        if found != part.hash:
            raise PartDamaged(part.ordinal, path, "has changed")
