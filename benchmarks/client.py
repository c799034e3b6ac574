"""The client over real HTTP on localhost against the sandbox without limits: what the client adds.

The floor is the same number of bytes to the same server and back with ``requests`` alone: one cheap question.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import requests

from benchmarks import documents, servers
from benchmarks.timing import Effort, Row, Work, rounds_of, take_turns
from core.calendar import warsaw_day
from core.fa import registry
from core.fa.write import write
from core.ksef import auth, interactive, status
from core.ksef.client import KsefClient
from core.ksef.environments import Environment
from core.ksef.interactive import FA_3, OpenSession
from core.ksef.public_keys import PublicKeys
from core.ksef.status import DocumentState
from core.signing.keys import self_signed

NAME = "client"
_LINES = 5


def measure(effort: Effort) -> Iterator[Row]:
    """The rows of this bench."""
    with servers.ksef() as environment:
        yield from _measure(environment, effort)


def _measure(environment: Environment, effort: Effort) -> Iterator[Row]:
    client = KsefClient(environment).for_context(documents.NIP)
    key = self_signed(documents.NIP, now=datetime.now(UTC))
    tokens = auth.sign_in_with_certificate(client, documents.NIP, key)
    session = interactive.open_session(client, tokens.access, FA_3, PublicKeys(client))
    floor = Row(NAME, "one bare HTTP exchange (requests)", "floor")
    signed = Row(NAME, "sign-in with a certificate (4 calls)", "core")
    sent = Row(NAME, f"send one document of {_LINES} lines", "core")
    known = Row(NAME, f"send, and read its KSeF number: {_LINES} lines", "core")
    with requests.Session() as bare:
        works: list[tuple[Row, Work]] = [
            (floor, _ask(bare, environment)),
            (signed, lambda _: auth.sign_in_with_certificate(client, documents.NIP, key)),
            (sent, _send(client, tokens.access, session, wait=False)),
            (known, _send(client, tokens.access, session, wait=True)),
        ]
        take_turns([(row, rounds_of(work, effort)) for row, work in works], effort)
    for row in (signed, sent, known):
        row.floor = floor.best
    if sent.median:
        sent.note = f"{1 / sent.median:.0f} documents a second, one after another"
    yield from (floor, signed, sent, known)


def _ask(session: requests.Session, environment: Environment) -> Work:
    url = f"{environment.api_url}/auth/challenge"

    def work(_number: int) -> None:
        session.post(url, timeout=10).raise_for_status()

    return work


def _send(client: KsefClient, access: str, session: OpenSession, *, wait: bool) -> Work:
    """Send documents that KSeF has not seen yet, today's."""
    invoice = documents.invoices(_LINES, 1)[0]
    fa3 = registry.schema_for("FA3")
    today = warsaw_day(datetime.now(UTC)).isoformat().encode()
    template = write(invoice, fa3).replace(documents.DAY.isoformat().encode(), today)
    number = f"<P_2>{invoice.number}</P_2>".encode()
    prefix = "W" if wait else "S"
    sent = 0

    def work(_number: int) -> None:
        nonlocal sent
        sent += 1
        xml = template.replace(number, f"<P_2>{prefix}/{sent}</P_2>".encode())
        reference = interactive.send(client, access, session, xml)
        if wait:
            found = status.document(client, access, session.reference, reference)
            assert found.state is DocumentState.ACCEPTED, found

    return work
