"""Rates of the NBP over real HTTP: the right day, the cache, and no stale rate in silence."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import requests
from flask import Response
from hypothesis import given, settings
from hypothesis import strategies as st

from connector_app.nbp import Limits, NbpRates, RateCache
from connector_app.nbp.cache import FILE_NAME
from connector_app.nbp.client import NbpClient
from core.calendar import is_working_day, previous_working_day
from core.invoices.exchange import EnteredRates, RateUnavailable, UnknownCurrency, rate_day
from core.invoices.policy import ExchangeRate
from sandbox.nbp import NbpSandbox, Spoil

TUESDAY = date(2026, 11, 24)
MONDAY = date(2026, 11, 23)
FRIDAY = date(2026, 11, 20)
PATIENT = Limits(connect=5, read=5, total=10)
HASTY = Limits(connect=2, read=0.3, total=1)
"""Where the bank does not answer; a machine at its limit answers later than that."""
_ROW = f'{{"no":"227/A/NBP/2026","effectiveDate":"{MONDAY}","mid":4.25}}'
_HEAD = '{"table":"A","code":"EUR","rates":'


class Clock:
    """A clock that stands until it is set."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Noon of a Tuesday in UTC, after the day's table."""
    return Clock(datetime(2026, 11, 24, 12, 0, tzinfo=UTC))


@pytest.fixture
def bank(clock: Clock) -> Iterator[NbpSandbox]:
    """A running bank."""
    with NbpSandbox(clock=clock) as running:
        yield running


@pytest.fixture
def open_rates(bank: NbpSandbox, clock: Clock, tmp_path: Path) -> Iterator[Callable[..., NbpRates]]:
    """Makes rates that ask the bank and share one cache file."""
    made: list[NbpRates] = []

    def make(url: str | None = None, limits: Limits = PATIENT) -> NbpRates:
        rates = NbpRates(url or bank.url, RateCache(tmp_path / FILE_NAME), clock=clock, limits=limits)
        made.append(rates)
        return rates

    yield make
    for rates in made:
        rates.close()


@pytest.fixture
def rates(open_rates: Callable[..., NbpRates]) -> NbpRates:
    """Rates that ask the bank."""
    return open_rates()


def _fixed(body: str, status: int = 200, **headers: str) -> Spoil:
    return lambda _true: Response(body, status, headers)


def test_the_table_of_the_day_counts(rates: NbpRates, bank: NbpSandbox) -> None:
    """Rate, table number and day are those of the wanted day, not of the newest table."""
    rate = rates.rate("EUR", MONDAY)
    assert rate == ExchangeRate("EUR", bank.mid("EUR", MONDAY), bank.table(MONDAY), MONDAY)
    assert bank.mid("EUR", MONDAY) != bank.mid("EUR", TUESDAY)


def test_digits_are_kept_as_announced(rates: NbpRates, bank: NbpSandbox) -> None:
    """Decimals come as text from the wire to the invoice, also the eight of the rupiah."""
    assert str(rates.rate("IDR", MONDAY).rate) == str(bank.mid("IDR", MONDAY))
    assert str(rates.rate("HUF", MONDAY).rate) == str(bank.mid("HUF", MONDAY))


@pytest.mark.parametrize(
    ("mid", "text"),
    [("4", "4"), ("4.25", "4.25"), ("2.2E-4", "0.00022"), ("4.250000", "4.250000")],
)
def test_any_json_number_is_a_rate(rates: NbpRates, bank: NbpSandbox, mid: str, text: str) -> None:
    """A number without a fraction and one with an exponent are numbers too."""
    bank.fault(_fixed(_HEAD + "[" + _ROW.replace("4.25", mid) + "]}"))
    assert str(rates.rate("EUR", MONDAY).rate) == text


@pytest.mark.parametrize(
    ("now", "tax_point", "issued_on", "expected"),
    [
        (
            datetime(2026, 11, 24, 12, 0, tzinfo=UTC),
            date(2026, 11, 23),
            date(2026, 11, 24),
            date(2026, 11, 20),
        ),
        (
            datetime(2026, 11, 24, 12, 0, tzinfo=UTC),
            date(2026, 11, 24),
            date(2026, 11, 24),
            date(2026, 11, 23),
        ),
        (
            datetime(2026, 11, 24, 8, 0, tzinfo=UTC),
            date(2026, 12, 15),
            date(2026, 11, 24),
            date(2026, 11, 23),
        ),
        (
            datetime(2026, 11, 30, 8, 0, tzinfo=UTC),
            date(2026, 11, 29),
            date(2026, 11, 30),
            date(2026, 11, 27),
        ),
        (
            datetime(2026, 11, 12, 8, 0, tzinfo=UTC),
            date(2026, 11, 12),
            date(2026, 11, 12),
            date(2026, 11, 10),
        ),
        (
            datetime(2026, 12, 28, 8, 0, tzinfo=UTC),
            date(2026, 12, 28),
            date(2026, 12, 28),
            date(2026, 12, 23),
        ),
        (datetime(2027, 1, 4, 8, 0, tzinfo=UTC), date(2027, 1, 2), date(2027, 1, 4), date(2026, 12, 31)),
        (datetime(2026, 5, 4, 8, 0, tzinfo=UTC), date(2026, 5, 3), date(2026, 5, 4), date(2026, 4, 30)),
        (datetime(2026, 4, 7, 8, 0, tzinfo=UTC), date(2026, 4, 7), date(2026, 4, 7), date(2026, 4, 3)),
    ],
    ids=[
        "after-a-weekend",
        "same-day",
        "issued-before-tax-point",
        "sold-on-sunday",
        "independence-day",
        "christmas",
        "new-year",
        "long-weekend-of-may",
        "easter",
    ],
)
def test_the_rate_of_the_last_working_day_before_counts(
    rates: NbpRates,
    bank: NbpSandbox,
    clock: Clock,
    now: datetime,
    tax_point: date,
    issued_on: date,
    expected: date,
) -> None:
    """Art. 31a: before the tax point, or before the issue when that comes first."""
    clock.now = now
    rate = rates.rate("EUR", rate_day(tax_point, issued_on))
    assert (rate.day, rate.rate) == (expected, bank.mid("EUR", expected))


@settings(deadline=None, derandomize=True)
@given(st.dates(date(2016, 1, 1), date(2049, 1, 1)), st.dates(date(2016, 1, 1), date(2049, 1, 1)))
def test_the_rate_day_is_a_working_day_before_both(tax_point: date, issued_on: date) -> None:
    """No working day lies between it and the earlier of the two."""
    day = rate_day(tax_point, issued_on)
    earlier = min(tax_point, issued_on)
    assert is_working_day(day)
    assert day < earlier
    assert not any(is_working_day(day + timedelta(days=n)) for n in range(1, (earlier - day).days))


def test_a_day_off_goes_back_to_the_working_day_before(rates: NbpRates, bank: NbpSandbox) -> None:
    """A caller that asks for a Sunday gets Friday's table, as Friday's."""
    assert rates.rate("EUR", date(2026, 11, 22)).day == FRIDAY


def test_todays_table_is_not_taken_from_yesterday(rates: NbpRates, clock: Clock) -> None:
    """In the morning there is no table of today, and yesterday's does not stand in for it."""
    clock.now = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
    with pytest.raises(RateUnavailable) as caught:
        rates.rate("EUR", TUESDAY)
    assert caught.value.temporary
    assert "nie ogłosił jeszcze" in caught.value.reason.pl
    clock.now = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
    assert rates.rate("EUR", TUESDAY).day == TUESDAY, "that there was none was not kept"


def test_a_day_to_come_is_not_asked_for(rates: NbpRates, bank: NbpSandbox) -> None:
    """A wrong clock or date makes no request and no rate."""
    with pytest.raises(RateUnavailable, match="not announced"):
        rates.rate("EUR", date(2026, 11, 25))
    assert bank.requests == []


@pytest.mark.parametrize(
    ("missing", "now", "counts"),
    [
        (date(2026, 11, 19), datetime(2026, 11, 24, 12, 0, tzinfo=UTC), date(2026, 11, 18)),
        (MONDAY, datetime(2026, 11, 24, 12, 0, tzinfo=UTC), FRIDAY),
        (date(2027, 1, 4), datetime(2027, 1, 8, 12, 0, tzinfo=UTC), date(2026, 12, 31)),
    ],
)
def test_a_day_without_a_table_takes_the_one_before(
    clock: Clock, tmp_path: Path, missing: date, now: datetime, counts: date
) -> None:
    """When the numbers of its neighbours prove that the bank announced none, the last rates apply."""
    clock.now = now
    with NbpSandbox(clock=clock, without=[missing]) as bank:
        rates = NbpRates(bank.url, RateCache(tmp_path / FILE_NAME), clock=clock)
        rate = rates.rate("EUR", missing)
        assert rate == ExchangeRate("EUR", bank.mid("EUR", counts), bank.table(counts), counts)
        assert rates.rate("EUR", missing) == rate
        assert len(bank.requests) == 1, "the day's own answer is cached"
        rates.close()


@pytest.mark.parametrize("lost", [FRIDAY, date(2026, 12, 31)])
def test_a_row_that_is_missing_from_the_answer_is_not_replaced(
    rates: NbpRates, bank: NbpSandbox, clock: Clock, lost: date
) -> None:
    """A gap between the table numbers, or the end of a year, leaves a doubt: a person decides."""
    clock.now = datetime(2027, 1, 8, 12, 0, tzinfo=UTC)
    bank.lost.add(lost)
    with pytest.raises(RateUnavailable, match="lacks the table") as caught:
        rates.rate("EUR", lost)
    assert not caught.value.temporary


def test_an_unknown_currency_is_told_from_a_missing_table(rates: NbpRates, clock: Clock) -> None:
    """Both are a 404; whether the euro has data tells which."""
    with pytest.raises(UnknownCurrency) as caught:
        rates.rate("XAU", MONDAY)
    assert caught.value.finding().code == "currency-unknown"
    clock.now = datetime(2002, 1, 2, 8, 0, tzinfo=UTC)
    with pytest.raises(RateUnavailable):
        rates.rate("USD", date(2001, 12, 31))
    with pytest.raises(RateUnavailable):
        rates.rate("EUR", date(2001, 12, 31))


@pytest.mark.parametrize("code", ["eur", "EU", "EURO", "", "E/R", "../", "ÉUR", "EUR\n"])
def test_what_is_no_currency_code_makes_no_request(rates: NbpRates, bank: NbpSandbox, code: str) -> None:
    """A shop's odd value never becomes part of an address."""
    with pytest.raises(UnknownCurrency):
        rates.rate(code, MONDAY)
    assert bank.requests == []


def test_the_zloty_has_no_rate(rates: NbpRates) -> None:
    """Asking for one is a mistake of the caller."""
    with pytest.raises(ValueError, match="PLN"):
        rates.rate("PLN", MONDAY)


@pytest.mark.parametrize(
    "spoil",
    [
        _fixed("<html>busy</html>", 500),
        _fixed("Service Unavailable", 503),
        _fixed("slow down", 429, **{"Retry-After": "60"}),
        _fixed("400 BadRequest", 400),
        _fixed("404 NotFound", 404),
        _fixed("<!DOCTYPE html><title>Logowanie do sieci</title>"),
        _fixed(""),
        _fixed("[" * 100_000),
        _fixed("null"),
        _fixed('{"table":"B","code":"EUR","rates":[' + _ROW + "]}"),
        _fixed('{"table":"A","code":"USD","rates":[' + _ROW + "]}"),
        _fixed(_HEAD + "[]}"),
        _fixed(_HEAD + "[1]}"),
        _fixed(_HEAD + "[" + _ROW + "," + _ROW + "]}"),
        _fixed(_HEAD + "[" + _ROW.replace("2026-11-23", "2026-11-01") + "]}"),
        _fixed(_HEAD + "[" + _ROW.replace("2026-11-23", "2027-01-05") + "]}"),
        _fixed(_HEAD + "[" + _ROW.replace("2026-11-23", "yesterday") + "]}"),
        _fixed(_HEAD + "[" + _ROW.replace("/2026", "/2025") + "]}"),
        _fixed(_HEAD + "[" + _ROW.replace("/A/", "/C/") + "]}"),
        *(
            _fixed(_HEAD + "[" + _ROW.replace("4.25", mid) + "]}")
            for mid in ("0", "-4.25", '"4.25"', "NaN", "null", "true", "1e999999", "4.1234567891", "1e-30")
        ),
        _fixed(_HEAD + "[" + _ROW + "]}" + " " * 300_000),
        _fixed("", 302, Location="http://kursy.example/api"),
        _fixed("", 302, Location="https://kursy.example/api"),
        _fixed("", 302, Location="file:///etc/hostname"),
        _fixed("", 302),
    ],
)
def test_no_answer_that_cannot_be_trusted_is_used(rates: NbpRates, bank: NbpSandbox, spoil: Spoil) -> None:
    """Each is a reason for Attention in words, and the next good answer is taken."""
    bank.fault(spoil, 5)
    with pytest.raises(RateUnavailable) as caught:
        rates.rate("EUR", MONDAY)
    finding = caught.value.finding()
    assert finding.code == "currency-rate-unavailable"
    assert "EUR" in finding.message.pl
    assert "23.11.2026" in finding.message.pl
    assert finding.message.en != finding.message.pl
    assert caught.value.temporary
    assert "http" not in str(caught.value)
    bank._faults.clear()
    assert rates.rate("EUR", MONDAY).rate == bank.mid("EUR", MONDAY)


def test_a_redirect_on_this_machine_is_followed(rates: NbpRates, bank: NbpSandbox) -> None:
    """A moved address of the same scheme works; the path may be relative."""
    target = f"/api/exchangerates/rates/a/eur/{FRIDAY}/{TUESDAY}/?format=json"
    bank.fault(_fixed("", 301, Location=target))
    assert rates.rate("EUR", MONDAY).day == MONDAY


def test_a_bank_that_does_not_answer_is_left(open_rates: Callable[..., NbpRates], bank: NbpSandbox) -> None:
    """Reading has an end, and so has an answer that trickles."""
    rates = open_rates(limits=HASTY)

    def wait(true: Response) -> Response:
        time.sleep(0.8)
        return true

    def trickle(_true: Response) -> Response:
        def pieces() -> Iterator[bytes]:
            for _ in range(100):
                time.sleep(0.1)
                yield b" " * 20_000

        return Response(pieces())

    def drop(_true: Response) -> Response:
        raise ConnectionAbortedError

    for spoil in (wait, trickle, drop):
        bank.fault(spoil)
        began = time.monotonic()
        with pytest.raises(RateUnavailable) as caught:
            rates.rate("EUR", MONDAY)
        assert caught.value.temporary
        assert time.monotonic() - began < 3


def test_cached_rates_need_no_network(
    open_rates: Callable[..., NbpRates], bank: NbpSandbox, clock: Clock
) -> None:
    """A rate once read is there after a restart, also those of the days around; others say why not."""
    rate = open_rates().rate("EUR", MONDAY)
    bank.stop()
    offline = open_rates("http://127.0.0.1:9/api")
    assert offline.rate("EUR", MONDAY) == rate
    assert offline.rate("EUR", FRIDAY).day == FRIDAY
    with pytest.raises(RateUnavailable) as caught:
        offline.rate("USD", MONDAY)
    assert "nie udało się uzyskać odpowiedzi serwisu NBP" in caught.value.finding().message.pl


def test_one_answer_serves_many_threads(rates: NbpRates, bank: NbpSandbox) -> None:
    """Sellers in parallel make one request and get one rate."""
    found: list[ExchangeRate] = []
    gate = threading.Barrier(8)

    def ask() -> None:
        gate.wait()
        found.append(rates.rate("EUR", MONDAY))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert len(bank.requests) == 1


@pytest.mark.parametrize("damage", [b"", b"not a database" * 100, b"SQLite format 3\x00" + b"\xff" * 4096])
def test_a_damaged_cache_costs_only_a_request(
    rates: NbpRates, bank: NbpSandbox, tmp_path: Path, damage: bytes
) -> None:
    """The file is made anew and serves again."""
    (tmp_path / FILE_NAME).write_bytes(damage)
    assert rates.rate("EUR", MONDAY).rate == bank.mid("EUR", MONDAY)
    assert rates.rate("EUR", MONDAY).rate == bank.mid("EUR", MONDAY)
    assert len(bank.requests) == 1


@pytest.mark.parametrize("value", ["0", "-1", "NaN", "x", ""])
def test_a_spoiled_entry_is_not_used(rates: NbpRates, bank: NbpSandbox, tmp_path: Path, value: str) -> None:
    """What cannot be a rate is asked for again and replaced."""
    day = {MONDAY: ExchangeRate("EUR", Decimal(1), "227/A/NBP/2026", MONDAY)}
    cache = RateCache(tmp_path / FILE_NAME)
    cache.keep(day)
    with cache._open() as connection:
        connection.execute("UPDATE rates SET rate = ?", (value,))
    assert rates.rate("EUR", MONDAY).rate == bank.mid("EUR", MONDAY)
    assert cache.get("EUR", MONDAY) == rates.rate("EUR", MONDAY)


def test_a_cache_that_cannot_be_written_does_not_stop_an_invoice(
    bank: NbpSandbox, clock: Clock, tmp_path: Path
) -> None:
    """A missing folder means "not cached", nothing worse."""
    rates = NbpRates(bank.url, RateCache(tmp_path / "gone" / FILE_NAME), clock=clock)
    assert rates.rate("EUR", MONDAY).rate == bank.mid("EUR", MONDAY)
    rates.close()


@pytest.mark.parametrize("url", ["http://api.nbp.pl/api", "ftp://127.0.0.1/api", "api.nbp.pl", ""])
def test_plain_http_to_another_machine_is_refused(url: str) -> None:
    """Rates that anybody on the way can change are no rates."""
    with pytest.raises(ValueError, match="https"):
        NbpClient(url)


def test_certificates_are_checked_whatever_the_session_says(clock: Clock) -> None:
    """A session with verification turned off is turned on again."""

    class Recorder(requests.Session):
        def request(self, *args: object, **kwargs: object) -> requests.Response:
            seen.append(kwargs.get("verify"))
            raise requests.ConnectionError

    seen: list[object] = []
    session = Recorder()
    session.verify = False
    rates = NbpRates("https://127.0.0.1:9/api", RateCache(Path("unused")), session, clock)
    with pytest.raises(RateUnavailable):
        rates.rate("EUR", MONDAY)
    assert seen == [True]


def test_entered_rates_are_good_for_their_day_only(rates: NbpRates) -> None:
    """A rate typed in months ago, or without a day, is never used in silence."""
    entered = ExchangeRate("EUR", Decimal("4.2617"), "", MONDAY)
    undated = ExchangeRate("USD", Decimal("3.7"))
    known = EnteredRates({"EUR": entered, "USD": undated}, rates)
    assert known.rate("EUR", MONDAY) == entered
    assert known.rate("EUR", FRIDAY).day == FRIDAY
    assert known.rate("USD", MONDAY).day == MONDAY
    with pytest.raises(RateUnavailable) as caught:
        EnteredRates({"USD": undated}).rate("USD", MONDAY)
    assert not caught.value.temporary


@pytest.mark.parametrize(
    "path", ["rates/b/eur/2026-11-23/2026-11-24", "rates/a/eur/x", "rates/a/eur/2026-11-22"]
)
def test_the_stand_in_knows_nothing_of_other_tables_and_days(bank: NbpSandbox, path: str) -> None:
    """404 as the bank's own."""
    assert requests.get(f"{bank.url}/exchangerates/{path}/", timeout=5).status_code == 404


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [(TUESDAY, MONDAY, "Błędny zakres"), (date(2026, 1, 1), TUESDAY, "Przekroczony limit")],
)
def test_the_stand_in_refuses_what_the_bank_refuses(
    bank: NbpSandbox, first: date, last: date, text: str
) -> None:
    """400 for a period that ends before it begins or is too long."""
    answer = requests.get(f"{bank.url}/exchangerates/rates/a/eur/{first}/{last}/", timeout=5)
    assert answer.status_code == 400
    assert text in answer.content.decode()


def test_the_stand_ins_tables_are_counted_by_working_days(bank: NbpSandbox) -> None:
    """The first table of a year is 001, and each working day has the next."""
    assert bank.table(date(2026, 1, 2)) == "001/A/NBP/2026"
    assert int(bank.table(TUESDAY)[:3]) == int(bank.table(previous_working_day(TUESDAY))[:3]) + 1
    today = requests.get(f"{bank.url}/exchangerates/rates/A/EUR/today/", timeout=5).json()
    assert today["rates"][0]["no"] == bank.table(TUESDAY)
