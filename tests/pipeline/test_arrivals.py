"""Webhooks that arrive together: each answered when it is kept, with few waits for the disk."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import SQLAlchemyError

from adapters.contract import Entity, ShopEvent
from connector_app.pipeline.arrivals import Arrivals
from connector_app.pipeline.services import Services
from connector_app.store.models import WebhookEvent
from tests.pipeline.world import World

MOMENT = datetime(2026, 11, 24, 10, tzinfo=UTC)
MANY = 60


@pytest.fixture
def services(ready_world: World) -> Services:
    """An installation with one store."""
    return ready_world.services()


def told(order: int, *, moment: datetime | None = MOMENT) -> ShopEvent:
    """What a webhook about an order says."""
    return ShopEvent("order.updated", Entity.ORDER, str(order), str(order), moment)


@pytest.fixture
def commits(services: Services) -> Iterator[list[object]]:
    """What was committed since."""
    seen: list[object] = []
    engine = services.database.engine

    def note(connection: object) -> None:
        seen.append(connection)

    event.listen(engine, "commit", note)
    yield seen
    event.remove(engine, "commit", note)


def kept(services: Services) -> list[WebhookEvent]:
    """The events in the database."""
    with services.database() as session:
        return list(session.scalars(select(WebhookEvent).order_by(WebhookEvent.id)))


def test_those_that_wait_are_kept_in_one_transaction(
    services: Services, commits: list[object], caplog: pytest.LogCaptureFixture
) -> None:
    """While somebody writes, webhooks gather; then two transactions keep all of them, a line for each."""
    caplog.set_level("INFO")
    arrivals = Arrivals(services)
    with ThreadPoolExecutor(MANY) as pool:
        with services.database.begin():
            futures = [pool.submit(arrivals.keep, 1, told(number)) for number in range(MANY)]
            pause = threading.Event()
            while arrivals.waiting < MANY - 1:
                assert not any(one.done() for one in futures), "nothing is answered before it is kept"
                pause.wait(0.005)
        assert all(one.result(timeout=30) for one in futures)
    assert sorted(int(one.entity_id) for one in kept(services)) == list(range(MANY))
    assert len(commits) <= 3
    facts = [vars(one)["facts"] for one in caplog.records if vars(one).get("said") == "webhook.received"]
    assert sum(one["new"] for one in facts) == sum(one["count"] for one in facts) == MANY
    assert len(facts) <= 2


def test_one_that_comes_alone_is_told_by_name(services: Services, caplog: pytest.LogCaptureFixture) -> None:
    """The log says what it was about; a copy is counted and not new."""
    caplog.set_level("INFO")
    arrivals = Arrivals(services)
    assert [arrivals.keep(1, told(7)) for _ in range(2)] == [True, False]
    facts = [vars(one)["facts"] for one in caplog.records]
    assert [(one["store_id"], one["entity_id"], one["count"], one["new"]) for one in facts] == [
        (1, "7", 1, 1),
        (1, "7", 1, 0),
    ]


def test_copies_are_told_within_one_transaction_too(services: Services) -> None:
    """Of the same webhook that comes many times at once, one is new and all are counted."""
    arrivals = Arrivals(services)
    with ThreadPoolExecutor(MANY) as pool:
        for moment in (MOMENT, None):
            news = list(pool.map(lambda _, m=moment: arrivals.keep(1, told(7, moment=m)), range(MANY)))
            assert sorted(news) == [False] * (MANY - 1) + [True]
    assert [one.copies for one in kept(services)] == [MANY, MANY]


def test_a_database_that_fails_fails_each_of_them_and_the_next_is_kept(services: Services) -> None:
    """Nobody is answered 200 for what is not kept, and nobody waits for ever."""
    arrivals = Arrivals(services)
    with pytest.raises(SQLAlchemyError):
        arrivals.keep(404, told(1))
    assert arrivals.keep(1, told(2))
    assert [one.entity_id for one in kept(services)] == ["2"]
