"""``check`` and ``check numbers``: exit codes, JSON, reports, help; an installation is left as it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.pipeline.world import World, recorded, world


@pytest.fixture
def sold(home: Path) -> World:
    """An installation with an invoice of an order, whose KSeF is gone since."""
    home.mkdir(mode=0o700)
    with world(home, [recorded("order_full")]) as made:
        made.prepare()
        made.run()
    return made


def test_an_installation_that_is_not_there_is_said_and_not_made(run: Run, home: Path) -> None:
    """Looking must not make one."""
    result = run("check")
    assert result.exit_code == 2
    assert "nie ma instalacji" in result.output
    assert not home.exists()


def test_numbers_without_ksef_are_not_proved(run: Run, sold: World, tmp_path: Path) -> None:
    """Exit code 1; the reports are written all the same."""
    files = [tmp_path / f"report.{form}" for form in ("html", "csv", "json")]
    result = run("check", "numbers", "--month", "2026-11", "--offline", *_named(files))
    assert result.exit_code == 1, result.output
    assert "Nie wykazano" in result.output
    assert "FV/2026/11/0001" in result.output
    assert "Numeracja" in files[0].read_text("utf-8")
    assert json.loads(files[2].read_text("utf-8"))["format"] == "ksef-numbers-check"
    again = run("check", "numbers", "--from", "2026", "--offline", "--json", lang="en")
    values = json.loads(again.output)
    assert (again.exit_code, values["version"], values["result"]) == (1, 1, "incomplete")
    assert values["parts"]["ksef"]["looked_at"] is False
    assert sold.documents()


def _named(files: list[Path]) -> list[object]:
    return [word for one in files for word in ("--report", one)]


def test_findings_have_an_exit_code_of_their_own(run: Run, sold: World) -> None:
    """A changed total is found by the file."""
    with sold.services().database.begin() as session:
        session.connection().exec_driver_sql("UPDATE documents SET total = '1.00'")
    result = run("check", "numbers", "--month", "2026-11", "--offline")
    assert result.exit_code == 2
    assert "Baza mówi co innego niż plik XML" in result.output


@pytest.mark.parametrize(
    "words", [(), ("--month", "2026-13"), ("--to", "2026"), ("--month", "2026-11", "--report", "a.pdf")]
)
def test_what_cannot_be_checked_is_refused(run: Run, sold: World, words: tuple[str, ...]) -> None:
    """With a word about the period or the file."""
    result = run("check", "numbers", *words)
    assert result.exit_code == 2
    assert "✗" in result.output
    assert sold.home.exists()


def test_an_examination_as_json_is_stable(run: Run, sold: World) -> None:
    """KSeF and the shop are gone: both are said, each with what to do."""
    result = run("check", "--json")
    values = json.loads(result.output)
    assert (result.exit_code, values["format"], values["version"]) == (2, "ksef-installation-check", 1)
    said = {one["code"]: one for one in values["areas"]["network"]["said"]}
    assert {"ksef-sign-in", "shop-trouble"} <= set(said)
    assert all(one["todo"]["pl"] and one["todo"]["en"] for one in said.values())
    quiet = run("check", "--no-network", lang="en")
    assert "Nobody works." in quiet.output
    assert "Not asked for." in quiet.output
    assert "No backup was made with this program yet" in quiet.output
    assert sold.home.exists()
