"""The buyer is changed in the shop after the invoice: data are corrected, a wrong tax number is replaced."""

from __future__ import annotations

from typing import Any

import pytest

from connector_app.pipeline.life import NothingToRetry
from connector_app.policies import Corrections, Recipients, StorePolicy
from core.invoices.model import InvoiceKind, TaxId
from tests.pipeline.refunds import (
    ONE_MUG,
    ORDER,
    close,
    corrections,
    parsed,
    reasons,
    refund,
    refuse,
    retry,
    retry_purpose,
    set_policy,
    states,
)
from tests.pipeline.world import World

RIGHT_NIP = "7010353442"


def _bill(made: World, **changes: str) -> None:
    """The merchant edits the buyer of the order."""
    made.clock.sleep(60)
    billing = made.shop.state.order(ORDER)["billing"] | changes
    made.shop.state.change(ORDER, billing=billing)
    made.run()


def set_nip(made: World, nip: str) -> None:
    """The merchant edits the field with the NIP."""
    made.clock.sleep(60)
    fields: list[dict[str, Any]] = made.shop.state.order(ORDER)["meta_data"]
    changed = [one | {"value": nip} if "nip" in one["key"] else one for one in fields]
    assert changed != fields
    made.shop.state.change(ORDER, meta_data=changed)
    made.run()


def buyer_purpose(made: World) -> str:
    (found,) = [purpose for purpose in states(made) if purpose.startswith("buyer:")]
    return found


def test_a_wrong_name_asks_and_becomes_a_correction_of_the_buyers_data(invoiced: World) -> None:
    _bill(invoiced, company="Inna Nazwa sp. z o.o.", address_1="ul. Nowa 5")
    (asking,) = corrections(invoiced)
    assert (asking.state, reasons(asking)) == ("attention", ["correction-needed"])
    wrong = parsed(invoiced.by_order()["15"]).buyer
    retry_purpose(invoiced, asking.purpose)
    (corrected,) = corrections(invoiced)
    assert corrected.state == "published"
    said = parsed(corrected)
    assert said.kind is InvoiceKind.CORRECTION
    assert (said.buyer.name, said.buyer.tax_id) == ("Inna Nazwa sp. z o.o.", wrong.tax_id)
    assert said.correction is not None
    (previous,) = said.correction.previous_buyers
    assert (previous.name, previous.address, previous.key) == (wrong.name, wrong.address, said.buyer.key)
    assert said.total == 0
    assert not said.lines
    assert not said.rates


def test_a_refund_after_it_names_the_right_buyer(invoiced: World) -> None:
    _bill(invoiced, company="Inna Nazwa sp. z o.o.")
    retry_purpose(invoiced, buyer_purpose(invoiced))
    refund(invoiced, ONE_MUG)
    invoiced.run()
    said = parsed(corrections(invoiced)[-1])
    assert said.total < 0
    assert said.buyer.name == "Inna Nazwa sp. z o.o."
    assert said.correction is not None
    assert said.correction.previous_buyers == ()


def test_a_wrong_nip_becomes_a_correction_to_zero_and_a_new_invoice(invoiced: World) -> None:
    old = invoiced.by_order()["15"]
    set_nip(invoiced, RIGHT_NIP)
    retry_purpose(invoiced, buyer_purpose(invoiced))
    assert states(invoiced) == {
        "replaced-1/invoice": "published",
        "replaced-1/wrong-buyer": "published",
        "invoice": "published",
    }
    zero = next(one for one in invoiced.documents() if one.purpose == "replaced-1/wrong-buyer")
    new = invoiced.by_order()["15"]
    assert parsed(zero).total == -parsed(old).total
    assert parsed(zero).buyer.tax_id == parsed(old).buyer.tax_id
    assert parsed(new).buyer.tax_id == TaxId.nip(RIGHT_NIP)
    assert parsed(new).total == parsed(old).total
    assert new.number != old.number
    # the order's metadata name the invoice that counts
    shown = {field["key"]: field["value"] for field in invoiced.in_shop(ORDER)["meta_data"]}
    assert shown["_ksef_number"] == new.ksef_number
    assert len(invoiced.in_ksef()) == 3


def test_a_refund_of_a_replaced_invoice_corrects_the_new_one(invoiced: World) -> None:
    set_nip(invoiced, RIGHT_NIP)
    retry_purpose(invoiced, buyer_purpose(invoiced))
    refund(invoiced, ONE_MUG)
    invoiced.run()
    (made,) = [one for one in invoiced.documents() if one.purpose.startswith("refund:")]
    assert made.state == "published"
    said = parsed(made).correction
    assert said is not None
    assert [one.ksef_number for one in said.originals] == [invoiced.by_order()["15"].ksef_number]


def test_a_cancellation_that_a_person_closed_does_not_stop_the_replacement(invoiced: World) -> None:
    """The order was cancelled by mistake before; the correction to zero is issued all the same."""
    for status in ("cancelled", "processing"):
        invoiced.clock.sleep(60)
        invoiced.shop.state.change(ORDER, status=status)
        invoiced.run()
        if status == "cancelled":
            close(invoiced, "cancellation")
    set_nip(invoiced, RIGHT_NIP)
    retry_purpose(invoiced, buyer_purpose(invoiced))
    assert states(invoiced)["replaced-1/wrong-buyer"] == "published"
    assert states(invoiced)["invoice"] == "published"


def test_what_was_cancelled_with_a_replaced_invoice_cannot_be_retried(invoiced: World) -> None:
    """A refund that asked a person when the invoice was replaced: it has no invoice to correct any more."""
    set_policy(invoiced, StorePolicy(recipients=Recipients.EVERYONE, corrections=Corrections.ASK))
    refund(invoiced, ONE_MUG)
    invoiced.run()
    set_nip(invoiced, RIGHT_NIP)
    retry_purpose(invoiced, buyer_purpose(invoiced))
    (cancelled,) = [one for one in invoiced.documents() if one.purpose.startswith("replaced-1/refund:")]
    assert cancelled.state == "cancelled"
    with pytest.raises(NothingToRetry):
        retry(invoiced, cancelled.id)


def test_a_second_wrong_nip_is_replaced_once_more(invoiced: World) -> None:
    for nip in (RIGHT_NIP, "5260250274"):
        set_nip(invoiced, nip)
        retry_purpose(invoiced, buyer_purpose(invoiced))
    assert set(states(invoiced)) == {
        "replaced-1/invoice",
        "replaced-1/wrong-buyer",
        "replaced-2/invoice",
        "replaced-2/wrong-buyer",
        "invoice",
    }
    assert sum(parsed(one).total for one in invoiced.documents()) == parsed(invoiced.by_order()["15"]).total


def test_a_buyer_who_is_changed_back_leaves_nothing_to_decide(invoiced: World) -> None:
    before = invoiced.shop.state.order(ORDER)["billing"]["company"]
    _bill(invoiced, company="Inna Nazwa sp. z o.o.")
    _bill(invoiced, company=before)
    assert [one.state for one in corrections(invoiced)] == ["cancelled"]
    assert len(invoiced.in_ksef()) == 1


def test_a_buyer_who_is_changed_twice_is_corrected_twice(invoiced: World) -> None:
    """And back to the first name: each time a person says so."""
    first = invoiced.shop.state.order(ORDER)["billing"]["company"]
    for name in ("Inna Nazwa sp. z o.o.", first):
        _bill(invoiced, company=name)
        (open_one,) = [one for one in corrections(invoiced) if one.state == "attention"]
        retry_purpose(invoiced, open_one.purpose)
        assert parsed(corrections(invoiced)[-1]).buyer.name == name
    assert [one.state for one in corrections(invoiced)] == ["published", "published"]


def test_what_a_person_closed_does_not_ask_again(invoiced: World) -> None:
    _bill(invoiced, company="Inna Nazwa sp. z o.o.")
    close(invoiced, buyer_purpose(invoiced))
    _bill(invoiced, phone="600 100 200")
    assert [one.state for one in corrections(invoiced)] == ["cancelled"]


def test_a_new_telephone_number_is_no_change_of_the_invoice(invoiced: World) -> None:
    _bill(invoiced, phone="600 100 200", email="inny@example.com")
    assert corrections(invoiced) == []


def test_no_policy_corrects_a_buyer_unasked(invoiced: World) -> None:
    set_policy(invoiced, StorePolicy(recipients=Recipients.EVERYONE, corrections=Corrections.AUTOMATIC))
    _bill(invoiced, company="Inna Nazwa sp. z o.o.")
    assert [one.state for one in corrections(invoiced)] == ["attention"]


def test_a_broken_nip_asks_for_its_correction_in_the_shop(invoiced: World) -> None:
    set_nip(invoiced, "1234567890")
    retry_purpose(invoiced, buyer_purpose(invoiced))
    (asking,) = corrections(invoiced)
    assert asking.state == "attention"
    assert reasons(asking) != ["correction-needed"]
    assert len(invoiced.in_ksef()) == 1


def test_a_refused_correction_to_zero_keeps_the_new_invoice_and_can_be_retried(invoiced: World) -> None:
    set_nip(invoiced, RIGHT_NIP)
    refuse(invoiced)
    retry_purpose(invoiced, buyer_purpose(invoiced))
    assert states(invoiced)["replaced-1/wrong-buyer"] == "rejected"
    assert states(invoiced)["invoice"] == "published"
    retry_purpose(invoiced, "replaced-1/wrong-buyer")
    assert states(invoiced)["replaced-1/wrong-buyer"] == "published"
