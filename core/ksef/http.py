"""The transport over the network, on ``requests``.

Redirects are never followed, TLS certificates are always verified, answers are bounded in size and time, and
the log has method, path, status and milliseconds only. This module is imported when the first client
without a transport of its own is made: ``requests`` takes longer to import than the whole core.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urlsplit

import requests
import urllib3

from core.ksef.environments import is_loopback
from core.ksef.transport import Answer, FileBody, Request, TransportFailure

log = logging.getLogger(__name__)

MAX_ANSWER = 64 * 1024 * 1024
"""Bytes; the largest answer is a page of a collective UPO (10 000 documents, about 6 MB)."""


_NO_HEADERS_OF_THE_LIBRARY: dict[str, str | None] = {
    "Accept": None,
    "Connection": None,
    # these two urllib3 would add again if they were only absent
    "Accept-Encoding": urllib3.util.SKIP_HEADER,
    "User-Agent": urllib3.util.SKIP_HEADER,
}


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait, in seconds.

    Attributes:
        connect: for the connection.
        read: for each piece of the answer.
        total: for the whole answer, however slowly it drips; a file's own time comes on top.
    """

    connect: float = 5.0
    read: float = 30.0
    total: float = 120.0


class HttpTransport:
    """The transport over the network, on ``requests``; safe to share between threads.

    Args:
        timeouts: see :class:`Timeouts`.
        max_answer: largest answer in bytes; a larger one is a failure.
        monotonic: clock for durations.
    """

    def __init__(
        self,
        timeouts: Timeouts = Timeouts(),
        *,
        max_answer: int = MAX_ANSWER,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._timeouts = timeouts
        self._max_answer = max_answer
        self._monotonic = monotonic
        self._local = threading.local()
        _hide_queries_in_connection_log()

    def send(self, request: Request) -> Answer:
        """Send one request; see :class:`Transport`."""
        start = self._monotonic()
        failure: TransportFailure | None = None
        answer: Answer | None = None
        try:
            answer = self._exchange(request, start)
        except requests.exceptions.ConnectTimeout:
            failure = TransportFailure("no connection in time", sent=False)
        except requests.exceptions.SSLError:
            failure = TransportFailure("the server's TLS certificate was not accepted", sent=False)
        except requests.exceptions.ConnectionError as error:
            failure = TransportFailure(
                "no connection" if _never_connected(error) else "the connection broke",
                sent=not _never_connected(error),
            )
        except requests.exceptions.Timeout:
            failure = TransportFailure("no answer in time", sent=True)
        except requests.exceptions.ChunkedEncodingError:
            failure = TransportFailure("the answer was cut", sent=True)
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
            failure = TransportFailure(f"no usable answer ({type(error).__name__})", sent=True)
        except TransportFailure as error:
            failure = error
        spent = (self._monotonic() - start) * 1000
        outcome = answer.status if answer else failure
        log.info("%s %s -> %s in %.0f ms", request.method, request.path, outcome, spent)
        if answer is None:
            # raised outside the handlers: the library's exceptions quote whole addresses
            raise failure or TransportFailure("no answer", sent=True)
        return answer

    def _exchange(self, request: Request, start: float) -> Answer:
        with (
            _body(request, self._monotonic) as sent,
            self._session().request(
                request.method,
                request.url,
                headers={**(_NO_HEADERS_OF_THE_LIBRARY if request.file else {}), **request.headers},
                data=sent,
                timeout=(self._timeouts.connect, self._timeouts.read),
                allow_redirects=False,
                verify=True,
                stream=True,
                # a proxy for the outer world cannot reach this machine's own sandbox
                proxies={"http": "", "https": ""}
                if is_loopback(urlsplit(request.url).hostname or "")
                else None,
            ) as response,
        ):
            if request.file:
                start = self._monotonic()
            body = bytearray()
            for piece in response.iter_content(64 * 1024):
                body += piece
                if len(body) > self._max_answer:
                    raise TransportFailure(f"the answer is larger than {self._max_answer} bytes", sent=True)
                if self._monotonic() - start > self._timeouts.total:
                    raise TransportFailure("the answer did not end in time", sent=True)
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status_code, headers, bytes(body))

    def _session(self) -> requests.Session:
        """This thread's session: requests' sessions are not made for sharing."""
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            # without this, requests would replace our bearer token by an entry of ~/.netrc
            session.auth = _unchanged
            self._local.session = session
        return session


@contextmanager
def _body(request: Request, monotonic: Callable[[], float]) -> Iterator[bytes | _FileReader | None]:
    """What ``requests`` is to send."""
    if request.file is None:
        yield request.body or None
        return
    try:
        file = request.file.path.open("rb")
    except OSError as error:
        raise _unreadable(error) from None
    with file:
        yield _FileReader(file, request.file, monotonic)


class _FileReader:
    """A file as ``requests`` streams it: its length is known, and it stops when its time is over."""

    def __init__(self, file: BinaryIO, body: FileBody, monotonic: Callable[[], float]) -> None:
        self._file = file
        self._size = body.size
        self._monotonic = monotonic
        self._end = monotonic() + body.seconds

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        # never used, but it is how requests knows a stream
        while piece := self.read(64 * 1024):
            yield piece

    def read(self, size: int = -1) -> bytes:
        """The next bytes.

        Raises:
            TransportFailure: it cannot be read, or the time is over.
        """
        if self._monotonic() > self._end:
            raise TransportFailure("the file was not sent in time", sent=True)
        try:
            return self._file.read(size)
        except OSError as error:
            failure = _unreadable(error)
        raise failure


def _unreadable(error: OSError) -> TransportFailure:
    return TransportFailure(f"the file to send cannot be read ({type(error).__name__})", sent=False)


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """An authentication that adds nothing."""
    return request


def _never_connected(error: BaseException) -> bool:
    """Whether the connection was not even made, so that KSeF cannot have seen the request."""
    seen: set[int] = set()
    pending: list[object] = [error]
    while pending:
        item = pending.pop()
        if isinstance(item, urllib3.exceptions.NewConnectionError):
            return True
        if isinstance(item, BaseException) and id(item) not in seen:
            seen.add(id(item))
            pending.extend([*item.args, getattr(item, "reason", None), item.__context__])
    return False


class _WithoutQueries(logging.Filter):
    """Cuts the query off addresses in urllib3's debug log: presigned addresses are credentials."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep every record, with shortened addresses."""
        if isinstance(record.args, tuple):
            record.args = tuple(
                value.partition("?")[0] if isinstance(value, str) else value for value in record.args
            )
        return True


_without_queries = _WithoutQueries()


def _hide_queries_in_connection_log() -> None:
    # adding the same filter again changes nothing
    logging.getLogger("urllib3.connectionpool").addFilter(_without_queries)
