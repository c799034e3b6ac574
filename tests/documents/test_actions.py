"""What a person does with documents, through the whole pipeline: withdrawn, issued early, published again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector_app.documents import actions
from connector_app.documents.actions import NotPossible
from connector_app.documents.wording import ActionName
from connector_app.pipeline.deciding import settle_store
from connector_app.pipeline.runner import Runner
from connector_app.policies import Recipients, StorePolicy
from connector_app.store.models import Document
from tests.pipeline.refunds import ORDER, close, refund, set_policy
from tests.pipeline.world import World, recorded, world

EVERYONE = StorePolicy(recipients=Recipients.EVERYONE)


@pytest.fixture
def taken_in(tmp_path: Path) -> Iterator[World]:
    """One order, ready to be invoiced, and nothing sent."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        Runner(made.services(), sleep=made.clock.sleep).take_in()
        assert invoice(made).state == "ready"
        yield made


def invoice(made: World) -> Document:
    return made.by_order()["15"]


def do(made: World, name: ActionName, document_id: int | None = None) -> None:
    services = made.services()
    with services.database.begin() as session:
        row = session.get_one(Document, document_id or invoice(made).id)
        actions.perform(row, name, services.clock())


def allowed(made: World) -> set[ActionName]:
    with made.services().database() as session:
        row = session.get_one(Document, invoice(made).id)
        return {one.name for one in actions.possible(row) if one.allowed}


def test_a_withdrawn_invoice_stays_withdrawn_whatever_the_shop_and_its_rules_say(taken_in: World) -> None:
    """Changed, completed, re-read and refunded in the shop, another policy: nothing reaches KSeF."""
    do(taken_in, ActionName.WITHDRAW)
    taken_in.run()
    for change in ({"status": "completed"}, {"customer_note": "zmiana"}, {"status": "processing"}):
        taken_in.clock.sleep(60)
        taken_in.shop.state.change(ORDER, **change)
        taken_in.run()
    refund(taken_in, "refund_partial_line_created")
    taken_in.clock.sleep(60)
    taken_in.run()
    set_policy(taken_in, EVERYONE)
    settle_store(taken_in.services(), 1)
    taken_in.run()
    assert [(one.purpose, one.state) for one in taken_in.documents()] == [("invoice", "cancelled")]
    assert taken_in.in_ksef() == []
    assert any("pozostaje wycofana" in one.text for one in invoice(taken_in).events)


def test_a_withdrawal_taken_back_gives_one_invoice_of_the_order_as_it_is_now(taken_in: World) -> None:
    """And what the shop says afterwards is corrected by itself, as if nothing had been withdrawn."""
    do(taken_in, ActionName.WITHDRAW)
    taken_in.clock.sleep(60)
    taken_in.shop.state.change(ORDER, number="15-B")
    taken_in.run()
    (row,) = taken_in.documents()
    do(taken_in, ActionName.RESTORE, row.id)
    taken_in.run()
    (row,) = taken_in.documents()
    assert (row.state, row.closed_at, row.order.number) == ("published", None, "15-B")
    refund(taken_in, "refund_partial_line_created")
    taken_in.clock.sleep(60)
    taken_in.run()
    assert [one.state for one in taken_in.documents()] == ["published", "published"]
    assert len(taken_in.in_ksef()) == 2


def test_a_withdrawal_taken_back_for_a_cancelled_order_invoices_nothing(taken_in: World) -> None:
    """The shop's word counts again."""
    do(taken_in, ActionName.WITHDRAW)
    taken_in.clock.sleep(60)
    taken_in.shop.state.change(ORDER, status="cancelled")
    taken_in.run()
    do(taken_in, ActionName.RESTORE)
    taken_in.run()
    row = invoice(taken_in)
    assert (row.state, row.closed_at) == ("cancelled", None)
    assert ActionName.RESTORE not in allowed(taken_in)
    assert taken_in.in_ksef() == []


def test_an_invoice_is_withdrawn_while_it_asks_and_while_the_order_is_gone(taken_in: World) -> None:
    """Deleted from the shop afterwards it asks nobody."""
    taken_in.clock.sleep(120)
    taken_in.shop.state.orders.pop(ORDER)
    taken_in.run()
    assert invoice(taken_in).state == "attention"
    do(taken_in, ActionName.WITHDRAW)
    taken_in.run()
    row = invoice(taken_in)
    assert (row.state, row.attention) == ("cancelled", None)


def test_what_is_issued_cannot_be_withdrawn(taken_in: World) -> None:
    """Only a correction takes it back, and the document does not change."""
    taken_in.run()
    with pytest.raises(NotPossible, match="only a correction"):
        do(taken_in, ActionName.WITHDRAW)
    assert invoice(taken_in).state == "published"
    assert allowed(taken_in) == {ActionName.PUBLISH_AGAIN}


def test_an_invoice_that_waits_for_its_day_is_issued_now(tmp_path: Path) -> None:
    """By a person's word, once, although the rules would wait; a later look changes nothing."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        paid = made.clock().strftime("%Y-%m-%dT%H:%M:%S")
        made.shop.state.change(ORDER, date_paid=paid, date_paid_gmt=paid)
        set_policy(made, StorePolicy(recipients=Recipients.EVERYONE, after_days=10))
        made.run()
        assert invoice(made).state == "waiting"
        do(made, ActionName.ISSUE)
        made.run()
        made.clock.sleep(60)
        made.shop.state.touch(ORDER)
        made.run()
        assert invoice(made).state == "published"
        assert len(made.in_ksef()) == 1


def test_rules_that_leave_ksef_out_are_not_overruled_by_issuing_now(tmp_path: Path) -> None:
    """A consumer's order that nobody asked to invoice is an exception, made on the order's page."""
    with world(tmp_path, [recorded("order_net_prices_round_per_line")]) as made:
        made.prepare()
        set_policy(made, StorePolicy(recipients=Recipients.NIP))
        made.run()
        (row,) = made.documents()
        with pytest.raises(NotPossible, match="does not go to KSeF"):
            do(made, ActionName.ISSUE, row.id)


def test_published_again_writes_what_is_missing_and_doubles_nothing(taken_in: World) -> None:
    """A note that the merchant deleted is back; the other is there once."""
    taken_in.run()
    before = taken_in.in_shop(ORDER)["notes"]
    taken_in.shop.state.notes[ORDER] = [
        one for one in taken_in.shop.state.notes[ORDER] if one["customer_note"]
    ]
    do(taken_in, ActionName.PUBLISH_AGAIN)
    taken_in.run()
    after = taken_in.in_shop(ORDER)["notes"]
    assert invoice(taken_in).state == "published"
    assert sorted(one["note"] for one in after) == sorted(one["note"] for one in before)
    assert len(taken_in.in_ksef()) == 1


def test_a_closed_correction_is_no_invoice_withdrawn(taken_in: World) -> None:
    """Closing corrections goes on as before, and a closed one can be issued after all."""
    taken_in.run()
    set_policy(taken_in, StorePolicy.from_json(EVERYONE.as_json() | {"corrections": "ask"}))
    refund(taken_in, "refund_partial_line_created")
    taken_in.clock.sleep(60)
    taken_in.run()
    close(taken_in, "refund:16")
    closed = next(one for one in taken_in.documents() if one.purpose == "refund:16")
    with pytest.raises(NotPossible):
        do(taken_in, ActionName.RESTORE, closed.id)
    do(taken_in, ActionName.ISSUE, closed.id)
    taken_in.run()
    assert len(taken_in.in_ksef()) == 2
