"""Offline modes: which one a new document gets, and by when it has to be sent."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.calendar import WARSAW, add_working_days, is_working_day, next_working_day, warsaw_day
from core.ksef.latarnia import Category, Outage
from core.ksef.offline import Course, OfflineMode, OfflinePolicy, choose, deadline


def at(day: str, hour: int = 12) -> datetime:
    """A Warsaw time."""
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), WARSAW) + timedelta(hours=hour)


def failure(start: str, end: str | None = None, event: str = "f") -> Outage:
    return Outage(event, Category.FAILURE, at(start, 8), at(end, 16) if end else None)


def maintenance(start: str, end: str | None, event: str = "m") -> Outage:
    return Outage(event, Category.MAINTENANCE, at(start, 8), at(end, 16) if end else None)


DEADLINES = [
    # offline24: the next working day
    ("offline24", "2026-11-24", [], "2026-11-25"),
    ("offline24", "2026-11-27", [], "2026-11-30"),  # Friday
    ("offline24", "2026-12-23", [], "2026-12-28"),  # Christmas Eve, Christmas, Saturday, Sunday
    ("offline24", "2026-12-31", [], "2027-01-04"),  # New Year, Saturday, Sunday
    ("offline24", "2027-01-05", [], "2027-01-07"),  # Epiphany
    ("offline24", "2026-11-10", [], "2026-11-12"),  # Independence Day
    ("offline24", "2027-03-26", [], "2027-03-30"),  # Good Friday, then Easter Monday
    # a failure is announced on the last day: 7 working days after its end
    ("offline24", "2026-11-24", [failure("2026-11-25", "2026-11-26")], "2026-12-07"),
    # on the day after it: too late to change anything
    ("offline24", "2026-11-24", [failure("2026-11-26", "2026-11-26")], "2026-11-25"),
    # it ended before the document was issued
    ("offline24", "2026-11-24", [failure("2026-11-20", "2026-11-23")], "2026-11-25"),
    # it goes on
    ("offline24", "2026-11-24", [failure("2026-11-25")], None),
    # a second one before the seven days are over, and a third after them
    (
        "offline24",
        "2026-11-24",
        [
            failure("2026-11-25", "2026-11-26", "a"),
            failure("2026-12-07", "2026-12-08", "b"),
            failure("2026-12-18", "2026-12-18", "c"),
        ],
        "2026-12-17",
    ),
    # maintenance: the next working day after its end
    ("maintenance", "2026-11-27", [maintenance("2026-11-27", "2026-11-28")], "2026-11-30"),
    ("maintenance", "2026-11-27", [maintenance("2026-11-27", None)], None),
    (
        "maintenance",
        "2026-11-27",
        [maintenance("2026-11-27", "2026-11-28"), failure("2026-11-30", "2026-12-01")],
        "2026-12-10",
    ),
    # emergency: seven working days over Christmas (24, 25, 26 December, 1 and 6 January)
    ("emergency", "2026-12-22", [failure("2026-12-22", "2026-12-22")], "2027-01-05"),
    ("emergency", "2026-12-22", [failure("2026-12-22")], None),
    (
        "emergency",
        "2026-12-22",
        [failure("2026-12-22", "2026-12-22"), failure("2027-01-05", "2027-01-05", "g")],
        "2027-01-15",
    ),
]


@pytest.mark.parametrize(("mode", "issued_on", "events", "day"), DEADLINES)
def test_the_deadline_follows_the_law(
    mode: str, issued_on: str, events: list[Outage], day: str | None
) -> None:
    """Working days, holidays and failures that restart the count, on real dates; the rule names the day."""
    own = {"maintenance": "m", "emergency": "f"}.get(mode, "")
    found = deadline(OfflineMode(mode), at(issued_on), events, event_id=own)
    assert found.day == (date.fromisoformat(day) if day else None)
    assert found.has_duty
    assert found.is_open == (day is None)
    assert "art. 106n" in found.source
    if found.day:
        assert f"{found.day:%d.%m.%Y}" in found.rule.pl
        assert f"{found.day:%d.%m.%Y}" in found.rule.en


def test_after_a_total_failure_nothing_is_sent() -> None:
    """Its invoices stay outside KSeF, whatever else was announced."""
    found = deadline(OfflineMode.TOTAL_FAILURE, at("2026-11-24"), [failure("2026-11-24", "2026-11-25")])
    assert (found.day, found.has_duty, found.is_open) == (None, False, False)
    assert not OfflineMode.TOTAL_FAILURE.has_codes


def test_a_failure_that_ended_before_the_document_was_issued_changes_nothing() -> None:
    """The hour counts: a failure of the morning is over for an invoice of the afternoon."""
    events = [failure("2026-11-24", "2026-11-24")]
    assert deadline(OfflineMode.OFFLINE24, at("2026-11-24", 17), events).day == date(2026, 11, 25)
    assert deadline(OfflineMode.OFFLINE24, at("2026-11-24", 9), events).day == date(2026, 12, 3)


def test_an_unknown_outage_counts_as_going_on() -> None:
    """The board no longer lists the event: nothing is guessed."""
    assert deadline(OfflineMode.EMERGENCY, at("2026-11-24"), [], event_id="gone").is_open
    assert deadline(OfflineMode.MAINTENANCE, at("2026-11-24"), [], event_id="gone").is_open


moments = st.integers(0, 6 * 365 * 24 * 60).map(
    lambda minutes: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
lengths = st.timedeltas(timedelta(minutes=1), timedelta(days=20))


@given(moments, st.lists(st.tuples(moments, lengths), max_size=5))
def test_failures_only_ever_move_a_deadline_forward(
    issued_at: datetime, spans: list[tuple[datetime, timedelta]]
) -> None:
    """The deadline is a working day after P_1, never before that of a quiet world, or 7 days after an end."""
    events = [
        Outage(str(number), Category.FAILURE, start, start + length)
        for number, (start, length) in enumerate(spans)
    ]
    quiet = next_working_day(warsaw_day(issued_at))
    found = deadline(OfflineMode.OFFLINE24, issued_at, events).day
    assert found is not None
    assert is_working_day(found)
    assert found >= quiet
    ends = {add_working_days(warsaw_day(one.end), 7) for one in events if one.end}
    assert found == quiet or found in ends
    assert found == deadline(OfflineMode.OFFLINE24, issued_at, events[::-1]).day


CHOICES = [
    ([], "automatic", Course.ONLINE, None),
    ([failure("2026-11-24")], "automatic", Course.OFFLINE, OfflineMode.EMERGENCY),
    ([failure("2026-11-23", "2026-11-23")], "automatic", Course.ONLINE, None),
    ([maintenance("2026-11-24", "2026-11-25")], "automatic", Course.OFFLINE, OfflineMode.MAINTENANCE),
    ([maintenance("2026-11-25", "2026-11-25")], "automatic", Course.ONLINE, None),
    # the graver one decides
    (
        [maintenance("2026-11-24", "2026-11-25"), failure("2026-11-24")],
        "automatic",
        Course.OFFLINE,
        OfflineMode.EMERGENCY,
    ),
    ([failure("2026-11-24")], "ask", Course.ASK, OfflineMode.EMERGENCY),
    ([failure("2026-11-24")], "never", Course.WAIT, OfflineMode.EMERGENCY),
    ([], "never", Course.ONLINE, None),
    (
        [Outage("t", Category.TOTAL_FAILURE, at("2026-11-24", 1)), failure("2026-11-24")],
        "automatic",
        Course.ASK,
        OfflineMode.TOTAL_FAILURE,
    ),
]


@pytest.mark.parametrize(("events", "policy", "course", "mode"), CHOICES)
def test_the_announcement_and_the_policy_choose_the_mode(
    events: list[Outage], policy: str, course: Course, mode: OfflineMode | None
) -> None:
    """Offline only by announcement and policy; a total failure never issues anything by itself."""
    found = choose(events, at("2026-11-24"), OfflinePolicy(policy))
    assert (found.course, found.mode) == (course, mode)
    assert found.rule.pl
    assert found.rule.en
    assert bool(found.source) == (mode is not None)
    if found.outage:
        assert f"{found.outage.start:%d.%m.%Y}" in found.rule.pl
