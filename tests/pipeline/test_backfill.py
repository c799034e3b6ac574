"""Backfill: orders since a day are read once more and decided by the rules of today."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from connector_app.pipeline import backfill
from connector_app.policies import Recipients, StorePolicy
from connector_app.store.models import Store
from tests.pipeline.world import World, recorded, world

SINCE = date(2026, 11, 1)


def order(number: int, day: int) -> dict[str, object]:
    moment = f"2026-11-{day:02d}T12:00:00"
    names = ("date_created", "date_created_gmt", "date_modified", "date_modified_gmt")
    return recorded("order_full", id=number, number=str(number), **dict.fromkeys(names, moment))


def start_on(made: World, day: date) -> None:
    with made.services().database.begin() as session:
        policy = StorePolicy(recipients=Recipients.EVERYONE, start_day=day)
        session.get_one(Store, 1).policy = policy.as_json()


def asked(made: World) -> object:
    with made.services().database() as session:
        return session.get_one(Store, 1).backfill


@pytest.fixture
def made(tmp_path: Path) -> Iterator[World]:
    """Ten orders of November, all before the day on which the store begins."""
    with world(tmp_path, [order(100 + day, day) for day in range(1, 11)]) as one:
        one.prepare()
        start_on(one, date(2026, 11, 24))
        one.run()
        assert {document.state for document in one.documents()} == {"cancelled"}
        yield one


def test_the_start_day_decides(made: World) -> None:
    """Orders from the new start day on are invoiced, earlier ones never, in whatever order one asks."""
    start_on(made, date(2026, 11, 6))
    services = made.services()
    backfill.ask(services, 1, SINCE)
    told: list[tuple[int, datetime]] = []
    result = backfill.run(services, 1, lambda seen, at: told.append((seen, at)))
    assert result is not None
    assert (result.seen, result.changed, result.failure) == (10, 5, None)
    assert told[-1] == (10, datetime(2026, 11, 10, 12, tzinfo=UTC))
    made.run()
    states = {int(number): one.state for number, one in made.by_order().items()}
    assert states == {100 + day: "published" if day >= 6 else "cancelled" for day in range(1, 11)}
    assert asked(made) is None
    assert backfill.run(services, 1) is None


def test_what_was_issued_is_not_touched(made: World) -> None:
    """A second backfill changes nothing."""
    start_on(made, SINCE)
    services = made.services()
    for expected in (10, 0):
        backfill.ask(services, 1, SINCE)
        result = backfill.run(services, 1)
        assert result is not None
        assert result.changed == expected
        made.run()
    assert len(made.in_ksef()) == 10


def test_interrupted_it_goes_on_in_the_running_application(made: World) -> None:
    """The shop goes away; asked again it keeps its place, and the next look of the runner ends it."""
    start_on(made, SINCE)
    services = made.services()
    backfill.ask(services, 1, SINCE)
    made.shop.fault("http_500", method="GET", path="/orders$", times=3)
    result = backfill.run(services, 1)
    assert result is not None
    assert result.failure is not None
    kept = asked(made)
    backfill.ask(services, 1, SINCE)
    assert asked(made) == kept
    made.run()
    assert asked(made) is None
    assert {one.state for one in made.documents()} == {"published"}


def test_orders_are_read_from_the_day_in_warsaw(made: World) -> None:
    """The day begins at midnight in Warsaw, which is 23:00 UTC of the day before."""
    assert backfill.ask(made.services(), 1, SINCE) == datetime(2026, 10, 31, 23, tzinfo=UTC)
    backfill.ask(made.services(), 1, date(2026, 11, 8))
    result = backfill.run(made.services(), 1)
    assert result is not None
    assert result.seen == 3
