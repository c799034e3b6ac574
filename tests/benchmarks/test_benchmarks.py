"""The benches run; how fast is for people to read, never for a test to judge."""

from __future__ import annotations

import json

import pytest

from benchmarks.__main__ import BENCHES, main
from benchmarks.timing import Row


@pytest.fixture(autouse=True)
def no_peers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing outside this project is started."""
    monkeypatch.setenv("BENCH_PEERS_PYTHON_KSEF_CLIENT", "")
    monkeypatch.setenv("BENCH_PEERS_PYTHON_KSEF2", "")


@pytest.mark.parametrize("bench", list(BENCHES))
def test_a_bench_runs(bench: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each bench, with one call of everything, measures each row or names why it was skipped."""
    main(["--only", bench, "--tiny", "--json"])
    rows = json.loads(capsys.readouterr().out)
    assert rows
    for row in rows:
        assert row["bench"] == bench
        assert (row["min_ms"] or 0) > 0 or row["note"].startswith("skipped: BENCH_PEERS_PYTHON_")


def test_peers_without_an_interpreter_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    """The table lists the peers that were not measured and what to set."""
    main(["--only", "invoice", "--tiny"])
    table = capsys.readouterr().out
    assert "skipped: BENCH_PEERS_PYTHON_KSEF_CLIENT names no interpreter" in table
    assert "skipped: BENCH_PEERS_PYTHON_KSEF2 names no interpreter" in table


def test_ratios_compare_best_rounds() -> None:
    """A row is compared with the floor and with the core by its best round, and shown by its median too."""
    row = Row("invoice", "work", "peer", rounds=[3.0, 2.0, 8.0], floor=0.5, core=1.0)
    assert (row.median, row.best, row.times_floor, row.times_core) == (3.0, 2.0, 4.0, 2.0)
    assert Row("invoice", "work", "peer").times_floor is None
