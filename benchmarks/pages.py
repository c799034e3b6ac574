"""The main pages of the application over few and over many documents, against its most trivial page.

The application is asked in this process, signed in as the owner of the installation, with a database file.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from flask.testing import FlaskClient

from benchmarks import many_documents
from benchmarks.timing import TINY, Effort, Row, Work, rounds_of, take_turns
from connector_app.pipeline.services import Services
from connector_app.store.database import open_database
from connector_app.vault import Vault
from connector_app.web.accounts.people import add_user
from connector_app.web.app import Pulse, WebOptions, create_app

NAME = "pages"
_SIZES = (1_000, 100_000)
_TINY_SIZES = (60,)
_GOAL = 0.150
_FLOOR = "/sign-in"
_PAGES = (
    ("home", "/"),
    ("list", "/documents"),
    ("list, one state", "/documents?state=attention"),
    ("list by total", "/documents?sort=total"),
    ("search, many found", "/documents?q=zolc"),
    ("search, none found", "/documents?q=nie+ma+takiego"),
    ("month and store", "/documents?month=2026-05&store=sklep-3&sort=buyer"),
    ("document", "/documents/{issued}"),
    ("orders", "/orders"),
    ("orders, search", "/orders?q=zolc"),
    ("stores", "/stores"),
)


def measure(effort: Effort) -> Iterator[Row]:
    """The rows of this bench."""
    for count in _TINY_SIZES if effort is TINY else _SIZES:
        with tempfile.TemporaryDirectory() as folder:
            yield from _measure(Path(folder), count, effort)


def _measure(home: Path, count: int, effort: Effort) -> Iterator[Row]:
    database = open_database(f"sqlite:///{home / 'connector.sqlite3'}")
    many_documents.fill(database, count)
    services = Services(database=database, vault=Vault.open(home / "secret.key"))
    app = create_app(services, Pulse(started=datetime.now(UTC)), options=WebOptions(limits=False))
    stranger, owner = app.test_client(), app.test_client()
    sign_in(owner, services)
    issued = count - count % 10 - 1
    floor = Row(NAME, f"sign-in page, {count} documents", "floor")
    rows = [floor]
    works = [(floor, rounds_of(_ask(stranger, _FLOOR), effort))]
    for title, path in _PAGES:
        row = Row(NAME, f"{title}, {count} documents", "core", goal="<= 150 ms")
        rows.append(row)
        works.append((row, rounds_of(_ask(owner, path.format(issued=issued)), effort)))
    take_turns(works, effort)
    for row in rows[1:]:
        row.floor = floor.best
        row.met = (row.median or 0) <= _GOAL
    database.kw["bind"].dispose()
    yield from rows


def _ask(client: FlaskClient, path: str) -> Work:
    def work(_number: int) -> None:
        answer = client.get(path)
        if answer.status_code != 200:
            raise RuntimeError(f"{path} answered {answer.status_code}")

    return work


def sign_in(client: FlaskClient, services: Services) -> None:
    """Sign in as the owner of the installation."""
    with services.database.begin() as session:
        add_user(session, _EMAIL, _PASSWORD, services.clock(), is_admin=True)
    found = _TOKEN.search(client.get(_FLOOR).text)
    if found is None:
        raise RuntimeError("the sign-in page has no form")
    client.post(_FLOOR, data={"csrf_token": found[1], "email": _EMAIL, "password": _PASSWORD})


_EMAIL = "owner@shop.example"
_PASSWORD = "measuring is no secret"
_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
