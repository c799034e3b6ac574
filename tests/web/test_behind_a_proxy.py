"""The real server behind a reverse proxy: what the proxy says of a visitor reaches the application."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import requests

from tests.conftest import ROOT

_PROXY = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "k.example"}


def _port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait(address: str) -> requests.Response:
    deadline = time.monotonic() + 40
    while True:
        try:
            return requests.get(address, timeout=5)
        except requests.ConnectionError:
            assert time.monotonic() < deadline, "the server did not come up"
            time.sleep(0.1)


def test_the_server_hands_a_proxys_headers_on(tmp_path: Path) -> None:
    """https is seen through the proxy; details of health are not for who comes through it."""
    port = _port()
    home = os.environ | {
        "KSEF_CONNECTOR_HOME": str(tmp_path / "home"),
        "KSEF_CONNECTOR_PROXIES": "1",
        "KSEF_CONNECTOR_HSTS": "1",
    }
    command = "from connector_app.cli import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", command, "serve", "--port", str(port)],
        cwd=ROOT,
        env=home,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as serving:
        try:
            address = f"http://127.0.0.1:{port}/health"
            assert "stores" in _wait(address).json()
            through = requests.get(address, headers=_PROXY, timeout=5)
            assert set(through.json()) == {"status"}
            assert through.headers["Strict-Transport-Security"] == "max-age=31536000"
        finally:
            serving.send_signal(signal.SIGTERM)
            serving.wait(40)
