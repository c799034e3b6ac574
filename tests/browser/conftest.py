"""Headless Chromium for each test; without one the tests are skipped by name, and fail in CI."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.chromium import browser, executable
from tests.pipeline.kept_world import invoiced_world
from tests.pipeline.world import DEMO, World
from tests.web.site import Site, site


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests of a process; contexts are their own."""
    try:
        executable()
    except RuntimeError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))
    with browser() as running:
        yield running


@pytest.fixture
def made(tmp_path: Path) -> Iterator[World]:
    """An installation whose shop's recorded orders went through the pipeline."""
    with invoiced_world(tmp_path, *DEMO) as one:
        yield one


@pytest.fixture
def pages(made: World) -> Site:
    """Its application."""
    return site(made.services())
