"""Refunds and cancellations after the invoice: each becomes the next correction, once, and it is proven."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connector_app.pipeline import life
from connector_app.policies import Corrections, Recipients, StorePolicy
from connector_app.store.models import Document, Seller, Store
from core.fa import registry, schema
from core.fa.read import read
from core.invoices.model import Invoice
from sandbox.ksef.state import Settings
from tests.pipeline.world import World, recorded, world

ORDER = 15
ONE_MUG = "refund_partial_line_created"
SHIPPING = "refund_shipping_only"
A_MINUTE = timedelta(minutes=1)


@pytest.fixture
def invoiced(tmp_path: Path) -> Iterator[World]:
    """One order whose invoice is accepted."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        made.run()
        made.clock.sleep(60)
        yield made


@contextmanager
def invoice_under_way(home: Path) -> Iterator[World]:
    """KSeF works on the invoice of the order for half an hour."""
    with world(home, [recorded("order_net_prices_round_per_line")]) as made:
        made.prepare()
        made.run()
        made.ksef.state.settings = Settings(processing_seconds=1800)
        made.clock.sleep(60)
        made.shop.state.add_orders([recorded("order_full")], {})
        made.shop.state.touch(ORDER)
        made.run(A_MINUTE)
        assert made.by_order()["15"].state == "sent"
        yield made


def corrections(made: World) -> list[Document]:
    """All documents but the invoice, oldest first."""
    return [one for one in made.documents() if one.purpose != "invoice"]


def parsed(document: Document) -> Invoice:
    """What the stored XML says."""
    return read(schema.parse(document.xml or b"")).invoice


def reasons(document: Document) -> list[str]:
    """Codes of what a person is asked."""
    return [reason["code"] for reason in document.attention or []]


def refund(made: World, name: str, **changes: Any) -> dict[str, Any]:
    """Give money back in the shop."""
    given = recorded(name, **changes)
    made.shop.state.add_refund(ORDER, given)
    return given


def retry(made: World, document_id: int) -> None:
    """Ask for another try as ``documents retry`` does."""
    services = made.services()
    life.change(services, document_id, lambda row: life.again(row, services.clock()))


def set_policy(made: World, policy: StorePolicy) -> None:
    """Change the store's rules."""
    with made.services().database.begin() as session:
        session.get_one(Store, 1).policy = policy.as_json()


def spread_amounts(made: World) -> None:
    """Change the seller's settings, as a second ``seller add`` does."""
    with made.services().database.begin() as session:
        seller = session.get_one(Seller, 1)
        seller.profile = {**seller.profile, "corrections": {"amount_only": "spread"}}


@pytest.mark.parametrize("version", ["FA2", "FA3"])
def test_a_refund_by_lines_becomes_a_correction(tmp_path: Path, official_ksef: Path, version: str) -> None:
    """KSeF accepts a KOR that names the invoice, satisfies the official XSD and gives back the amount."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare(schema=version)
        made.run()
        made.clock.sleep(60)
        given = refund(made, ONE_MUG)
        assert made.run().problems == []
        (correction,) = corrections(made)
        invoice = made.by_order()["15"]
        assert (correction.state, correction.kind, correction.number) == (
            "published",
            "KOR",
            "KOR/2026/11/0001",
        )
        assert len(made.in_ksef()) == 2
    declared = registry.schema_for(version)
    assert schema.check(schema.parse(correction.xml or b""), declared, official_ksef / "schemas") == []
    seen = parsed(correction)
    assert seen.total == -Decimal(given["amount"]) == correction.total
    assert seen.correction is not None
    (corrected,) = seen.correction.originals
    assert (corrected.number, corrected.ksef_number, corrected.issued_on) == (
        invoice.number,
        invoice.ksef_number,
        invoice.issued_on,
    )


def test_the_shop_is_told_and_keeps_the_invoices_number(invoiced: World) -> None:
    """Merchant and buyer read the correction's numbers; the order's own fields stay those of the invoice."""
    refund(invoiced, ONE_MUG)
    invoiced.run()
    (correction,) = corrections(invoiced)
    invoice = invoiced.by_order()["15"]
    seen = invoiced.in_shop(ORDER)
    told = [note for note in seen["notes"] if str(correction.ksef_number) in note["note"]]
    assert [note["customer_note"] for note in told] == [False, True]
    assert "fakturę korygującą KOR/2026/11/0001" in told[0]["note"]
    assert "Faktura korygująca KOR/2026/11/0001" in told[1]["note"]
    metadata = {one["key"]: one["value"] for one in seen["meta_data"]}
    assert metadata["_ksef_number"] == invoice.ksef_number
    assert metadata["_ksef_invoice_number"] == invoice.number


def test_the_next_correction_stands_on_the_one_before(invoiced: World) -> None:
    """Two refunds give two corrections that together give back both amounts; three runs change nothing."""
    first = refund(invoiced, ONE_MUG)
    invoiced.run()
    invoiced.clock.sleep(60)
    second = refund(invoiced, SHIPPING)
    for _ in range(3):
        invoiced.run()
        invoiced.clock.sleep(3600)
    found = corrections(invoiced)
    assert [one.number for one in found] == ["KOR/2026/11/0001", "KOR/2026/11/0002"]
    assert [one.state for one in found] == ["published", "published"]
    assert [one.total for one in found] == [-Decimal(first["amount"]), -Decimal(second["amount"])]
    assert len(invoiced.in_ksef()) == 3


def test_refunds_that_come_together_are_corrected_one_after_the_other(invoiced: World) -> None:
    """The second waits for the first to be accepted, and says so; then it goes by itself."""
    refund(invoiced, ONE_MUG)
    refund(invoiced, SHIPPING)
    waited: list[str] = []

    def watch(document: Document) -> None:
        if document.state == "waiting" and document.purpose != "invoice":
            waited.append(document.waiting_for or "")

    invoiced.watch = watch
    invoiced.run()
    assert [one.state for one in corrections(invoiced)] == ["published", "published"]
    assert len(waited) == 1
    assert "KOR/2026/11/0001" in waited[0]


def test_the_same_unit_cannot_be_given_back_twice(invoiced: World) -> None:
    """A refund of more than is left asks a person, and no document leaves."""
    for number in range(4):
        refund(invoiced, ONE_MUG, id=500 + number)
    invoiced.run()
    found = corrections(invoiced)
    assert [one.state for one in found] == ["published"] * 3 + ["attention"]
    assert reasons(found[-1])
    assert len(invoiced.in_ksef()) == 4


def test_a_refund_while_the_invoice_is_under_way_waits(tmp_path: Path) -> None:
    """The invoice has no KSeF number yet: the correction takes no number, and goes once there is one."""
    with invoice_under_way(tmp_path) as made:
        refund(made, ONE_MUG)
        made.run(A_MINUTE)
        (correction,) = corrections(made)
        assert (correction.state, correction.number) == ("waiting", None)
        assert "KSeF" in (correction.waiting_for or "")
        made.clock.sleep(3600)
        made.run(timedelta(hours=2))
        (correction,) = corrections(made)
        assert (correction.state, correction.number) == ("published", "KOR/2026/11/0001")


def test_a_correction_of_a_refused_invoice_waits_for_it(tmp_path: Path) -> None:
    """Nothing is corrected that KSeF never took, and waiting costs no work."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        made.ksef.state.faults.add("refuse_code", "POST .*/invoices$", value=430)
        made.run()
        assert made.by_order()["15"].state == "rejected"
        refund(made, ONE_MUG)
        made.run()
        (correction,) = corrections(made)
        assert (correction.state, correction.number) == ("waiting", None)
        assert made.run().worked == 0
        retry(made, made.by_order()["15"].id)
        made.shop.state.refunds[ORDER].clear()
        made.shop.state.change(ORDER, refunds=[])
        made.run()
        assert [one.state for one in made.documents()] == ["published", "cancelled"]


def test_a_refused_correction_lets_the_next_one_go_once_it_is_closed(invoiced: World) -> None:
    """KSeF refuses the first, so the second waits; a person closes the first, and the second goes."""
    refund(invoiced, ONE_MUG)
    refund(invoiced, SHIPPING)
    invoiced.ksef.state.faults.add("refuse_code", "POST .*/invoices$", value=450)
    invoiced.run()
    assert [one.state for one in corrections(invoiced)] == ["rejected", "waiting"]
    services = invoiced.services()
    first = corrections(invoiced)[0].id
    life.change(services, first, lambda row: life.close(row, services.clock()))
    invoiced.run()
    found = corrections(invoiced)
    assert [one.state for one in found] == ["cancelled", "published"]
    assert found[1].total == Decimal("-19.00")


def test_a_refused_correction_is_made_anew_under_its_number(invoiced: World) -> None:
    """A retry after a refusal of the content builds it again; nothing is corrected twice."""
    refund(invoiced, ONE_MUG)
    invoiced.ksef.state.faults.add("refuse_code", "POST .*/invoices$", value=450)
    invoiced.run()
    (refused,) = corrections(invoiced)
    assert (refused.state, refused.number) == ("rejected", "KOR/2026/11/0001")
    retry(invoiced, refused.id)
    invoiced.run()
    (correction,) = corrections(invoiced)
    assert (correction.state, correction.number) == ("published", "KOR/2026/11/0001")


def test_an_amount_without_lines_asks_a_person(invoiced: World) -> None:
    """The split by rate is not known: nothing is guessed, nothing is sent."""
    refund(invoiced, "refund_amount_only")
    invoiced.run()
    (correction,) = corrections(invoiced)
    assert (correction.state, correction.number, reasons(correction)) == (
        "attention",
        None,
        ["refund-without-lines"],
    )
    assert len(invoiced.in_ksef()) == 1


@pytest.mark.parametrize("how", ["lines", "amount"])
def test_a_whole_order_given_back_leaves_nothing(tmp_path: Path, how: str) -> None:
    """The shop calls the order refunded: all of the invoice is taken back, even when no lines are named."""
    name = f"order_full_refunded_by_{how}"
    order = recorded(name, status="processing", refunds=[])
    # as recorded it has a company without a NIP, which asks a person
    order["billing"]["company"] = ""
    order_id = int(order["id"])
    with world(tmp_path, [order]) as made:
        made.prepare()
        made.run()
        made.clock.sleep(60)
        made.shop.state.add_refund(order_id, recorded(f"refund_full_by_{how}"))
        made.shop.state.change(order_id, status="refunded")
        assert made.run().problems == []
        (correction,) = corrections(made)
        assert (correction.state, correction.total) == ("published", Decimal("-124.62"))
        assert {line.quantity for line in parsed(correction).lines if not line.before} == {Decimal(0)}
        assert made.run().worked == 0


def test_a_seller_who_said_so_spreads_amounts_by_rate(invoiced: World) -> None:
    """With ``amount_only = "spread"`` a retry issues the correction to the grosz."""
    given = refund(invoiced, "refund_amount_only")
    invoiced.run()
    (asked,) = corrections(invoiced)
    spread_amounts(invoiced)
    retry(invoiced, asked.id)
    invoiced.run()
    (correction,) = corrections(invoiced)
    assert (correction.state, correction.total) == ("published", -Decimal(given["amount"]))
    assert len(parsed(correction).lines) > 1


def test_a_deleted_refund_is_not_corrected(tmp_path: Path) -> None:
    """The merchant took the refund back before its correction was issued."""
    with invoice_under_way(tmp_path) as made:
        refund(made, ONE_MUG)
        made.run(A_MINUTE)
        made.shop.state.refunds[ORDER].clear()
        made.shop.state.change(ORDER, refunds=[])
        made.clock.sleep(3600)
        made.run(timedelta(hours=2))
        (correction,) = corrections(made)
        assert (correction.state, correction.number) == ("cancelled", None)
        assert len(made.in_ksef()) == 2


def test_a_refund_deleted_after_its_correction_is_taken_back_once_a_person_says_so(invoiced: World) -> None:
    """The shop took back what KSeF already knows: nobody may miss it."""
    refund(invoiced, ONE_MUG)
    invoiced.run()
    invoiced.clock.sleep(60)
    invoiced.shop.state.refunds[ORDER].clear()
    invoiced.shop.state.change(ORDER, refunds=[])
    invoiced.run()
    correction, withdrawn = corrections(invoiced)
    assert (correction.state, withdrawn.state) == ("published", "attention")
    assert withdrawn.total == Decimal("43.62")
    retry(invoiced, withdrawn.id)
    invoiced.run()
    correction, withdrawn = corrections(invoiced)
    assert (withdrawn.state, withdrawn.number) == ("published", "KOR/2026/11/0002")
    assert (correction.total or 0) + (withdrawn.total or 0) == 0


def test_a_cancellation_is_corrected_to_zero_once_a_person_says_so(invoiced: World) -> None:
    """Whether the sale took place only a person knows; after the retry nothing of the invoice is left."""
    refund(invoiced, ONE_MUG)
    invoiced.run()
    invoiced.clock.sleep(60)
    invoiced.shop.state.change(ORDER, status="cancelled")
    invoiced.run()
    _, cancellation = corrections(invoiced)
    assert (cancellation.state, reasons(cancellation)) == ("attention", ["correction-needed"])
    retry(invoiced, cancellation.id)
    invoiced.run()
    found = corrections(invoiced)
    assert [one.state for one in found] == ["published", "published"]
    invoice = invoiced.by_order()["15"]
    assert sum((one.total or Decimal() for one in found), invoice.total or Decimal()) == 0


def test_a_changed_order_is_corrected_by_hand(invoiced: World) -> None:
    """The connector does not guess what was changed; the retry says so."""
    invoiced.shop.state.change(ORDER, total="300.00")
    invoiced.run()
    (changed,) = corrections(invoiced)
    assert changed.state == "attention"
    with pytest.raises(life.NothingToRetry):
        retry(invoiced, changed.id)


def test_a_store_that_asks_first_issues_after_the_answer(tmp_path: Path) -> None:
    """With ``corrections: ask`` a person decides, and the retry issues."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        set_policy(made, StorePolicy(recipients=Recipients.EVERYONE, corrections=Corrections.ASK))
        made.run()
        made.clock.sleep(60)
        refund(made, ONE_MUG)
        made.run()
        (asked,) = corrections(made)
        assert (asked.state, reasons(asked)) == ("attention", ["correction-needed"])
        retry(made, asked.id)
        made.run()
        (correction,) = corrections(made)
        assert correction.state == "published"


def test_a_shop_that_is_down_only_delays(invoiced: World) -> None:
    """The refund's lines cannot be read for a while: no number is used up, then the correction goes."""
    refund(invoiced, ONE_MUG)
    invoiced.shop.fault("http_503", method="GET", path=f"orders/{ORDER}/refunds", times=9)
    invoiced.run()
    (correction,) = corrections(invoiced)
    assert (correction.state, correction.number) == ("published", "KOR/2026/11/0001")


def test_the_proof_adds_up(invoiced: World) -> None:
    """The stored sheet says, rate by rate, that shop and document agree."""
    refund(invoiced, ONE_MUG)
    invoiced.run()
    (correction,) = corrections(invoiced)
    proof = correction.refund_proof or {}
    assert proof["holds"] is True
    assert proof["refunded"] == proof["corrected"] == "43.62"
    assert [rate["rate"] for rate in proof["rates"]] == ["23%"]


def states(made: World) -> dict[str, str]:
    """State by purpose."""
    return {one.purpose: one.state for one in made.documents()}


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
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        made.run()
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
