"""Writing transactions: alone or in a seller's lane, nothing lost, and marks over ids that miss nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from connector_app.hooks import keeping
from connector_app.hooks.happenings import Happening, Links, collect
from connector_app.ksef_budget import StoredBudget
from connector_app.pipeline.services import Services
from connector_app.store.database import open_database
from connector_app.store.lanes import of_document, of_store
from connector_app.store.locks import lock
from connector_app.store.machines import HookDelivery
from connector_app.store.models import Document, Event, Seller
from connector_app.store.sessions import NestedTransaction, Sessions, lane_of
from connector_app.vault import Vault
from core.ksef.limits import Group, Rate
from tests import databases
from tests.store.rows import NOW, document, event, sellers

AT_ONCE = 20.0
"""Seconds in which what waits for nobody is done, on a busy machine."""
WAITS = 0.3
"""Seconds after which what is still not done waits for somebody."""


@pytest.fixture
def two(tmp_path: Path) -> Sessions:
    """Two sellers with a document each, ids 1 and 2."""
    database = open_database(databases.url_of(tmp_path))
    with database.begin() as session:
        sellers(session)
        for one in (1, 2):
            document(session, one, f"Z-{one}")
    return database


@pytest.fixture
def postgres() -> Iterator[Sessions]:
    """The same on PostgreSQL."""
    with databases.migrated() as url:
        database = open_database(url)
        with database.begin() as session:
            sellers(session)
            for one in (1, 2):
                document(session, one, f"Z-{one}")
        yield database


class Doing:
    """Work in a thread of its own."""

    def __init__(self, work: Callable[[], object]) -> None:
        self.done = threading.Event()
        self.error: BaseException | None = None
        self._work = work
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:
            self.error = error
        self.done.set()

    def waits(self) -> bool:
        """Whether it waits for somebody."""
        return not self.done.wait(WAITS)

    def end(self) -> None:
        """It ends well."""
        assert self.done.wait(AT_ONCE)
        assert self.error is None, self.error


def rename(database: Sessions, seller_id: int, lane: int | None) -> None:
    with database.begin(lane) as session:
        session.get_one(Seller, seller_id).name += "+"


def test_sellers_write_side_by_side_and_each_in_one_line(postgres: Sessions) -> None:
    """While one seller's transaction is open another seller's is done; the same seller's waits its turn."""
    with postgres.begin(1) as session:
        session.get_one(Seller, 1).name += "-"
        session.flush()
        Doing(lambda: rename(postgres, 2, 2)).end()
        same = Doing(lambda: rename(postgres, 1, 1))
        alone = Doing(lambda: rename(postgres, 2, None))
        assert same.waits()
        assert alone.waits()
    same.end()
    alone.end()
    with postgres() as session:
        assert session.get_one(Seller, 1).name == "S1-+"
        assert session.get_one(Seller, 2).name == "S2++"


def test_who_writes_alone_is_alone(postgres: Sessions) -> None:
    """While a transaction without a lane is open, every other waits; readers do not."""
    with postgres.begin():
        others = [Doing(lambda lane=lane: rename(postgres, 1, lane)) for lane in (1, None)]  # type: ignore[misc]  # a default is read at once
        assert all(one.waits() for one in others)
        with postgres() as session:
            assert session.get_one(Seller, 1).name == "S1"
    for one in others:
        one.end()


@pytest.mark.both_databases
def test_what_is_read_stays_true_until_it_is_written(two: Sessions) -> None:
    """Read, add, write, by eight threads in one lane: no addition is lost."""

    def work() -> None:
        for _ in range(5):
            with two.begin(of_document(1)) as session:
                row = session.get_one(Document, 1)
                row.attempts = row.attempts + 1

    every = [Doing(work) for _ in range(8)]
    for one in every:
        one.end()
    with two() as session:
        assert session.get_one(Document, 1).attempts == 40


@pytest.mark.both_databases
def test_a_reader_sees_one_moment(two: Sessions) -> None:
    """What is committed while a session reads is not in it."""
    with two() as reading:
        assert reading.scalar(select(Seller.name).where(Seller.id == 1)) == "S1"
        rename(two, 1, 1)
        rename(two, 2, None)
        names = select(Seller.name).order_by(Seller.id)
        assert reading.scalars(names).all() == ["S1", "S2"]
    with two() as reading:
        assert reading.scalars(names).all() == ["S1+", "S2+"]


@pytest.mark.both_databases
def test_a_transaction_inside_another_says_so(two: Sessions) -> None:
    """Instead of waiting for itself for ever; afterwards the thread writes as before."""
    with two.begin(1), pytest.raises(NestedTransaction), two.begin(2):
        pass
    rename(two, 1, 1)


@pytest.mark.both_databases
def test_a_lane_keeps_to_its_seller(two: Sessions) -> None:
    """A change of another seller's document is a mistake of the program, and is not committed."""
    with pytest.raises(AssertionError, match="seller 2 is written in lane 1"), two.begin(1) as session:
        session.get_one(Document, 2).attempts = 7
    with pytest.raises(AssertionError), two.begin(lane_of("board")) as session:
        session.get_one(Seller, 1).name = "x"
    with two.begin(of_store(2)) as session:
        session.get_one(Document, 2).attempts = 8
    with two() as session:
        assert session.get_one(Document, 2).attempts == 8


def services(database: Sessions, folder: Path) -> Services:
    return Services(database, Vault.open(folder / "secret.key"), clock=lambda: NOW)


def test_a_hook_misses_nothing_that_is_committed_late(postgres: Sessions, tmp_path: Path) -> None:
    """An entry gets its id, another seller's gets the next one and is committed first: both are told of."""
    installed = services(postgres, tmp_path)
    with postgres.begin() as session:
        for one in (1, 2):
            keeping.add(session, installed.vault, one, "https://hook.example", tuple(Happening), NOW)
    with postgres.begin(1) as late:
        first = event(late, 1).id
        with postgres() as session:
            session.connection()

        def overtake() -> None:
            with postgres.begin(2) as session:
                assert event(session, 2).id > first

        Doing(overtake).end()
        collecting = Doing(lambda: collect(installed, Links()))
        assert collecting.waits()
    collecting.end()
    collect(installed, Links())
    with postgres() as session:
        told = session.scalars(select(HookDelivery.body).order_by(HookDelivery.hook_id)).all()
    assert [one["data"]["document"]["id"] for one in told] == [1, 2]


def test_a_settled_reader_waits_for_its_lane_only(postgres: Sessions) -> None:
    """Reading "everything up to here" of a seller waits for that seller's writer and for no other."""
    seen: list[int] = []

    def read() -> None:
        with postgres.settled(1) as session:
            seen.extend(session.scalars(select(Event.id)))

    with postgres.begin(2) as session:
        event(session, 2)
        Doing(read).end()
    assert seen == []
    with postgres.begin(1) as session:
        late = event(session, 1).id
        reading = Doing(read)
        assert reading.waits()
    reading.end()
    assert late in seen


@pytest.mark.both_databases
def test_ten_that_ask_at_once_get_what_the_limit_gives(two: Sessions) -> None:
    """A limit of 7 requests: 7 of 40 are let through, whoever asks."""
    few = {group: Rate(7, 7, 7) for group in Group}
    given: list[float] = []

    def ask() -> None:
        budget = StoredBudget(two, "https://ksef.example", lambda: NOW, few)
        given.extend(budget.take("POST /sessions/online", "5265877635") for _ in range(4))

    every = [Doing(ask) for _ in range(10)]
    for one in every:
        one.end()
    assert given.count(0.0) == 7


def test_locks_take_no_connection_from_those_who_work(postgres: Sessions) -> None:
    """More locks are held than the pool has connections, and work goes on."""

    def hold(depth: int) -> None:
        if depth == 0:
            rename(postgres, 1, 1)
            return
        with lock(postgres, f"lane-{depth}"):
            hold(depth - 1)

    hold(30)
    with postgres() as session:
        assert session.get_one(Seller, 1).name == "S1+"
