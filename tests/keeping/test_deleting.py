"""What nobody needs goes after its time: personal data, old rows, and, asked for, documents of long ago."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from connector_app.documents import actions
from connector_app.documents.wording import ActionName
from connector_app.keeping import options
from connector_app.keeping.expired import delete_expired, expired, kept_until
from connector_app.keeping.options import KeepingOptions
from connector_app.keeping.personal_data import delete_due
from connector_app.keeping.pruning import prune
from connector_app.policies import Recipients, StorePolicy
from connector_app.store.archive import DeletedDocument
from connector_app.store.models import (
    Document,
    DocumentState,
    Event,
    KsefRequest,
    ShopOrder,
    Store,
    WebhookEvent,
)
from connector_app.store.people import AuditEntry
from tests.pipeline.refunds import ONE_MUG, refund
from tests.pipeline.world import World, recorded, world


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[World]:
    """One order that the store's rules do not invoice, and one that they do."""
    company = recorded("order_full", id=41, number="41")
    company["billing"] |= {"first_name": "Jan", "last_name": "Inny", "email": "jan@inny.example"}
    with world(tmp_path, [_consumer(), company]) as made:
        made.prepare()
        _recipients(made, Recipients.NIP)
        made.run()
        yield made


def _consumer() -> dict[str, object]:
    order = recorded("order_full", id=15, number="15")
    order["billing"] = dict(order["billing"], company="")
    order["meta_data"] = []
    return order


def _recipients(made: World, recipients: Recipients) -> None:
    with made.services().database.begin() as session:
        store = session.scalars(select(Store)).one()
        store.policy = StorePolicy(recipients=recipients).as_json()


def row_of(made: World, number: str) -> ShopOrder:
    with made.services().database() as session:
        return session.scalars(select(ShopOrder).where(ShopOrder.number == number)).one()


def delete_after(made: World, days: int) -> int:
    made.clock.sleep(days * 86_400)
    return delete_due(made.services())


def everywhere(made: World, word: str) -> list[str]:
    """Tables in which a word still stands."""
    found = []
    with made.services().database() as session:
        for (name,) in session.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).all():
            rows = session.execute(text(f'SELECT * FROM "{name}"')).all()
            # JSON is stored with escapes
            words = {word, json.dumps(word)[1:-1]}
            if any(one in str(value) for row in rows for value in row for one in words):
                found.append(name)
    return found


def test_personal_data_go_after_their_time(outside: World) -> None:
    """Name, address and e-mail are gone; number, amount and decision stay, and the invoice is whole."""
    order = row_of(outside, "15")
    assert order.snapshot is not None
    person = order.snapshot["buyer"]["last_name"]
    assert person
    assert "orders" in everywhere(outside, person)
    before = {one.order.number: one for one in outside.documents()}
    assert before["15"].state == DocumentState.WAITING
    assert before["41"].ksef_number is not None
    assert delete_after(outside, 129) == 0
    assert delete_after(outside, 2) == 1
    assert delete_after(outside, 2) == 0
    after = {one.order.number: one for one in outside.documents()}
    assert (after["15"].total, after["15"].decision) == (before["15"].total, before["15"].decision)
    assert after["15"].buyer_name is None
    assert row_of(outside, "15").data_deleted_at is not None
    assert person not in repr(row_of(outside, "15").snapshot)
    assert person not in (after["15"].search or "")
    for word in (person, str(order.snapshot["buyer"]["email"])):
        if word not in repr(row_of(outside, "41").snapshot):
            assert everywhere(outside, word) == []
    assert row_of(outside, "41").snapshot is not None
    assert after["41"].xml == before["41"].xml


def test_they_stay_when_nobody_wants_them_deleted(outside: World) -> None:
    """``off`` keeps everything."""
    with outside.services().database.begin() as session:
        options.keep_by(session, KeepingOptions(personal_days=None))
    assert delete_after(outside, 4000) == 0


@pytest.mark.parametrize(
    "values",
    [
        {"state": DocumentState.ATTENTION.value},
        {"state": DocumentState.READY.value},
        {"issue_asked": True},
        {"relief_month": "2099-01"},
        {"number": "FV/1"},
    ],
)
def test_data_that_may_be_needed_stay(outside: World, values: dict[str, object]) -> None:
    """What asks a person, is due, was asked for, counts for the relief or has a number."""
    with outside.services().database.begin() as session:
        document = session.scalars(select(Document).join(ShopOrder).where(ShopOrder.number == "15")).one()
        for name, value in values.items():
            setattr(document, name, value)
    assert delete_after(outside, 400) == 0


def test_a_late_refund_of_such_an_order_issues_nothing(outside: World) -> None:
    """The shop says it again: its data come back, the rules say what they said, and KSeF gets nothing new."""
    assert delete_after(outside, 140) == 1
    count = len(outside.in_ksef())
    refund(outside, ONE_MUG)
    outside.run()
    assert row_of(outside, "15").snapshot is not None
    assert row_of(outside, "15").data_deleted_at is None
    assert len(outside.in_ksef()) == count
    assert {one.state for one in outside.documents() if one.order.number == "15"} == {DocumentState.WAITING}


def test_other_rules_do_not_invoice_what_is_over(outside: World) -> None:
    """The store invoices everybody now, and the shop shows the old order once more, as it was."""
    assert delete_after(outside, 140) == 1
    _recipients(outside, Recipients.EVERYONE)
    count = len(outside.in_ksef())
    outside.shop.state.touch(15)
    outside.run()
    assert len(outside.in_ksef()) == count
    assert row_of(outside, "15").data_deleted_at is not None


def test_a_person_who_asks_for_the_invoice_gets_it_from_the_shop(outside: World) -> None:
    """The order is read again before anything is issued, and the invoice names its buyer."""
    assert delete_after(outside, 140) == 1
    _recipients(outside, Recipients.EVERYONE)
    with outside.services().database.begin() as session:
        document = session.scalars(select(Document).join(ShopOrder).where(ShopOrder.number == "15")).one()
        document.state = DocumentState.READY
    outside.run()
    done = outside.by_order()["15"]
    assert done.ksef_number is not None
    assert done.buyer_name
    assert row_of(outside, "15").data_deleted_at is None
    assert actions.can(done, ActionName.ISSUE).why_not is not None


def test_old_rows_go_in_portions_and_the_rest_stays(kept: World) -> None:
    """Ten thousand a call, the oldest of each table; what is young or not done stays."""
    services = kept.services()
    now = services.clock()
    old = now - timedelta(days=31)
    with services.database.begin() as session:
        session.add_all(
            [KsefRequest(environment="x", context="1", group="g", at=old) for _ in range(12_000)]
            + [KsefRequest(environment="x", context="1", group="g", at=now)]
        )
        session.add_all(
            WebhookEvent(
                store_id=1, topic=f"t{number}", entity="order", entity_id="1", order_id="1",
                received_at=old, done_at=done,
            )
            for number, done in enumerate((old, None))
        )  # fmt: skip
    first = prune(services)
    assert first["webhook_events"] == 1
    assert sum(first.values()) <= 20 * 500
    second = prune(services)
    assert first["ksef_requests"] + second["ksef_requests"] == 12_000
    assert prune(services) == {}
    with services.database() as session:
        of_test = KsefRequest.environment == "x"
        assert session.scalar(select(func.count()).select_from(KsefRequest).where(of_test)) == 1
        assert session.scalar(select(func.count()).select_from(WebhookEvent)) == 1
        assert session.scalar(select(func.count()).select_from(Event)) != 0


def test_dry_runs_and_left_over_packages_go_too(kept: World) -> None:
    """A dry run holds buyers' data; a package whose batch is over is of no use."""
    work = kept.home / "work"
    run, package = work / "dry-run" / "1.sqlite3", work / "batches" / "77"
    run.parent.mkdir(parents=True)
    package.mkdir(parents=True)
    run.write_bytes(b"x")
    long_ago = 1_500_000_000
    prune(kept.services())
    assert run.exists()
    assert package.exists()
    for path in (run, package):
        os.utime(path, (long_ago, long_ago))
    kept.clock.sleep(4000)
    prune(kept.services())
    assert not run.exists()
    assert not package.exists()


def test_how_long_a_document_is_kept() -> None:
    """Ten years after the end of the year in which its tax was to be paid."""
    assert kept_until(date(2026, 2, 1), 10) == date(2036, 12, 31)
    assert kept_until(date(2026, 9, 30), 10) == date(2036, 12, 31)
    assert kept_until(date(2026, 12, 1), 10) == date(2037, 12, 31)


def test_documents_of_long_ago_go_only_when_asked_and_leave_their_number(kept: World) -> None:
    """Nothing goes by itself; what a person deletes leaves a trace, and its number is never used again."""
    services = kept.services()
    numbers = {one.number for one in kept.documents()}
    with services.database() as session:
        assert expired(session, date(2037, 12, 31)) == []
        found = expired(session, date(2038, 1, 1))
    assert [one.count for one in found] == [1, 1]
    with services.database.begin() as session:
        late = session.scalars(select(Document).where(Document.order_id == found[1].order_id)).one()
        number, day, late.issued_on = late.number, late.issued_on, None
    with services.database.begin() as session:
        assert expired(session, date(2038, 1, 1)) == found[:1], f"{number} is to be made anew"
        session.get_one(Document, late.id).issued_on = day
    assert delete_expired(services, found[:1], "kto@sklep.example") == 1
    with services.database() as session:
        trace = session.scalars(select(DeletedDocument)).one()
        left = session.scalars(select(Document.number)).all()
        said = session.scalars(select(AuditEntry).where(AuditEntry.action == "document.delete-expired")).one()
    assert {trace.number, *left} == numbers
    assert (trace.xml_sha256 != "", trace.ksef_number is not None) == (True, True)
    assert said.actor == "kto@sklep.example"
