"""Scenario c: what one more document costs when there are many, and lists, search and exports over them.

A database is filled with documents of three sellers, all of them at rest. A fourth seller, whose shop and
KSeF are sandboxes, then invoices some orders; time per document at each size shows what grows with it.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from flask.testing import FlaskClient
from sqlalchemy import select, update

from adapters.contract import ShopAdapter, ShopUnavailable
from benchmarks import many_documents, pages
from benchmarks.load import installation, sandboxes
from benchmarks.load.many_sellers import database
from benchmarks.load.processes import memory_of_this
from benchmarks.load.watching import Progress
from connector_app.pipeline.due import next_due
from connector_app.pipeline.issue import issue
from connector_app.pipeline.runner import Runner
from connector_app.pipeline.services import Services
from connector_app.pipeline.shopwork import publish_all
from connector_app.store.models import Document, DocumentState, Seller
from connector_app.web.app import Pulse, WebOptions, create_app

_PATIENCE = timedelta(minutes=2)
_REPEATS = 5
_PAGES = {
    "home": "/",
    "list": "/documents",
    "search": "/documents?q=zolc",
}
_EXPORTS = {"CSV of all": "/documents/export.csv", "ZIP of a month": "/documents/export.zip?month={}&pdf=no"}
_MONTH = "2026-05"


@dataclass(slots=True)
class Result:
    """What a database of one size gave; seconds, unless said otherwise.

    Attributes:
        documents: that were in it. kind: ``SQLite`` or ``PostgreSQL``.
        filled: making it.
        each: of one document: ``intake``, ``issue``, ``send, UPO`` (CPU only), ``publish``.
        whole: of one ``idle pass``, ``next_due``, and each page.
        exports: whole file, first bytes, bytes, and MiB that the process grew by meanwhile.
        memory: MiB of this process at the end.
    """

    documents: int
    kind: str
    filled: float = 0.0
    each: dict[str, float] = field(default_factory=dict)
    whole: dict[str, float] = field(default_factory=dict)
    exports: dict[str, tuple[float, float, int, float]] = field(default_factory=dict)
    memory: float = 0.0


def run(documents: int, orders: int, progress: Progress, *, on_postgresql: bool = False) -> Result:
    """Fill a database and measure.

    Args:
        documents: to fill it with.
        orders: that are then invoiced.
        progress: told what is going on.
        on_postgresql: on a server, see :data:`benchmarks.load.many_sellers.DATABASE`, instead of SQLite.
    """
    result = Result(documents, "PostgreSQL" if on_postgresql else "SQLite")
    with (
        tempfile.TemporaryDirectory() as folder,
        sandboxes.ksef() as (_ksef, environment),
        sandboxes.shops(1, orders) as shop,
        _url(documents, on_postgresql=on_postgresql) as url,
    ):
        made = installation.make(Path(folder), url)
        steps = 4
        progress(0, steps, f"{result.kind}: filling with {documents} documents")
        began = time.perf_counter()
        many_documents.fill(made.services.database, documents)
        _rest(made.services)
        result.filled = time.perf_counter() - began
        installation.add_sellers(made, environment, shop.url, 1)
        services = replace(made.services, work_dir=Path(folder))
        progress(1, steps, f"{result.kind}: passes and {orders} orders beside {documents} documents")
        _passes(result, services)
        _orders(result, services, orders)
        progress(2, steps, f"{result.kind}: pages over {documents} documents")
        app = create_app(services, Pulse(started=datetime.now(UTC)), options=WebOptions(limits=False))
        client = app.test_client()
        pages.sign_in(client, services)
        for name, path in _PAGES.items():
            result.whole[name] = _median(partial(_get, client, path))
        progress(3, steps, f"{result.kind}: exports of {documents} documents")
        for name, path in _EXPORTS.items():
            result.exports[name] = _export(client, path.format(_MONTH))
        result.memory = memory_of_this()
        progress(steps, steps, "")
        made.close()
    return result


@contextmanager
def _url(documents: int, *, on_postgresql: bool) -> Iterator[str]:
    if not on_postgresql:
        yield ""
        return
    with database(f"load_full_{documents}") as url:
        yield url


def _rest(services: Services) -> None:
    """Let nothing of the filled database be due: its sellers' KSeF does not exist."""
    never = services.clock() + timedelta(days=3650)
    with services.database.begin() as session:
        session.execute(
            update(Document).values(next_attempt_at=never, proof_next_at=never, tell_next_at=never)
        )


def _passes(result: Result, services: Services) -> None:
    runner = Runner(services, keep_sessions=True)
    runner.work()
    result.whole["idle pass"] = _median(runner.work)
    with services.database() as session:
        sellers = list(session.scalars(select(Seller.id)))
    result.whole["next_due"] = _median(lambda: next_due(services, sellers, timedelta(seconds=20)))


def _orders(result: Result, services: Services, orders: int) -> None:
    """Invoice the live seller's orders step by step."""
    with services.database() as session:
        live = session.scalars(select(Seller.id).order_by(Seller.id.desc())).first()
    assert live is not None, "the live seller was added"
    runner = Runner(services, only=(live,))
    result.each["intake"] = _timed(runner.take_in) / orders
    with services.database() as session:
        ready = session.scalars(
            select(Document.id).where(Document.seller_id == live, Document.state == DocumentState.READY)
        ).all()
    if len(ready) != orders:
        raise RuntimeError(f"{len(ready)} of {orders} orders are ready to be invoiced")
    result.each["issue"] = _timed(lambda: [issue(services, one) for one in ready]) / orders
    began = time.process_time()
    Runner(replace(services, connect_shop=_closed), only=(live,)).work_until_idle(_PATIENCE)
    result.each["send, UPO (CPU)"] = (time.process_time() - began) / orders
    with services.database.begin() as session:
        session.execute(update(Document).where(Document.seller_id == live).values(next_attempt_at=None))
    result.each["publish"] = _timed(lambda: publish_all(services, live)) / orders
    with services.database() as session:
        done = session.scalars(
            select(Document.id).where(Document.seller_id == live, Document.state == DocumentState.PUBLISHED)
        ).all()
    if len(done) != orders:
        raise RuntimeError(f"{len(done)} of {orders} documents were published")


def _closed(_platform: str, _config: Mapping[str, str], /, **_more: object) -> ShopAdapter:
    """A shop that cannot be connected to, so that publishing is measured by itself."""
    raise ShopUnavailable("closed for a moment")


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _median(work: Callable[[], object]) -> float:
    return statistics.median(_timed(work) for _ in range(_REPEATS))


def _get(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    if answer.status_code != 200:
        raise RuntimeError(f"{path} answered {answer.status_code}")


def _export(client: FlaskClient, path: str) -> tuple[float, float, int, float]:
    """Seconds of a whole file and until its first bytes, its size, and the memory that it took."""
    before = most = memory_of_this()
    began, first, size = time.perf_counter(), 0.0, 0
    with closing(client.get(path, buffered=False)) as answer:
        if answer.status_code != 200:
            raise RuntimeError(f"{path} answered {answer.status_code}")
        for piece in answer.iter_encoded():
            first = first or time.perf_counter() - began
            size += len(piece)
            most = max(most, memory_of_this())
    return time.perf_counter() - began, first, size, most - before
