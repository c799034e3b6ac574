"""A dry run tells what would become of past orders, and leaves no trace but its own file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from adapters.contract import ShopError
from connector_app.dry_run.keeping import LastRun
from connector_app.dry_run.outcomes import Outcome
from connector_app.dry_run.run import Period, last_quarter, last_run, run, wrong
from connector_app.pipeline.services import Services
from connector_app.policies import Corrections, StorePolicy
from connector_app.store.models import Document, NumberCounter, Seller, ShopOrder, Store
from core.fa.validate import validate
from core.ksef.forecast import forecast
from core.ksef.planning import Batching, SendingPolicy, Way
from tests.dry_run.orders import untaxed_order
from tests.pipeline.refunds import ONE_MUG, refund
from tests.pipeline.world import DEMO, World, recorded, world

YEAR = Period(date(2026, 1, 1), date(2026, 12, 31))


@pytest.fixture
def made(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as one:
        one.prepare()
        yield one


def result_of(made: World, period: Period = YEAR) -> tuple[dict[str, Any], LastRun]:
    services = made.services()
    numbers = run(services, store_of(services).id, period)
    kept = last_run(services, store_of(services).id)
    assert kept is not None
    return numbers, kept


def store_of(services: Services) -> Store:
    with services.database() as session:
        return session.scalars(select(Store)).one()


def set_policy(made: World, **changes: Any) -> None:
    with made.services().database.begin() as session:
        store = session.scalars(select(Store)).one()
        store.policy = replace(StorePolicy.from_json(store.policy), **changes).as_json()


def by_number(kept: LastRun) -> dict[str, dict[str, Any]]:
    return {row["number"]: row for row in kept.page(0, 100).rows}


def test_orders_become_what_the_pipeline_would_make_of_them(made: World) -> None:
    """The same totals and reasons, from the same orders; nothing is stored, numbered or sent."""
    numbers, kept = result_of(made)
    services = made.services()
    with services.database() as session:
        for table in (Document, ShopOrder, NumberCounter):
            assert session.scalar(select(func.count()).select_from(table)) == 0
    assert made.in_ksef() == []
    rows = by_number(kept)
    made.run()
    real = made.by_order()
    assert set(rows) == set(real)
    for number, document in real.items():
        row = rows[number]
        if document.xml is None:
            assert row["outcome"] == Outcome.ATTENTION
            assert document.attention is not None
            assert [one["code"] for one in row["findings"]] == [one["code"] for one in document.attention]
            continue
        assert row["outcome"] == Outcome.INVOICE
        assert Decimal(row["documents"][0]["total"]) == document.total
    assert numbers["orders"] == len(DEMO)
    assert numbers["outcomes"]["invoice"] == sum(one.xml is not None for one in real.values())


def test_its_documents_pass_every_check_and_are_marked(made: World) -> None:
    """Their XML is what would be sent, under a number that nobody takes for a real one."""
    _, kept = result_of(made)
    documents = [one for row in by_number(kept).values() for one in row["documents"]]
    assert documents
    for one in documents:
        data = kept.document(one["id"])
        assert data is not None
        report = validate(data, date(2026, 11, 24))
        assert report.ok, report.findings
        assert report.invoice is not None
        assert report.invoice.number == one["number"]
        assert one["number"].startswith("PRÓBA ")
    assert kept.document(10_000) is None


def test_findings_are_grouped_with_the_fix(made: World) -> None:
    """Each group says how many orders, which ones, and what to change; its rows can be listed."""
    numbers, kept = result_of(made)
    blocking = [group for group in numbers["groups"] if group["blocks"]]
    assert blocking
    for place, group in enumerate(numbers["groups"]):
        assert group["hint"]["pl"]
        rows = kept.page(0, 100, group=place).rows
        assert {row["number"] for row in rows} == set(group["orders"])
    assert kept.page(0, 100, outcome=Outcome.UNREADABLE).total == 0
    whole = kept.page(1, 2)
    assert (len(whole.rows), whole.total) == (2, len(DEMO))


def test_refunds_become_corrections(tmp_path: Path) -> None:
    """As they would have: after the invoice; and a store that asks about corrections asks."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        given = refund(made, ONE_MUG)
        numbers, kept = result_of(made)
        assert numbers["documents"]["corrections"] == 1
        row = next(iter(by_number(kept).values()))
        assert [one["kind"] for one in row["documents"]] == ["VAT", "KOR"]
        assert Decimal(row["documents"][1]["total"]) == -Decimal(given["amount"])
        set_policy(made, corrections=Corrections.ASK)
        numbers, _ = result_of(made)
        assert numbers["documents"] == {"invoices": 1, "corrections": 0, "business": 1, "consumers": 0}
        assert numbers["outcomes"]["attention"] == 1


def test_the_start_day_hides_no_order_and_the_period_does(made: World) -> None:
    """Old orders are what it is about; those outside the period are not counted."""
    set_policy(made, start_day=date(2026, 11, 24))
    numbers, _ = result_of(made)
    assert numbers["outcomes"]["invoice"] > 0
    numbers, kept = result_of(made, Period(date(2025, 1, 1), date(2025, 1, 31)))
    assert numbers["orders"] == 0
    assert numbers["sending"]["busiest"] is None
    assert kept.page(0, 10).total == 0


def test_what_changes_when_the_law_does(made: World) -> None:
    """A relief that ends on 31 December: such orders are counted with the rule that comes after it."""
    set_policy(made, relief=True)
    numbers, _ = result_of(made)
    assert numbers["change_day"] == "2027-01-01"
    codes = {(one["before"]["code"], one["after"]["code"]) for one in numbers["changes"]}
    assert ("relief-10000", "business") in codes
    assert numbers["outcomes"]["outside"] > 0


def test_a_shop_that_does_not_answer_leaves_the_run_before(made: World) -> None:
    """The result of the last finished run stays, and no part of the failed one does."""
    numbers, kept = result_of(made)
    made.shop.fault("http_500", times=100)
    services = made.services()
    with pytest.raises(ShopError):
        run(services, store_of(services).id, YEAR)
    assert kept.summary() == numbers
    assert services.work_dir is not None
    assert [one.suffix for one in (services.work_dir / "dry-run").iterdir()] == [".sqlite3"]


def test_settings_of_the_seller_decide(tmp_path: Path) -> None:
    """What the seller says about a tax class moves orders from asking to invoices."""
    with world(tmp_path, [untaxed_order()]) as made:
        made.prepare()
        before, _ = result_of(made)
        assert [one["code"] for one in before["groups"]] == ["tax-treatment-unknown"] * len(before["groups"])
        assert {one["cause"] for one in before["groups"]} == {"tax"}
        assert before["causes"] == {"tax": 1}
        with made.services().database.begin() as session:
            seller = session.scalars(select(Seller)).one()
            seller.profile = seller.profile | {"tax_classes": {"none": "np I"}}
        after, _ = result_of(made)
        assert (before["outcomes"]["attention"], after["outcomes"]["attention"]) == (1, 0)
        assert after["rates"][0]["row"] == "P_13_8"


@pytest.mark.parametrize(
    ("documents", "way", "sessions", "requests"),
    [
        (0, Way.SINGLY, 0, 0),
        (30, Way.SINGLY, 1, 32),
        (31, Way.BATCH, 1, 2),
        (10_000, Way.BATCH, 1, 2),
        (10_001, Way.BATCH, 2, 4),
    ],
)
def test_forecast(documents: int, way: Way, sessions: int, requests: int) -> None:
    """By the same plan that the pipeline follows."""
    found = forecast(documents, SendingPolicy())
    assert (found.way, found.sessions, found.requests) == (way, sessions, requests)


def test_forecast_of_single_documents_waits_for_the_limits() -> None:
    """180 an hour, 30 a minute, 10 a second."""
    never = SendingPolicy(Batching.NEVER)
    assert forecast(10, never).at_least == timedelta()
    assert forecast(31, never).at_least >= timedelta(seconds=60)
    assert timedelta(hours=2) <= forecast(361, never).at_least < timedelta(hours=2, minutes=1)


def test_periods() -> None:
    """Three months back, and what cannot be run says why."""
    assert last_quarter(date(2026, 11, 24)) == Period(date(2026, 8, 24), date(2026, 11, 24))
    assert last_quarter(date(2026, 2, 28)).first == date(2025, 11, 28)
    assert last_quarter(date(2026, 5, 31)).first == date(2026, 2, 1)
    today = date(2026, 11, 24)
    assert wrong(last_quarter(today), today) is None
    for bad in (
        Period(today, today - timedelta(days=1)),
        Period(today + timedelta(days=1), today + timedelta(days=2)),
        Period(today - timedelta(days=400), today),
    ):
        assert wrong(bad, today) is not None
