"""The rule book over real parts: decisions are kept, followed, and explained."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from connector_app.commands.root import root
from connector_app.pipeline.deciding import settle_store
from connector_app.policies import Place, Recipients, StorePolicy, Trigger
from connector_app.store.models import Store
from sandbox.ksef.state import Settings
from tests.pipeline.refunds import ONE_MUG, corrections, reasons, refund, refuse, retry, set_policy
from tests.pipeline.world import World, recorded, world

A_WHILE = timedelta(minutes=2)


def order(number: int, **changes: Any) -> dict[str, Any]:
    """A recorded order with a NIP, for 246.55 PLN."""
    return recorded("order_full", id=number, number=str(number)) | changes


@pytest.fixture
def one(tmp_path: Path) -> Iterator[World]:
    """One order, nothing run yet."""
    with world(tmp_path, [order(15)]) as made:
        made.prepare()
        yield made


def test_what_was_followed_is_kept_with_the_invoice(one: World) -> None:
    """Rule, basis, dates and day; a later change of the policy changes nothing of it."""
    one.run()
    (document,) = one.documents()
    assert document.decision is not None
    assert document.decision["rule"] == "business"
    assert document.decision["basis"]["pl"] == "art. 106ga ust. 1 ustawy o VAT"
    assert (document.decision["begins"], document.decision["day"]) == ("2026-04-01", "2026-11-24")
    set_policy(one, StorePolicy(relief=True))
    settle_store(one.services(), 1)
    one.run()
    (again,) = one.documents()
    assert (again.state, again.decision) == ("published", document.decision)


def test_the_relief_counts_what_it_left_outside_and_the_next_goes_to_ksef(tmp_path: Path) -> None:
    """40 times 246.55 fit into 10 000 PLN, the others do not; the month after begins anew."""
    with world(tmp_path, [order(100 + one) for one in range(42)]) as made:
        made.prepare()
        set_policy(made, StorePolicy(relief=True))
        made.run()
        found = made.by_order()
        outside = [row for row in found.values() if row.state == "waiting"]
        assert len(outside) == int(Decimal(10_000) / Decimal("246.55")) == 40
        assert {row.relief_month for row in outside} == {"2026-11"}
        assert len(made.in_ksef()) == 2
        inside = [row.decision["rule"] for row in found.values() if row.state == "published" and row.decision]
        assert inside == ["relief-used-up"] * 2
        made.clock.sleep(8 * 86_400)
        made.shop.state.add_orders([order(900)], {})
        made.shop.state.touch(900)
        made.run()
        assert (made.by_order()["900"].state, made.by_order()["900"].relief_month) == ("waiting", "2026-12")


def test_what_another_program_invoices_is_not_silently_invoiced_again(one: World) -> None:
    """Left outside in November; a change of the order keeps it so, and in 2027 a person is asked."""
    set_policy(one, StorePolicy(relief=True))
    one.run()
    one.clock.sleep(60)
    one.shop.state.change(15, customer_note="Proszę zadzwonić")
    one.run()
    (document,) = one.documents()
    assert (document.state, document.relief_month) == ("waiting", "2026-11")
    assert one.in_ksef() == []
    one.clock.sleep(40 * 86_400)
    one.shop.state.change(15, customer_note="Dziękuję")
    one.run()
    (document,) = one.documents()
    assert reasons(document) == ["was-outside-ksef"]
    assert one.in_ksef() == []
    retry(one, document.id)
    one.run()
    (document,) = one.documents()
    assert (document.state, document.relief_month) == ("published", None)
    assert document.decision is not None
    assert (document.decision["rule"], document.decision["day"]) == (
        "business",
        document.issued_on and str(document.issued_on),
    )


def test_what_was_left_outside_and_called_off_comes_back_as_it_was(one: World) -> None:
    """Cancelled: no invoice is due; reinstated: the other program's invoice still counts."""
    set_policy(one, StorePolicy(relief=True))
    one.run()
    for status, state in (("cancelled", "cancelled"), ("processing", "waiting")):
        one.clock.sleep(60)
        one.shop.state.change(15, status=status)
        one.run()
        (document,) = one.documents()
        assert (document.state, document.relief_month) == (state, "2026-11")
    assert one.in_ksef() == []


def test_an_order_is_invoiced_so_many_days_after_it_was_paid(one: World) -> None:
    """Nothing in the shop changes: the day comes by itself."""
    with one.services().database.begin() as session:
        session.get_one(Store, 1).policy = StorePolicy(after_days=10).as_json()
    one.shop.state.change(15, date_paid_gmt="2026-11-20T10:00:00")
    one.run(A_WHILE)
    (document,) = one.documents()
    assert document.state == "waiting"
    assert document.next_attempt_at is not None
    one.clock.sleep(4 * 86_400)
    one.run(A_WHILE)
    assert [row.state for row in one.documents()] == ["waiting"]
    one.clock.sleep(2 * 86_400)
    one.run()
    assert [row.state for row in one.documents()] == ["published"]


def test_a_changed_policy_decides_anew_about_what_was_not_invoiced(one: World) -> None:
    """Waiting for completion, then not any more; and before the start, then not any more."""
    set_policy(one, StorePolicy(trigger=Trigger.COMPLETED))
    one.shop.state.change(15, status="processing")
    one.run()
    assert [row.state for row in one.documents()] == ["waiting"]
    set_policy(one, StorePolicy(consumers=Place.OUTSIDE))
    assert settle_store(one.services(), 1) == 1
    assert [row.state for row in one.documents()] == ["ready"]
    assert settle_store(one.services(), 1) == 0
    one.run()
    assert [row.state for row in one.documents()] == ["published"]


def test_a_large_refund_asks_where_small_ones_go_by_themselves(one: World) -> None:
    """The limit is the merchant's; the correction keeps which rule it followed."""
    set_policy(one, StorePolicy(corrections_limit=Decimal("1.00")))
    one.run()
    one.clock.sleep(60)
    refund(one, ONE_MUG)
    one.run()
    (asked,) = corrections(one)
    assert asked.state == "attention"
    assert asked.decision is not None
    assert asked.decision["rule"] == "correction-asked"


def test_the_merchant_is_told_of_each_refusal_once_and_the_buyer_never(one: World) -> None:
    """A private note with KSeF's reason; a second refusal of what was made anew is told as well."""
    refuse(one)
    one.run()
    (document,) = one.documents()
    assert document.state == "rejected"
    one.clock.sleep(3600)
    assert one.run().worked == 0
    refuse(one)
    retry(one, document.id)
    one.run()
    seen = one.in_shop(15)
    told = [note for note in seen["notes"] if "KSeF nie przyjął dokumentu FV/2026/11/0001" in note["note"]]
    assert [note["customer_note"] for note in told] == [False, False]
    assert seen["emails"] == []
    retry(one, document.id)
    one.run()
    assert [row.state for row in one.documents()] == ["published"]


def test_a_refused_document_whose_order_is_gone_stands_before_no_other(tmp_path: Path) -> None:
    """There is no order to write to: the others are told all the same, and it is not tried for ever."""
    with world(tmp_path, [order(14)]) as made:
        made.prepare()
        made.run()  # signed in
        made.ksef.state.settings = Settings(processing_seconds=600)
        made.ksef.state.faults.add("refuse_code", "POST .*/invoices$", times=2, value=450)
        made.shop.state.add_orders([order(15), order(16)], {})
        for number in (15, 16):
            made.shop.state.touch(number)
        made.clock.sleep(60)
        made.run(A_WHILE)
        assert [made.by_order()[number].state for number in ("15", "16")] == ["sent", "sent"]
        del made.shop.state.orders[15]
        made.run()
        assert [made.by_order()[number].state for number in ("15", "16")] == ["rejected", "rejected"]
        assert sum("KSeF nie przyjął" in note["note"] for note in made.in_shop(16)["notes"]) == 1
        made.clock.sleep(3600)
        assert made.run().worked == 0


def test_own_texts_reach_the_shop_in_the_buyers_language(one: World) -> None:
    """The merchant's note stays in the store's language."""
    with one.services().database.begin() as session:
        session.get_one(Store, 1).texts = {
            "buyer.accepted": {"en": "Your number is {ksef_number}.\nPDF: {pdf_link}"},
            "merchant.accepted": {"pl": "Numer {ksef_number}, zamówienie {order_number}."},
        }
    stored = recorded("order_full")
    one.shop.state.change(
        15, meta_data=[*stored["meta_data"], {"id": 9, "key": "wpml_language", "value": "en"}]
    )
    one.run()
    (document,) = one.documents()
    private, public = (note["note"] for note in one.in_shop(15)["notes"][-2:])
    assert private == f"Numer {document.ksef_number}, zamówienie 15."
    assert public == f"Your number is {document.ksef_number}."
    one.clock.sleep(3600)
    assert one.run().worked == 0


def why(made: World, monkeypatch: pytest.MonkeyPatch, *words: str, lang: str = "pl") -> str:
    """``documents why`` on the installation of a world."""
    monkeypatch.setenv("KSEF_CONNECTOR_HOME", str(made.home))
    result = CliRunner().invoke(root, ["--lang", lang, "documents", "why", *words])
    assert result.exit_code == 0, result.output
    return result.output


def test_why_says_what_was_followed_and_what_changes_on_new_years_day(
    one: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A receipt with a NIP is an invoice until the end of 2026."""
    set_policy(one, StorePolicy(receipts=True, recipients=Recipients.EVERYONE))
    one.run()
    said = why(one, monkeypatch, "15", "--on", "2026-11-24")
    assert "bez faktury; reguła receipt-with-nip: art. 106e ust. 5 pkt 3, art. 145n ustawy o VAT" in said
    assert "do 2026-12-31" in said
    assert "Od 1 stycznia 2027: do KSeF; reguła business: art. 106ga ust. 1 ustawy o VAT" in said
    assert one.in_ksef() == []
    later = why(one, monkeypatch, "15", "--on", "2027-01-01", lang="en")
    assert "On 1 January 2027: to KSeF; rule business" in later
    assert "\nFrom" not in later


def test_why_says_nothing_of_days_that_change_nothing(one: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A firm's invoice goes to KSeF before and after."""
    one.run()
    said = why(one, monkeypatch, "15", "--store", "test", "--on", "2026-11-24")
    assert "FV/2026/11/0001; 2026-11-24 przyjęto: do KSeF; reguła business" in said
    assert "Od 1 stycznia" not in said
    found = json.loads(why(one, monkeypatch, "15", "--json", "--on", "2026-11-24"))
    assert found["documents"][0]["followed"]["rule"] == "business"
    assert (found["answer"]["rule"], found["later"]) == ("business", [])


def test_why_shows_the_count_of_the_relief(one: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """How much of the month's 10 000 PLN is used."""
    set_policy(one, StorePolicy(relief=True))
    one.run()
    said = why(one, monkeypatch, "15", "--on", "2026-11-30")
    assert "Poza KSeF w tym miesiącu: 246.55 z 10000 zł." in said
    assert "Od 1 stycznia 2027: do KSeF; reguła business" in said


def test_why_explains_an_order_that_is_not_there(one: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sentence and exit code 2, no traceback."""
    monkeypatch.setenv("KSEF_CONNECTOR_HOME", str(one.home))
    result = CliRunner().invoke(root, ["documents", "why", "4711"])
    assert result.exit_code == 2
    assert "Nie ma zamówienia 4711" in result.output
