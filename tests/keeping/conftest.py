"""Installations whose archive is looked at, copied and lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.world import World, recorded, world


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[World]:
    """Two invoices that KSeF accepted, with their UPOs."""
    orders = [recorded("order_full", id=one, number=str(one)) for one in (15, 16)]
    with world(tmp_path, orders) as made:
        made.prepare()
        assert made.run().problems == []
        yield made
