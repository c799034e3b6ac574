"""Indexes that lists read in order must not lure the lanes' queries away from theirs."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from connector_app.store.database import open_database
from connector_app.store.models import UNPROVEN

_OF_LANES = [
    f"SELECT id FROM documents WHERE seller_id = 1 AND {UNPROVEN}",
    "SELECT id FROM documents WHERE seller_id = 1 AND state IN ('ready', 'issued') ORDER BY id LIMIT 50",
    "SELECT min(coalesce(next_attempt_at, 'x')) FROM documents WHERE seller_id = 1 AND state = 'sent'",
    "SELECT id FROM documents WHERE order_id = 1 AND purpose = 'invoice'",
    "SELECT count(*) FROM documents WHERE seller_id = 1 AND relief_month = '2026-11'",
]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of the newest form, of which SQLite knows no more than of a merchant's."""
    found = tmp_path_factory.mktemp("plans") / "a.sqlite3"
    open_database(f"sqlite:///{found}").kw["bind"].dispose()
    return found


@pytest.mark.parametrize("query", _OF_LANES)
def test_the_lanes_keep_their_plans(file: Path, query: str) -> None:
    """None of them reads an index that was made for the lists of programs."""
    # a connection of its own: SQLite explains by the tables as the connection saw them first
    with closing(sqlite3.connect(file)) as plain:
        steps = [row[3] for row in plain.execute(f"EXPLAIN QUERY PLAN {query}")]
    assert steps
    assert not [step for step in steps if "ix_machines_" in step]


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (f"SELECT id FROM documents WHERE seller_id = 1 AND {UNPROVEN}", "ix_documents_unproven"),
        (
            "SELECT id FROM documents WHERE seller_id = 1 AND state = 'ready' AND batch_id IS NULL",
            "ix_documents_work",
        ),
        ("SELECT id FROM documents WHERE batch_id = 7", "ix_documents_batch_id"),
        (
            "SELECT issued_on, count(*) FROM documents WHERE +seller_id IN (1, 2) AND "
            "issued_on BETWEEN '2026-11-01' AND '2026-11-30' GROUP BY issued_on",
            "ix_documents_day",
        ),
    ],
)
def test_work_is_found_without_reading_what_is_done(file: Path, query: str, index: str) -> None:
    """Few documents are under way among many that are done: each look goes by the index of those few."""
    with closing(sqlite3.connect(file)) as plain:
        steps = [row[3] for row in plain.execute(f"EXPLAIN QUERY PLAN {query}")]
    assert index in steps[0]


def test_a_list_is_read_from_an_index_in_its_order(file: Path) -> None:
    """Rows hold whole files: none is read for what is not shown, and nothing is sorted."""
    query = "SELECT id FROM documents WHERE +seller_id = 1 AND state = 'attention' ORDER BY id DESC LIMIT 51"
    with closing(sqlite3.connect(file)) as plain:
        steps = [row[3] for row in plain.execute(f"EXPLAIN QUERY PLAN {query}")]
    assert steps == ["SEARCH documents USING COVERING INDEX ix_documents_newest (state=?)"]
