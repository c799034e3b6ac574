"""Warsaw days.

Days on invoices, sending deadlines and numbering periods are days in Poland, whatever the clock of the
machine says (principle 8: P_1 is the Warsaw day of sending).
"""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

WARSAW = ZoneInfo("Europe/Warsaw")


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
