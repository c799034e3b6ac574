"""A buyer proposes other data and the merchant approves: corrected or replaced, exactly once."""

from __future__ import annotations

from typing import Any

import pytest

from connector_app import proposals
from connector_app.pipeline.corrections import issue_correction
from connector_app.pipeline.runner import Runner
from connector_app.store.desk import BuyerProposal
from core.invoices.model import InvoiceKind, TaxId
from tests.pipeline.proposing import RIGHT_NIP, SAID, approve, only, propose
from tests.pipeline.refunds import ONE_MUG, ORDER, parsed, reasons, refund, refuse, retry_purpose, states
from tests.pipeline.world import World

REPLACED = {
    "replaced-1/invoice": "published",
    "replaced-1/wrong-buyer": "published",
    "invoice": "published",
}


def _bill(made: World, **changes: str) -> None:
    made.clock.sleep(60)
    made.shop.state.change(ORDER, billing=made.shop.state.order(ORDER)["billing"] | changes)


def _notes_of(made: World, ksef_number: str | None) -> list[dict[str, Any]]:
    return [one for one in made.in_shop(ORDER)["notes"] if f"KSeF: {ksef_number}" in one["note"]]


def test_an_approved_nip_becomes_a_correction_to_zero_and_a_new_invoice(invoiced: World) -> None:
    old = invoiced.by_order()["15"]
    approve(invoiced, propose(invoiced))
    invoiced.run()
    assert states(invoiced) == REPLACED
    zero = next(one for one in invoiced.documents() if one.purpose == "replaced-1/wrong-buyer")
    new = invoiced.by_order()["15"]
    assert parsed(zero).total == -parsed(old).total
    said = parsed(new).buyer
    assert (said.tax_id, said.name) == (TaxId.nip(RIGHT_NIP), SAID.name)
    assert said.address is not None
    assert (said.address.line1, said.address.line2) == (SAID.line1, SAID.line2)
    assert parsed(new).total == parsed(old).total
    assert len(invoiced.in_ksef()) == 3
    # the buyer and the order are told of the new invoice
    assert sorted(one["customer_note"] for one in _notes_of(invoiced, new.ksef_number)) == [False, True]
    shown = {field["key"]: field["value"] for field in invoiced.in_shop(ORDER)["meta_data"]}
    assert shown["_ksef_number"] == new.ksef_number


def test_the_unchanged_order_of_the_shop_asks_and_undoes_nothing(invoiced: World) -> None:
    approve(invoiced, propose(invoiced))
    invoiced.run()
    for status in ("completed", "processing", "completed"):
        invoiced.clock.sleep(60)
        invoiced.shop.state.change(ORDER, status=status)
        invoiced.run()
    assert states(invoiced) == REPLACED
    assert len(invoiced.in_ksef()) == 3


def test_another_name_only_becomes_a_correction_of_the_buyers_data(invoiced: World) -> None:
    wrong = parsed(invoiced.by_order()["15"]).buyer
    proposal = propose(invoiced, only(name="Inna Nazwa sp. z o.o."))
    approve(invoiced, proposal)
    invoiced.run()
    assert states(invoiced) == {"invoice": "published", f"proposal:{proposal}": "published"}
    said = parsed(invoiced.documents()[-1])
    assert said.kind is InvoiceKind.CORRECTION
    assert (said.buyer.name, said.buyer.tax_id) == ("Inna Nazwa sp. z o.o.", wrong.tax_id)
    assert said.correction is not None
    assert [one.name for one in said.correction.previous_buyers] == [wrong.name]
    assert said.total == 0
    # neither a change of the order's state nor the same name written into the shop later asks again
    invoiced.clock.sleep(60)
    invoiced.shop.state.change(ORDER, status="completed")
    invoiced.run()
    _bill(invoiced, company="Inna Nazwa sp. z o.o.")
    invoiced.run()
    assert len(invoiced.documents()) == 2
    # but another one does
    _bill(invoiced, company="Jeszcze Inna S.A.")
    invoiced.run()
    (asking,) = [one for one in invoiced.documents() if one.purpose.startswith("buyer:")]
    assert reasons(asking) == ["correction-needed"]


def test_a_refund_after_it_corrects_the_new_invoice(invoiced: World) -> None:
    approve(invoiced, propose(invoiced))
    invoiced.run()
    refund(invoiced, ONE_MUG)
    invoiced.run()
    (made,) = [one for one in invoiced.documents() if one.purpose.startswith("refund:")]
    said = parsed(made)
    assert (made.state, said.buyer.tax_id) == ("published", TaxId.nip(RIGHT_NIP))
    assert said.correction is not None
    assert [one.ksef_number for one in said.correction.originals] == [invoiced.by_order()["15"].ksef_number]


def test_a_refund_before_it_is_corrected_on_the_new_invoice_once_more(invoiced: World) -> None:
    """To zero is what was left; the new invoice is about the whole order, and its refund follows."""
    refund(invoiced, ONE_MUG)
    invoiced.run()
    left = sum(parsed(one).total for one in invoiced.documents())
    approve(invoiced, propose(invoiced))
    invoiced.run()
    again = next(purpose for purpose in states(invoiced) if purpose.startswith("refund:"))
    assert states(invoiced) == REPLACED | {f"replaced-1/{again}": "published", again: "published"}
    of_new = [one for one in invoiced.documents() if not one.purpose.startswith("replaced-1/")]
    assert sum(parsed(one).total for one in of_new) == left
    assert sum(parsed(one).total for one in invoiced.documents()) == left
    assert {parsed(one).buyer.tax_id for one in of_new} == {TaxId.nip(RIGHT_NIP)}
    invoiced.clock.sleep(60)
    invoiced.shop.state.change(ORDER, status="completed")
    invoiced.run()
    assert len(invoiced.in_ksef()) == 5


def test_a_refund_that_is_new_before_the_new_invoice_asks(invoiced: World) -> None:
    """Nobody corrected it, so the new invoice may not pass over it."""
    approve(invoiced, propose(invoiced))
    services = invoiced.services()
    (proposal,) = [one.id for one in invoiced.documents() if one.purpose.startswith("proposal:")]
    issue_correction(services, proposal, None)
    refund(invoiced, ONE_MUG)
    invoiced.run()
    assert states(invoiced)["invoice"] == "attention"
    assert "refunded-before-invoice" in reasons(invoiced.by_order()["15"])


def test_a_second_approval_changes_nothing(invoiced: World) -> None:
    proposal = propose(invoiced)
    approve(invoiced, proposal)
    with pytest.raises(proposals.AlreadyDecided):
        approve(invoiced, proposal)
    invoiced.run()
    with pytest.raises(proposals.AlreadyDecided):
        approve(invoiced, proposal)
    invoiced.run()
    assert states(invoiced) == REPLACED


def test_a_second_proposal_replaces_the_first_until_one_is_approved(invoiced: World) -> None:
    first = propose(invoiced, only(name="Pierwsza"))
    second = propose(invoiced)
    assert first == second
    with invoiced.services().database() as session:
        assert session.get_one(BuyerProposal, first).name == SAID.name
        assert proposals.open_count(session, [1]) == 1
        assert proposals.open_count(session, [2]) == 0
    approve(invoiced, first)
    with pytest.raises(proposals.AlreadyDecided):
        propose(invoiced)


def test_the_new_invoice_can_be_replaced_once_more(invoiced: World) -> None:
    approve(invoiced, propose(invoiced))
    invoiced.run()
    approve(invoiced, propose(invoiced, only(nip="5252344078")))
    invoiced.run()
    assert states(invoiced) == {
        "replaced-1/invoice": "published",
        "replaced-1/wrong-buyer": "published",
        "replaced-2/invoice": "published",
        "replaced-2/wrong-buyer": "published",
        "invoice": "published",
    }
    assert parsed(invoiced.by_order()["15"]).buyer.tax_id == TaxId.nip("5252344078")


def test_a_new_buyer_in_the_shop_stops_what_was_approved_and_asks(invoiced: World) -> None:
    """Approved while the shop said one thing; before it was carried out the shop says another."""
    proposal = propose(invoiced)
    approve(invoiced, proposal)
    _bill(invoiced, company="Całkiem Inna S.A.")
    invoiced.run()
    found = states(invoiced)
    assert found[f"proposal:{proposal}"] == "cancelled"
    assert [state for purpose, state in found.items() if purpose.startswith("buyer:")] == ["attention"]
    assert len(invoiced.in_ksef()) == 1


def test_an_order_that_is_called_off_first_is_corrected_by_its_cancellation(invoiced: World) -> None:
    proposal = propose(invoiced)
    approve(invoiced, proposal)
    invoiced.clock.sleep(60)
    invoiced.shop.state.change(ORDER, status="cancelled")
    invoiced.run()
    assert states(invoiced)[f"proposal:{proposal}"] == "cancelled"
    assert states(invoiced)["cancellation"] == "attention"
    assert len(invoiced.in_ksef()) == 1


def test_the_shops_own_question_about_the_buyer_is_answered_by_the_approval(invoiced: World) -> None:
    _bill(invoiced, company="Prawie Dobra S.A.")
    invoiced.run()
    approve(invoiced, propose(invoiced))
    invoiced.run()
    found = states(invoiced)
    assert {purpose: found[purpose] for purpose in REPLACED} == REPLACED
    assert [state for purpose, state in found.items() if "buyer:" in purpose] == ["cancelled"]
    invoiced.clock.sleep(60)
    invoiced.shop.state.change(ORDER, status="completed")
    invoiced.run()
    assert len(invoiced.in_ksef()) == 3


def test_a_refused_correction_to_zero_keeps_the_approved_data(invoiced: World) -> None:
    approve(invoiced, propose(invoiced))
    refuse(invoiced)
    invoiced.run()
    found = states(invoiced)
    assert "rejected" in found.values()
    retry_purpose(invoiced, next(purpose for purpose, state in found.items() if state == "rejected"))
    assert states(invoiced) == REPLACED
    assert parsed(invoiced.by_order()["15"]).buyer.tax_id == TaxId.nip(RIGHT_NIP)


def test_data_that_the_invoice_has_already_cannot_be_approved(invoiced: World) -> None:
    with pytest.raises(proposals.CannotApprove) as refused:
        approve(invoiced, propose(invoiced, only()))
    assert [one.code for one in refused.value.findings] == ["buyer-unchanged"]
    assert len(invoiced.documents()) == 1


def test_the_sellers_own_nip_cannot_be_approved(invoiced: World) -> None:
    with pytest.raises(proposals.CannotApprove):
        approve(invoiced, propose(invoiced, only(nip="5265877635")))
    assert len(invoiced.documents()) == 1


@pytest.mark.parametrize("passes", [1, 2, 3])
def test_a_run_broken_off_half_way_is_taken_up_by_the_next(invoiced: World, passes: int) -> None:
    """Each commit stands alone: new processes that each do a single pass end with the same documents."""
    approve(invoiced, propose(invoiced))
    for _ in range(passes):
        runner = Runner(invoiced.services(), sleep=invoiced.clock.sleep, monotonic=invoiced.clock.seconds)
        runner.work()
        invoiced.ksef.state.faults.add("drop_after", "POST .*/invoices$")
    invoiced.ksef.state.faults.clear()
    invoiced.run()
    assert states(invoiced) == REPLACED
    assert len(invoiced.in_ksef()) == 3
