"""HTTP to the public Web API of the NBP: the mid rates of table A in, checked rows or a typed error out.

Errors::

    NbpError             no usable answer
    ├── NbpUnreachable   no connection, no answer in time, or a broken one
    ├── NbpNoData        404: nothing was announced for this currency in these days
    ├── NbpRefused       any other status than 200
    └── NbpMisleading    an answer that is not what was asked for

Source: the user manual of the NBP Web API on https://api.nbp.pl/.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Final
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from core.findings import SaidError, Text

NBP_API: Final = "https://api.nbp.pl/api"
"""The bank's own address."""

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_TABLE = re.compile(r"(\d{1,3})/A/NBP/(\d{4})", re.ASCII)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 3
_CHUNK = 16_384
_LEAST, _MOST = Decimal("0.000001"), Decimal(1_000_000)
_DECIMALS = 8  # the rupiah, announced for 10 000 with four decimals, has the most


class NbpError(SaidError):
    """The NBP gave no usable answer.

    Attributes:
        text: what happened, in the middle of a sentence.
    """


class NbpUnreachable(NbpError):
    """No connection, no answer in time, or an answer that broke off."""


class NbpNoData(NbpError):
    """Nothing was announced for this currency in these days (404)."""


class NbpRefused(NbpError):
    """An answer with another status than 200 and 404.

    Attributes:
        status: HTTP status.
    """

    def __init__(self, status: int) -> None:
        super().__init__(
            Text(f"serwis NBP odpowiedział błędem {status}", f"the NBP service answered {status}")
        )
        self.status = status


class NbpMisleading(NbpError):
    """An answer that is not what was asked for; nothing of it is used."""

    def __init__(self, why: str) -> None:
        super().__init__(
            Text(
                f"odpowiedź serwisu NBP jest niewiarygodna ({why})",
                f"the answer of the NBP service cannot be trusted ({why})",
            )
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much to wait for.

    Attributes:
        connect, read: seconds for the connection, and between two pieces of an answer.
        total: seconds for one whole answer.
        max_bytes: largest answer taken, in bytes after decompression; three weeks of a currency are 2 kB.
    """

    connect: float = 5.0
    read: float = 10.0
    total: float = 20.0
    max_bytes: int = 256 * 1024


@dataclass(frozen=True, slots=True)
class MidRate:
    """One row: a currency in one table A.

    Attributes:
        number, year: of the table, counted anew each year.
        day: ``effectiveDate``, the Warsaw day on which it was announced.
        mid: PLN for one unit, at most eight decimals.
    """

    number: int
    year: int
    day: date
    mid: Decimal

    @property
    def table(self) -> str:
        """The table's number as the NBP writes it, ``227/A/NBP/2026``."""
        return f"{self.number:03}/A/NBP/{self.year}"


class NbpClient:
    """Requests to the Web API over one session.

    Args:
        base_url: address up to ``/api``; https, or http on this very machine.
        session: keep-alive connections, proxies and the like; TLS certificates are checked whatever it says.
        limits: times and sizes.
        monotonic: seconds of a clock that never goes back.

    Raises:
        ValueError: a base address over plain http on another machine.
    """

    def __init__(
        self,
        base_url: str = NBP_API,
        session: requests.Session | None = None,
        limits: Limits | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if not _is_safe(base_url):
            raise ValueError(f"{base_url!r} is neither https nor on this machine")
        self._base = base_url.rstrip("/")
        self._session = session or requests.Session()
        self._limits = limits or Limits()
        self._monotonic = monotonic

    def __repr__(self) -> str:
        return f"NbpClient({self._base!r})"

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def mid_rates(self, currency: str, first: date, last: date) -> tuple[MidRate, ...]:
        """A currency's rows of table A, oldest first (``exchangerates/rates/a/{code}/{start}/{end}/``).

        Args:
            currency: ISO 4217 code, three capital letters.
            first: Warsaw day, included.
            last: Warsaw day, included, at most 93 days later.

        Returns:
            At least one row.

        Raises:
            NbpError: see the module.
        """
        body = self._get(f"{self._base}/exchangerates/rates/a/{currency.lower()}/{first}/{last}/?format=json")
        return _rows(body, currency, first, last)

    def _get(self, url: str) -> bytes:
        for _ in range(1 + _MOST_REDIRECTS):
            try:
                with closing(self._open(url)) as answer:
                    if answer.status_code not in _REDIRECTS:
                        return self._body(answer)
                    location = answer.headers.get("Location", "")
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError):
                # the library's own words would fill a page and name nothing that a merchant knows
                raise NbpUnreachable(
                    Text(
                        "nie udało się uzyskać odpowiedzi serwisu NBP", "the NBP service could not be reached"
                    )
                ) from None
            url = self._redirected(url, location)
        raise NbpMisleading("too many redirects")

    def _redirected(self, url: str, location: str) -> str:
        """The address to ask next; never from https to http, never off this machine by http."""
        try:
            target = urljoin(url, location)
            if _is_safe(target) and urlsplit(target).scheme == urlsplit(self._base).scheme:
                return target
        except ValueError:  # no address at all
            pass
        raise NbpMisleading("redirect to an unsafe address")

    def _open(self, url: str) -> requests.Response:
        return self._session.get(
            url,
            headers={"Accept": "application/json"},
            auth=_unsigned,
            timeout=(self._limits.connect, self._limits.read),
            allow_redirects=False,
            stream=True,
            verify=self._session.verify or True,
        )

    def _body(self, answer: requests.Response) -> bytes:
        if answer.status_code == 404:
            raise NbpNoData(
                Text("NBP nie ma danych za te dni", "the NBP has no data for these days"),
            )
        if answer.status_code != 200:
            raise NbpRefused(answer.status_code)
        end = self._monotonic() + self._limits.total
        body = bytearray()
        for piece in answer.iter_content(_CHUNK):
            body += piece
            if len(body) > self._limits.max_bytes:
                raise NbpMisleading("answer too large")
            if self._monotonic() > end:
                raise NbpUnreachable(
                    Text("serwis NBP odpowiada zbyt wolno", "the NBP service answers too slowly")
                )
        return bytes(body)


def _is_safe(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL)


def _unsigned(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Authentication that adds nothing, so that no ``.netrc`` entry is added instead."""
    return request


def _rows(body: bytes, currency: str, first: date, last: date) -> tuple[MidRate, ...]:
    try:
        # integers too: a rate of exactly 4 is written without a fraction
        data = json.loads(body, parse_float=Decimal, parse_int=Decimal)
    except (ValueError, RecursionError):
        raise NbpMisleading("not JSON") from None
    if not isinstance(data, dict) or data.get("table") != "A" or data.get("code") != currency:
        raise NbpMisleading("another table or currency")
    items = data.get("rates")
    if not isinstance(items, list) or not items:
        raise NbpMisleading("no rates")
    rows = tuple(_row(item) for item in items)
    if any(row.day >= after.day for row, after in pairwise(rows)):
        raise NbpMisleading("days not in order")
    if rows[0].day < first or rows[-1].day > last:
        raise NbpMisleading("other days")
    return rows


def _row(item: object) -> MidRate:
    if not isinstance(item, dict):
        raise NbpMisleading("no rates")
    table, mid = _TABLE.fullmatch(str(item.get("no"))), item.get("mid")
    try:
        day = date.fromisoformat(str(item.get("effectiveDate")))
    except ValueError:
        raise NbpMisleading("no day") from None
    if table is None or int(table[2]) != day.year:
        raise NbpMisleading("no table number")
    if not isinstance(mid, Decimal) or not mid.is_finite() or not _LEAST <= mid <= _MOST:
        raise NbpMisleading("no rate")
    plain = Decimal(format(mid, "f"))  # 2.3E-4 becomes 0.00023
    if len(str(plain).partition(".")[2]) > _DECIMALS:
        raise NbpMisleading("no rate")
    return MidRate(int(table[1]), int(table[2]), day, plain)
