"""Whose turn is next: each is given out once, comes again when its message is lost, nobody is forgotten."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from connector_app.pipeline.services import Services
from connector_app.running import turns, watching, workers
from connector_app.running.alone import RunnerBusy, work_alone, work_beside
from connector_app.running.broker import BrokerDown
from connector_app.running.dispatcher import Dispatcher
from connector_app.running.process import Duties, Process
from connector_app.running.turns import LOST_AFTER, Ticket
from connector_app.running.waking import Waking
from connector_app.running.workers import Presence
from connector_app.store.desk import Job
from connector_app.store.running import Kind, Turn, Worker
from tests.pipeline.test_serve import wait_for
from tests.pipeline.world import World, world

pytestmark = pytest.mark.both_databases


def row(services: Services, kind: Kind = Kind.LANE, subject: int = 1) -> Turn:
    with services.database() as session:
        return session.get_one(Turn, (kind.value, subject))


def lanes(tickets: list[Ticket]) -> list[Ticket]:
    return [one for one in tickets if one.kind is Kind.LANE]


def test_a_turn_is_given_out_once_until_it_is_done_or_lost(tmp_path: Path) -> None:
    with world(tmp_path, []) as made:
        made.prepare()
        services = made.services()
        turns.fill(services)
        (ticket,) = lanes(turns.claim(services, 100))
        assert turns.claim(services, 100) == []
        made.clock.sleep(LOST_AFTER.total_seconds() + 1)
        (again,) = lanes(turns.claim(services, 100))
        assert turns.begin(services, ticket) is None, "an older message counts no more"
        begun = turns.begin(services, again)
        assert begun is not None
        turns.end(services, begun, timedelta(seconds=30))
        assert lanes(turns.claim(services, 100)) == []
        made.clock.sleep(31)
        assert len(lanes(turns.claim(services, 100))) == 1


def test_what_happens_during_a_turn_makes_it_due_again(tmp_path: Path) -> None:
    """A wake while a message waits sends none; one while a worker is at it is found at its end."""
    with world(tmp_path, []) as made:
        made.prepare()
        services = made.services()
        ticket = turns.wake(services, Kind.LANE, 1)
        assert ticket is not None, "it makes the row and gives it out"
        assert turns.wake(services, Kind.LANE, 1) is None
        begun = turns.begin(services, ticket)
        assert begun is not None
        assert turns.wake(services, Kind.LANE, 1) is None
        turns.end(services, begun, timedelta(hours=1))
        assert len(lanes(turns.claim(services, 100))) == 1


def test_the_dispatcher_fills_the_table_and_sends_what_workers_have_room_for(tmp_path: Path) -> None:
    """Nothing without workers; no more than three for each; put back when the broker is down."""
    with world(tmp_path, []) as made:
        made.prepare()
        services = made.services()
        sent: list[Ticket] = []
        idle = Dispatcher(services, sent.append, lambda: True)
        assert idle.one_round()
        assert sent == []
        with Presence(services, workers.WORKER):

            def refuse(_ticket: Ticket) -> None:
                raise BrokerDown("refused")

            assert not Dispatcher(services, refuse, lambda: True).one_round()
            assert turns.under_way(services) == 0
            at_work = Dispatcher(services, sent.append, lambda: True)
            assert at_work.one_round()
            assert at_work.one_round()
        assert len(sent) == 3


def test_a_process_does_every_kind_of_turn(tmp_path: Path) -> None:
    """A whole installation is worked for by turns alone: orders taken in, sent and published."""
    with world(tmp_path) as made:
        made.prepare()
        services = made.services()
        process = Process(services, Duties(slice=60.0))
        for _round in range(40):
            turns.fill(services)
            for ticket in turns.claim(services, 100):
                assert process.do(ticket)
            made.clock.sleep(5)
        assert {one.state for one in made.documents()} <= {"published", "attention"}
        assert len(made.in_ksef()) >= 3
        with services.database() as session:
            done = session.scalars(select(Turn).where(Turn.runs > 0)).all()
            assert {one.kind for one in done} >= {Kind.LANE, Kind.LOOK, Kind.HOOKS, Kind.BOARDS, Kind.NOTICES}
            assert {one.begun_at for one in done} == {None}


def test_a_lane_of_another_is_left_alone_and_a_command_gets_the_installation(tmp_path: Path) -> None:
    """Workers go beside each other; a command that needs to be alone keeps them out until it ends."""
    with world(tmp_path, []) as made:
        made.prepare()
        services = made.services()
        ticket = turns.wake(services, Kind.LANE, 1)
        assert ticket is not None
        with work_alone(services, "recover", wait=False) as presence:
            assert Process(services, Duties()).do(ticket)
            assert row(services).runs == 0
            assert row(services).queued_at is None, "it is put back"
            assert [one.name for one in workers.alive(services)] == [presence.name]
        with work_beside(services), pytest.raises(RunnerBusy), work_alone(services, "recover", wait=False):
            pass


def test_who_works_is_told_and_the_dead_are_forgotten_with_their_jobs(tmp_path: Path) -> None:
    with world(tmp_path, []) as made:
        made.prepare()
        services = made.services()
        with work_alone(services, workers.SERVE, wait=False):
            with pytest.raises(RunnerBusy) as busy, work_alone(services, "sync", wait=False):
                pass
            (mine,) = busy.value.workers
            assert f"process {mine.pid}" in busy.value.text.en
        with Presence(services, workers.WEB) as alive:
            with services.database.begin() as session:
                session.add_all(job(made, name) for name in (alive.name, "dead", None))
                session.add(
                    Worker(
                        name="dead",
                        host="gone",
                        pid=1,
                        role="web",
                        started_at=made.clock(),
                        seen_at=made.clock(),
                    )
                )
            workers.sweep(services)
            made.clock.sleep(61)
            alive.beat()
            workers.sweep(services)
            with services.database() as session:
                assert list(session.scalars(select(Worker.name))) == [alive.name]
                states = {one.worker: one.state for one in session.scalars(select(Job))}
        assert states == {alive.name: "running", "dead": "broken-off", None: "broken-off"}


def job(made: World, worker: str | None) -> Job:
    return Job(kind="check", subject="x", worker=worker, state="running", done=0, created_at=made.clock())


def test_pages_tell_what_the_workers_say(tmp_path: Path) -> None:
    """Missing workers are told, then what a turn said; a process that only serves pages is well by itself."""
    with world(tmp_path, []) as made:
        made.prepare()
        services = made.services()
        assert len(watching.pulse(services).problems) == 2
        with Presence(services, workers.WORKER), Presence(services, workers.DISPATCHER):
            turns.fill(services)
            assert watching.pulse(services).problems == []
            made.clock.sleep(50)
            for ticket in turns.claim(services, 100):
                assert Process(services, Duties()).do(ticket)
            seen = watching.pulse(services)
            assert seen.passes == len(Kind) - 1
            assert not seen.is_silent(made.clock() + timedelta(days=1))


def test_a_click_is_sent_at_once_and_never_fails(tmp_path: Path) -> None:
    """The ticket goes out from a thread; a broker that is down leaves it for the dispatcher."""
    with world(tmp_path, []) as made:
        made.prepare()
        services = made.services()
        sent: list[Ticket] = []
        wake = Waking(services, sent.append)
        wake(1)
        wait_for(lambda: len(sent) == 1)
        wake(1)
        begun = turns.begin(services, sent[0])
        assert begun is not None
        turns.end(services, begun, timedelta(hours=1))

        def refuse(_ticket: Ticket) -> None:
            raise BrokerDown("refused")

        is_back: Callable[[], bool] = lambda: row(services).queued_at is None  # noqa: E731
        Waking(services, refuse)(1)
        wait_for(is_back)
        assert len(lanes(turns.claim(services, 100))) == 1
