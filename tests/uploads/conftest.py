"""An installation with sandboxes and nothing in the shop."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.world import World, world


@pytest.fixture
def made(tmp_path: Path) -> Iterator[World]:
    """One seller with a store without orders."""
    with world(tmp_path, []) as one:
        one.prepare()
        yield one
