"""The numbers check in other set-ups: several stores, other patterns, uploads, recovered documents."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connector_app.checks.period import BadPeriod, Period
from connector_app.checks.report import Part, Report, Result
from connector_app.keeping.expired import delete_expired, expired
from connector_app.store.models import Seller, Store
from connector_app.uploads import take
from tests.checks.broken import Shelf
from tests.pipeline.test_recovery import bring_back, lost
from tests.pipeline.world import World, recorded, world
from tests.uploads import erp


@pytest.fixture
def made(tmp_path: Path) -> Iterator[World]:
    """One seller with a store and two orders, nothing issued yet."""
    with world(tmp_path, [order(1000), order(1001)]) as one:
        one.prepare()
        yield one


def order(number: int) -> dict[str, Any]:
    return recorded("order_full", id=number, number=str(number))


def patterns(made: World, invoice: str) -> None:
    """Change the seller's numbering."""
    with made.services().database.begin() as session:
        seller = session.get_one(Seller, 1)
        seller.profile = {**seller.profile, "invoices": {"number_pattern": invoice}}


def second_store(made: World) -> None:
    """Another store of the same seller, in front of the same shop."""
    with made.services().database.begin() as session:
        first = session.get_one(Store, 1)
        session.add(
            Store(
                code="drugi", seller_id=first.seller_id, platform=first.platform, url=first.url,
                config=first.config, policy=first.policy, created_at=first.created_at,
            )
        )  # fmt: skip


def later(made: World, days: int, *orders: int) -> None:
    """Some days later more orders come."""
    made.clock.sleep(days * 24 * 3600)
    when = f"{made.clock.now:%Y-%m-%dT%H:%M:%S}"
    dates = {f"date_{name}{zone}": when for name in ("created", "paid") for zone in ("", "_gmt")}
    made.shop.state.add_orders([order(one) | dates for one in orders], {})
    for one in orders:
        made.shop.state.touch(one)
    made.run()
    made.clock.sleep(2 * 3600)


def lines(report: Report) -> list[tuple[str, str, int]]:
    return [(one.first, one.last, one.missing) for one in report.series]


@pytest.mark.parametrize("pattern", ["FV/{yyyy}/{mm}/{n:04}", "FV/{store}/{yyyy}/{mm}/{n}"])
def test_two_stores_of_one_nip_are_proved_and_their_borders_watched(made: World, pattern: str) -> None:
    """With one series for both and with a series for each; a number of the other store is said."""
    patterns(made, pattern)
    second_store(made)
    made.run()
    made.clock.sleep(2 * 3600)
    shelf = Shelf(made)
    report = shelf.check()
    assert (report.totals, report.result) == ({}, Result.PROVED), report.as_json()
    if "{store}" not in pattern:
        assert lines(report) == [("FV/2026/11/0001", "FV/2026/11/0004", 0)]
        return
    assert lines(report) == [
        ("FV/drugi/2026/11/1", "FV/drugi/2026/11/2", 0),
        ("FV/test/2026/11/1", "FV/test/2026/11/2", 0),
    ]
    shelf.sql("UPDATE documents SET number = 'FV/drugi/2026/11/3' WHERE number = 'FV/test/2026/11/2'")
    codes = shelf.codes(with_ksef=False)
    assert codes == {
        "number-of-other-store": 1, "number-missing": 1, "counter-behind": 1, "file-says-otherwise": 1,
        "number-out-of-order": 2,
    }  # fmt: skip


def test_months_of_a_yearly_series_leave_nothing_out_between_them(made: World) -> None:
    """A number lost at the end of a month is missed in that month, and in no other."""
    patterns(made, "FV/{yyyy}/{n}")
    made.run()
    later(made, 10, 1002, 1003)
    shelf = Shelf(made)
    assert lines(shelf.check("2026-11")) == [("FV/2026/1", "FV/2026/2", 0)]
    december = shelf.check("2026-12")
    assert (december.totals, lines(december)) == ({}, [("FV/2026/3", "FV/2026/4", 0)])
    shelf.sql("DELETE FROM documents WHERE number = 'FV/2026/2'")
    assert shelf.codes("2026-11", with_ksef=False)["number-missing"] == 1
    assert shelf.codes("2026-12", with_ksef=False) == {}
    assert lines(shelf.check("2026-10", with_ksef=False)) == []
    whole = shelf.check("2026-11", end="2026-12", with_ksef=False)
    assert lines(whole) == [("FV/2026/1", "FV/2026/4", 1)]


def test_a_deleted_month_of_a_yearly_series_stays_its_own_matter(made: World) -> None:
    """The month after it begins after the deleted numbers, and the month before ends before them."""
    patterns(made, "FV/{yyyy}/{n}")
    made.run()
    later(made, 10, 1002, 1003)
    later(made, 31, 1004)
    services = made.services()
    with services.database() as session:
        old = [one for one in expired(session, date(2040, 1, 1)) if f"{one.newest:%Y-%m}" == "2026-12"]
    assert delete_expired(services, old, "kto@sklep.example") == 2
    shelf = Shelf(made)
    november, december = shelf.check("2026-11"), shelf.check("2026-12")
    assert (november.totals, lines(november)) == ({}, [("FV/2026/1", "FV/2026/2", 0)])
    assert (december.totals, lines(december)) == (
        {"number-explained": 1}, [("FV/2026/3", "FV/2026/4", 0)],
    )  # fmt: skip
    assert (december.series[0].count, december.series[0].deleted) == (0, 2)


def test_a_changed_pattern_leaves_both_series_proved(made: World) -> None:
    """Numbers of the pattern before are known by its counter."""
    made.run()
    patterns(made, "{n}/{mm}/{yy}")
    later(made, 1, 1002)
    shelf = Shelf(made)
    report = shelf.check()
    assert report.totals == {}
    assert lines(report) == [("FV/2026/11/0001", "FV/2026/11/0002", 0), ("1/11/26", "1/11/26", 0)]


def test_a_start_number_is_no_gap(made: World) -> None:
    """Numbers before it belong to the program before."""
    with made.services().database.begin() as session:
        seller = session.get_one(Seller, 1)
        start = {"kind": "invoice", "period": "2026-11", "next": 57}
        seller.profile = {**seller.profile, "numbering": {"start": [start]}}
    made.run()
    shelf = Shelf(made)
    assert lines(shelf.check(with_ksef=False)) == [("FV/2026/11/0057", "FV/2026/11/0058", 0)]
    shelf.sql("DELETE FROM documents WHERE number = 'FV/2026/11/0057'")
    assert shelf.codes(with_ksef=False)["number-missing"] == 1


def test_uploads_are_named_as_such(made: World) -> None:
    """Their order is of no shop, and their number of no series; the month is proved."""
    made.run()
    take(made.services(), 1, erp.xml(), "faktura.xml", store=True)
    made.run()
    made.clock.sleep(2 * 3600)
    shelf = Shelf(made)
    report = shelf.check()
    assert (report.totals, report.result) == ({"document-from-elsewhere": 1}, Result.PROVED)
    assert report.parts[Part.DOCUMENTS].counts["uploaded"] == 1
    assert "wgrano" in report.findings[0].message.pl


def test_recovered_documents_are_named_until_their_orders_are_known(made: World, tmp_path: Path) -> None:
    """A lost database that came back from KSeF is proved by number; orders link in a moment later."""
    made.run()
    made.clock.sleep(2 * 3600)
    other = lost(made, tmp_path / "new")
    bring_back(other)
    shelf = Shelf(other)
    report = shelf.check()
    assert dict(report.totals) == {"document-from-elsewhere": 2, "upo-not-there": 2}
    assert report.parts[Part.DOCUMENTS].counts["recovered"] == 2
    assert report.result is Result.PROVED
    other.run()
    assert shelf.codes() == {}


def test_an_invoice_from_elsewhere_for_an_order_of_ours_is_said(made: World) -> None:
    """An uploaded invoice that names an order which has one here."""
    made.run()
    take(made.services(), 1, erp.xml(), "faktura.xml", store=True)
    made.run()
    shelf = Shelf(made)
    shelf.sql("UPDATE orders SET number = '1000' WHERE number = 'ERP/7/2026'")
    assert shelf.codes(with_ksef=False)["order-perhaps-invoiced-twice"] == 1


def test_a_removed_store_is_a_reason(made: World) -> None:
    """Its orders that were due get no invoice, and the report says why."""
    made.run()
    shelf = Shelf(made)
    shelf.sql(
        "UPDATE documents SET state = 'waiting', xml = NULL, xml_sha256 = NULL, number = NULL, "
        "issued_on = NULL, ksef_number = NULL, upo = NULL, upo_sha256 = NULL"
    )
    shelf.sql("UPDATE stores SET closed_at = created_at")
    shelf.sql("DELETE FROM number_counters")
    assert shelf.codes("2026", with_ksef=False) == {"order-store-removed": 2}


def test_periods_are_months_years_and_ranges() -> None:
    """And what is none says so."""
    assert Period.between("2026-02", "2026-02") == Period.between("2026-02-01", "2026-02-28")
    assert [Period.between(*one).label for one in (("2026", "2026"), ("2026-01", "2026-03"))] == [
        "2026",
        "2026-01-01 – 2026-03-31",
    ]
    for begin, end in (("2026-13", "2026-13"), ("2026-02-30", "2026-03"), ("2027", "2026"), ("2020", "2045")):
        with pytest.raises(BadPeriod):
            Period.between(begin, end)
