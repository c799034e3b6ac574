"""The NBP's Web API on localhost: mid rates of table A, made up but always the same.

A table is announced at 12:15 on each working day and carries the next number of its year. Rates move a
little from day to day so that a wrong day shows. Answers and refusals have the form of
https://api.nbp.pl/, where a currency, a day or a period without data is a plain 404.

Tests run it with :class:`NbpSandbox`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from flask import Flask, Response, request
from werkzeug.serving import WSGIRequestHandler

from core.calendar import WARSAW, is_working_day, warsaw_day
from sandbox.background import BackgroundServer

CURRENCIES: Final[Mapping[str, tuple[str, Decimal]]] = {
    "USD": ("dolar amerykański", Decimal("3.6500")),
    "EUR": ("euro", Decimal("4.2500")),
    "GBP": ("funt szterling", Decimal("4.8500")),
    "CHF": ("frank szwajcarski", Decimal("4.5500")),
    "CZK": ("korona czeska", Decimal("0.1750")),
    "DKK": ("korona duńska", Decimal("0.5690")),
    "HUF": ("forint (Węgry)", Decimal("0.011000")),
    "IDR": ("rupia indonezyjska", Decimal("0.00022000")),
    "NOK": ("korona norweska", Decimal("0.3600")),
    "RON": ("lej rumuński", Decimal("0.8350")),
    "SEK": ("korona szwedzka", Decimal("0.3880")),
    "UAH": ("hrywna (Ukraina)", Decimal("0.0870")),
}
"""Currencies of the stand-in's table A: their Polish name and the rate around which they move."""

MOST_DAYS: Final = 93
"""The longest period of one enquiry."""

_ANNOUNCED_AT = time(12, 15)
_FIRST_DAY = date(2002, 1, 2)
_STEPS = 97

Spoil = Callable[[Response], Response]
"""Gets the true answer and gives another; it may wait or raise ``ConnectionAbortedError``."""


class NbpSandbox(BackgroundServer):
    """The API on a localhost port, running inside a ``with`` block.

    Args:
        clock: the time now, aware UTC; nothing later is announced.
        port: 0 takes a free one.
        without: working days on which no table is announced; numbers go on without a gap.

    Attributes:
        lost: days whose row is left out of answers although the table has its number.
        requests: paths asked for, oldest first.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        port: int = 0,
        without: Collection[date] = (),
    ) -> None:
        super().__init__(port, _QuietHandler)
        self._clock = clock
        self._without = frozenset(without)
        self._faults: list[Spoil] = []
        self.lost: set[date] = set()
        self.requests: list[str] = []

    @property
    def url(self) -> str:
        """Base address of the running API, without a trailing slash."""
        return f"{super().url}/api"

    def application(self) -> Flask:
        """The API."""
        return _app(self)

    def fault(self, spoil: Spoil, times: int = 1) -> None:
        """Spoil the next answers.

        Args:
            spoil: makes the answer that is sent from the true one.
            times: how many answers.
        """
        self._faults.extend([spoil] * times)

    def mid(self, currency: str, day: date) -> Decimal:
        """The rate of a currency in the table of a day, in PLN for one unit."""
        rate = CURRENCIES[currency][1]
        step = Decimal(1).scaleb(int(rate.as_tuple().exponent))
        return rate + step * (day.toordinal() * 31 % _STEPS)

    def table(self, day: date) -> str:
        """The number of the table of a day."""
        days = (
            date(day.year, 1, 1) + timedelta(days=n) for n in range((day - date(day.year, 1, 1)).days + 1)
        )
        return f"{sum(self._has_table(one) for one in days):03}/A/NBP/{day.year}"

    def days(self, first: date, last: date) -> list[date]:
        """The days from first to last (included) whose table is announced by now."""
        span = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return [day for day in span if self._has_table(day) and self._is_announced(day)]

    def _has_table(self, day: date) -> bool:
        return day >= _FIRST_DAY and is_working_day(day) and day not in self._without

    def _is_announced(self, day: date) -> bool:
        return datetime.combine(day, _ANNOUNCED_AT, WARSAW) <= self._clock()

    def answer(self, currency: str, first: date, last: date) -> Response:
        """The answer to an enquiry about a period, both days included."""
        if last < first:
            return _refusal(400, "BadRequest - Błędny zakres dat / Invalid date range")
        if (last - first).days > MOST_DAYS:
            return _refusal(
                400,
                f"BadRequest - Przekroczony limit {MOST_DAYS} dni / "
                f"Limit of {MOST_DAYS} days has been exceeded",
            )
        days = [day for day in self.days(first, last) if day not in self.lost]
        if currency not in CURRENCIES or not days:
            return _refusal(404, "NotFound - Not Found - Brak danych")
        rows = ",".join(
            f'{{"no":"{self.table(day)}","effectiveDate":"{day}","mid":{self.mid(currency, day):f}}}'
            for day in days
        )
        name = json.dumps(CURRENCIES[currency][0], ensure_ascii=False)
        body = f'{{"table":"A","currency":{name},"code":"{currency}","rates":[{rows}]}}'
        return Response(body, content_type="application/json; charset=utf-8")


class _QuietHandler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""

    def connection_dropped(self, *_: Any) -> None:
        """Close the connection that a fault dropped."""
        self.close_connection = True


def _app(bank: NbpSandbox) -> Flask:
    app = Flask("sandbox.nbp", static_folder=None)

    @app.get("/api/exchangerates/rates/<table>/<code>/<first>/<last>/")
    def period(table: str, code: str, first: str, last: str) -> Response:
        if table.upper() != "A":
            return _refusal(404, "NotFound - Not Found - Brak danych")
        try:
            return bank.answer(code.upper(), date.fromisoformat(first), date.fromisoformat(last))
        except ValueError:
            return _refusal(404, "NotFound")

    @app.get("/api/exchangerates/rates/<table>/<code>/<day>/")
    def one_day(table: str, code: str, day: str) -> Response:
        today = warsaw_day(bank._clock()).isoformat()
        day = today if day == "today" else day
        return period(table, code, day, day)

    @app.after_request
    def spoiled(response: Response) -> Response:
        bank.requests.append(request.path)
        return bank._faults.pop(0)(response) if bank._faults else response

    return app


def _refusal(status: int, text: str) -> Response:
    return Response(f"{status} {text}", status, content_type="text/plain; charset=utf-8")
