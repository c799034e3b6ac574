"""An order that goes on changing after its invoice: nothing is lost, doubled, or corrected unasked."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from connector_app.pipeline import life
from sandbox.ksef.state import Settings
from tests.pipeline.kept_world import invoiced_world
from tests.pipeline.refunds import (
    A_MINUTE,
    ONE_MUG,
    ORDER,
    SHIPPING,
    close,
    corrections,
    invoice_under_way,
    reasons,
    refund,
    refuse,
    retry,
    retry_purpose,
    spread_amounts,
    states,
    take_refunds_back,
)
from tests.pipeline.world import World, recorded, world


def test_a_correction_goes_on_behind_one_that_the_shop_refused_to_note(invoiced: World) -> None:
    """KSeF has the first; that the shop takes no note of it is no reason to wait."""
    refund(invoiced, ONE_MUG)
    invoiced.shop.fault("http_500", path="notes", times=10_000)
    invoiced.run(A_MINUTE)
    assert states(invoiced)["refund:16"] == "accepted"
    refund(invoiced, SHIPPING)
    invoiced.clock.sleep(60)
    invoiced.run(A_MINUTE)
    assert states(invoiced) == {"invoice": "published", "refund:16": "accepted", "refund:17": "accepted"}


def test_a_refused_invoice_of_a_cancelled_order_is_not_issued_by_a_retry(tmp_path: Path) -> None:
    """The order was cancelled since: the retry decides anew, and nothing reaches KSeF."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        made.ksef.state.faults.add("refuse_code", "POST .*/invoices$", value=430)
        made.run()
        made.clock.sleep(60)
        made.shop.state.change(ORDER, status="cancelled")
        made.run()
        retry(made, made.by_order()["15"].id)
        made.run()
        assert set(states(made).values()) == {"cancelled"}
        assert made.in_ksef() == []


def test_one_empty_list_of_refunds_loses_nothing(invoiced: World) -> None:
    """The order names a refund that the list lacks for a while, as a cache does: the correction waits."""
    given = refund(invoiced, ONE_MUG)
    invoiced.shop.state.refunds[ORDER].clear()
    invoiced.run(timedelta(minutes=2))
    (correction,) = corrections(invoiced)
    assert (correction.state, correction.number) == ("ready", None)
    invoiced.shop.state.refunds[ORDER].append(given)
    invoiced.run()
    assert states(invoiced)["refund:16"] == "published"


def test_a_refund_that_comes_back_is_corrected(tmp_path: Path) -> None:
    """Taken out of the order and put back before its correction was issued."""
    with invoice_under_way(tmp_path) as made:
        refund(made, ONE_MUG)
        made.run(A_MINUTE)
        kept = made.shop.state.order(ORDER)["refunds"]
        made.clock.sleep(60)
        made.shop.state.change(ORDER, refunds=[])
        made.run(A_MINUTE)
        assert states(made)["refund:16"] == "cancelled"
        made.clock.sleep(60)
        made.shop.state.change(ORDER, refunds=kept)
        made.run(timedelta(hours=2))
        assert states(made)["refund:16"] == "published"


def test_an_invoiced_order_that_becomes_unreadable_asks_until_it_can_be_read(invoiced: World) -> None:
    """A refund behind it could be missed, so a person hears of it; the refund is corrected in the end."""
    refund(invoiced, ONE_MUG)
    total = invoiced.shop.state.order(ORDER)["total"]
    invoiced.shop.state.change(ORDER, total="dwa")
    invoiced.run()
    assert states(invoiced) == {"invoice": "published", "unreadable": "attention"}
    invoiced.clock.sleep(60)
    invoiced.shop.state.change(ORDER, total=total)
    invoiced.run()
    assert states(invoiced) == {"invoice": "published", "unreadable": "cancelled", "refund:16": "published"}


def test_an_unreadable_order_asks_again_after_each_retry(tmp_path: Path) -> None:
    """Retrying does not help, and does not spin either."""
    with world(tmp_path, [recorded("order_full", total="dwa")]) as made:
        made.prepare()
        made.run()
        for _ in range(3):
            made.clock.sleep(3600)
            retry(made, made.documents()[0].id)
            made.run(A_MINUTE)
            assert states(made) == {"invoice": "attention"}


def test_an_order_that_goes_on_after_its_correction_to_zero_asks_a_person(invoiced: World) -> None:
    """Cancelled, corrected to zero, then completed after all: a sale without an invoice is not kept quiet."""
    invoiced.shop.state.change(ORDER, status="cancelled")
    invoiced.run()
    retry(invoiced, corrections(invoiced)[0].id)
    invoiced.run()
    invoiced.clock.sleep(60)
    invoiced.shop.state.change(ORDER, status="completed")
    invoiced.run()
    assert states(invoiced) == {
        "invoice": "published",
        "cancellation": "published",
        "reinstated": "attention",
    }


def test_a_late_retry_does_not_zero_an_order_that_goes_on(invoiced: World) -> None:
    """Cancelled and put right before anybody answered: the question goes away, a retry changes nothing."""
    invoiced.shop.state.change(ORDER, status="cancelled")
    invoiced.run()
    invoiced.clock.sleep(60)
    invoiced.shop.state.change(ORDER, status="completed")
    invoiced.run()
    assert states(invoiced)["cancellation"] == "cancelled"
    retry(invoiced, corrections(invoiced)[0].id)
    invoiced.run()
    assert states(invoiced)["cancellation"] == "cancelled"
    assert len(invoiced.in_ksef()) == 1


def test_a_refund_after_a_change_made_by_hand_asks_a_person(invoiced: World) -> None:
    """The connector does not know what was corrected elsewhere, so it issues nothing by itself."""
    invoiced.shop.state.change(ORDER, total="300.00")
    invoiced.run()
    services = invoiced.services()
    life.change(services, corrections(invoiced)[0].id, lambda row: life.close(row, services.clock()))
    invoiced.clock.sleep(60)
    refund(invoiced, ONE_MUG)
    invoiced.run()
    assert states(invoiced)["refund:16"] == "attention"
    invoiced.clock.sleep(60)
    invoiced.shop.state.change(ORDER, total="246.55")
    invoiced.run()
    assert states(invoiced)["change:246.55PLN#1"] == "attention"


def test_a_correction_to_zero_needs_no_shop(invoiced: World) -> None:
    """The merchant cancels the order and then deletes it: what KSeF has can still be taken back."""
    invoiced.shop.state.change(ORDER, status="cancelled")
    invoiced.run()
    del invoiced.shop.state.orders[ORDER]
    invoiced.clock.sleep(3600)
    retry(invoiced, corrections(invoiced)[0].id)
    invoiced.run()
    (correction,) = corrections(invoiced)
    assert correction.ksef_number is not None
    assert reasons(correction) == ["published-order-gone"]


def test_a_refund_of_a_deleted_order_asks_a_person(tmp_path: Path) -> None:
    """Its lines cannot be read any more; that is not the same as a refund taken back."""
    with invoice_under_way(tmp_path) as made:
        refund(made, ONE_MUG)
        made.run(A_MINUTE)
        del made.shop.state.orders[ORDER]
        made.clock.sleep(3600)
        made.run(timedelta(hours=2))
        (correction,) = corrections(made)
        assert (correction.state, reasons(correction)) == ("attention", ["order-gone"])


def test_nothing_is_asked_when_nothing_is_left(tmp_path: Path) -> None:
    """All was refunded and corrected; cancelling the order then changes nothing."""
    with invoiced_world(tmp_path) as made:
        made.clock.sleep(60)
        made.shop.state.change(ORDER, status="cancelled")
        made.run()
        retry(made, corrections(made)[0].id)
        made.run()
        made.clock.sleep(60)
        made.shop.state.change(ORDER, status="failed")
        made.run()
        assert states(made) == {"invoice": "published", "cancellation": "published"}


def test_an_order_called_refunded_without_refunds_asks_a_person(invoiced: World) -> None:
    """A status written by another program: the money may have gone back, and a retry corrects to zero."""
    invoiced.shop.state.change(ORDER, status="refunded")
    invoiced.run()
    assert states(invoiced) == {"invoice": "published", "refunded": "attention"}
    retry(invoiced, corrections(invoiced)[0].id)
    invoiced.run()
    assert states(invoiced)["refunded"] == "published"


def test_a_correction_closed_by_mistake_can_be_retried(invoiced: World) -> None:
    """``documents close`` has a way back."""
    refund(invoiced, "refund_amount_only")
    invoiced.run()
    document_id = corrections(invoiced)[0].id
    services = invoiced.services()
    life.change(services, document_id, lambda row: life.close(row, services.clock()))
    spread_amounts(invoiced)
    retry(invoiced, document_id)
    invoiced.run()
    assert states(invoiced)["refund:18"] == "published"


def test_a_retry_of_a_refused_correction_of_a_deleted_refund_issues_nothing(invoiced: World) -> None:
    """What was known of the refund is kept, but the shop decides whether it is still there."""
    refund(invoiced, ONE_MUG)
    refuse(invoiced)
    invoiced.run()
    take_refunds_back(invoiced)
    retry_purpose(invoiced, "refund:16")
    assert states(invoiced)["refund:16"] == "cancelled"
    assert len(invoiced.in_ksef()) == 1


def test_a_refund_that_is_back_is_not_taken_back(invoiced: World) -> None:
    """Deleted and restored before anybody answered: a late retry issues nothing."""
    given = refund(invoiced, ONE_MUG)
    invoiced.run()
    kept = invoiced.shop.state.order(ORDER)["refunds"]
    take_refunds_back(invoiced)
    assert states(invoiced)["withdrawn:16"] == "attention"
    invoiced.clock.sleep(60)
    invoiced.shop.state.refunds[ORDER].append(given)
    invoiced.shop.state.change(ORDER, refunds=kept)
    invoiced.run()
    retry_purpose(invoiced, "withdrawn:16")
    assert states(invoiced)["withdrawn:16"] == "cancelled"
    assert len(invoiced.in_ksef()) == 2


def test_a_refund_that_is_back_after_its_correction_was_taken_back_asks_a_person(invoiced: World) -> None:
    """Given back, taken back, given back: the connector does not correct the third by itself, nor hide it."""
    given = refund(invoiced, ONE_MUG)
    invoiced.run()
    kept = invoiced.shop.state.order(ORDER)["refunds"]
    take_refunds_back(invoiced)
    retry_purpose(invoiced, "withdrawn:16")
    assert states(invoiced)["withdrawn:16"] == "published"
    invoiced.clock.sleep(60)
    invoiced.shop.state.refunds[ORDER].append(given)
    invoiced.shop.state.change(ORDER, refunds=kept)
    invoiced.run()
    assert states(invoiced)["refunded-again:16"] == "attention"


def test_to_zero_is_left_to_a_person_after_a_correction_by_hand(invoiced: World) -> None:
    """The connector does not know what is left, and a retry does not guess it."""
    invoiced.shop.state.change(ORDER, total="100.00")
    invoiced.run()
    close(invoiced, "change:100.00PLN")
    invoiced.clock.sleep(60)
    invoiced.shop.state.change(ORDER, status="cancelled")
    invoiced.run()
    retry_purpose(invoiced, "cancellation")
    assert states(invoiced)["cancellation"] == "attention"
    assert len(invoiced.in_ksef()) == 1


def test_a_correction_nobody_asks_for_any_more_lets_the_next_one_go(invoiced: World) -> None:
    """The refused correction to zero is no longer wanted; the refund behind it is corrected."""
    invoiced.shop.state.change(ORDER, status="cancelled")
    invoiced.run()
    refuse(invoiced)
    retry_purpose(invoiced, "cancellation")
    assert states(invoiced)["cancellation"] == "rejected"
    invoiced.clock.sleep(60)
    refund(invoiced, ONE_MUG)
    invoiced.shop.state.change(ORDER, status="completed")
    invoiced.run()
    assert states(invoiced) == {
        "invoice": "published",
        "cancellation": "cancelled",
        "refund:16": "published",
    }


def test_taking_back_what_ksef_refused_is_not_needed(invoiced: World) -> None:
    """The refund is deleted while KSeF works on its correction, which is refused then and closed."""
    refund(invoiced, ONE_MUG)
    invoiced.ksef.state.settings = Settings(processing_seconds=1800)
    refuse(invoiced)
    invoiced.run(A_MINUTE)
    assert states(invoiced)["refund:16"] == "sent"
    take_refunds_back(invoiced, A_MINUTE)
    assert states(invoiced)["withdrawn:16"] == "attention"
    invoiced.clock.sleep(3600)
    invoiced.run(A_MINUTE)
    assert states(invoiced)["refund:16"] == "rejected"
    retry_purpose(invoiced, "withdrawn:16")
    close(invoiced, "refund:16")
    invoiced.run()
    assert states(invoiced) == {"invoice": "published", "refund:16": "cancelled", "withdrawn:16": "cancelled"}


def test_a_sale_cancelled_again_asks_again(invoiced: World) -> None:
    """To zero, on again (invoiced by hand), cancelled again: the hand-made invoice is not forgotten."""
    invoiced.shop.state.change(ORDER, status="cancelled")
    invoiced.run()
    retry_purpose(invoiced, "cancellation")
    invoiced.clock.sleep(60)
    invoiced.shop.state.change(ORDER, status="completed")
    invoiced.run()
    close(invoiced, "reinstated")
    invoiced.clock.sleep(60)
    invoiced.shop.state.change(ORDER, status="cancelled")
    invoiced.run()
    assert states(invoiced)["cancelled-again"] == "attention"


def test_a_change_of_currency_is_compared_as_one(invoiced: World) -> None:
    """100 EUR corrected by hand, then 100 PLN: another change, though the numbers are the same."""
    invoiced.shop.state.change(ORDER, total="100.00", currency="EUR")
    invoiced.run()
    close(invoiced, "change:100.00EUR")
    invoiced.clock.sleep(60)
    invoiced.shop.state.change(ORDER, currency="PLN")
    invoiced.run()
    assert states(invoiced)["change:100.00PLN#1"] == "attention"
