"""An installation of its own for every test, and the program as a function and as a process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from connector_app.commands.root import root
from tests.cli import warm

Run = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an installation that nobody used yet; the working folder is the test's own."""
    place = tmp_path / "home"
    monkeypatch.setenv("KSEF_CONNECTOR_HOME", str(place))
    for name in ("KSEF_CONNECTOR_LANG", "KSEF_SCHEMA_DIR", "DATABASE_URL", "KSEF_CONNECTOR_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return place


@pytest.fixture
def run(home: Path) -> Run:
    """The program in this process; whatever it does, a traceback is never shown."""
    assert home

    def call(*words: object, stdin: bytes | str | None = None, lang: str = "pl") -> Result:
        result = CliRunner().invoke(root, ["--lang", lang, *map(str, words)], input=stdin)
        assert "Traceback" not in result.output
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return call


def program(*words: object) -> list[str]:
    """The words that start the program as a process of its own."""
    start = "from connector_app.cli import main; main()"
    return [sys.executable, "-W", "error", "-c", start, *map(str, words)]


def execute(*words: object, cwd: Path, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the program as a process of its own and wait for it; see :mod:`tests.cli.warm`."""
    return warm.start(words, cwd=cwd, variables=environment(home))


def environment(home: Path | None = None) -> dict[str, str]:
    """Variables of a process that finds this source tree and, when given, an installation."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KSEF_")}
    found = kept | {"PYTHONPATH": str(Path(__file__).resolve().parents[2]), "PYTHONUTF8": "1"}
    return found | ({"KSEF_CONNECTOR_HOME": str(home)} if home else {})
