"""Announced rates that were once read, in a small SQLite file of their own.

A rate of a past day never changes, so entries never expire; that something was *not* announced is never
kept. Losing the file costs nothing but asking again, so trouble with it is logged and otherwise means
"not cached".
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

from connector_app.log_events import Said
from connector_app.logs import Log
from core.invoices.policy import ExchangeRate

FILE_NAME: Final = "nbp-rates.sqlite3"
"""The file's name in the installation's home."""

_TABLE = """
CREATE TABLE IF NOT EXISTS rates (
    currency TEXT NOT NULL,
    day TEXT NOT NULL,
    rate TEXT NOT NULL,
    table_number TEXT NOT NULL,
    table_day TEXT NOT NULL,
    PRIMARY KEY (currency, day)
) WITHOUT ROWID
"""
_BUSY_SECONDS = 5.0

_log = Log(__name__)


class RateCache:
    """Rates by currency and day; safe to share between threads and processes.

    Args:
        path: the file; made when the first rate is kept.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __repr__(self) -> str:
        return f"RateCache({str(self._path)!r})"

    def get(self, currency: str, day: date) -> ExchangeRate | None:
        """The rate that counts for a day, ``None`` when it is not cached.

        Args:
            currency: ISO 4217 code.
            day: Warsaw working day.
        """
        if not self._path.is_file():
            return None
        try:
            with self._open() as connection:
                row = connection.execute(
                    "SELECT rate, table_number, table_day FROM rates WHERE currency = ? AND day = ?",
                    (currency, day.isoformat()),
                ).fetchone()
        except sqlite3.Error as error:
            _log.warning(Said.RATES, error, task="read")
            return None
        return None if row is None else _rate(currency, row)

    def keep(self, rates: Mapping[date, ExchangeRate]) -> None:
        """Keep rates, all or none.

        Args:
            rates: by the Warsaw working day for which they count.
        """
        try:
            self._write(rates)
        except sqlite3.OperationalError as error:  # busy, full, read-only: the file itself is good
            _log.warning(Said.RATES, error, task="write")
        except sqlite3.DatabaseError as error:
            _log.warning(Said.RATES, error, task="anew")
            try:
                self._path.unlink(missing_ok=True)
                self._write(rates)
            except (sqlite3.Error, OSError) as again:
                _log.warning(Said.RATES, again, task="write")

    def _write(self, rates: Mapping[date, ExchangeRate]) -> None:
        rows = [
            (rate.currency, day.isoformat(), str(rate.rate), rate.table, (rate.day or day).isoformat())
            for day, rate in rates.items()
        ]
        with self._open() as connection:
            connection.execute(_TABLE)
            connection.executemany("INSERT OR REPLACE INTO rates VALUES (?, ?, ?, ?, ?)", rows)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """One connection for one transaction: nothing is shared between threads."""
        with closing(sqlite3.connect(self._path, timeout=_BUSY_SECONDS)) as connection, connection:
            yield connection


def _rate(currency: str, row: tuple[object, ...]) -> ExchangeRate | None:
    rate, table, day = (str(value) for value in row)
    try:
        known = ExchangeRate(currency, Decimal(rate), table, date.fromisoformat(day))
    except (InvalidOperation, ValueError):
        known = None
    if known is None or not known.rate.is_finite() or known.rate <= 0:
        _log.warning(Said.RATES, task="read", currency=currency)
        return None
    return known
