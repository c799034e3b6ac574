"""An installation with a seller, a shop and a KSeF sandbox, and the application over it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from connector_app.people import accounts
from tests.pipeline.world import World, recorded, world
from tests.web.site import Site, site

REAL_HASHER = accounts._hasher
"""What the program hashes passwords with."""


def hash_quickly(patch: pytest.MonkeyPatch) -> None:
    """Hashing is slow on purpose; tests that sign in a hundred times need not be."""
    quick = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    patch.setattr(accounts, "_hasher", quick)
    patch.setattr(accounts, "_NOBODY", quick.hash("nobody"))


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """For every test of pages."""
    hash_quickly(monkeypatch)


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
