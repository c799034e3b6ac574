"""One request to a register: short times, a small answer, JSON or a typed error."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

from connector_app.registers.errors import RegisterDown
from core.findings import Text

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_CHUNK = 16_384


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much to wait for; a register is never worth waiting long.

    Attributes:
        connect, read: seconds for the connection, and between two pieces of an answer.
        total: seconds for one whole answer.
        max_bytes: largest answer taken; a company with hundreds of bank accounts has some 50 kB.
    """

    connect: float = 3.0
    read: float = 5.0
    total: float = 8.0
    max_bytes: int = 512 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What came.

    Attributes:
        status: HTTP status.
        values: the JSON object; empty when the body is none.
    """

    status: int
    values: dict[str, Any]


class Line:
    """Requests to one register.

    Args:
        base_url: its address; https, or http on this very machine.
        name: the register in both languages, for sentences.
        limits: times and sizes.
        session: HTTP connections.

    Raises:
        ValueError: a base address over plain http on another machine.
    """

    def __init__(
        self, base_url: str, name: Text, limits: Limits | None = None, session: requests.Session | None = None
    ) -> None:
        parts = urlsplit(base_url)
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL)
        if not is_safe:
            raise ValueError(f"{base_url!r} is neither https nor on this machine")
        self._base = base_url.rstrip("/")
        self._name = name
        self._limits = limits or Limits()
        self._session = session or requests.Session()

    def __repr__(self) -> str:
        return f"Line({self._base!r})"

    def ask(
        self,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask once; GET, or POST with a body. Redirects are not followed.

        Args:
            path: below the base address.
            params: of the query.
            body: sent as JSON.

        Raises:
            RegisterDown: no answer in time, or none that can be read.
        """
        limits = self._limits
        try:
            with closing(
                self._session.request(
                    "GET" if body is None else "POST",
                    f"{self._base}/{path.lstrip('/')}",
                    params=params,
                    json=body,
                    headers={"Accept": "application/json"},
                    auth=_unsigned,
                    timeout=(limits.connect, limits.read),
                    allow_redirects=False,
                    stream=True,
                )
            ) as answer:
                return Answer(answer.status_code, self._json(answer))
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError):
            raise self.down(Text("nie odpowiada", "does not answer")) from None

    def down(self, why: Text, *, is_limit: bool = False) -> RegisterDown:
        """An error that names the register."""
        return RegisterDown(
            Text(f"{self._name.pl}: {why.pl}.", f"{self._name.en}: {why.en}."), is_limit=is_limit
        )

    def _json(self, answer: requests.Response) -> dict[str, Any]:
        end = time.monotonic() + self._limits.total
        body = bytearray()
        for piece in answer.iter_content(_CHUNK):
            body += piece
            if len(body) > self._limits.max_bytes or time.monotonic() > end:
                raise self.down(Text("odpowiada zbyt wolno lub zbyt wiele", "answers too slowly or too much"))
        try:
            values = json.loads(body)
        except (ValueError, RecursionError):
            return {}
        return values if isinstance(values, dict) else {}


def _unsigned(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Authentication that adds nothing, so that no ``.netrc`` entry is added instead."""
    return request
