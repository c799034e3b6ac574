"""Warsaw days, working days and the deadlines counted in them."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import calendar
from core.calendar import (
    add_working_days,
    failure_deadline,
    is_working_day,
    maintenance_deadline,
    next_working_day,
    offline24_deadline,
    previous_working_day,
    warsaw_day,
)

days = st.dates(date(2016, 1, 1), date(2049, 12, 1))


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 11, 24, 22, 59, 59, tzinfo=UTC), date(2026, 11, 24)),
        (datetime(2026, 11, 24, 23, 0, tzinfo=UTC), date(2026, 11, 25)),
        (datetime(2026, 7, 31, 21, 59, 59, tzinfo=UTC), date(2026, 7, 31)),
        (datetime(2026, 7, 31, 22, 0, tzinfo=UTC), date(2026, 8, 1)),
        (datetime(2026, 12, 31, 23, 0, tzinfo=UTC), date(2027, 1, 1)),
    ],
)
def test_a_warsaw_day_begins_at_polish_midnight(moment: datetime, day: date) -> None:
    """An hour before UTC in winter, two in summer."""
    assert warsaw_day(moment) == day


def test_a_time_without_a_zone_is_refused() -> None:
    """Nobody knows which day it is."""
    with pytest.raises(ValueError, match="zone"):
        warsaw_day(datetime(2026, 11, 24, 12, 0))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 11, 24), True),
        (date(2026, 11, 28), False),  # Saturday
        (date(2026, 11, 29), False),  # Sunday
        (date(2026, 1, 1), False),
        (date(2026, 1, 6), False),
        (date(2010, 1, 6), True),  # Epiphany is a day off since 2011
        (date(2026, 4, 3), True),  # Good Friday is a working day
        (date(2026, 4, 6), False),  # Easter Monday
        (date(2026, 5, 1), False),
        (date(2027, 5, 3), False),
        (date(2026, 6, 4), False),  # Corpus Christi
        (date(2025, 8, 15), False),
        (date(2024, 11, 1), False),
        (date(2026, 11, 11), False),
        (date(2018, 11, 12), False),  # centenary of independence, that year only
        (date(2024, 12, 24), True),
        (date(2025, 12, 24), False),  # a day off since 2025
        (date(2026, 12, 24), False),
        (date(2026, 12, 25), False),
        (date(2026, 12, 31), True),
    ],
)
def test_days_off_are_the_days_of_the_act(day: date, works: bool) -> None:
    """Saturdays, Sundays and the days off by law, Christmas Eve among them from 2025."""
    assert is_working_day(day) is works


@pytest.mark.parametrize(
    ("day", "before", "after"),
    [
        (date(2026, 11, 24), date(2026, 11, 23), date(2026, 11, 25)),
        (date(2026, 11, 23), date(2026, 11, 20), date(2026, 11, 24)),
        (date(2026, 12, 25), date(2026, 12, 23), date(2026, 12, 28)),
        (date(2026, 12, 28), date(2026, 12, 23), date(2026, 12, 29)),
        (date(2027, 1, 1), date(2026, 12, 31), date(2027, 1, 4)),
        (date(2026, 5, 2), date(2026, 4, 30), date(2026, 5, 4)),
        (date(2026, 4, 7), date(2026, 4, 3), date(2026, 4, 8)),
    ],
)
def test_neighbours_skip_weekends_and_holidays(day: date, before: date, after: date) -> None:
    """A long Christmas, the first of May, Easter and the turn of the year."""
    assert previous_working_day(day) == before
    assert next_working_day(day) == after


@pytest.mark.parametrize(
    ("issued", "deadline"),
    [
        (date(2026, 11, 24), date(2026, 11, 25)),
        (date(2026, 11, 27), date(2026, 11, 30)),
        (date(2026, 11, 28), date(2026, 11, 30)),
        (date(2026, 12, 23), date(2026, 12, 28)),
        (date(2026, 11, 10), date(2026, 11, 12)),
    ],
)
def test_offline24_goes_by_the_next_working_day(issued: date, deadline: date) -> None:
    """Art. 106nda: the next working day after P_1."""
    assert offline24_deadline(issued) == deadline


def test_maintenance_is_counted_from_the_warsaw_day_of_its_end() -> None:
    """An end at 23:30 UTC is already the next day in Poland."""
    assert maintenance_deadline(datetime(2026, 11, 24, 22, 30, tzinfo=UTC)) == date(2026, 11, 25)
    assert maintenance_deadline(datetime(2026, 11, 24, 23, 30, tzinfo=UTC)) == date(2026, 11, 26)
    assert maintenance_deadline(datetime(2026, 12, 23, 12, 0, tzinfo=UTC)) == date(2026, 12, 28)


def test_a_failure_gives_seven_working_days() -> None:
    """Art. 106nf: the day of the end does not count, nor do weekends and holidays."""
    assert failure_deadline(datetime(2026, 11, 24, 12, 0, tzinfo=UTC)) == date(2026, 12, 3)
    assert failure_deadline(datetime(2026, 12, 21, 12, 0, tzinfo=UTC)) == date(2027, 1, 4)
    first, last = (failure_deadline(datetime(2026, 11, day, 12, 0, tzinfo=UTC)) for day in (20, 27))
    assert first < last, "the end of a later failure moves the deadline"


@pytest.mark.parametrize("count", [0, -1])
def test_no_working_days_cannot_be_added(count: int) -> None:
    """The start need not be a working day, so zero has no answer."""
    with pytest.raises(ValueError, match="from 1"):
        add_working_days(date(2026, 11, 24), count)


@settings(deadline=None, derandomize=True)
@given(days)
def test_next_and_previous_are_the_nearest_working_days(day: date) -> None:
    """Both work, lie on their own side, and nothing between them and the day works."""
    after, before = next_working_day(day), previous_working_day(day)
    assert before < day < after
    assert is_working_day(before)
    assert is_working_day(after)
    between = [before + timedelta(days=n) for n in range(1, (after - before).days)]
    assert [one for one in between if is_working_day(one)] == ([day] if is_working_day(day) else [])
    assert previous_working_day(after) == (day if is_working_day(day) else before)


@settings(deadline=None, derandomize=True)
@given(days, st.integers(1, 40))
def test_added_working_days_can_be_counted_again(day: date, count: int) -> None:
    """Between the day (not counted) and the answer (counted) lie exactly so many working days."""
    end = add_working_days(day, count)
    span = [day + timedelta(days=n) for n in range(1, (end - day).days + 1)]
    assert sum(map(is_working_day, span)) == count
    assert is_working_day(end)


@settings(deadline=None, derandomize=True)
@given(days, days)
def test_a_later_event_never_has_an_earlier_deadline(one: date, other: date) -> None:
    """Deadlines keep the order of what they follow from."""
    first, second = sorted((one, other))
    assert offline24_deadline(first) <= offline24_deadline(second)
    assert add_working_days(first, 7) <= add_working_days(second, 7)


def test_threads_that_ask_first_get_the_holidays() -> None:
    """Nobody sees a year that is only half known."""
    calendar._days_off.cache_clear()
    answers: list[bool] = []
    gate = threading.Barrier(8)

    def ask() -> None:
        gate.wait()
        answers.append(is_working_day(date(2031, 12, 24)))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [False] * 8


def test_importing_the_calendar_loads_no_holidays() -> None:
    """The library takes longer than all of core, so it waits for the first question."""
    script = "import sys, core.calendar, core.invoices.exchange; sys.exit('holidays' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
