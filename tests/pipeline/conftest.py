"""The world of pipeline tests as fixtures."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector_app import logs
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


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that any logger says at level DEBUG, as the application writes it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    quiet = {name: logging.getLogger(name).level for name in logs._QUIET}
    stream = io.StringIO()
    logs.configure(stream, level=logging.DEBUG, as_json=True)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in quiet.items():
        logging.getLogger(name).setLevel(before)
