"""What a person orders by hand goes through the pipeline like the rest: once, right, and reversibly."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select

from connector_app.byhand.corrections import (
    next_number,
    order_correction,
    original_of,
    preview,
    state_for,
    withdraw_correction,
)
from connector_app.byhand.orders import (
    NotPossible,
    enter_buyer,
    order_invoice,
    standing,
    withdraw_order,
)
from connector_app.byhand.plans import buyer_plan, lines_plan, zero_plan
from connector_app.pipeline import life
from connector_app.pipeline.deciding import settle_store
from connector_app.policies import Place, Recipients, StorePolicy
from connector_app.store.models import Document, ShopOrder, Store
from connector_app.store.overrides import EnteredBuyer
from core.fa import registry, schema
from core.findings import has_errors
from core.invoices.corrections.restated import Restated
from core.invoices.corrections.state import key_of
from core.invoices.model import CorrectionType, Invoice
from tests.pipeline.kept_world import invoiced_world
from tests.pipeline.refunds import ONE_MUG, ORDER, corrections, parsed, reasons, refund, retry, states
from tests.pipeline.world import World, recorded, world

OFFICE = EnteredBuyer("Zakład Ubezpieczeń", "521-301-72-28", "ul. Szamocka 3", "01-748", "Warszawa")
WHEN = CorrectionType.CORRECTION_DAY


@pytest.fixture
def consumer(tmp_path: Path) -> Iterator[World]:
    """A paid order of a consumer whose invoice the policy leaves to another program."""
    with world(tmp_path, [recorded("order_net_prices_round_per_line")]) as made:
        made.prepare()
        policy(made, consumers=Place.OUTSIDE)
        made.run()
        assert states(made) == {"invoice": "waiting"}
        yield made


@pytest.fixture
def invoiced(tmp_path: Path) -> Iterator[World]:
    """An order with its invoice in KSeF."""
    with invoiced_world(tmp_path) as made:
        yield made


def policy(made: World, **choices: object) -> None:
    """Change the store's rules as the command does."""
    with made.services().database.begin() as session:
        store = session.scalars(select(Store)).one()
        store.policy = StorePolicy(recipients=Recipients.EVERYONE, **choices).as_json()  # type: ignore[arg-type]
        store_id = store.id
    settle_store(made.services(), store_id)


def order(made: World, *confirmed: str) -> Document:
    """A person orders the only order's invoice."""
    with made.services().database.begin() as session:
        row = session.scalars(select(ShopOrder)).one()
        return order_invoice(session, row, confirmed, "ja@sklep.example", made.clock())


def correct(made: World, plan: object, solves: str = "") -> Document:
    """A person orders a correction of the only invoice; ``plan`` makes it from the state."""
    services = made.services()
    with services.database.begin() as session:
        rows = {one.purpose: one for one in session.scalars(select(Document))}
        original = original_of(session, rows["invoice"])
        assert original is not None
        asking = rows[solves] if solves else None
        state, _ = state_for(session, original, asking)
        assert state is not None
        wanted = plan(state)  # type: ignore[operator]
        seen = preview(services, session, original, wanted, asking)
        assert not has_errors(seen.findings), seen.findings
        n = next_number(session, original.order_id)
        return order_correction(
            session, original, wanted, seen.change, "ja@sklep.example", made.clock(), n=n, solves=asking
        )


def less(amount: str, *, place: int = 0, reason: str = "Rabat") -> object:
    """A plan that takes an amount off one line and leaves its quantity."""

    def plan(state: object) -> dict[str, object]:
        line = state.lines[place]  # type: ignore[attr-defined]
        now = line.quantity, line.amount
        return lines_plan({key_of(line): Restated(*now, now[0], now[1] - Decimal(amount))}, reason, WHEN)

    return plan


def left(made: World) -> Decimal:
    """What the invoices and corrections in KSeF say together."""
    return sum((parsed(one).total for one in made.documents() if one.ksef_number), Decimal(0))


def check_official(made: World, official: Path) -> None:
    """Every issued document is valid by the Ministry's schema."""
    for one in made.documents():
        if one.xml is not None:
            declared = registry.schema_for(one.schema_version or "")
            assert schema.check(schema.parse(one.xml), declared, official / "schemas") == []


def test_an_order_left_to_another_program_is_invoiced_once(consumer: World, official_ksef: Path) -> None:
    """After a confirmation; settling the rules anew and further runs change nothing."""
    with pytest.raises(NotPossible):
        order(consumer)
    assert order(consumer, "elsewhere", "unpaid").state == "ready"
    policy(consumer, consumers=Place.OUTSIDE, after_days=7)
    assert states(consumer) == {"invoice": "ready"}
    consumer.shop.state.touch(int(consumer.documents()[0].order.remote_id))
    consumer.run()
    consumer.clock.sleep(60)
    consumer.run()
    assert states(consumer) == {"invoice": "published"}
    assert len(consumer.in_ksef()) == 1
    (document,) = consumer.documents()
    assert document.decision is not None
    assert document.decision["rule"] == "by-person"
    check_official(consumer, official_ksef)
    with pytest.raises(NotPossible):
        order(consumer, "elsewhere", "unpaid")


def test_it_can_be_taken_back_before_it_is_issued(consumer: World) -> None:
    """The other program has the invoice again, under its rule and month."""
    (before,) = consumer.documents()
    order(consumer, "elsewhere", "unpaid")
    with consumer.services().database.begin() as session:
        withdraw_order(session, session.scalars(select(ShopOrder)).one(), consumer.clock())
    consumer.run()
    (document,) = consumer.documents()
    assert (document.state, document.decision) == ("waiting", before.decision)
    assert consumer.in_ksef() == []


def test_a_cancelled_order_is_never_invoiced(consumer: World) -> None:
    """Neither ordered when it is cancelled already, nor when it is cancelled afterwards."""
    order(consumer, "elsewhere", "unpaid")
    number = consumer.documents()[0].order.remote_id
    consumer.clock.sleep(60)
    consumer.shop.state.change(int(number), status="cancelled")
    consumer.run()
    assert states(consumer) == {"invoice": "cancelled"}
    with consumer.services().database() as session:
        found = standing(session, session.scalars(select(ShopOrder)).one(), consumer.clock())
    assert found.refusal is not None
    assert consumer.in_ksef() == []


def test_a_buyer_entered_by_hand_is_on_the_invoice_and_not_in_the_shop(
    tmp_path: Path, official_ksef: Path
) -> None:
    """The order with a broken NIP asks; the right one is entered; the shop's order stays as it was."""
    with invoiced_world(tmp_path, "order_blocks_checkout_with_nip") as made:
        (asks,) = made.documents()
        assert reasons(asks) == ["buyer-tax-id-invalid"]
        with made.services().database.begin() as session:
            row = session.scalars(select(ShopOrder)).one()
            snapshot = row.snapshot
            enter_buyer(session, row, OFFICE, made.clock())
        made.run()
        (document,) = made.documents()
        buyer = parsed(document).buyer
        assert (buyer.tax_id.value, buyer.name) == ("5213017228", OFFICE.name)
        assert document.order.snapshot is not None
        assert snapshot is not None
        assert document.order.snapshot["buyer"] == snapshot["buyer"]
        assert document.state == "published"
        check_official(made, official_ksef)


def test_a_buyer_changed_in_the_shop_after_it_was_entered_asks(tmp_path: Path) -> None:
    """Nothing is issued with either until a person says which is right."""
    with invoiced_world(tmp_path, "order_blocks_checkout_with_nip") as made:
        with made.services().database.begin() as session:
            enter_buyer(session, session.scalars(select(ShopOrder)).one(), OFFICE, made.clock())
        made.clock.sleep(60)
        number = int(made.documents()[0].order.remote_id)
        billing = made.shop.state.orders[number]["billing"]
        made.shop.state.change(number, billing=billing | {"address_1": "ul. Inna 5"})
        made.run()
        (asks,) = made.documents()
        assert reasons(asks) == ["buyer-entered-and-changed"]
        with made.services().database.begin() as session:
            enter_buyer(session, session.scalars(select(ShopOrder)).one(), OFFICE, made.clock())
        made.run()
        (document,) = made.documents()
        assert parsed(document).buyer.name == OFFICE.name


def test_a_discount_by_hand_stands_in_the_chain(invoiced: World, official_ksef: Path) -> None:
    """A refund after it is corrected by itself, and the cancellation takes exactly what is left."""
    whole = left(invoiced)
    made = correct(invoiced, less("5.00"))
    invoiced.run()
    (first,) = corrections(invoiced)
    assert (first.id, first.state, first.purpose) == (made.id, "published", "hand:1")
    correction = parsed(first).correction
    assert correction is not None
    assert (correction.reason, correction.type) == ("Rabat", WHEN)
    assert left(invoiced) == whole - Decimal("5.00")
    refund(invoiced, ONE_MUG)
    invoiced.clock.sleep(60)
    invoiced.run()
    assert states(invoiced)["refund:16"] == "published"
    invoiced.clock.sleep(60)
    invoiced.shop.state.change(ORDER, status="cancelled")
    invoiced.run()
    retry(invoiced, next(one.id for one in invoiced.documents() if one.purpose == "cancellation"))
    invoiced.run()
    assert left(invoiced) == 0
    check_official(invoiced, official_ksef)


def test_a_dearer_line_adds_to_the_invoice(invoiced: World, official_ksef: Path) -> None:
    """Another price, and no discount below zero."""
    whole = left(invoiced)
    correct(invoiced, less("-7.50", reason="Błędna cena"))
    invoiced.run()
    assert left(invoiced) == whole + Decimal("7.50")
    assert states(invoiced)["hand:1"] == "published"
    check_official(invoiced, official_ksef)


def test_a_refund_of_the_amount_that_was_corrected_by_hand_asks(invoiced: World) -> None:
    """It may be the same money; a person closes or retries it."""
    given = Decimal(recorded(ONE_MUG)["amount"])
    correct(invoiced, less(f"{given}"))
    invoiced.run()
    refund(invoiced, ONE_MUG)
    invoiced.clock.sleep(60)
    invoiced.run()
    assert states(invoiced)["refund:16"] == "attention"
    assert len(invoiced.in_ksef()) == 2


def test_a_correction_is_issued_once_and_can_be_withdrawn_before(invoiced: World) -> None:
    """The form sent twice makes one document; withdrawn, nothing reaches KSeF, and retries do nothing."""
    services = invoiced.services()
    first = correct(invoiced, less("1.00"))
    with services.database.begin() as session:
        original = original_of(session, session.get_one(Document, first.id))
        assert original is not None
        again = order_correction(
            session, original, first.plan or {}, Decimal(-1), "ja@sklep.example", invoiced.clock(), n=1
        )
        assert again.id == first.id
        withdraw_correction(again, invoiced.clock())
    with pytest.raises(life.NothingToRetry):
        life.change(services, first.id, lambda row: life.again(row, invoiced.clock()))
    invoiced.run()
    assert states(invoiced)["hand:1"] == "cancelled"
    assert len(invoiced.in_ksef()) == 1


def test_a_changed_total_is_solved_by_the_form(invoiced: World) -> None:
    """The document that asked becomes the correction, and the shop's total is then the invoice's."""
    services = invoiced.services()
    total = Decimal(invoiced.shop.state.orders[ORDER]["total"])
    invoiced.clock.sleep(60)
    lines = invoiced.shop.state.orders[ORDER]["line_items"]
    assert lines
    invoiced.shop.state.change(ORDER, total=f"{total - Decimal('10.00')}")
    invoiced.run()
    (asks,) = corrections(invoiced)
    assert asks.purpose.startswith("change:")
    correct(invoiced, less("10.00", reason="Zmiana zamówienia"), asks.purpose)
    invoiced.run()
    (done,) = corrections(invoiced)
    assert (done.id, done.state, done.total) == (asks.id, "published", Decimal("-10.00"))
    invoiced.clock.sleep(60)
    invoiced.shop.state.touch(ORDER)
    invoiced.run()
    assert len(invoiced.documents()) == 2
    assert len(invoiced.in_ksef()) == 2
    with services.database() as session:
        row = session.get_one(Document, asks.id)
    assert row.plan is not None


def test_to_zero_and_a_stale_plan(invoiced: World) -> None:
    """What was planned against another state is not issued."""
    plan = correct(invoiced, lambda state: zero_plan(state.total, "Anulowanie sprzedaży", WHEN))
    with invoiced.services().database.begin() as session:
        row = session.get_one(Document, plan.id)
        row.plan = {**(row.plan or {}), "left": "1.00"}
    invoiced.run()
    (stale,) = corrections(invoiced)
    assert reasons(stale) == ["correction-stale"]
    correct(invoiced, lambda state: zero_plan(state.total, "Anulowanie sprzedaży", WHEN), "hand:1")
    invoiced.run()
    assert left(invoiced) == 0


def test_a_wrong_address_and_a_wrong_nip_by_hand(invoiced: World, official_ksef: Path) -> None:
    """The address is corrected with Podmiot2K; another NIP gives a correction to zero and a new invoice."""
    before = parsed(invoiced.documents()[0]).buyer
    moved = EnteredBuyer(before.name, before.tax_id.value, "ul. Nowa 7", "00-001", "Warszawa")
    correct(invoiced, lambda _state: buyer_plan(moved, "Zmiana adresu"))
    invoiced.run()
    (first,) = corrections(invoiced)
    seen: Invoice = parsed(first)
    assert seen.correction is not None
    assert [one.address for one in seen.correction.previous_buyers] == [before.address]
    assert seen.buyer.address is not None
    assert seen.buyer.address.line1 == "ul. Nowa 7"
    correct(invoiced, lambda _state: buyer_plan(OFFICE, "Błędny NIP"))
    invoiced.run()
    invoiced.run()
    rows = {one.purpose: one for one in invoiced.documents()}
    assert set(rows) == {
        "replaced-1/invoice",
        "replaced-1/hand:1",
        "replaced-1/wrong-buyer",
        "invoice",
    }
    assert {one.state for one in rows.values()} == {"published"}
    assert parsed(rows["invoice"]).buyer.tax_id.value == "5213017228"
    assert parsed(rows["replaced-1/wrong-buyer"]).total == -parsed(rows["replaced-1/invoice"]).total
    check_official(invoiced, official_ksef)


def test_a_refund_without_lines_is_solved_by_its_lines(invoiced: World) -> None:
    """The correction has to be the refund; another amount is refused, and the shop is not asked for lines."""
    given = refund(invoiced, "refund_amount_only")
    invoiced.clock.sleep(60)
    invoiced.run()
    (asks,) = corrections(invoiced)
    assert asks.state == "attention"
    services = invoiced.services()
    amount = Decimal(given["amount"])
    with services.database() as session:
        row = session.get_one(Document, asks.id)
        original = original_of(session, row)
        assert original is not None
        state, _ = state_for(session, original, row)
        wrong = preview(services, session, original, less("0.01")(state), row)  # type: ignore[operator]
    assert "correction-is-not-the-refund" in {one.code for one in wrong.findings}
    correct(invoiced, less(f"{amount}", reason="Zwrot"), asks.purpose)
    invoiced.run()
    (done,) = corrections(invoiced)
    assert (done.id, done.state, done.total) == (asks.id, "published", -amount)
    invoiced.clock.sleep(60)
    invoiced.shop.state.touch(ORDER)
    invoiced.run()
    assert len(invoiced.in_ksef()) == 2


def test_a_withdrawn_answer_asks_again(invoiced: World) -> None:
    """The document that asked has its reasons back, and nothing was issued."""
    refund(invoiced, "refund_amount_only")
    invoiced.clock.sleep(60)
    invoiced.run()
    (asks,) = corrections(invoiced)
    planned = correct(invoiced, less(f"{-(asks.total or 0)}", reason="Zwrot"), asks.purpose)
    with invoiced.services().database.begin() as session:
        withdraw_correction(session.get_one(Document, planned.id), invoiced.clock())
    invoiced.run()
    (again,) = corrections(invoiced)
    assert (again.state, again.attention, again.plan) == ("attention", asks.attention, None)
    assert len(invoiced.in_ksef()) == 1


def test_an_order_that_goes_on_after_zero_gets_its_invoice_back(invoiced: World) -> None:
    """Cancelled, corrected to zero, reinstated in the shop: the form brings the lines back, once."""
    whole = left(invoiced)
    (invoice,) = invoiced.documents()
    lines = parsed(invoice).lines
    invoiced.clock.sleep(60)
    invoiced.shop.state.change(ORDER, status="cancelled")
    invoiced.run()
    retry(invoiced, next(one.id for one in invoiced.documents() if one.purpose == "cancellation"))
    invoiced.run()
    assert left(invoiced) == 0
    invoiced.clock.sleep(60)
    invoiced.shop.state.change(ORDER, status="processing")
    invoiced.run()
    assert states(invoiced)["reinstated"] == "attention"

    def back(_state: object) -> dict[str, object]:
        nothing = Decimal(0)
        restated = {
            key_of(one): Restated(nothing, nothing, one.quantity or nothing, one.amount or nothing)
            for one in lines
        }
        return lines_plan(restated, "Wznowienie zamówienia", WHEN)

    correct(invoiced, back, "reinstated")
    invoiced.run()
    assert left(invoiced) == whole
    invoiced.clock.sleep(60)
    invoiced.shop.state.touch(ORDER)
    invoiced.run()
    assert set(states(invoiced).values()) == {"published"}
