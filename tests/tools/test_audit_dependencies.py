"""The audit of dependencies: a known fault fails, an unreachable service does not, and both are said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tools.audit_dependencies import main

Report = dict[str, Any]


@pytest.fixture
def constraints(tmp_path: Path) -> Path:
    """Two pinned packages."""
    file = tmp_path / "constraints.txt"
    file.write_text("# exact\nflask==3.1.3\nlxml==6.1.3\n", "utf-8")
    return file


def service(*, faulty: str = "", unknown: tuple[str, ...] = (), asked: list[int]) -> Callable[[Path], Report]:
    """Stands in for pip-audit: tells of each line what it is told to."""

    def run(file: Path) -> Report:
        found: list[Report] = []
        for line in file.read_text("utf-8").split():
            name, version = line.split("==")
            fault = {"id": "PYSEC-2026-1", "fix_versions": ["9.9"]}
            if name in unknown:
                found.append({"name": name, "skip_reason": "not found"})
            else:
                found.append({"name": name, "version": version, "vulns": [fault] if name == faulty else []})
        asked.append(len(found))
        return {"dependencies": found}

    return run


def test_a_known_fault_fails_and_is_named(
    constraints: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the version that has it no more, and again at the next run."""
    for _ in range(2):
        assert main(constraints, tmp_path / "stamp", service(faulty="lxml", asked=[])) == 1
        assert "lxml 6.1.3: PYSEC-2026-1 (9.9)" in capsys.readouterr().out


def test_what_was_looked_up_today_is_not_looked_up_again(constraints: Path, tmp_path: Path) -> None:
    """Until a version changes."""
    asked: list[int] = []
    for _ in range(2):
        assert main(constraints, tmp_path / "stamp", service(asked=asked)) == 0
    assert asked == [1, 2]
    constraints.write_text("flask==3.1.4\n", "utf-8")
    assert main(constraints, tmp_path / "stamp", service(asked=asked)) == 0
    assert asked == [1, 2, 1, 1]


def test_an_unreachable_service_is_said_and_passes(
    constraints: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It asks once, and asks again at the next run."""
    asked: list[int] = []
    unknown = service(unknown=("flask", "lxml"), asked=asked)
    for run in (unknown, unknown, lambda _file: None):
        assert main(constraints, tmp_path / "stamp", run) == 0
        assert "cannot be reached" in capsys.readouterr().out
    assert asked == [1, 1]


def test_packages_that_the_service_does_not_know_are_counted(
    constraints: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are not taken for sound."""
    assert main(constraints, tmp_path / "stamp", service(unknown=("lxml",), asked=[])) == 0
    assert "1 looked up, 0 with known faults; 1 the service does not know" in capsys.readouterr().out
    assert not (tmp_path / "stamp").exists()
