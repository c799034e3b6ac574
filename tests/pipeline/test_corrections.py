"""Refunds and cancellations after the invoice: each becomes the next correction, once, and it is proven."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from connector_app.pipeline import life
from connector_app.policies import Corrections, Recipients, StorePolicy
from connector_app.store.models import Document
from core.fa import registry, schema
from tests.pipeline.refunds import (
    A_MINUTE,
    ONE_MUG,
    ORDER,
    SHIPPING,
    corrections,
    invoice_under_way,
    parsed,
    reasons,
    refund,
    retry,
    set_policy,
    spread_amounts,
)
from tests.pipeline.world import World, recorded, world

pytestmark = pytest.mark.both_databases


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
