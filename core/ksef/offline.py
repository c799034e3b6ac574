"""Offline modes: which one a new document gets, and by when it has to be sent.

========================  ==================================  ==========================================
mode                      when                                send by
========================  ==================================  ==========================================
``offline24``             the issuer's choice or trouble      next working day after P_1
``maintenance``           announced unavailability            next working day after it ends
``emergency``             announced failure                   7 working days after it ends
``total-failure``         announced in the media              no duty to send, no QR codes
========================  ==================================  ==========================================

A failure that is announced before the deadline starts the count anew: 7 working days after its end, whatever
the mode. Nothing is known of the day while a failure, or the maintenance itself, goes on.

Sources: art. 106nda (offline24), 106nf (failure), 106ng (total failure) and 106nh (unavailability) of the VAT
act; the integrators' documentation of KSeF 2.0, offline modes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from core.calendar import (
    FAILURE_WORKING_DAYS,
    WARSAW,
    failure_deadline,
    maintenance_deadline,
    offline24_deadline,
    warsaw_day,
)
from core.findings import Text
from core.ksef.latarnia import Category, Outage, active


class OfflineMode(StrEnum):
    """In which mode a document is issued; the words are stored and shown."""

    OFFLINE24 = "offline24"
    MAINTENANCE = "maintenance"
    EMERGENCY = "emergency"
    TOTAL_FAILURE = "total-failure"

    @property
    def has_codes(self) -> bool:
        """Whether its documents carry QR codes and are sent with ``offlineMode`` true."""
        return self is not OfflineMode.TOTAL_FAILURE


class OfflinePolicy(StrEnum):
    """What the seller decided about announced outages."""

    AUTOMATIC = "automatic"
    """Issue in the mode that the announcement allows."""
    ASK = "ask"
    """Wait, and tell a person who may decide otherwise."""
    NEVER = "never"
    """Only online: wait until KSeF is back."""


class Course(StrEnum):
    """What to do with a document that is due."""

    ONLINE = "online"
    OFFLINE = "offline"
    WAIT = "wait"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class Choice:
    """What to do with a document that is due, and by which rule.

    Attributes:
        course: see :class:`Course`.
        mode: the mode that the announcement allows; None when nothing is announced.
        rule: the rule and the dates that were followed, for a person.
        source: law article.
        outage: the announcement; None without one.
    """

    course: Course
    mode: OfflineMode | None
    rule: Text
    source: str
    outage: Outage | None = None


@dataclass(frozen=True, slots=True)
class Deadline:
    """By when a document has to be sent, and by which rule.

    Attributes:
        day: last Warsaw day; None when it is not known yet or there is no duty.
        has_duty: False only after a total failure.
        rule: the rule and the dates that were followed, for a person.
        source: law article.
    """

    day: date | None
    has_duty: bool
    rule: Text
    source: str

    @property
    def is_open(self) -> bool:
        """There is a duty, but its day is not known: an outage goes on."""
        return self.has_duty and self.day is None


_OFFLINE24_LAW: Final = "VAT act, art. 106nda"
_FAILURE_LAW: Final = "VAT act, art. 106nf"
_TOTAL_LAW: Final = "VAT act, art. 106ng"
_MAINTENANCE_LAW: Final = "VAT act, art. 106nh"

_MODES: Final = {
    Category.MAINTENANCE: (OfflineMode.MAINTENANCE, _MAINTENANCE_LAW),
    Category.FAILURE: (OfflineMode.EMERGENCY, _FAILURE_LAW),
    Category.TOTAL_FAILURE: (OfflineMode.TOTAL_FAILURE, _TOTAL_LAW),
}
_NAMES: Final = {
    Category.MAINTENANCE: Text("niedostępność KSeF", "unavailability of KSeF"),
    Category.FAILURE: Text("awarię KSeF", "a failure of KSeF"),
    Category.TOTAL_FAILURE: Text("awarię całkowitą KSeF", "a total failure of KSeF"),
}


def choose(events: Sequence[Outage], now: datetime, policy: OfflinePolicy) -> Choice:
    """Say what to do with a document that is due.

    Args:
        events: what Latarnia announced.
        now: aware time.
        policy: what the seller decided.

    Returns:
        ``online`` while nothing is announced. In an announced outage ``offline`` with the mode, ``ask`` or
        ``wait`` by the policy; in a total failure always ``ask`` (``wait`` with policy ``never``), because
        its invoices take any form, outside KSeF.
    """
    outage = active(events, now)
    if outage is None:
        rule = Text("Latarnia nie ogłasza niedostępności KSeF.", "Latarnia announces no outage of KSeF.")
        return Choice(Course.ONLINE, None, rule, "")
    mode, law = _MODES[outage.category]
    announced = _announced(outage)
    if policy is OfflinePolicy.NEVER:
        rule = Text(
            f"{announced.pl} Według ustawień dokument czeka na powrót KSeF.",
            f"{announced.en} By the settings the document waits until KSeF is back.",
        )
        return Choice(Course.WAIT, mode, rule, law, outage)
    if mode is OfflineMode.TOTAL_FAILURE:
        rule = Text(
            f"{announced.pl} Faktury wystawia się wtedy w dowolnej postaci, poza KSeF i bez kodów QR; nie "
            "trzeba ich potem przesyłać. Program czeka.",
            f"{announced.en} Invoices then take any form, outside KSeF and without QR codes, and need not be "
            "sent afterwards. The program waits.",
        )
        return Choice(Course.ASK, mode, rule, law, outage)
    if policy is OfflinePolicy.ASK:
        rule = Text(
            f"{announced.pl} Dokument czeka na powrót KSeF albo na decyzję, by wystawić go w trybie offline.",
            f"{announced.en} The document waits for KSeF, or for the decision to issue it offline.",
        )
        return Choice(Course.ASK, mode, rule, law, outage)
    return Choice(Course.OFFLINE, mode, announced, law, outage)


def deadline(
    mode: OfflineMode, issued_at: datetime, events: Sequence[Outage], *, event_id: str = ""
) -> Deadline:
    """By when a document has to be sent.

    Args:
        mode: its mode.
        issued_at: when it was issued, aware; its Warsaw day is P_1.
        events: what Latarnia announced until now.
        event_id: the outage in which a maintenance or emergency document was issued; an event that is not
            among ``events`` counts as going on.
    """
    if mode is OfflineMode.TOTAL_FAILURE:
        rule = Text(
            "Faktury z awarii całkowitej nie przesyła się do KSeF.",
            "An invoice of a total failure is not sent to KSeF.",
        )
        return Deadline(None, has_duty=False, rule=rule, source=_TOTAL_LAW)
    own = next((one for one in events if one.event_id == event_id), None)
    current = _first(mode, warsaw_day(issued_at), own)
    failures = (one for one in events if one.category is Category.FAILURE and one is not own)
    for failure in sorted(failures, key=lambda one: one.start):
        is_over = failure.end is not None and failure.end <= issued_at
        is_late = current.day is not None and warsaw_day(failure.start) > current.day
        if not is_over and not is_late:
            current = _later(current, _after_failure(failure))
    return current


def _first(mode: OfflineMode, issued_on: date, own: Outage | None) -> Deadline:
    """The deadline before any later failure is looked at."""
    if mode is OfflineMode.OFFLINE24:
        day = offline24_deadline(issued_on)
        rule = Text(
            f"Tryb offline24: następny dzień roboczy po {_day(issued_on)}, czyli {_day(day)}.",
            f"Offline24: the next working day after {_day(issued_on)}, which is {_day(day)}.",
        )
        return Deadline(day, has_duty=True, rule=rule, source=_OFFLINE24_LAW)
    if mode is OfflineMode.MAINTENANCE:
        if own is None or own.end is None:
            rule = Text(
                "Następny dzień roboczy po zakończeniu niedostępności, której końca jeszcze nie ogłoszono.",
                "The next working day after the unavailability, whose end is not announced yet.",
            )
            return Deadline(None, has_duty=True, rule=rule, source=_MAINTENANCE_LAW)
        day = maintenance_deadline(own.end)
        rule = Text(
            f"Niedostępność kończy się {_moment(own.end)}; następny dzień roboczy to {_day(day)}.",
            f"The unavailability ends on {_moment(own.end)}; the next working day is {_day(day)}.",
        )
        return Deadline(day, has_duty=True, rule=rule, source=_MAINTENANCE_LAW)
    return _after_failure(own)


def _later(current: Deadline, counted: Deadline) -> Deadline:
    """Of two deadlines the later one; while an outage goes on, its end will decide."""
    if current.day is None or counted.day is None:
        return current if current.day is None else counted
    return counted if counted.day > current.day else current


def _after_failure(failure: Outage | None) -> Deadline:
    count = FAILURE_WORKING_DAYS
    if failure is None or failure.end is None:
        rule = Text(
            f"{count} dni roboczych od zakończenia awarii, której końca jeszcze nie ogłoszono.",
            f"{count} working days after the end of the failure, which is not announced yet.",
        )
        return Deadline(None, has_duty=True, rule=rule, source=_FAILURE_LAW)
    day = failure_deadline(failure.end)
    rule = Text(
        f"Awaria zakończyła się {_moment(failure.end)}; {count} dni roboczych mija {_day(day)}.",
        f"The failure ended on {_moment(failure.end)}; {count} working days end on {_day(day)}.",
    )
    return Deadline(day, has_duty=True, rule=rule, source=_FAILURE_LAW)


def _announced(outage: Outage) -> Text:
    name = _NAMES[outage.category]
    since = _moment(outage.start)
    if outage.end is None:
        return Text(
            f"Latarnia ogłosiła {name.pl} od {since}.", f"Latarnia has announced {name.en} since {since}."
        )
    until = _moment(outage.end)
    return Text(
        f"Latarnia ogłosiła {name.pl} od {since} do {until}.",
        f"Latarnia has announced {name.en} from {since} to {until}.",
    )


def _day(day: date) -> str:
    return f"{day:%d.%m.%Y}"


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(WARSAW):%d.%m.%Y %H:%M}"
