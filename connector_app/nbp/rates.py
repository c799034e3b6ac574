"""Which announced rate counts for a day: the cache first, then the NBP, never a stale rate in silence."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta

import requests

from connector_app.nbp.cache import RateCache
from connector_app.nbp.client import NBP_API, Limits, MidRate, NbpClient, NbpError, NbpNoData
from core.calendar import is_working_day, previous_working_day, warsaw_day
from core.findings import Text
from core.invoices.exchange import RateUnavailable, UnknownCurrency
from core.invoices.policy import ExchangeRate

_AROUND = timedelta(days=10)  # more than the longest row of days off, on either side
_CODE = re.compile(r"[A-Z]{3}", re.ASCII)
_ALWAYS_ANNOUNCED = "EUR"


class NbpRates:
    """Mid rates of the NBP's table A; the :class:`core.invoices.exchange.Rates` of the application.

    Safe to share between threads; one request runs at a time.

    Args:
        base_url: see :class:`~connector_app.nbp.client.NbpClient`.
        cache: where announced rates are kept; answers without a network.
        session: HTTP connections.
        clock: the time now, aware UTC.
        limits: times and sizes of an answer.
    """

    def __init__(
        self,
        base_url: str,
        cache: RateCache,
        session: requests.Session | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        limits: Limits | None = None,
    ) -> None:
        self._client = NbpClient(base_url or NBP_API, session, limits)
        self._cache = cache
        self._clock = clock
        self._asking = threading.Lock()

    def __repr__(self) -> str:
        return f"NbpRates({self._client!r}, {self._cache!r})"

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def rate(self, currency: str, day: date) -> ExchangeRate:
        """The mid rate that counts for a day.

        It is that of the table announced on the day (a day off goes back to the working day before). Only
        when the numbers of the tables around it show that the NBP announced none that day, the table before
        counts: then the rates announced last apply (par. 8 of the NBP's resolution on announcing rates).

        Args:
            currency: ISO 4217 code, not PLN.
            day: Warsaw day as :func:`core.invoices.exchange.rate_day` gives it.

        Raises:
            RateUnavailable: not announced yet, the NBP cannot be asked, or its answer leaves a doubt.
            UnknownCurrency: table A does not have the currency.
            ValueError: PLN has no rate.
        """
        if currency == "PLN":
            raise ValueError("PLN has no rate in PLN")
        if _CODE.fullmatch(currency) is None:
            raise UnknownCurrency(currency, day)
        working_day = day if is_working_day(day) else previous_working_day(day)
        known = self._cache.get(currency, working_day)
        if known is not None:
            return known
        with self._asking:
            # another thread may have asked the same meanwhile
            return self._cache.get(currency, working_day) or self._ask(currency, working_day)

    def _ask(self, currency: str, day: date) -> ExchangeRate:
        first, last = day - _AROUND, min(day + _AROUND, warsaw_day(self._clock()))
        if last < day:
            raise _not_announced(currency, day)
        try:
            rows = self._client.mid_rates(currency, first, last)
        except NbpNoData:
            if self._announces_anything(currency, day, first, last):
                raise UnknownCurrency(currency, day) from None
            raise _not_announced(currency, day) from None
        except NbpError as error:
            raise _no_answer(currency, day, error) from error
        rates = {row.day: _rate(currency, row) for row in rows}
        if day not in rates:
            rates[day] = _rate(currency, _table_before(currency, day, rows))
        self._cache.keep(rates)
        return rates[day]

    def _announces_anything(self, currency: str, day: date, first: date, last: date) -> bool:
        """Whether "no data" was about the currency: the NBP does have tables of those days."""
        if currency == _ALWAYS_ANNOUNCED:
            return False
        try:
            return bool(self._client.mid_rates(_ALWAYS_ANNOUNCED, first, last))
        except NbpNoData:
            return False
        except NbpError as error:
            raise _no_answer(currency, day, error) from error


def _rate(currency: str, row: MidRate) -> ExchangeRate:
    return ExchangeRate(currency, row.mid, row.table, row.day)


def _table_before(currency: str, day: date, rows: Sequence[MidRate]) -> MidRate:
    """The last table before a working day without one, when it is certain that there is none."""
    before = [row for row in rows if row.day < day]
    after = [row for row in rows if row.day > day]
    if not after:
        raise _not_announced(currency, day)
    if not before or not _is_without_table(day, before[-1], after[0]):
        reason = Text(
            "w odpowiedzi NBP brakuje tabeli z tego dnia.", "the NBP's answer lacks the table of that day."
        )
        raise RateUnavailable(currency, day, reason, temporary=False)
    return before[-1]


def _is_without_table(day: date, before: MidRate, after: MidRate) -> bool:
    """Whether the numbers of the nearest tables, counted anew each year, leave none for the day."""
    if after.year != day.year:
        return False
    return after.number == (before.number + 1 if before.year == after.year else 1)


def _not_announced(currency: str, day: date) -> RateUnavailable:
    reason = Text(
        "NBP nie ogłosił jeszcze tabeli z tego dnia.", "the NBP has not announced the table of that day yet."
    )
    return RateUnavailable(currency, day, reason)


def _no_answer(currency: str, day: date, error: NbpError) -> RateUnavailable:
    return RateUnavailable(currency, day, Text(f"{error.text.pl}.", f"{error.text.en}."))
