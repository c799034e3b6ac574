"""Warsaw days, Polish working days and the deadlines counted in them.

Days on invoices, sending deadlines and numbering periods are days in Poland, whatever the clock of the
machine says (principle 8: P_1 is the Warsaw day of sending).

A working day is any day but Saturdays, Sundays and the days off of the act of 18 January 1951 on days off
work (24 December among them since 2025; single days such as 12 November 2018 included). A Saturday is no
working day for the tax office (art. 12 par. 5 of the Tax Ordinance), nor a day on which the NBP announces
rates. The days off come from the ``holidays`` library, read when the first question is asked.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

WARSAW = ZoneInfo("Europe/Warsaw")

FAILURE_WORKING_DAYS: Final = 7
"""Working days for sending after an announced failure of KSeF has ended."""

_SATURDAY = 5
_ONE_DAY = timedelta(days=1)


def warsaw_day(moment: datetime) -> date:
    """The calendar day in Poland at a moment.

    Args:
        moment: aware time in any zone.

    Raises:
        ValueError: the time has no zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a time without a zone has no Warsaw day")
    return moment.astimezone(WARSAW).date()


def is_working_day(day: date) -> bool:
    """Whether a Warsaw day is neither Saturday nor Sunday nor a day off by law."""
    return day.weekday() < _SATURDAY and day not in _days_off(day.year)


def next_working_day(day: date) -> date:
    """The first working day after a Warsaw day, never the day itself."""
    day += _ONE_DAY
    while not is_working_day(day):
        day += _ONE_DAY
    return day


def previous_working_day(day: date) -> date:
    """The last working day before a Warsaw day, never the day itself."""
    day -= _ONE_DAY
    while not is_working_day(day):
        day -= _ONE_DAY
    return day


def add_working_days(day: date, count: int) -> date:
    """The working day that many working days after a day, which itself does not count.

    Args:
        day: Warsaw day of the event; it need not be a working day.
        count: working days, at least 1.

    Raises:
        ValueError: ``count`` is below 1; the day itself need not be a working day, so zero has no answer.
    """
    if count < 1:
        raise ValueError(f"working days are counted from 1, got {count}")
    for _ in range(count):
        day = next_working_day(day)
    return day


def offline24_deadline(issue_day: date) -> date:
    """The last Warsaw day for sending an offline24 invoice: the next working day after P_1.

    Source: art. 106nda of the VAT act; KSeF documentation, offline modes.

    Args:
        issue_day: P_1.
    """
    return next_working_day(issue_day)


def maintenance_deadline(end_moment: datetime) -> date:
    """The last Warsaw day for sending what was issued while KSeF was announced to be unavailable.

    The next working day after the unavailability has ended. Source: art. 106nh of the VAT act; KSeF
    documentation, offline modes.

    Args:
        end_moment: announced end of the unavailability, aware time in any zone.
    """
    return next_working_day(warsaw_day(end_moment))


def failure_deadline(end_moment: datetime) -> date:
    """The last Warsaw day for sending what a failure of KSeF held up: 7 working days after it has ended.

    A failure announced before that day starts the count anew: call again with the end of the last one. The
    same holds for offline24 and maintenance documents whose deadline a failure interrupts; a total failure
    leaves no duty to send. Source: art. 106nf of the VAT act; KSeF documentation, offline modes.

    Args:
        end_moment: announced end of the last failure, aware time in any zone.
    """
    return add_working_days(warsaw_day(end_moment), FAILURE_WORKING_DAYS)


@lru_cache(maxsize=64)
def _days_off(year: int) -> frozenset[date]:
    # a calendar that the library fills as it is asked is not safe between threads; a year at a time is.
    # Loading the library takes longer than all of core.
    from holidays import country_holidays  # noqa: PLC0415

    return frozenset(country_holidays("PL", years=year, expand=False))
