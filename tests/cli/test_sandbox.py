"""``sandbox``: both servers as processes."""

from __future__ import annotations

import signal
import socket
import subprocess
from pathlib import Path

import pytest
import requests

from tests.cli.conftest import Run, environment, program


@pytest.mark.parametrize(
    ("name", "first", "path"),
    [
        ("ksef", "KSeF API", "/security/public-key-certificates"),
        ("shops", "WooCommerce", "/sandbox/orders/15"),
    ],
)
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_a_sandbox_says_where_it_is_and_ends_when_asked(
    tmp_path: Path, name: str, first: str, path: str, end: signal.Signals
) -> None:
    """The first line names the address, which answers; Ctrl-C and SIGTERM end it without a complaint."""
    made = subprocess.Popen(
        program("sandbox", name, "--port", "0"),
        cwd=tmp_path,
        env=environment(tmp_path / "home") | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert made.stdout
    line = made.stdout.readline()
    assert line.startswith(first)
    assert requests.get(line.split()[-1] + path, timeout=10).status_code == 200
    made.send_signal(end)
    _, complaint = made.communicate(timeout=20)
    assert made.returncode == 0
    assert complaint == ""


@pytest.mark.parametrize("name", ["ksef", "shops"])
def test_a_taken_port_is_named(run: Run, name: str) -> None:
    """A port in use ends in a sentence with the way out."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run("sandbox", name, "--port", port)
    assert result.exit_code == 1
    assert f"Port {port} jest zajęty." in result.output
    assert "--port 0" in result.output


@pytest.mark.parametrize("name", ["ksef", "shops"])
def test_a_memory_that_is_none(run: Run, tmp_path: Path, name: str) -> None:
    """A --state file that holds something else ends in a sentence."""
    (tmp_path / "noise").write_bytes(b"\xff noise" * 200)
    result = run("sandbox", name, "--port", "0", "--state", "noise")
    assert result.exit_code == 1
    assert "Pamięci piaskownicy nie da się odczytać" in result.output
