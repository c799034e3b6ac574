"""A lost database comes back from KSeF: numbers, bytes, corrections, numbering, and no second invoice."""

from __future__ import annotations

import hashlib
import sqlite3
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from connector_app.pipeline import life
from connector_app.pipeline.claims import NotLinkable
from connector_app.pipeline.corrections import issue_correction
from connector_app.recovery.linking import link_by_hand
from connector_app.recovery.proofs import find_sessions
from connector_app.recovery.report import Outcome, Report
from connector_app.recovery.run import Watch, recover
from connector_app.store.models import Document, Seller
from core.invoices.model import TaxId
from core.ksef import interactive
from core.ksef.errors import Forbidden
from core.ksef.interactive import FA_3
from sandbox.ksef import tokens
from tests.pipeline.kept_world import invoiced_world
from tests.pipeline.refunds import (
    ONE_MUG,
    SHIPPING,
    corrections,
    parsed,
    reasons,
    refund,
    retry,
    retry_purpose,
    states,
)
from tests.pipeline.test_buyer_changes import RIGHT_NIP, buyer_purpose, set_nip
from tests.pipeline.world import DEMO, NIP, World, recorded, world

SINCE = date(2026, 1, 1)


def lost(made: World, folder: Path) -> World:
    """The same KSeF and shop with a new, empty installation."""
    folder.mkdir()
    other = World(folder, made.ksef, made.shop, made.clock)
    other.prepare()
    return other


def bring_back(made: World, since: date = SINCE, watch: Watch = Watch()) -> Report:  # noqa: B008  frozen
    services = made.services()
    with services.database() as session:
        seller = session.scalar(select(Seller.id))
    assert seller is not None
    report = recover(services, seller, since, watch)
    find_sessions(services, seller, report, watch)
    return report


def facts(made: World) -> dict[str, tuple[str, ...]]:
    """What an auditor compares, by KSeF number."""
    return {
        str(one.ksef_number): (
            one.order.remote_id,
            one.purpose,
            *map(str, (one.number, one.kind, one.issued_on, one.schema_version, one.xml_sha256)),
            *map(str, (one.total, one.currency, one.buyer_name, one.xml)),
        )
        for one in made.documents()
        if one.ksef_number is not None
    }


def shown(made: World, before: dict[str, tuple[str, ...]]) -> list[dict[str, Any]]:
    """What the shop says of the orders."""
    return [made.in_shop(int(one[0])) for one in before.values()]


def many(count: int, first: int = 1000) -> list[dict[str, Any]]:
    """So many equal orders."""
    return [recorded("order_full", id=one, number=str(one)) for one in range(first, first + count)]


def test_everything_comes_back_and_no_order_is_invoiced_twice(tmp_path: Path) -> None:
    """Database lost, recovered, orders come in again: the same documents under the same orders, none new."""
    with invoiced_world(tmp_path, *DEMO) as made:
        before = facts(made)
        notes = shown(made, before)
        other = lost(made, tmp_path / "new")
        report = bring_back(other)
        assert report.counts[Outcome.NEW] == report.found == report.with_session == len(before) > 2
        assert {one.state for one in other.documents()} == {"accepted"}
        assert all(hashlib.sha256(one.xml or b"").hexdigest() == one.xml_sha256 for one in other.documents())
        assert other.run().problems == []
        assert facts(other) == before
        assert len(other.in_ksef()) == len(before)
        assert all(one.upo is not None for one in other.documents() if one.ksef_number)
        assert shown(other, before) == notes


def test_recovering_without_a_shop_leaves_documents_in_peace(tmp_path: Path) -> None:
    """Recovered documents wait for their orders; a pass over them is idle at once and tells no trouble."""
    with world(tmp_path, many(2)) as made:
        made.prepare()
        made.run()
        other = lost(made, tmp_path / "new")
        bring_back(other)
        made.shop.fault("http_503", method="GET", path="/orders", times=1000)
        began = made.clock.now
        other.run(timedelta(hours=1))
        assert {one.state for one in other.documents()} == {"accepted"}
        assert made.clock.now - began < timedelta(minutes=30)


def test_windows_cut_anywhere_lose_and_double_nothing(tmp_path: Path) -> None:
    """Packages of two invoices in tiny parts, over a year: each invoice once; repeating is idle."""
    with world(tmp_path, many(5)) as made:
        made.ksef.state.settings.max_query_records = 2
        made.ksef.state.settings.export_part_bytes = 1000
        made.prepare()
        made.run()
        made.clock.sleep(200 * 24 * 3600)
        made.shop.state.add_orders(many(2, first=2000), {})
        for order in (2000, 2001):
            made.shop.state.touch(order)
        made.run()
        before = {number: one[2:] for number, one in facts(made).items()}
        assert len(before) == 7
        other = lost(made, tmp_path / "new")
        report = bring_back(other)
        assert report.counts[Outcome.NEW] == report.found == 7
        assert {number: one[2:] for number, one in facts(other).items()} == before
        again = bring_back(other)
        assert (again.counts[Outcome.KNOWN], again.found) == (7, 7)
        assert {number: one[2:] for number, one in facts(other).items()} == before


class _Killed(BaseException):
    """The end of a process in the middle of its work."""


def _die_at_two(report: Report, _known: int) -> None:
    """Progress that ends the process once two invoices are kept."""
    if report.found == 2:
        raise _Killed


def test_a_killed_recovery_issues_nothing_and_goes_on(tmp_path: Path) -> None:
    """Killed between windows: the seller's lane waits and says why; the same command again ends it."""
    with world(tmp_path, many(5)) as made:
        made.ksef.state.settings.max_query_records = 2
        made.prepare()
        made.run()
        before = facts(made)
        other = lost(made, tmp_path / "new")
        with pytest.raises(_Killed):
            bring_back(other, watch=Watch(progress=_die_at_two))
        assert len(facts(other)) == 2
        result = other.run(timedelta(minutes=1))
        assert any("recover" in problem.en for problem in result.problems)
        assert len(made.in_ksef()) == 5
        assert bring_back(other).found >= 5
        other.run()
        assert facts(other) == before
        assert len(made.in_ksef()) == 5


def test_a_recovery_that_is_refused_holds_nothing_up(tmp_path: Path) -> None:
    """Without the permission to read, recover says so, and invoices are issued as before."""
    with world(tmp_path, many(1)) as made:
        token = tokens.issue(made.ksef.state, NIP, permissions=frozenset({"InvoiceWrite"}))
        made.prepare(token=token)
        with pytest.raises(Forbidden) as caught:
            bring_back(made)
        assert "InvoiceRead" in caught.value.hint.en
        assert made.run().problems == []
        assert {one.state for one in made.documents()} == {"published"}


def test_refunds_that_were_corrected_are_not_corrected_again(tmp_path: Path) -> None:
    """The correction comes back under its refund; a further refund corrects the state after it."""
    with invoiced_world(tmp_path) as made:
        made.clock.sleep(60)
        refund(made, ONE_MUG)
        made.run()
        before = facts(made)
        assert len(before) == 2
        other = lost(made, tmp_path / "new")
        assert bring_back(other).counts[Outcome.NEW] == 2
        other.run()
        assert facts(other) == before
        (correction,) = corrections(other)
        assert correction.purpose.startswith("refund:")
        assert len(made.in_ksef()) == 2


def test_a_correction_whose_refund_is_unknown_asks_before_the_next_one(tmp_path: Path) -> None:
    """The shop no longer tells the refund of a recovered correction: the next refund goes to a person."""
    with invoiced_world(tmp_path) as made:
        made.clock.sleep(60)
        refund(made, ONE_MUG)
        made.run()
        other = lost(made, tmp_path / "new")
        bring_back(other)
        made.shop.state.refunds[15] = []
        made.shop.state.change(15, refunds=[])
        refund(made, SHIPPING)
        other.run()
        known, asked = sorted(corrections(other), key=lambda one: one.id)
        assert known.purpose.startswith("recovered:")
        assert (asked.state, asked.number) == ("attention", None)
        assert len(made.in_ksef()) == 2


def test_numbering_goes_on_after_our_own_and_foreign_numbers(tmp_path: Path) -> None:
    """Another program used FV/2026/11/0007 in the same NIP: it is counted apart, and 0008 comes next."""
    with world(tmp_path, many(2)) as made:
        made.prepare()
        made.run()
        ours = made.documents()[0]
        foreign = (ours.xml or b"").replace(str(ours.number).encode(), b"FV/2026/11/0007")
        _send(made, foreign.replace(b"ksef-shop-connector", b"Inny program"))
        other = lost(made, tmp_path / "new")
        report = bring_back(other)
        assert (report.counts[Outcome.NEW], report.counts[Outcome.FOREIGN]) == (2, 1)
        ((_, number, program, _),) = report.listed[Outcome.FOREIGN]
        assert (number, program) == ("FV/2026/11/0007", "Inny program")
        made.shop.state.add_orders(many(1, first=3000), {})
        made.shop.state.touch(3000)
        other.run()
        assert other.by_order()["3000"].number == "FV/2026/11/0008"
        assert len(made.in_ksef()) == 4


def _send(made: World, xml: bytes) -> None:
    """Another program of the same seller sends a document."""
    services = made.services()
    with services.database() as session:
        seller = session.scalars(select(Seller)).one()
    access, keys = services.access(seller), services.connections.keys(seller)
    opened = access.call(lambda token: interactive.open_session(access.client, token, FA_3, keys))
    access.call(lambda token: interactive.send(access.client, token, opened, xml))
    made.clock.sleep(60)


def test_orders_that_came_in_before_the_recovery_are_linked(tmp_path: Path) -> None:
    """Synchronised first: number 1 is taken in KSeF (440), a person is asked; recover puts it right."""
    with invoiced_world(tmp_path) as made:
        before = facts(made)
        other = lost(made, tmp_path / "new")
        made.clock.sleep(5)
        other.run()
        asked = other.by_order()["15"]
        assert reasons(asked) == ["number-used-by-another-document"]
        text = (asked.attention or [])[0]["message"]["pl"]
        first = made.by_order()["15"]
        assert all(part in text for part in (str(first.number), str(first.ksef_number), "24.11.2026"))
        assert bring_back(other).linked == 1
        other.run()
        assert facts(other) == before
        assert other.by_order()["15"].state == "published"
        assert len(made.in_ksef()) == 1


def test_an_order_that_only_partly_agrees_asks_a_person(tmp_path: Path) -> None:
    """Another total under the same order number: nothing is issued; a person links it, the rest goes on."""
    with invoiced_world(tmp_path) as made:
        number = made.by_order()["15"].ksef_number
        other = lost(made, tmp_path / "new")
        bring_back(other)
        made.shop.state.change(15, date_created_gmt="2026-01-02T10:00:00", date_created="2026-01-02T11:00:00")
        other.run()
        asked = other.by_order()["15"] if other.by_order()["15"].ksef_number is None else None
        waiting = [one for one in other.documents() if one.state == "attention"]
        assert len(waiting) == 1
        assert asked is None or asked.id == waiting[0].id
        assert reasons(waiting[0]) == ["order-perhaps-invoiced"]
        assert len(made.in_ksef()) == 1
        (recovered,) = [one for one in other.documents() if one.ksef_number == number]
        services = other.services()
        with pytest.raises(NotLinkable):
            link_by_hand(services, recovered.id, recovered.order_id)
        link_by_hand(services, recovered.id, waiting[0].order_id)
        other.run()
        (document,) = other.documents()
        assert (document.ksef_number, document.state) == (number, "published")
        assert len(made.in_ksef()) == 1


def test_a_person_may_say_that_it_is_another_order(tmp_path: Path) -> None:
    """Retried, the order gets its own invoice under the next number."""
    with invoiced_world(tmp_path) as made:
        other = lost(made, tmp_path / "new")
        bring_back(other)
        made.shop.state.change(15, date_created_gmt="2026-01-02T10:00:00", date_created="2026-01-02T11:00:00")
        other.run()
        (waiting,) = [one for one in other.documents() if one.state == "attention"]
        services = other.services()
        life.change(services, waiting.id, lambda row: life.again(row, services.clock()))
        other.run()
        assert {one.number for one in other.documents()} == {"FV/2026/11/0001", "FV/2026/11/0002"}
        assert len(made.in_ksef()) == 2


def _back_up(file: Path, copy: Path) -> None:
    """A copy of a database that is in use."""
    source, target = sqlite3.connect(file), sqlite3.connect(copy)
    source.backup(target)
    source.close()
    target.close()


@pytest.mark.parametrize("synchronised", [False, True])
def test_a_backup_from_before_a_correction_does_not_correct_twice(tmp_path: Path, synchronised: bool) -> None:
    """The restored database is about to correct again, or has tried to (440): the recovered one is taken."""
    with invoiced_world(tmp_path) as made:
        (tmp_path / "new").mkdir()
        _back_up(tmp_path / "connector.sqlite3", tmp_path / "new" / "connector.sqlite3")
        made.clock.sleep(60)
        refund(made, ONE_MUG)
        made.run()
        before = facts(made)
        assert len(before) == 2
        (tmp_path / "new" / "secret.key").write_bytes((tmp_path / "secret.key").read_bytes())
        other = World(tmp_path / "new", made.ksef, made.shop, made.clock)
        if synchronised:
            made.clock.sleep(5)
            other.run()
            assert [reasons(one) for one in corrections(other)] == [["number-used-by-another-document"]]
        bring_back(other)
        other.run()
        assert facts(other) == before
        assert {one.state for one in other.documents()} == {"published"}
        assert len(made.in_ksef()) == 2


def test_of_a_replaced_invoice_and_its_successor_the_order_gets_the_successor(
    invoiced: World, tmp_path: Path
) -> None:
    """Both name the order; the correction to zero says which of them counts."""
    set_nip(invoiced, RIGHT_NIP)
    retry_purpose(invoiced, buyer_purpose(invoiced))
    other = lost(invoiced, tmp_path / "new")
    bring_back(other)
    invoiced.clock.sleep(60)
    other.run()
    assert other.by_order()["15"].ksef_number == invoiced.by_order()["15"].ksef_number
    assert other.by_order()["15"].state == "published"
    assert len(invoiced.in_ksef()) == 3


def _ask_to_replace(made: World) -> None:
    """The correction to zero and the new invoice are ready, and nothing was sent yet."""
    set_nip(made, RIGHT_NIP)
    (asking,) = [one.id for one in made.documents() if one.purpose.startswith("buyer:")]
    retry(made, asking)
    issue_correction(made.services(), asking, None)
    assert states(made) == {
        "replaced-1/invoice": "published",
        "replaced-1/wrong-buyer": "ready",
        "invoice": "ready",
    }


def test_a_replacement_that_never_came_about_is_issued_after_the_recovery(
    invoiced: World, tmp_path: Path
) -> None:
    """KSeF has the invoice and its correction to zero: the order needs a new invoice."""
    _ask_to_replace(invoiced)
    with invoiced.services().database.begin() as session:
        row = session.scalars(select(Document).where(Document.purpose == "invoice")).one()
        row.next_attempt_at = invoiced.clock() + timedelta(days=1)
    invoiced.run(timedelta(minutes=5))
    assert len(invoiced.in_ksef()) == 2
    other = lost(invoiced, tmp_path / "new")
    bring_back(other)
    other.run()
    assert parsed(other.by_order()["15"]).buyer.tax_id == TaxId.nip(RIGHT_NIP)
    assert len(invoiced.in_ksef()) == 3


@pytest.mark.parametrize("synchronised", [False, True])
def test_a_backup_from_before_a_replacement_does_not_replace_twice(
    invoiced: World, tmp_path: Path, synchronised: bool
) -> None:
    """The restored database is about to correct to zero and to issue anew, or has tried to (440)."""
    _ask_to_replace(invoiced)
    (tmp_path / "new").mkdir()
    _back_up(tmp_path / "connector.sqlite3", tmp_path / "new" / "connector.sqlite3")
    (tmp_path / "new" / "secret.key").write_bytes((tmp_path / "secret.key").read_bytes())
    invoiced.run()
    before = facts(invoiced)
    assert len(before) == 3
    other = World(tmp_path / "new", invoiced.ksef, invoiced.shop, invoiced.clock)
    if synchronised:
        invoiced.clock.sleep(5)
        other.run()
    bring_back(other)
    other.run()
    assert facts(other) == before
    assert {one.state for one in other.documents()} == {"published"}
    assert len(invoiced.in_ksef()) == 3


def test_an_invoice_in_conflict_is_reported_and_touches_nothing(tmp_path: Path) -> None:
    """A document here has the number of another that KSeF accepted: both are named, neither is changed."""
    with invoiced_world(tmp_path) as made:
        ours = made.documents()[0]
        services = made.services()
        with services.database.begin() as session:
            row = session.scalars(select(Document)).one()
            row.ksef_number, row.xml_sha256 = "5265877635-20250826-0100001AF629-AF", "0" * 64
        report = bring_back(made)
        ((ksef_number, number, pl, en),) = report.listed[Outcome.UNREADABLE]
        assert (ksef_number, number) == (ours.ksef_number, ours.number)
        assert all("5265877635-20250826-0100001AF629-AF" in text for text in (pl, en))
        assert len(made.documents()) == 1


def test_documents_from_before_the_day_come_with_an_earlier_one(tmp_path: Path) -> None:
    """A correction whose invoice is older than the day stands alone until the invoice is recovered too."""
    with invoiced_world(tmp_path) as made:
        made.clock.sleep(3 * 24 * 3600)
        refund(made, ONE_MUG)
        made.run()
        before = facts(made)
        other = lost(made, tmp_path / "new")
        assert bring_back(other, since=date(2026, 11, 26)).found == 1
        (alone,) = other.documents()
        assert alone.purpose.startswith("recovered:")
        assert bring_back(other).counts[Outcome.NEW] == 1
        other.run()
        assert facts(other) == before


def test_a_sent_document_that_was_accepted_unknown_to_us_gets_its_number(tmp_path: Path) -> None:
    """The database is older than KSeF (restored from a backup): our stored bytes get their KSeF number."""
    with invoiced_world(tmp_path) as made:
        before = facts(made)
        services = made.services()
        with services.database.begin() as session:
            row = session.scalars(select(Document)).one()
            row.state = "issued"
            row.session_reference = row.document_reference = row.ksef_number = row.upo = None
        report = bring_back(made)
        assert report.counts[Outcome.NEW] == 1
        made.run()
        assert facts(made) == before


def test_a_batch_under_way_leaves_alone_what_the_recovery_has_settled(tmp_path: Path) -> None:
    """A backup from before a batch was opened: its documents are in KSeF and do not go again."""
    with world(tmp_path, many(6)) as made:
        made.prepare()
        with made.services().database.begin() as session:
            seller = session.scalars(select(Seller)).one()
            seller.profile = {**seller.profile, "sending": {"batch_from": 5}}
        made.ksef.state.faults.add("http_503", "POST /v2/sessions/batch$", value=60)
        made.run(timedelta(seconds=1))
        (tmp_path / "new").mkdir()
        _back_up(tmp_path / "connector.sqlite3", tmp_path / "new" / "connector.sqlite3")
        (tmp_path / "new" / "secret.key").write_bytes((tmp_path / "secret.key").read_bytes())
        made.run()
        before = facts(made)
        other = World(tmp_path / "new", made.ksef, made.shop, made.clock)
        bring_back(other)
        assert {(one.batch_id, one.state) for one in other.documents()} == {(None, "accepted")}
        other.run()
        assert facts(other) == before
        sent = [event for one in other.documents() for event in one.events if event.state == "sent"]
        assert sent == []


def test_reading_takes_the_place_of_a_session_that_is_not_shown(tmp_path: Path) -> None:
    """440 for ever without a list of the session: the metadata have our hash, so the number is ours."""
    with world(tmp_path, [recorded("order_full")]) as made:
        first = _sent_again(made)
        made.ksef.state.faults.add("refuse_code", _SESSION_LIST, times=1000, value=21173)
        made.run()
        assert made.by_order()["15"].ksef_number == first


def test_the_bytes_decide_where_metadata_cannot_be_had(tmp_path: Path) -> None:
    """Neither the session's list nor metadata: the invoice itself is fetched and compared."""
    with world(tmp_path, [recorded("order_full")]) as made:
        first = _sent_again(made)
        made.ksef.state.faults.add("refuse_code", _SESSION_LIST, times=1000, value=21173)
        made.ksef.state.faults.add(
            "refuse_code", "POST /v2/invoices/query/metadata$", times=1000, value=21405
        )
        made.run()
        assert made.by_order()["15"].ksef_number == first


def test_without_the_permission_to_read_nothing_is_adopted_or_called_foreign(tmp_path: Path) -> None:
    """A token that may only send: the old way, patient first, then a person is asked to compare."""
    with world(tmp_path, [recorded("order_full")]) as made:
        token = tokens.issue(made.ksef.state, NIP, permissions=frozenset({"InvoiceWrite"}))
        _sent_again(made, token=token)
        made.ksef.state.faults.add("refuse_code", _SESSION_LIST, times=1000, value=21173)
        made.run()
        document = made.by_order()["15"]
        assert (document.state, document.ksef_number) == ("attention", None)
        assert reasons(document) == ["duplicate-not-comparable"]


_SESSION_LIST = "GET /v2/sessions/[^/]+/invoices$"


def _sent_again(made: World, token: str | None = None) -> str:
    """An accepted document whose acceptance was forgotten, to be sent a second time."""
    made.prepare(token=token)
    made.run()
    first = made.by_order()["15"]
    services = made.services()
    with services.database.begin() as session:
        row = session.get_one(Document, first.id)
        row.state = "issued"
        row.session_reference = row.document_reference = row.ksef_number = row.upo = None
    return str(first.ksef_number)


def test_a_buyer_who_still_has_to_transfer_money_gets_the_title(tmp_path: Path) -> None:
    """Completed but unpaid by transfer: the buyer reads what to write; from 2027 that it is a duty."""
    for now, duty in (
        (datetime(2026, 11, 24, 10, tzinfo=UTC), False),
        (datetime(2027, 1, 4, 10, tzinfo=UTC), True),
    ):
        home = tmp_path / str(now.year)
        home.mkdir()
        unpaid = recorded(
            "order_full", status="completed", payment_method="bacs", date_paid=None, date_paid_gmt=None
        )
        with world(home, [unpaid], now=now) as made:
            made.prepare()
            made.run()
            document = made.by_order()["15"]
            notes = [note for note in made.in_shop(15)["notes"] if str(document.ksef_number) in note["note"]]
            (to_buyer,) = [note["note"] for note in notes if note["customer_note"]]
            (to_merchant,) = [note["note"] for note in notes if not note["customer_note"]]
            assert "w tytule numer KSeF" in to_buyer
            assert ("obowiązek" in to_buyer) is duty
            assert "w tytule" not in to_merchant
