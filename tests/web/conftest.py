"""An installation with a seller, a shop and a KSeF sandbox, and the application over it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.world import World, recorded, world
from tests.web.site import Site, site


@pytest.fixture
def made(tmp_path: Path) -> Iterator[World]:
    """One seller with a WooCommerce store of one order; nothing was taken in yet."""
    with world(tmp_path, [recorded("order_full")]) as one:
        one.prepare()
        yield one


@pytest.fixture
def pages(made: World) -> Site:
    """The application of :func:`made`."""
    return site(made.services())
