"""What KSeF's answers say beside the answer: warnings of future refusals, and that our clock is off.

Both are kept in the database, so that the health page and the commands, which are other processes, show them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from connector_app.log_events import Said
from connector_app.logs import Log, without_secrets
from connector_app.store.database import Sessions
from connector_app.store.notices import ClockSkew, StoredWarning
from connector_app.store.sessions import lane_of
from core.calendar import WARSAW
from core.findings import Finding, Severity, Text
from core.ksef.answers import SystemWarning
from core.ksef.clock import MOST, ClockReading

_log = Log(__name__)

EVERY: Final = timedelta(minutes=10)
"""How often the same is written down: ``last_seen`` is that precise."""
SHOWN: Final = timedelta(days=30)
"""A warning that was not repeated for so long is shown no more."""
_LONGEST = 1000
"""Characters that are kept of a warning's text."""


class NoticeBook:
    """Writes down the warnings and the clock of one environment; safe to share between threads.

    A database that cannot be used is logged and never fails the operation whose answer is looked at.

    Args:
        database: of the installation.
        environment: address of the API.
        clock: aware UTC.
    """

    def __init__(self, database: Sessions, environment: str, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._environment = environment
        self._clock = clock
        self._lock = Lock()
        self._written: dict[tuple[str, ...], datetime] = {}
        self._clock_was_off: bool | None = None

    def warn(self, warning: SystemWarning) -> None:
        """Log a warning and keep it, once in :data:`EVERY`."""
        text = without_secrets(warning.message)[:_LONGEST]
        code, operation = without_secrets(warning.code)[:64], warning.operation[:128]
        if not self._is_due("warning", code, operation, text):
            return
        _log.warning(Said.KSEF_WARNING, code=code or None, operation=operation)

        def keep(session: Session) -> None:
            now = self._clock()
            row = session.get(StoredWarning, (self._environment, code, operation))
            if row is None:
                row = StoredWarning(
                    environment=self._environment, code=code, operation=operation, first_seen=now
                )
                session.add(row)
            row.text, row.last_seen = text, now

        self._write(keep)

    def read_clock(self, reading: ClockReading) -> None:
        """Keep that the clock is off, or forget it once it is right."""
        if not reading.is_off:
            with self._lock:
                forget, self._clock_was_off = self._clock_was_off is not False, False
            if forget:
                self._write(self._forget_skew)
            return
        with self._lock:
            news, self._clock_was_off = not self._clock_was_off, True
        if not self._is_due("clock") and not news:
            return
        seconds = round(reading.ahead.total_seconds())
        _log.warning(Said.CLOCK_OFF, seconds_ahead=seconds)

        def keep(session: Session) -> None:
            row = ClockSkew(environment=self._environment, seconds_ahead=seconds, last_seen=self._clock())
            session.merge(row)

        self._write(keep)

    def _forget_skew(self, session: Session) -> None:
        session.execute(delete(ClockSkew).where(ClockSkew.environment == self._environment))

    def _is_due(self, *key: str) -> bool:
        now = self._clock()
        with self._lock:
            last = self._written.get(key)
            if last is not None and abs(now - last) < EVERY:
                return False
            self._written[key] = now
            return True

    def _write(self, keep: Callable[[Session], None]) -> None:
        try:
            with self._database.begin(lane_of(f"notices {self._environment}")) as session:
                keep(session)
        except SQLAlchemyError as error:
            _log.warning(Said.DATABASE_FAILED, error, task="notice")


@dataclass(frozen=True, slots=True)
class Noticed:
    """What is to be shown.

    Attributes:
        warnings: of KSeF, the latest first.
        skews: clocks that are off, one for each environment at the most.
    """

    warnings: tuple[StoredWarning, ...] = ()
    skews: tuple[ClockSkew, ...] = ()

    def findings(self) -> list[Finding]:
        """In words, each with what to do."""
        return [_skew_finding(one) for one in self.skews] + [_warning_finding(one) for one in self.warnings]

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "system_warnings": [
                {
                    "environment": one.environment,
                    "code": one.code or None,
                    "operation": one.operation,
                    "text": one.text,
                    "first_seen": one.first_seen.isoformat(),
                    "last_seen": one.last_seen.isoformat(),
                }
                for one in self.warnings
            ],
            "clock": [
                {
                    "environment": one.environment,
                    "seconds_ahead": one.seconds_ahead,
                    "last_seen": one.last_seen.isoformat(),
                }
                for one in self.skews
            ],
        }


def noticed(session: Session, now: datetime, environment: str | None = None) -> Noticed:
    """What KSeF's answers have said lately.

    Args:
        session: for reading.
        now: aware UTC.
        environment: address of the API; None for all.
    """
    warnings = select(StoredWarning).where(StoredWarning.last_seen > now - SHOWN)
    skews = select(ClockSkew)
    if environment is not None:
        warnings = warnings.where(StoredWarning.environment == environment)
        skews = skews.where(ClockSkew.environment == environment)
    return Noticed(
        tuple(session.scalars(warnings.order_by(StoredWarning.last_seen.desc()))),
        tuple(session.scalars(skews.order_by(ClockSkew.environment))),
    )


def _warning_finding(one: StoredWarning) -> Finding:
    seen = f"{one.last_seen.astimezone(WARSAW):%Y-%m-%d %H:%M}"
    code = f" [{one.code}]" if one.code else ""
    return Finding(
        "ksef-system-warning",
        Severity.WARNING,
        one.operation,
        Text(
            f"KSeF ostrzega{code} przy {one.operation} (ostatnio {seen}): {one.text}",
            f"KSeF warns{code} on {one.operation} (last {seen}): {one.text}",
        ),
        Text(
            "KSeF zapowiada, że przestanie to przyjmować. Zaktualizuj program; jeśli jest aktualny, zgłoś to "
            "jego autorom.",
            "KSeF announces that it will stop taking this. Update the program; if it is up to date, report "
            "this to its authors.",
        ),
    )


def _skew_finding(one: ClockSkew) -> Finding:
    seconds, most = abs(one.seconds_ahead), round(MOST.total_seconds())
    side = (
        Text("spieszy się względem", "is ahead of")
        if one.seconds_ahead > 0
        else Text("spóźnia się względem", "is behind")
    )
    return Finding(
        "clock-off",
        Severity.ERROR,
        "",
        Text(
            f"Zegar tego komputera {side.pl} KSeF o {seconds} s (dopuszczalne {most} s).",
            f"This machine's clock {side.en} KSeF's by {seconds} s (up to {most} s is fine).",
        ),
        Text(
            "Włącz synchronizację czasu (NTP), np. timedatectl set-ntp true: od zegara zależą data "
            "wystawienia (P_1), terminy trybu offline i podpis logowania.",
            "Switch on time synchronisation (NTP), e.g. timedatectl set-ntp true: the date of issue (P_1), "
            "offline deadlines and the signature of the sign-in depend on the clock.",
        ),
    )
