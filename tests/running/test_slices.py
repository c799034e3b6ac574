"""A turn's time: a lane with much to do stops between two steps and goes on in its next turn."""

from __future__ import annotations

from pathlib import Path

from connector_app.pipeline.services import Services
from connector_app.pipeline.slices import Slice
from connector_app.running import tasks
from tests.pipeline.test_batches import assert_each_once, batches, small_batches
from tests.pipeline.test_guarantees import many
from tests.pipeline.world import World, world

MANY = 12


class Steps:
    """A time that passes by being looked at."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        self.seconds += 1.0
        return self.seconds


def slice_of(looks: int) -> Slice:
    """A slice that is over after so many looks at it."""
    return Slice(looks + 0.5, monotonic=Steps())


def turns_until_done(made: World, services: Services, looks: int) -> int:
    """How many turns of a lane it takes until everything is published."""
    taken = 0
    while not (made.documents() and all(one.state == "published" for one in made.documents())):
        turn = tasks.work_lane(services, 1, slice_of(looks), made.clock.sleep)
        assert not turn.taken
        made.clock.sleep(max(turn.next_in.total_seconds(), 0.01))
        taken += 1
        assert taken < 400, "it makes no progress"
    return taken


def test_single_documents_are_left_to_the_next_turn(tmp_path: Path) -> None:
    """Sending and publishing both come to their turn, and nothing is lost between."""
    with world(tmp_path, many(MANY)) as made:
        made.prepare()
        services = made.services()
        tasks.look_at_store(services, 1)
        first = tasks.work_lane(services, 1, slice_of(12), made.clock.sleep)
        assert 0 < first.worked < MANY
        assert turns_until_done(made, services, 12) > 2
        assert len(made.in_ksef()) == MANY


def test_a_batch_is_gathered_over_several_turns(tmp_path: Path) -> None:
    """What was issued in one turn waits for the rest, and all go together."""
    with world(tmp_path, many(MANY)) as made:
        made.prepare()
        small_batches(made)
        services = made.services()
        tasks.look_at_store(services, 1)
        tasks.work_lane(services, 1, slice_of(8), made.clock.sleep)
        issued = [one for one in made.documents() if one.state == "issued"]
        assert 0 < len(issued) < MANY
        assert batches(made) == []
        assert turns_until_done(made, services, 40) > 1
        while any(one.upo is None for one in made.documents()):
            tasks.work_lane(services, 1, Slice(), made.clock.sleep)
            made.clock.sleep(10)
        assert_each_once(made, MANY)
        (batch,) = batches(made)
        assert {one["sessionReferenceNumber"] for one in made.in_ksef()} == {batch.reference}


def test_a_process_that_is_asked_to_end_begins_no_further_step(tmp_path: Path) -> None:
    with world(tmp_path, many(MANY)) as made:
        made.prepare()
        services = made.services()
        tasks.look_at_store(services, 1)
        tasks.work_lane(services, 1, Slice(stopped=lambda: True), made.clock.sleep)
        assert {one.state for one in made.documents()} == {"ready"}
        assert made.in_ksef() == []
