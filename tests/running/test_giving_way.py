"""The background rests between its steps while a burst comes in, and only then."""

from __future__ import annotations

from connector_app.giving_way import GivingWay


class Time:
    """A clock that moves by rests and by work."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.rests: list[float] = []
        self.way = GivingWay(self.rest, lambda: self.now)

    def rest(self, seconds: float) -> None:
        self.rests.append(round(seconds, 6))
        self.now += seconds

    def work(self, seconds: float, *, arrivals: int = 0) -> None:
        """A step during which some came in, one after another."""
        for _ in range(arrivals):
            self.now += seconds / arrivals
            self.way.came()
        if not arrivals:
            self.now += seconds
        self.way.give()


def test_a_third_of_the_time_in_a_burst() -> None:
    """A rest is twice as long as the step before it, and a rest does not count as work."""
    time = Time()
    time.work(0.02, arrivals=4)
    time.work(0.01, arrivals=2)
    assert time.rests == [0.04, 0.02]


def test_a_step_that_waited_long_is_followed_by_a_short_rest() -> None:
    """A shop that takes seconds to answer does not make the background stand still for seconds."""
    time = Time()
    time.work(5.0, arrivals=1000)
    assert time.rests == [0.1]


def test_those_that_wait_for_the_work_itself_keep_the_burst_going() -> None:
    """A step during which nobody could come in does not end it; a second without anybody does."""
    time = Time()
    time.work(0.02, arrivals=4)
    time.work(0.5)
    assert len(time.rests) == 2
    time.work(1.0)
    assert len(time.rests) == 2
    assert not time.way.is_burst()


def test_no_rest_without_a_burst() -> None:
    """Nothing comes, or one now and then."""
    time = Time()
    time.work(0.02)
    time.work(0.5, arrivals=1)
    time.work(0.5, arrivals=2)
    assert time.rests == []
