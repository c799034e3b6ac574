"""``make load`` runs: every scenario in its smallest form, and the report that it writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.load import many_sellers
from benchmarks.load.__main__ import main
from benchmarks.load.scenarios import SCENARIOS
from benchmarks.load.sender import requests

_TINY = {"a": "0.0005", "b": "0.002", "c": "0.00001", "d": "0.02"}
"""Scales at which a scenario takes a second or two."""


@pytest.mark.parametrize("letter", list(SCENARIOS))
def test_a_scenario_runs(letter: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It ends with the right documents in the shops, and the report says what was measured."""
    main(["--only", letter, "--scale", _TINY[letter], "--folder", str(tmp_path)])
    report = (tmp_path / "RESULTS.md").read_text(encoding="utf-8")
    assert f"## {letter}. " in report
    assert "How to repeat" in report
    assert json.loads((tmp_path / "results.json").read_text())[letter]
    shown = capsys.readouterr().out
    assert f"{letter}: " in shown
    for exact in ("each order one number and two notes", "none lost", "no 429"):
        assert f"✗ {letter}: {exact}" not in shown


@pytest.mark.faults
def test_workers_are_measured_too() -> None:
    """Workers on PostgreSQL and a broker bring every number back, as the embedded process does."""
    if not many_sellers.can_scale_out():
        pytest.skip("PostgreSQL does not answer")
    result = many_sellers.run(2, 3, 1, lambda *_: None)
    assert (result.numbered, result.notes) == (6, 12)
    assert result.watch.usage["PostgreSQL"].cpu_seconds > 0


def test_webhooks_are_of_different_orders() -> None:
    """No two deliveries of a burst are about the same order, so that none is a copy of another."""
    bodies = [raw.partition(b"\r\n\r\n")[2] for raw in requests("http://127.0.0.1:9/w", "secret", 20)]
    assert len({json.loads(body)["id"] for body in bodies}) == 20
