"""Where decisions of a person meet: none is forgotten, no invoice is lost or doubled by another one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select

from connector_app import guided
from connector_app.byhand.orders import enter_buyer, order_invoice, withdraw_order
from connector_app.byhand.plans import build_plan, buyer_plan
from connector_app.documents import actions
from connector_app.documents.wording import ActionName
from connector_app.pipeline.deciding import settle_store
from connector_app.pipeline.runner import Runner
from connector_app.policies import Recipients, StorePolicy
from connector_app.recovery.linking import link_by_hand
from connector_app.store.models import Document, Seller, ShopOrder, Store
from connector_app.store.overrides import EnteredBuyer
from connector_app.uploads import Outcome, take
from core.ksef.offline import OfflinePolicy
from tests.pipeline.proposing import SAID, approve, propose
from tests.pipeline.refunds import ORDER, corrections, parsed, reasons
from tests.pipeline.test_by_hand import correct, left, less
from tests.pipeline.world import World, recorded, world
from tests.uploads import erp

ME = "ja@sklep.example"
SURE = ("elsewhere", "unpaid", "perhaps", "receipt")
BETTER = erp.xml(erp.invoice(names="15", day=date(2026, 11, 23)))
OFFICE = EnteredBuyer("Zakład Ubezpieczeń", "521-301-72-28", "ul. Szamocka 3", "01-748", "Warszawa")


@pytest.fixture
def taken_in(tmp_path: Path) -> Iterator[World]:
    """One order, ready to be invoiced, and nothing sent."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        Runner(made.services(), sleep=made.clock.sleep).take_in()
        yield made


@pytest.fixture
def uploaded(tmp_path: Path) -> Iterator[World]:
    """An order that asks whether the uploaded file, which KSeF has not seen, is its invoice."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        assert take(made.services(), 1, erp.xml(erp.invoice(names="15")), "a.xml", store=True).document_id
        Runner(made.services(), sleep=made.clock.sleep).take_in()
        assert [one.state for one in made.documents()] == ["issued", "attention"]
        yield made


def do(made: World, name: ActionName, document_id: int) -> None:
    """What a button does."""
    with made.services().database.begin() as session:
        actions.perform(session.get_one(Document, document_id), name, made.clock())


def allowed(made: World, document_id: int) -> set[ActionName]:
    """The buttons of a document."""
    with made.services().database() as session:
        row = session.get_one(Document, document_id)
        return {one.name for one in actions.possible(row) if one.allowed}


def of_shop(session: object) -> ShopOrder:
    """The only order of the shop."""
    query = select(ShopOrder).join(Store).where(Store.code == "test")
    return session.scalars(query).one()  # type: ignore[attr-defined, no-any-return]


def ordered(made: World) -> None:
    """A person orders the invoice on the order's page."""
    with made.services().database.begin() as session:
        order_invoice(session, of_shop(session), SURE, ME, made.clock())


def order_taken_back(made: World) -> None:
    """A person takes that back."""
    with made.services().database.begin() as session:
        withdraw_order(session, of_shop(session), made.clock())


def entered(made: World, buyer: EnteredBuyer | None = OFFICE) -> None:
    """A person enters the buyer."""
    with made.services().database.begin() as session:
        enter_buyer(session, of_shop(session), buyer, made.clock())


def invoice(made: World) -> Document:
    """The invoice of the shop's order."""
    with made.services().database() as session:
        order_id = of_shop(session).id
    return next(one for one in made.documents() if one.purpose == "invoice" and one.order_id == order_id)


def policy(made: World, **choices: object) -> None:
    """Change the store's rules as the page does."""
    with made.services().database.begin() as session:
        store = session.scalars(select(Store).where(Store.code == "test")).one()
        store.policy = StorePolicy(recipients=Recipients.EVERYONE, **choices).as_json()  # type: ignore[arg-type]
        store_id = store.id
    settle_store(made.services(), store_id)


def test_a_buyer_entered_for_a_withdrawn_invoice_does_not_issue_it(taken_in: World) -> None:
    """It is kept for the day when the withdrawal is taken back."""
    do(taken_in, ActionName.WITHDRAW, invoice(taken_in).id)
    entered(taken_in)
    taken_in.run()
    assert (invoice(taken_in).state, taken_in.in_ksef()) == ("cancelled", [])
    do(taken_in, ActionName.RESTORE, invoice(taken_in).id)
    taken_in.run()
    assert parsed(invoice(taken_in)).buyer.name == "Zakład Ubezpieczeń"


def test_a_withdrawn_invoice_stays_so_when_an_order_by_hand_is_taken_back(taken_in: World) -> None:
    """The rules say KSeF; the person said no, and that was said last."""
    do(taken_in, ActionName.WITHDRAW, invoice(taken_in).id)
    ordered(taken_in)
    do(taken_in, ActionName.WITHDRAW, invoice(taken_in).id)
    order_taken_back(taken_in)
    taken_in.run()
    assert (invoice(taken_in).state, taken_in.in_ksef()) == ("cancelled", [])
    assert ActionName.RESTORE in allowed(taken_in, invoice(taken_in).id)


def test_an_order_by_hand_ends_the_withdrawal(taken_in: World) -> None:
    """Called off in the shop and taken up again, it is invoiced: nothing of the withdrawal is left."""
    do(taken_in, ActionName.WITHDRAW, invoice(taken_in).id)
    ordered(taken_in)
    for status in ("cancelled", "processing"):
        taken_in.clock.sleep(60)
        taken_in.shop.state.change(ORDER, status=status)
        Runner(taken_in.services(), sleep=taken_in.clock.sleep).take_in()
    taken_in.run()
    assert (invoice(taken_in).state, len(taken_in.in_ksef())) == ("published", 1)


def test_withdrawn_ordered_withdrawn_restored_with_changes_between_is_one_invoice(taken_in: World) -> None:
    """Other rules, another order and a deletion in between change nothing of it."""
    do(taken_in, ActionName.WITHDRAW, invoice(taken_in).id)
    policy(taken_in, after_days=7)
    ordered(taken_in)
    do(taken_in, ActionName.WITHDRAW, invoice(taken_in).id)
    kept = taken_in.shop.state.orders.pop(ORDER)
    taken_in.clock.sleep(120)
    taken_in.run()
    taken_in.shop.state.orders[ORDER] = kept
    taken_in.shop.state.change(ORDER, customer_note="inna")
    taken_in.run()
    policy(taken_in)
    taken_in.run()
    assert (invoice(taken_in).state, taken_in.in_ksef()) == ("cancelled", [])
    do(taken_in, ActionName.RESTORE, invoice(taken_in).id)
    taken_in.run()
    taken_in.run()
    assert (invoice(taken_in).state, len(taken_in.in_ksef())) == ("published", 1)


def test_an_order_by_hand_taken_back_asks_again_what_was_confirmed_for_it(uploaded: World) -> None:
    """That the uploaded file is another order's was said for the sake of that order only."""
    uploaded.run()
    ordered(uploaded)
    assert invoice(uploaded).state == "ready"
    order_taken_back(uploaded)
    uploaded.run()
    assert (invoice(uploaded).state, reasons(invoice(uploaded))) == ("attention", ["order-perhaps-invoiced"])
    assert len(uploaded.in_ksef()) == 1


def test_a_closed_upload_is_no_withdrawn_invoice(uploaded: World) -> None:
    """There is nothing to restore, and a corrected file still takes its place."""
    document_id = uploaded.documents()[0].id
    refused(uploaded, document_id)
    do(uploaded, ActionName.CLOSE, document_id)
    assert allowed(uploaded, document_id) == set()
    again = take(uploaded.services(), 1, BETTER, "b.xml", store=True)
    assert (again.outcome, again.document_id) == (Outcome.STORED, document_id)
    assert reasons(invoice(uploaded)) == ["order-perhaps-invoiced"]


def test_a_corrected_file_takes_the_place_of_a_linked_one_that_ksef_refused(uploaded: World) -> None:
    """It is the order's invoice as the refused one was."""
    document_id, order_id = uploaded.documents()[0].id, uploaded.documents()[1].order_id
    link_by_hand(uploaded.services(), document_id, order_id)
    refused(uploaded, document_id)
    assert take(uploaded.services(), 1, BETTER, "b.xml", store=True).document_id == document_id
    uploaded.run()
    assert (invoice(uploaded).state, len(uploaded.in_ksef())) == ("published", 1)


def test_a_closed_upload_keeps_no_order_from_its_invoice(uploaded: World) -> None:
    """It was linked before KSeF refused it: once it is closed, the order gets an invoice of its own."""
    document_id, order_id = uploaded.documents()[0].id, uploaded.documents()[1].order_id
    link_by_hand(uploaded.services(), document_id, order_id)
    refused(uploaded, document_id)
    uploaded.run()
    assert uploaded.in_ksef() == []
    do(uploaded, ActionName.CLOSE, document_id)
    uploaded.run()
    assert [one.number for one in uploaded.documents() if one.ksef_number] == ["FV/2026/11/0001"]
    uploaded.run()
    assert len(uploaded.in_ksef()) == 1


def refused(made: World, document_id: int) -> None:
    """KSeF refuses a document for its content."""
    with made.services().database.begin() as session:
        row = session.get_one(Document, document_id)
        row.state, row.refusal_code = "rejected", 450


def test_a_proposal_over_an_entered_buyer_is_what_the_new_invoice_says(taken_in: World) -> None:
    """The buyer that was entered is on the old invoice only."""
    entered(taken_in)
    taken_in.run()
    assert parsed(invoice(taken_in)).buyer.name == "Zakład Ubezpieczeń"
    approve(taken_in, propose(taken_in))
    taken_in.run()
    assert parsed(invoice(taken_in)).buyer.name == SAID.name
    assert invoice(taken_in).state == "published"


def test_a_proposal_without_a_number_keeps_the_number_that_was_entered(taken_in: World) -> None:
    """The shop's own number is not on the invoice, so another address is no reason to replace it."""
    entered(taken_in)
    taken_in.run()
    approve(taken_in, propose(taken_in, replace(SAID, nip="", name="Zakład Ubezpieczeń")))
    taken_in.run()
    (correction,) = corrections(taken_in)
    stated = parsed(correction)
    assert (correction.state, stated.buyer.tax_id.value) == ("published", "5213017228")
    assert stated.buyer.address is not None
    assert stated.buyer.address.line1 == SAID.line1


def test_a_correction_back_to_the_shops_buyer_outlives_an_approved_proposal(taken_in: World) -> None:
    """The last word counts, also when it is the very buyer that the proposal stood for."""
    shop = taken_in.shop.state.orders[ORDER]["billing"]
    shop |= {"first_name": "", "last_name": "", "address_2": "", "state": ""}
    taken_in.clock.sleep(120)
    taken_in.shop.state.touch(ORDER)
    taken_in.run()
    first = parsed(invoice(taken_in)).buyer
    approve(taken_in, propose(taken_in))
    taken_in.run()
    back = EnteredBuyer(
        shop["company"], str(first.tax_id.value), shop["address_1"], shop["postcode"], shop["city"], "PL"
    )
    correct(taken_in, lambda _state: buyer_plan(back, "Pomyłka nabywcy"))
    taken_in.run()
    assert parsed(invoice(taken_in)).buyer.tax_id == first.tax_id
    taken_in.clock.sleep(120)
    taken_in.shop.state.change(ORDER, customer_note="x")
    taken_in.run()
    assert {one.state for one in taken_in.documents()} == {"published"}


def test_a_discount_by_hand_is_not_forgotten_when_its_invoice_is_replaced(taken_in: World) -> None:
    """The new invoice is about the shop's order: a person is asked to write the discount again, or not."""
    taken_in.run()
    correct(taken_in, less("10.00"))
    taken_in.run()
    total = invoice(taken_in).total
    assert total is not None
    approve(taken_in, propose(taken_in))
    taken_in.run()
    (asks,) = [one for one in taken_in.documents() if one.state == "attention"]
    assert (asks.purpose, asks.total, reasons(asks)) == ("hand:2", Decimal("-10.00"), ["hand-made-once-more"])
    correct(taken_in, less("10.00"), solves="hand:2")
    taken_in.run()
    assert {one.state for one in taken_in.documents()} == {"published"}
    assert left(taken_in) == total - Decimal("10.00")


def test_a_discount_by_hand_that_waits_is_not_dropped_with_the_replaced_invoice(taken_in: World) -> None:
    """It was ordered and KSeF does not have it yet: the same question."""
    taken_in.run()
    waits = correct(taken_in, less("10.00"))
    with taken_in.services().database.begin() as session:
        row = session.get_one(Document, waits.id)
        row.next_attempt_at = taken_in.clock() + timedelta(days=3)
    approve(taken_in, propose(taken_in))
    taken_in.run()
    (asks,) = [one for one in taken_in.documents() if one.state == "attention"]
    assert (asks.purpose, asks.total) == ("hand:2", Decimal("-10.00"))


def test_a_plan_that_changed_while_it_was_built_is_not_issued(
    taken_in: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Withdrawn and ordered anew in between: the second plan counts, once."""
    taken_in.run()
    waits = correct(taken_in, less("10.00"))
    calls: list[object] = []

    def changed(plan: object, *rest: object) -> object:
        made = build_plan(plan, *rest)  # type: ignore[arg-type]
        if not calls:
            calls.append(plan)
            with taken_in.services().database.begin() as session:
                row = session.get_one(Document, waits.id)
                row.plan = {**(row.plan or {}), "reason": "Inny powód"}
        return made

    monkeypatch.setattr("connector_app.pipeline.corrections.build_plan", changed)
    taken_in.run()
    (correction,) = corrections(taken_in)
    stated = parsed(correction).correction
    assert stated is not None
    assert (stated.reason, correction.state) == ("Inny powód", "published")


def test_nothing_that_a_person_asks_for_goes_out_before_the_setup_is_finished(tmp_path: Path) -> None:
    """Issued now, ordered by hand, offline, uploaded, retried, enough for a batch: all wait for the start."""
    orders = [recorded("order_full", id=number, number=f"{number}") for number in range(100, 130)]
    with world(tmp_path, [recorded("order_full"), *orders]) as made:
        made.prepare(offline=OfflinePolicy.AUTOMATIC)
        with made.services().database.begin() as session:
            guided.begin(session.get_one(Seller, 1), made.clock())
        policy(made, after_days=7, offline=OfflinePolicy.AUTOMATIC)
        assert take(made.services(), 1, erp.xml(), "a.xml", store=True).document_id
        made.run()
        rows = made.documents()
        assert {one.state for one in rows[1:]} == {"waiting"}
        for one in rows[1:]:
            do(made, ActionName.ISSUE, one.id)
        for one in rows[1:3]:
            do(made, ActionName.ISSUE_OFFLINE, one.id)
        do(made, ActionName.WITHDRAW, rows[3].id)
        with made.services().database.begin() as session:
            order_invoice(session, session.get_one(ShopOrder, rows[3].order_id), SURE, ME, made.clock())
        do(made, ActionName.SEND_AGAIN, rows[0].id)
        made.run()
        assert {one.state for one in made.documents()[1:]} == {"ready"}
        assert (made.in_ksef(), [one.number for one in made.documents() if one.number]) == (
            [],
            ["ERP/7/2026"],
        )
        with made.services().database.begin() as session:
            guided.finish(session.get_one(Seller, 1))
        made.run()
        # those that were to go offline wait for a certificate of that kind
        assert len(made.in_ksef()) == len(rows) - 2
