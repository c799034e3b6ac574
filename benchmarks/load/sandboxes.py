"""The sandboxes of a load run, each in a process of its own: KSeF with the published limits, and the shops.

They are served by waitress, because the sandboxes' own server ends every connection after one answer, which
neither KSeF nor a shop does. Every answer is counted by operation and status.

``python -m benchmarks.load.sandboxes ksef`` and ``... shops NUMBER ORDERS`` are what :func:`ksef` and
:func:`shops` start.
"""

from __future__ import annotations

import json
import re
import signal
import sys
import threading
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from waitress.server import create_server
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from benchmarks import documents
from benchmarks.load.processes import child, free_port, module
from core.ksef.environments import Environment, custom
from sandbox.ksef import keys
from sandbox.ksef.app import create_app
from sandbox.ksef.operations import BASE_PATH
from sandbox.ksef.state import SandboxState, Settings
from sandbox.woocommerce.server import WooSandbox

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_COUNTS = "/load/counts"
_REFERENCE = re.compile(r"/[^/]*\d[^/]*")
_LINES = 5
_THREADS = 16
_A_SECOND = 20
_DONE = "_ksef_number"


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox.

    Attributes:
        url: its address.
        pid: of its process.
    """

    url: str
    pid: int

    def told(self) -> dict[str, Any]:
        """What it counted: ``counts`` of answers by ``METHOD path status``; shops: what stands in orders."""
        with urllib.request.urlopen(f"{self.url}{_COUNTS}", timeout=60) as answer:
            told: dict[str, Any] = json.load(answer)
        return told

    def counts(self) -> Counter[str]:
        """Answers by ``METHOD path status``."""
        return Counter(self.told()["counts"])


@contextmanager
def ksef(processing_seconds: float = 1.0) -> Iterator[tuple[Sandbox, Environment]]:
    """A KSeF with the published limits and its usual delay before verdicts."""
    with _running("ksef", processing_seconds) as sandbox:
        yield sandbox, custom(f"{sandbox.url}{BASE_PATH}", f"{sandbox.url}/qr")


@contextmanager
def shops(number: int, orders: int) -> Iterator[Sandbox]:
    """Shops with paid orders; the address of one is ``{url}/shop-1``."""
    with _running("shops", number, orders) as sandbox:
        yield sandbox


@contextmanager
def _running(*words: object) -> Iterator[Sandbox]:
    with child(module("benchmarks.load.sandboxes", *words)) as process:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        if not line:
            raise RuntimeError(f"the sandbox {words[0]} did not start")
        yield Sandbox(line, process.pid)


class Counting:
    """Counts what an application answers.

    Args:
        application: the sandbox.
        more: what it tells beside the counts.
    """

    def __init__(self, application: WSGIApplication, more: Callable[[], Mapping[str, Any]] = dict) -> None:
        self._application = application
        self._more = more
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        if environ["PATH_INFO"] == _COUNTS:
            with self._lock:
                body = json.dumps({"counts": self._counts, **self._more()}).encode()
            start_response(
                "200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
            )
            return [body]
        operation = f"{environ['REQUEST_METHOD']} {operation_of(environ['PATH_INFO'])}"

        def start(status: str, headers: Any, error: Any = None) -> Any:
            with self._lock:
                self._counts[f"{operation} {status[:3]}"] += 1
            return start_response(status, headers, error)

        return self._application(environ, start)


def operation_of(path: str) -> str:
    """A path without the version of the API and with ``{}`` for ids, numbers and references."""
    for prefix in (BASE_PATH, "/wp-json/wc/v3"):
        _, found, rest = path.partition(prefix)
        path = rest if found else path
    return _REFERENCE.sub("/{}", path)


def _ksef_application(processing_seconds: float) -> WSGIApplication:
    state = SandboxState.open(
        None, settings=Settings(processing_seconds=processing_seconds, rate_limits=True)
    )
    keys.published(state)
    keys.seal(state)
    return Counting(create_app(state))


def _shops_application(number: int, orders: int) -> WSGIApplication:
    made = {f"/shop-{place}": WooSandbox(paid_orders(orders)) for place in range(1, number + 1)}

    def more() -> dict[str, Any]:
        told = [_told_by(one) for one in made.values()]
        return {key: sum(one[key] for one in told) for key in told[0]}

    root = DispatcherMiddleware(_nothing, {path: one.application() for path, one in made.items()})
    return Counting(root, more)


def _told_by(shop: WooSandbox) -> dict[str, int]:
    """How many orders carry a KSeF number, and how many notes there are of each kind."""
    state = shop.state
    with state.lock:
        numbered = sum(
            any(one["key"] == _DONE for one in order.get("meta_data", [])) for order in state.orders.values()
        )
        notes = [note for of_order in state.notes.values() for note in of_order]
    to_buyers = sum(1 for note in notes if note["customer_note"])
    return {"orders": len(state.orders), "numbered": numbered, "notes": len(notes), "to_buyers": to_buyers}


def paid_orders(count: int) -> Iterator[dict[str, Any]]:
    """Orders of five lines, each with a buyer's NIP, the last of them paid now, twenty a second before it."""
    now = datetime.now(UTC)
    for number in range(1, count + 1):
        moment = now - timedelta(seconds=(count - number) // _A_SECOND)
        paid = moment.strftime("%Y-%m-%dT%H:%M:%S")
        dates = {f"{name}{zone}": paid for name in _DATES for zone in ("", "_gmt")}
        yield documents.order_json(_LINES, number) | dates


_DATES = ("date_created", "date_modified", "date_paid")


def _nothing(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("404 Not Found", [("Content-Length", "0")])
    return [b""]


def main(words: list[str]) -> None:
    """Serve one kind of sandbox until SIGTERM; the first line of output is its address."""
    kind, *arguments = words
    application = (
        _ksef_application(float(arguments[0])) if kind == "ksef" else _shops_application(*map(int, arguments))
    )
    port = free_port()
    server = create_server(application, host="127.0.0.1", port=port, threads=_THREADS)
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    print(f"http://127.0.0.1:{port}", flush=True)
    server.run()


if __name__ == "__main__":
    main(sys.argv[1:])
