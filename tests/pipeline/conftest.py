"""The world of pipeline tests as fixtures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.kept_world import invoiced_world
from tests.pipeline.world import World, world


@pytest.fixture
def ready_world(tmp_path: Path) -> Iterator[World]:
    """Five recorded orders, a seller with a certificate, a store: ready to run."""
    with world(tmp_path) as made:
        made.prepare()
        yield made


@pytest.fixture
def invoiced(tmp_path: Path) -> Iterator[World]:
    """One order whose invoice is accepted."""
    with invoiced_world(tmp_path) as made:
        made.clock.sleep(60)
        yield made
