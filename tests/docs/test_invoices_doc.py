"""The accountant's page shows what the engine gives today."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.cases import tables

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize("page", ["invoices.md", "invoices.pl.md"])
def test_each_table_is_computed(page: str) -> None:
    """Each case's table stands in the page letter for letter."""
    text = (DOCS / page).read_text("utf-8")
    missing = [key for key, table in tables() if table not in text]
    assert missing == []
