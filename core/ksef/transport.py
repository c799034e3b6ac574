"""Carrying one request to KSeF and one answer back.

A transport is a tiny protocol (:class:`Transport`), so that the client also talks to an application in the
same process; :mod:`core.ksef.http` is the one over the network. A transport knows no KSeF errors: it gives
an answer of any status or raises :class:`TransportFailure`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class FileBody:
    """A file to send, read while it goes.

    Attributes:
        path: the file.
        size: its bytes, known beforehand.
        seconds: longest time that sending it may take.
    """

    path: Path
    size: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request.

    Attributes:
        method: HTTP method.
        url: whole address; may hold a presigned query, hence not shown.
        headers: names and values; may hold a token, hence not shown.
        body: bytes to send; empty for none.
        file: or a file to send; then the headers are exactly the given ones, with Host and Content-Length.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    file: FileBody | None = None

    @property
    def path(self) -> str:
        """The path without host and query, safe to log."""
        return urlsplit(self.url).path


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, whole.

    Attributes:
        status: HTTP status.
        headers: names in lower case to values.
        body: the whole body, decompressed.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class TransportFailure(Exception):
    """No whole answer came.

    Attributes:
        sent: the request may have reached KSeF.
    """

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class Transport(Protocol):
    """What carries requests."""

    def send(self, request: Request) -> Answer:
        """Send one request and read the whole answer, whatever its status.

        Raises:
            TransportFailure: no whole answer came.
        """
        ...
