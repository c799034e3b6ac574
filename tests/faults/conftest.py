"""A small installation whose process can be killed, for the short proofs."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import invariants
from tests.faults.harness import Driver, driver, life
from tests.faults.lives import Ended
from tests.faults.world import Layout, World, world


@pytest.fixture(scope="session")
def lives(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """What forks the processes."""
    with driver(Path(tmp_path_factory.mktemp("warm")), warm_up=False) as made:
        yield made


class Story:
    """A small installation and what happens to it."""

    def __init__(self, made: Driver, place: World) -> None:
        self._driver, self.place = made, place
        self.doubts = 0
        self.breakings: Counter[str] = Counter()
        self.killed: list[str] = []
        self._chance = random.Random(7)

    def live(self, mode: str, **changes: object) -> Ended:
        """One life of the process, with a new order to work on in each shop."""
        for shop in self.place.shops:
            shop.sold.append(shop.sell(self._chance))
        ended = self._driver.run(self.place.installation(), life(mode, **changes))
        assert set(ended.codes) <= {0, -9}, ended
        self.doubts += ended.codes.count(-9) + sum(ended.breakings.values())
        self.breakings += ended.breakings
        self.killed += ended.killed_at
        return ended

    def ends_well(self) -> None:
        """Nothing goes wrong any more: all sides tell one story."""
        self.place.calm()
        ended = self.live("clean", rests=True, closes=True)
        assert ended.errors == []
        told = self.place.stories(self.doubts)
        broken = invariants.check(told)
        assert not broken, invariants.report(told, broken)


@pytest.fixture
def story(lives: Driver, tmp_path: Path) -> Iterator[Story]:
    """A WooCommerce and a Shopify shop of one seller, few documents go as a batch, e-mails are sent."""
    layout = Layout((("woocommerce", 0), ("shopify", 0)), batches=3, mails=True)
    with world(tmp_path / "world", layout, 3) as place:
        yield Story(lives, place)
