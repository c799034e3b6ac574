"""The NBP client alone: which error it is, and where it refuses to go."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime

import pytest
import requests
from flask import Response
from urllib3 import HTTPResponse

from connector_app.nbp.client import (
    Limits,
    NbpClient,
    NbpError,
    NbpMisleading,
    NbpNoData,
    NbpRefused,
    NbpUnreachable,
)
from sandbox.nbp import NbpSandbox

FIRST, LAST = date(2026, 11, 16), date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture
def bank() -> Iterator[NbpSandbox]:
    """A running bank."""
    with NbpSandbox(clock=lambda: NOW) as running:
        yield running


@pytest.fixture
def client(bank: NbpSandbox) -> Iterator[NbpClient]:
    """A client that waits also for a machine at its limit."""
    client = NbpClient(bank.url, limits=Limits(connect=5, read=5, total=10))
    yield client
    client.close()


class Redirecting(requests.Session):
    """A session whose every answer sends elsewhere; nothing leaves the process."""

    def __init__(self, location: str) -> None:
        super().__init__()
        self.location = location
        self.asked: list[str] = []

    def get(self, url: str | bytes, **_options: object) -> requests.Response:
        """Answer 302."""
        self.asked.append(str(url))
        answer = requests.Response()
        answer.status_code = 302
        answer.headers["Location"] = self.location
        answer.raw = HTTPResponse(io.BytesIO(), preload_content=False)
        return answer


@pytest.mark.parametrize(
    ("base", "location"),
    [
        ("https://api.nbp.pl/api", "http://api.nbp.pl/api/x"),
        ("https://api.nbp.pl/api", "http://127.0.0.1/x"),
        ("https://api.nbp.pl/api", "file:///etc/hostname"),
        ("https://api.nbp.pl/api", "http://[broken"),
        ("https://api.nbp.pl/api", "https://[broken"),
        ("http://127.0.0.1:1/api", "https://kursy.example/x"),
        ("http://127.0.0.1:1/api", "http://kursy.example/x"),
    ],
)
def test_a_redirect_to_an_unsafe_address_is_not_followed(base: str, location: str) -> None:
    """Not from https to http, not off this machine, not to a file: one request and no more."""
    session = Redirecting(location)
    with pytest.raises(NbpMisleading):
        NbpClient(base, session).mid_rates("EUR", FIRST, LAST)
    assert len(session.asked) == 1


def test_redirects_end() -> None:
    """A service that sends round and round is left after a few."""
    session = Redirecting("https://api.nbp.pl/elsewhere")
    with pytest.raises(NbpMisleading, match="redirects"):
        NbpClient("https://api.nbp.pl/api", session).mid_rates("EUR", FIRST, LAST)
    assert 1 < len(session.asked) < 6


def test_an_answer_that_trickles_has_an_end(bank: NbpSandbox) -> None:
    """Each piece comes in time, the whole does not."""
    client = NbpClient(bank.url, limits=Limits(connect=5, read=5, total=0.6))

    def trickle(_true: Response) -> Response:
        def pieces() -> Iterator[bytes]:
            for _ in range(200):
                time.sleep(0.02)
                yield b" " * 1000

        return Response(pieces())

    bank.fault(trickle)
    with closing(client), pytest.raises(NbpUnreachable, match="slowly"):
        client.mid_rates("EUR", FIRST, LAST)


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, NbpNoData), (400, NbpRefused), (403, NbpRefused), (429, NbpRefused), (500, NbpRefused)],
)
def test_a_status_has_its_error(
    bank: NbpSandbox, client: NbpClient, status: int, error: type[NbpError]
) -> None:
    """No data is told from a refusal, whose status is kept."""
    bank.fault(lambda _true: Response("no", status))
    with pytest.raises(error) as caught:
        client.mid_rates("EUR", FIRST, LAST)
    assert getattr(caught.value, "status", 404) == status


@pytest.mark.parametrize("day", ["2026-11-13", "2026-11-25"])
def test_days_that_were_not_asked_for_are_not_taken(bank: NbpSandbox, client: NbpClient, day: str) -> None:
    """A cache on the way that mixes answers up is noticed."""
    row = f'{{"no":"220/A/NBP/2026","effectiveDate":"{day}","mid":4.25}}'
    bank.fault(lambda _true: Response(f'{{"table":"A","code":"EUR","rates":[{row}]}}'))
    with pytest.raises(NbpMisleading, match="other days"):
        client.mid_rates("EUR", FIRST, LAST)


def test_rows_come_as_announced(bank: NbpSandbox, client: NbpClient) -> None:
    """Every working day of the period, oldest first, with the table's own number."""
    rows = client.mid_rates("EUR", FIRST, LAST)
    assert [row.day for row in rows] == bank.days(FIRST, LAST)
    assert [row.table for row in rows] == [bank.table(row.day) for row in rows]
    assert [row.mid for row in rows] == [bank.mid("EUR", row.day) for row in rows]
