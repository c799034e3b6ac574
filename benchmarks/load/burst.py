"""Scenario d: a burst of webhooks at the running program, while its background work reads the orders."""

from __future__ import annotations

import json
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import func, select

from benchmarks.load import installation, sandboxes
from benchmarks.load.processes import Usage, Watched, child, free_port, module, one, program
from benchmarks.load.watching import Progress
from connector_app import subscriptions
from connector_app.store.models import Document, Store, WebhookEvent

RATE = 200.0
_READY = 60.0


@dataclass(slots=True)
class Result:
    """What a burst gave.

    Attributes:
        sent: webhooks. rate: a second.
        answers: by status. kept: rows of webhook events afterwards.
        milliseconds: of every answer, sorted.
        late: milliseconds by which the sender missed its pace at the most.
        done: events that the background had worked on, and issued: documents, when the burst was over.
        usage: of ``application`` and ``sender``.
    """

    sent: int
    rate: float
    answers: dict[str, int] = field(default_factory=dict)
    kept: int = 0
    milliseconds: list[float] = field(default_factory=list)
    late: float = 0.0
    done: int = 0
    issued: int = 0
    usage: dict[str, Usage] = field(default_factory=dict)

    def percentile(self, share: float) -> float:
        """Milliseconds within which this share of the answers came."""
        place = min(len(self.milliseconds) - 1, int(len(self.milliseconds) * share))
        return self.milliseconds[place] if self.milliseconds else 0.0


def run(seconds: float, progress: Progress, rate: float = RATE) -> Result:
    """Start the program and send webhooks to it.

    Args:
        seconds: how long.
        progress: told how it goes.
        rate: webhooks a second.
    """
    result = Result(max(1, int(rate * seconds)), rate)
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    with (
        tempfile.TemporaryDirectory() as folder,
        sandboxes.ksef() as (_ksef, environment),
        sandboxes.shops(1, result.sent) as shop,
    ):
        made = installation.make(Path(folder))
        installation.add_sellers(made, environment, shop.url, 1, webhook_base=base)
        # nothing but webhooks tells of orders: the shop's list is taken for read
        with made.database.begin() as session:
            store = session.scalars(select(Store)).one()
            store.mark = store.looked_at = made.services.clock()
        door = subscriptions.door_of(made.services, store)
        assert door is not None, "the store was registered"
        words = program("--lang", "en", "serve", "--port", port, "--public-url", base, "--every", 3600)
        with child(words, made.environment(), Path(folder) / "log") as process:
            _wait_for(f"{base}/healthz")
            application = Watched(one(process.pid))
            _burst(result, door.address(store.code), door.secrets[0], seconds, application, progress)
            with made.database() as session:
                result.kept = session.scalar(select(func.count()).select_from(WebhookEvent)) or 0
                done = select(func.count()).where(WebhookEvent.done_at.is_not(None))
                result.done = session.scalar(done) or 0
                result.issued = session.scalar(select(func.count(Document.xml_sha256))) or 0
            result.usage["application"] = application.look()
        made.close()
    return result


def _burst(
    result: Result, address: str, secret: str, seconds: float, application: Watched, progress: Progress
) -> None:
    words = module("benchmarks.load.sender", address, secret, result.rate, seconds)
    with child(words) as sending:
        sender, began = Watched(one(sending.pid)), time.monotonic()
        while sending.poll() is None:
            time.sleep(0.5)
            application.look()
            sender.look()
            spent = min(seconds, time.monotonic() - began)
            progress(int(result.rate * spent), result.sent, "webhooks sent")
            # its answers do not fit into the pipe before it ends
            if spent >= seconds:
                break
        assert sending.stdout is not None
        told = json.loads(sending.stdout.read())
    result.usage["sender"] = sender.usage
    result.answers, result.late = told["answers"], told["late"]
    result.milliseconds = sorted(told["milliseconds"])


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + _READY
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the program did not start")
