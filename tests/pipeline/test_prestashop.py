"""A PrestaShop order on its whole way: document, number back, credit slip, correction."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from sandbox.prestashop.recordings import INVOICE_STATE, recorded
from tests.pipeline.presta_world import PrestaWorld, presta_world, without_slips

ORDER, OTHER = 10, 13
PUBLISHING_FAULTS = ("drop_after", "truncate", "cut", "http_500")


@pytest.fixture
def made(tmp_path: Path) -> Iterator[PrestaWorld]:
    """The first recorded order, a seller and a store."""
    with presta_world(tmp_path, without_slips(ORDER)) as world:
        world.prepare()
        yield world


def give_back(made: PrestaWorld) -> Decimal:
    """Make the recorded slip of the order, a mug and part of the delivery."""
    made.clock.sleep(60)
    slip = recorded("order_slip_o1")[0]
    made.shop.state.add_slip(slip)
    return Decimal("54.99")


def test_the_number_comes_back(made: PrestaWorld) -> None:
    """The invoice of exactly what was paid is accepted; note and message carry its number."""
    assert made.run().problems == []
    (invoice,) = made.documents()
    assert (invoice.state, invoice.total) == ("published", Decimal("234.67"))
    seen = made.in_shop(ORDER)
    assert str(invoice.ksef_number) in seen["note"]
    (message,) = seen["messages"]
    assert str(invoice.ksef_number) in message["message"]
    assert message["private"] == "0"
    assert seen["emails"] == []


def test_a_second_run_changes_nothing(made: PrestaWorld) -> None:
    """Our own note changes the order's time; it makes no document, no message and no second note."""
    made.run()
    before = made.in_shop(ORDER)
    for _ in range(3):
        made.clock.sleep(600)
        assert made.run().problems == []
    assert made.in_shop(ORDER) == before
    assert len(made.documents()) == len(made.in_ksef()) == 1


@pytest.mark.parametrize("kind", PUBLISHING_FAULTS)
def test_trouble_while_telling_doubles_nothing(made: PrestaWorld, kind: str) -> None:
    """Whatever happens to the answers of writes, buyer and merchant read the number once."""
    made.shop.fault(kind, method="POST", times=3)
    made.shop.fault(kind, method="PATCH", times=2)
    made.run()
    (invoice,) = made.documents()
    assert invoice.state == "published"
    seen = made.in_shop(ORDER)
    assert len(seen["messages"]) == 1
    assert seen["note"].count(str(invoice.ksef_number)) == 1


def test_a_slip_becomes_a_correction(tmp_path: Path) -> None:
    """The order's time stays, so the slip's own clock finds it; the correction is told like the invoice."""
    with presta_world(tmp_path, without_slips(ORDER, OTHER)) as made:
        made.prepare()
        made.run()
        # a later change elsewhere moves the mark of orders past this one
        made.clock.sleep(3600)
        made.shop.state.change(OTHER, gift_message="inna")
        made.run()
        made.clock.sleep(3600)
        amount = give_back(made)
        assert made.run().problems == []
        *_, correction = made.documents()
        assert (correction.kind, correction.state, correction.total) == ("KOR", "published", -amount)
        seen = made.in_shop(ORDER)
        assert len(seen["threads"]) == 1
        assert [str(correction.ksef_number) in one["message"] for one in seen["messages"]] == [False, True]
        assert seen["note"].count("\n") == 1
        for _ in range(2):
            made.clock.sleep(600)
            made.run()
        assert made.in_shop(ORDER) == seen
        assert len(made.in_ksef()) == 3


def test_the_shops_email_goes_once(tmp_path: Path) -> None:
    """With a state of the merchant's the shop mails at the invoice and never again."""
    with presta_world(tmp_path, without_slips(ORDER)) as made:
        made.prepare(invoice_state=str(INVOICE_STATE))
        made.shop.fault("drop_after", method="POST", path="order_histories")
        made.run()
        assert [mail["template"] for mail in made.in_shop(ORDER)["emails"]] == ["faktura_ksef"]
        give_back(made)
        for _ in range(2):
            assert made.run().problems == []
            made.clock.sleep(600)
        assert [one.state for one in made.documents()] == ["published", "published"]
        seen = made.in_shop(ORDER)
        assert len(seen["emails"]) == 1
        assert len(seen["messages"]) == 2


def test_the_state_refunded_without_a_slip_asks_a_person(made: PrestaWorld) -> None:
    """It makes no slip in the shop, so nothing is corrected and nothing is hidden."""
    made.run()
    made.clock.sleep(60)
    made.shop.state.set_state(ORDER, 7, mail=True)
    made.run()
    _, asked = made.documents()
    assert asked.state == "attention"
    assert "refunds" in str(asked.attention)
    assert len(made.in_ksef()) == 1


def test_refunded_before_the_invoice_asks_a_person(tmp_path: Path) -> None:
    """The recorded order that is only called refunded makes no invoice by itself."""
    with presta_world(tmp_path, without_slips(12)) as made:
        made.prepare()
        made.run()
        (asked,) = made.documents()
        assert asked.state == "attention"
        assert made.in_ksef() == []


def test_a_shop_that_is_away_is_named_and_loses_nothing(made: PrestaWorld) -> None:
    """The problem is told; when the shop is back, the order is taken in."""
    made.shop.fault("http_500", times=1000)
    (problem,) = made.run().problems
    assert "HTTP 500" in problem.en
    made.shop._faults.clear()
    made.clock.sleep(3600)
    assert made.run().problems == []
    assert [one.state for one in made.documents()] == ["published"]
