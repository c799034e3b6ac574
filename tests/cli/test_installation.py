"""Homes, databases and keys that cannot be used: a sentence and a hint, never a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Run, environment, execute, program


@pytest.mark.parametrize(
    "words", [("documents", "list"), ("store", "list"), ("seller", "list"), ("store", "sync")]
)
def test_a_new_installation_is_empty_and_says_so(run: Run, home: Path, words: tuple[str, ...]) -> None:
    """The first look at an installation makes it and says what to do next."""
    result = run(*words)
    assert result.exit_code == 0
    assert "Nie ma" in result.output or "Nic nowego" in result.output
    assert (home / "connector.sqlite3").exists()
    assert home.stat().st_mode & 0o077 == 0
    assert (home / "secret.key").stat().st_mode & 0o077 == 0


def test_a_home_that_is_a_file(run: Run, home: Path) -> None:
    """A file in the home's place is named, with the variable to set."""
    home.write_text("x")
    result = run("documents", "list")
    assert result.exit_code == 1
    assert "jest tam już plik" in result.output
    assert "KSEF_CONNECTOR_HOME" in result.output


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not bind root")
def test_a_home_that_may_not_be_written(run: Run, home: Path) -> None:
    """A read-only home ends in a sentence."""
    home.mkdir(mode=0o500)
    result = run("documents", "list")
    assert result.exit_code == 1
    assert "✗" in result.output


def test_a_home_that_cannot_be_made(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home where no folder can be made ends in a sentence."""
    monkeypatch.setenv("KSEF_CONNECTOR_HOME", "/proc/nowhere")
    result = run("documents", "list")
    assert result.exit_code == 1
    assert "/proc/nowhere" in result.output


def test_a_damaged_database(run: Run, home: Path) -> None:
    """Bytes that are no database are called that."""
    home.mkdir()
    (home / "connector.sqlite3").write_bytes(os.urandom(4096))
    result = run("documents", "list", lang="en")
    assert result.exit_code == 1
    assert "its file is no database" in result.output
    assert "backup" in result.output


@pytest.mark.parametrize("url", ["nonsense", "oracle9://x", "sqlite:////proc/x.db"])
def test_a_wrong_database_address(run: Run, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """A wrong DATABASE_URL ends in a sentence that names the variable."""
    monkeypatch.setenv("DATABASE_URL", url)
    result = run("documents", "list")
    assert result.exit_code == 1
    assert "DATABASE_URL" in result.output


def test_a_damaged_key_file(run: Run, home: Path) -> None:
    """A key file that holds no key is named."""
    home.mkdir()
    (home / "secret.key").write_text("no key")
    result = run("documents", "list")
    assert result.exit_code == 1
    assert "secret.key" in result.output


def test_an_error_of_the_program_is_no_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that nobody foresaw is called an error of the program, with the way to see more."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("connector_app.commands.app.open_database", fail)
    result = run("documents", "list")
    assert result.exit_code == 1
    assert "Błąd programu (ZeroDivisionError)" in result.output
    assert "secret detail" not in result.output


def test_a_closed_pipe_is_no_error_message(tmp_path: Path) -> None:
    """A reader that goes away early leaves nothing on the error stream."""
    made = subprocess.Popen(
        program("--help"), cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert made.stdout
    assert made.stderr
    made.stdout.close()
    complaint = made.stderr.read()
    made.wait(20)
    made.stderr.close()
    assert complaint == b""


def test_ctrl_c_ends_with_130_and_a_sentence(tmp_path: Path) -> None:
    """Interrupting the demo ends it with exit code 130 and one sentence."""
    made = subprocess.Popen(
        program("demo"),
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert made.stderr
    assert made.stderr.readline().startswith("KSeF")  # it is at work
    time.sleep(0.3)
    made.send_signal(signal.SIGINT)
    _, complaint = made.communicate(timeout=20)
    assert made.returncode == 130
    assert "Przerwano. Nic nie zginęło" in complaint
    assert "Traceback" not in complaint


@pytest.mark.parametrize("moment", [0.0, 0.05, 0.1, 0.2, 0.4])
def test_ctrl_c_while_it_loads_is_quiet(tmp_path: Path, moment: float) -> None:
    """Interrupting the program while it still loads shows no traceback of its own."""
    started = tmp_path / "started"
    start = f"open({str(started)!r}, 'w').close(); from connector_app.cli import main; main()"
    words = [*program()[:-1], start, "documents", "list"]
    made = subprocess.Popen(words, cwd=tmp_path, env=environment(tmp_path / "home"), stderr=subprocess.PIPE)
    while not started.exists():
        time.sleep(0.005)
    time.sleep(0.02 + moment)
    made.send_signal(signal.SIGINT)
    _, complaint = made.communicate(timeout=20)
    # done already, interrupted, or ended by the signal itself while the interpreter shuts down
    assert made.returncode in {0, 130, -signal.SIGINT}
    assert b"Traceback" not in complaint


def test_the_process_speaks_the_language_of_its_variable(tmp_path: Path) -> None:
    """KSEF_CONNECTOR_LANG sets the language where --lang is not given."""
    made = subprocess.run(
        program("documents", "list"),
        cwd=tmp_path,
        env=environment(tmp_path / "home") | {"KSEF_CONNECTOR_LANG": "en"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert made.stdout.startswith("There are no such documents.")
    assert execute("documents", "list", cwd=tmp_path, home=tmp_path / "home").stdout.startswith("Nie ma")
