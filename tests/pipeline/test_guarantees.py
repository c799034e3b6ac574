"""What an auditor asks: never lost, never twice, frozen once issued, and the state says what waits."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from adapters.woocommerce import adapter, mapping
from adapters.woocommerce.mapping import MappingOptions
from connector_app import credentials
from connector_app.pipeline import life
from connector_app.pipeline.life import NothingToRetry
from connector_app.store.models import Document, DocumentState, Seller
from core.orders import Order
from core.signing.keys import self_signed
from tests.pipeline.kept_world import invoiced_world
from tests.pipeline.test_trouble import KSEF_OPERATIONS, assert_one_of_each
from tests.pipeline.world import World, recorded, world

SEND = KSEF_OPERATIONS["send"]
OPEN = KSEF_OPERATIONS["open"]
SOON = timedelta(minutes=5)


def many(count: int) -> list[dict[str, object]]:
    """So many equal orders."""
    return [recorded("order_full", id=1000 + one, number=str(1000 + one)) for one in range(count)]


def retry(made: World, document: Document) -> None:
    services = made.services()
    life.change(services, document.id, lambda row: life.again(row, services.clock()))


def test_limits_are_never_earned_and_everything_arrives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Singly with production limits, 40 documents go in two minutes, no 429 comes, no number waits."""
    with world(tmp_path, many(40)) as made:
        made.counts_requests = True
        made.ksef.state.settings.rate_limits = True
        made.prepare()
        with made.services().database.begin() as session:
            seller = session.get_one(Seller, 1)
            seller.profile = {**seller.profile, "sending": {"batching": "never"}}
        refused: list[object] = []
        count = made.ksef.state.limiter.count

        def counted(*args: object, **named: object) -> None:
            try:
                count(*args, **named)  # type: ignore[arg-type]
            except Exception as error:
                refused.append(error)
                raise

        monkeypatch.setattr(type(made.ksef.state.limiter), "count", lambda _self, *a, **k: counted(*a, **k))
        result = made.run(timedelta(seconds=1))
        states = {one.state for one in made.documents()}
        assert "issued" not in states
        assert any("limit" in problem.pl for problem in result.problems)
        made.run()
        assert {one.state for one in made.documents()} == {"published"}
        assert len(made.in_ksef()) == 40
        assert refused == []


def test_a_missing_upo_holds_nothing_up(tmp_path: Path) -> None:
    """KSeF never gives the UPO: the number reaches the shop all the same, and the UPO is asked for rarely."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        made.ksef.state.faults.add("refuse_code", KSEF_OPERATIONS["proof"], times=1000, value=21178)
        made.run(SOON)
        document = made.by_order()["15"]
        assert (document.state, document.upo) == ("published", None)
        assert document.proof_waits_for is not None
        made.ksef.state.faults.clear()
        made.clock.sleep(3600)
        made.run()
        assert_one_of_each(made)


def test_a_missing_permission_holds_the_lane_and_takes_no_number(tmp_path: Path) -> None:
    """403 at opening: orders wait with the reason, KSeF is asked rarely, a retry goes at once."""
    with world(tmp_path, many(3)) as made:
        made.prepare()
        made.ksef.state.faults.add("http_401", OPEN, times=4)
        made.run(SOON)
        assert [(one.state, one.number) for one in made.documents()] == [("ready", None)] * 3
        assert all(one.waiting_for for one in made.documents())
        waiting = len(made.ksef.state.faults.waiting())
        made.run(SOON)
        assert len(made.ksef.state.faults.waiting()) == waiting
        made.ksef.state.faults.clear()
        retry(made, made.documents()[0])
        made.run()
        assert {one.state for one in made.documents()} == {"published"}


def test_a_refusal_of_the_sign_in_while_sending_is_no_refusal_of_the_document(tmp_path: Path) -> None:
    """401 twice at sending: the document stays issued and goes later; it is not called rejected."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        made.ksef.state.faults.add("http_401", SEND, times=2)
        made.run(SOON)
        assert made.by_order()["15"].state == "issued"
        made.clock.sleep(1000)
        made.run()
        assert_one_of_each(made)


@pytest.mark.parametrize(("operation", "state"), [("send", "issued"), ("status", "sent")])
def test_a_sign_in_that_ended_is_no_refusal_of_a_document(tmp_path: Path, operation: str, state: str) -> None:
    """A seller who signs outside: what is on its way waits for the next signature, whatever its state."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        made.ksef.state.faults.add("http_503", KSEF_OPERATIONS[operation], times=20)
        made.run(SOON)
        assert made.by_order()["15"].state == state
        made.ksef.state.faults.clear()
        with made.services().database.begin() as session:
            row = session.scalars(select(Seller)).one()
            credential, row.credential, row.tokens = row.credential, "", None
        assert made.run(timedelta(hours=5)).problems
        assert made.by_order()["15"].state == state
        with made.services().database.begin() as session:
            session.scalars(select(Seller)).one().credential = credential
        made.run()
        assert_one_of_each(made)


@pytest.mark.parametrize("code", [21155, 21180, 21173])
def test_a_session_that_takes_nothing_more_is_replaced(tmp_path: Path, code: int) -> None:
    """Full, closed or unknown at the moment of sending: another session takes the same bytes."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        made.ksef.state.faults.add("refuse_code", SEND, value=code)
        made.run()
        assert_one_of_each(made)


def test_one_document_at_which_ksef_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    """KSeF breaks at the first document for hours: the second is published meanwhile."""
    with world(tmp_path, many(2)) as made:
        made.prepare()
        made.ksef.state.faults.add("http_500", SEND, times=1)
        made.run(timedelta(seconds=1))
        first, second = made.documents()
        services = made.services()
        with services.database.begin() as session:
            later = made.clock() + timedelta(hours=3)
            session.execute(update(Document).where(Document.id == first.id).values(next_attempt_at=later))
        made.run(timedelta(minutes=2))
        first, second = made.documents()
        assert (first.state, second.state) == ("issued", "published")
        made.run()
        assert {one.state for one in made.documents()} == {"published"}


def test_a_duplicate_that_cannot_be_compared_yet_is_not_called_foreign(tmp_path: Path) -> None:
    """440 while the session cannot be listed: asked again, and adopted when it can be."""
    with invoiced_world(tmp_path) as made:
        first = made.by_order()["15"]
        services = made.services()
        with services.database.begin() as session:
            row = session.get_one(Document, first.id)
            row.state = DocumentState.ISSUED.value
            row.session_reference = row.document_reference = row.ksef_number = row.upo = None
        made.ksef.state.faults.add("refuse_code", "GET /v2/sessions/[^/]+/invoices$", times=3, value=21173)
        made.run()
        assert made.by_order()["15"].ksef_number == first.ksef_number
        assert_one_of_each(made)


def test_issued_before_midnight_and_sent_after_it_says_so(tmp_path: Path) -> None:
    """The number and the date stay, KSeF marks it Offline, and the life line tells."""
    evening = datetime(2026, 11, 24, 22, 59, tzinfo=UTC)
    with world(tmp_path, [recorded("order_full")], now=evening) as made:
        made.prepare()
        made.ksef.state.faults.add("http_503", SEND, times=1000)
        made.run(timedelta(seconds=20))
        before = made.by_order()["15"]
        assert (before.state, str(before.issued_on)) == ("issued", "2026-11-24")
        made.ksef.state.faults.clear()
        made.clock.sleep(3600)
        made.run()
        after = made.by_order()["15"]
        assert (after.state, after.xml, after.number) == ("published", before.xml, before.number)
        assert made.in_ksef()[0]["invoicingMode"] == "Offline"
        assert any("po dniu wystawienia" in event.text for event in after.events)
        assert_one_of_each(made)


def test_a_changed_order_never_touches_what_was_issued(tmp_path: Path) -> None:
    """Another total after the invoice: the document keeps its amounts, and a correction is asked for once."""
    with invoiced_world(tmp_path) as made:
        before = made.by_order()["15"]
        for _ in range(2):
            made.clock.sleep(60)
            made.shop.state.change(15, total="300.00")
            made.run()
        after = made.by_order()["15"]
        assert (after.state, after.total, after.xml) == ("published", before.total, before.xml)
        assert [(one.state, one.kind) for one in made.documents() if one.id != after.id] == [
            ("attention", "KOR")
        ]
        with pytest.raises(NothingToRetry):
            retry(made, made.documents()[1])


def test_an_issued_document_in_attention_is_not_decided_anew(tmp_path: Path) -> None:
    """Its order is cancelled: the document stays with the person, and a correction stands beside it."""
    with invoiced_world(tmp_path) as made:
        services = made.services()
        document = made.by_order()["15"]
        with services.database.begin() as session:
            session.execute(update(Document).values(state="attention", ksef_number=None, upo=None))
        made.clock.sleep(60)
        made.shop.state.change(15, status="cancelled")
        made.run(SOON)
        kept = made.by_order()["15"]
        assert (kept.state, kept.number, kept.xml) == ("attention", document.number, document.xml)
        assert [one.purpose for one in made.documents()] == ["invoice", "cancellation"]
        retry(made, kept)
        made.run()
        assert made.by_order()["15"].ksef_number == document.ksef_number


@pytest.mark.parametrize(
    ("change", "state"), [({"status": "cancelled"}, "cancelled"), ({"status": "pending"}, "waiting")]
)
def test_an_order_is_read_again_before_its_invoice(
    tmp_path: Path, change: dict[str, str], state: str
) -> None:
    """KSeF was down for an hour, the order changed meanwhile: no invoice by the old data."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        made.ksef.state.faults.add("http_503", "POST /v2/auth/challenge", times=10_000)
        made.run(SOON)
        made.clock.sleep(3600)
        made.shop.state.order(15).update(change)  # as a plugin that does not touch the modification time
        made.ksef.state.faults.clear()
        made.run()
        document = made.by_order()["15"]
        assert (document.state, document.number) == (state, None)
        assert made.in_ksef() == []


def test_an_order_deleted_before_its_invoice_asks_a_person(tmp_path: Path) -> None:
    """404 right before issuing: no number is taken, a person decides."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        made.ksef.state.faults.add("http_503", "POST /v2/auth/challenge", times=10_000)
        made.run(SOON)
        made.clock.sleep(3600)
        del made.shop.state.orders[15]
        made.ksef.state.faults.clear()
        made.run()
        document = made.by_order()["15"]
        assert (document.state, document.number) == ("attention", None)
        assert [reason["code"] for reason in document.attention or []] == ["order-gone"]


def test_a_silent_shop_does_not_stop_a_due_invoice(tmp_path: Path) -> None:
    """The shop is down when KSeF comes back: the invoice is issued, and its life line says from what data."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        made.ksef.state.faults.add("http_503", "POST /v2/auth/challenge", times=10_000)
        made.run(SOON)
        made.clock.sleep(3600)
        made.ksef.state.faults.clear()
        made.shop.fault("http_500", times=40)
        made.run(timedelta(seconds=30))
        document = made.by_order()["15"]
        assert document.state == "accepted"
        assert any("Sklep nie odpowiada" in event.text for event in document.events)


def test_an_order_deleted_after_its_invoice_asks_a_person(tmp_path: Path) -> None:
    """404 while writing the number back: the state says so, and nothing is tried for ever."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        made.watch = lambda one: made.shop.state.orders.clear() if one.state == "sent" else None
        made.run()
        document = made.by_order()["15"]
        assert document.state == "attention"
        assert document.upo is not None
        assert [reason["code"] for reason in document.attention or []] == ["published-order-gone"]


def test_a_revoked_shop_key_is_asked_for_once_in_a_quarter(tmp_path: Path) -> None:
    """401 from the shop: all of its documents wait with the reason; one request, not one per document."""
    with world(tmp_path, many(5)) as made:
        made.prepare()
        made.shop.fault("html", method="GET", path="/notes$", value=401, times=1000)
        made.run(SOON)
        assert {one.state for one in made.documents()} == {"accepted"}
        assert all(one.waiting_for for one in made.documents())
        (left,) = [fault.times for fault in made.shop._faults._faults]
        assert 1000 - left <= 3


def test_an_order_from_the_future_does_not_hide_the_next_ones(tmp_path: Path) -> None:
    """A shop dates one change years ahead: later changes are still seen."""
    ahead = "2031-01-01T00:00:00"
    odd = recorded("order_full", date_modified=ahead, date_modified_gmt=ahead)
    with world(tmp_path, [odd]) as made:
        made.prepare()
        made.run()
        made.clock.sleep(60)
        made.shop.state.add_orders(many(1), {})
        made.shop.state.change(1000, customer_note="Proszę o fakturę")
        made.run()
        assert made.by_order()["1000"].state == "published"


def test_an_order_that_cannot_be_stored_asks_a_person_and_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A half character in a name, which no database takes: its neighbour is invoiced."""
    odd = recorded("order_full", id=99, number="99")
    real = mapping.map_order

    def half(data: Any, options: MappingOptions) -> Order:
        order = real(data, options)
        return (
            replace(order, buyer=replace(order.buyer, company="Firma \ud800")) if order.id == "99" else order
        )

    monkeypatch.setattr(adapter, "map_order", half)
    with world(tmp_path, [odd, recorded("order_net_prices_round_per_line")]) as made:
        made.prepare()
        made.run()
        found = made.by_order()
        assert found["99"].state == "attention"
        assert found["27"].state == "published"


def test_another_credential_ends_a_hold(tmp_path: Path) -> None:
    """A lane that waits a quarter of an hour for its wrong token goes on as soon as there is a right one."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare(token="20261124-EC-0000000000-0000000000-00|nip-5265877635|" + "0" * 64)
        made.run(SOON)
        services = made.services()
        with services.database.begin() as session:
            row = session.scalars(select(Seller)).one()
            assert row.hold is not None
            row.credential = credentials.seal_certificate(
                services.vault, self_signed(row.nip, now=made.clock())
            )
            row.tokens = None
        made.run(SOON)
        assert_one_of_each(made)
