"""``documents upload``: the same checks on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.pipeline.world import World, world
from tests.uploads import erp


@pytest.fixture
def made(home: Path) -> World:
    """An installation with one seller, in the program's own folder."""
    home.mkdir()
    with world(home, []) as one:
        one.prepare()
    return one


def test_files_are_checked_and_taken(made: World, run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """A dry run stores nothing; one refused file of two gives exit code 2 and the other is taken."""
    good, bad = tmp_path / "dobra.xml", tmp_path / "zla.xml"
    good.write_bytes(erp.xml())
    bad.write_bytes(erp.xml(erp.invoice("FV/2026/11/0001")))
    dry = run("documents", "upload", good, "--dry-run", "--json")
    assert dry.exit_code == 0
    assert json.loads(dry.output)[0]["outcome"] == "good"
    assert made.documents() == []
    done = run("documents", "upload", good, bad, "--seller", erp.invoice().seller.nip)
    assert done.exit_code == 2
    assert "przyjęty" in done.output
    assert "FV/2026/11/0001 należy do numeracji łącznika" in done.output
    assert [one.number for one in made.documents()] == ["ERP/7/2026"]
    again = run("documents", "upload", good, "--json", lang="en")
    assert again.exit_code == 0
    assert json.loads(again.output)[0]["outcome"] == "known"
