"""The running application: one at a time, a health page that tells the truth, and a quiet end."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import requests

from adapters.woocommerce.webhooks import TOPICS
from tests.pipeline.test_crash import ROOT, harness

COMMAND = [sys.executable, "-c", "from connector_app.cli import main; main()"]


def wait_for(truth: Callable[[], bool], seconds: float = 40.0) -> None:
    deadline = time.monotonic() + seconds
    while not truth():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.1)


def free_port() -> int:
    """A port that nobody gets by asking for any: the system gives those from a higher range.

    A port of that range, looked up and let go, may be anybody's before the program under test takes it.
    """
    for port in random.SystemRandom().sample(range(15_000, 32_000), 50):
        with socket.socket() as one, suppress(OSError):
            one.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


def test_serve_works_alone_and_ends_quietly(tmp_path: Path) -> None:
    """While it runs, ``store sync`` is told so; a new order is published; SIGTERM ends it with code 0."""
    with harness(tmp_path, factor=1) as made:
        assert made.run("clean") == [0]
        home = os.environ | {"KSEF_CONNECTOR_HOME": str(tmp_path / "home")}
        port = free_port()
        with subprocess.Popen(
            [*COMMAND, "serve", "--port", str(port), "--every", "1"],
            cwd=ROOT,
            env=home,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as serving:
            address = f"http://127.0.0.1:{port}/health"

            def answers() -> bool:
                try:
                    return requests.get(address, timeout=5).status_code == 200
                except requests.ConnectionError:
                    return False

            wait_for(answers)
            other = subprocess.run(
                [*COMMAND, "--lang", "en", "store", "sync"],
                cwd=ROOT,
                env=home,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert other.returncode == 1
            assert "Another process" in other.stderr
            made.add_orders(2)
            wait_for(lambda: requests.get(address, timeout=5).json()["documents"].get("published") == 2)
            serving.send_signal(signal.SIGTERM)
            _, said = serving.communicate(timeout=40)
            assert (serving.returncode, "Traceback" in said) == (0, False), said
        made.assert_one_story()


def test_serve_registers_webhooks_and_is_woken_by_them(tmp_path: Path) -> None:
    """With a public address the shop's webhooks are registered, and an order is published without a look."""
    with harness(tmp_path, factor=1) as made:
        assert made.run("clean") == [0]
        port = free_port()
        home = os.environ | {
            "KSEF_CONNECTOR_HOME": str(tmp_path / "home"),
            "KSEF_CONNECTOR_PUBLIC_URL": f"http://127.0.0.1:{port}/",
        }
        shop = made.made.shop
        with subprocess.Popen(
            [*COMMAND, "serve", "--port", str(port), "--every", "3600"],
            cwd=ROOT,
            env=home,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as serving:
            address = f"http://127.0.0.1:{port}/health"
            wait_for(lambda: len(shop.state.webhooks.hooks) == len(TOPICS))
            wait_for(lambda: requests.get(address, timeout=5).json()["last_pass"] is not None)
            hook = next(iter(shop.state.webhooks.hooks.values()))["delivery_url"]
            assert requests.post(hook, data=b"x" * 5_000_000, timeout=10).status_code == 413
            assert requests.post(hook, data=b"{}", timeout=10).status_code == 401
            made.add_orders(1)
            assert [one.status for one in shop.deliver()] == [200]
            wait_for(lambda: requests.get(address, timeout=5).json()["documents"].get("published") == 1)
            (seen,) = requests.get(address, timeout=5).json()["stores"]
            assert (seen["code"], seen["webhooks"]) == ("test", "registered")
            assert (seen["events_waiting"], seen["looked_at"] is not None) == (0, True)
            serving.send_signal(signal.SIGTERM)
            _, said = serving.communicate(timeout=40)
            assert (serving.returncode, "Traceback" in said) == (0, False), said
            for one in shop.state.webhooks.hooks.values():
                assert one["secret"] not in said
                assert one["delivery_url"] not in said
        made.assert_one_story()
