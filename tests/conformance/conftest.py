"""The platforms of the suite, and live shops where their addresses are set."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.harness import Harness, platforms
from tests.conformance.live import live_shops

PLATFORMS = platforms()

# without an address in the environment the cases of live shops are not collected
collect_ignore = [] if live_shops() else ["test_live.py"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test of the suite for every platform, and for every channel that the platform has."""
    if "channel" in metafunc.fixturenames:
        pairs = [(name, channel) for name, one in PLATFORMS.items() for channel in sorted(one.channels)]
        metafunc.parametrize(("harness", "channel"), pairs, indirect=["harness"])
    elif "harness" in metafunc.fixturenames:
        metafunc.parametrize("harness", list(PLATFORMS), indirect=True)


@pytest.fixture
def harness(request: pytest.FixtureRequest) -> Iterator[Harness]:
    """A running sandbox of a platform."""
    with PLATFORMS[request.param].start() as running:
        yield running
