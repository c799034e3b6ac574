"""A Shopify order on its whole way: document, number back, refund, correction."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from connector_app.store.models import Document
from core.ksef.offline import OfflinePolicy
from sandbox.shopify import shop_of
from tests.pipeline.hooks import reachable
from tests.pipeline.shopify_world import ORDER, OTHER, TOTAL, ShopifyWorld, paid, shopify_world
from tests.pipeline.test_offline import SHORT, add_certificate, begin, end

PUBLISHING_FAULTS = ("drop_after", "truncate", "cut", "http_500")
WRITES = ("SetNote", "SetMetafields", "AddTag")


@pytest.fixture
def made(tmp_path: Path) -> Iterator[ShopifyWorld]:
    """One paid order, a seller and a store."""
    with shopify_world(tmp_path, [paid()]) as world:
        world.prepare()
        yield world


def told_of(made: ShopifyWorld, document: Document) -> int:
    """How often the note names a document's KSeF number."""
    return int(made.in_shop()["note"].count(str(document.ksef_number)))


def test_the_number_comes_back(made: ShopifyWorld) -> None:
    """The invoice of exactly what was paid is accepted; note, tag and metafields say so, nobody is mailed."""
    assert made.run().problems == []
    (invoice,) = made.documents()
    assert (invoice.state, invoice.total) == ("published", Decimal(TOTAL))
    seen = made.in_shop()
    assert told_of(made, invoice) == 1
    assert seen["tags"] == ["KSeF"]
    assert seen["metafields"] | {"verification_url": ""} == {
        "number": invoice.ksef_number,
        "invoice_number": invoice.number,
        "status": "accepted",
        "verification_url": "",
    }
    assert seen["metafields"]["verification_url"].startswith(made.ksef.qr_url)
    assert seen["emails"] == []
    assert [one["access"] for one in made.shop.state.definitions] == [{"customerAccount": "READ"}] * 5


def test_orders_are_published_or_wait(tmp_path: Path) -> None:
    """A company's and a consumer's are invoiced; a wrong NIP asks; unpaid and test orders wait."""
    nip = {"key": "NIP", "value": "526-025-02-74"}
    orders = [
        paid(1, customAttributes=[nip]),
        paid(2),
        paid(3, customAttributes=[nip | {"value": "5260250275"}]),
        paid(4, displayFinancialStatus="PENDING"),
        paid(5, test=True),
    ]
    with shopify_world(tmp_path, orders) as made:
        made.prepare()
        assert made.run().problems == []
        states = {number: one.state for number, one in made.by_order().items()}
        assert (states["#1"], states["#2"], states["#3"]) == ("published", "published", "attention")
        assert {states.get("#4", "waiting"), states.get("#5", "waiting")} == {"waiting"}
        assert len(made.in_ksef()) == 2


def test_what_the_merchant_wrote_stays(tmp_path: Path) -> None:
    """The order's note and tags were there before; ours are added."""
    with shopify_world(tmp_path, [paid(note="Proszę dzwonić", tags=["VIP"])]) as made:
        made.prepare()
        made.run()
        assert made.in_shop()["note"].startswith("Proszę dzwonić\n\n")
        assert made.in_shop()["tags"] == ["VIP", "KSeF"]


def test_a_second_run_changes_nothing(made: ShopifyWorld) -> None:
    """Our own writing changes the order's time; it makes no document and is not written again."""
    made.run()
    before = made.in_shop()
    for _ in range(3):
        made.clock.sleep(600)
        assert made.run().problems == []
    assert made.in_shop() == before
    assert len(made.documents()) == len(made.in_ksef()) == 1


@pytest.mark.parametrize("kind", PUBLISHING_FAULTS)
def test_trouble_while_telling_doubles_nothing(made: ShopifyWorld, kind: str) -> None:
    """Whatever happens to the answers of writes, each place says it once in the end."""
    for operation in WRITES:
        made.shop.fault(kind, f"^{operation}$", times=2)
    made.run()
    (invoice,) = made.documents()
    assert invoice.state == "published"
    seen = made.in_shop()
    assert told_of(made, invoice) == 1
    assert seen["tags"] == ["KSeF"]
    assert seen["metafields"]["number"] == invoice.ksef_number


def test_trouble_while_reading_ends_in_the_same(made: ShopifyWorld) -> None:
    """A used up cost budget and bad answers are waited out."""
    made.shop.shop.throttled = 2
    for kind, operation in (("http_500", "OrderFull"), ("cut", "OrdersChanged"), ("truncate", "OrderNote")):
        made.shop.fault(kind, f"^{operation}$")
    assert made.run().problems == []
    (invoice,) = made.documents()
    assert (invoice.state, told_of(made, invoice)) == ("published", 1)


def test_refunds_become_corrections(tmp_path: Path) -> None:
    """Each of exactly its money, told in the note only: the order's own fields stay the invoice's."""
    with shopify_world(tmp_path, [paid(), paid(OTHER)]) as made:
        made.prepare()
        made.run()
        before = made.in_shop()
        # a later change elsewhere moves the mark of orders past this one
        made.clock.sleep(3600)
        made.shop.state.change(OTHER, poNumber="7")
        made.run()
        amounts = []
        for shipping in (False, True):
            made.clock.sleep(3600)
            amounts.append(-Decimal(made.give_back(shipping=shipping)))
            assert made.run().problems == []
        corrections = [one for one in made.documents() if one.purpose != "invoice"]
        assert [(one.kind, one.state) for one in corrections] == [("KOR", "published")] * 2
        assert [one.total for one in corrections] == amounts
        assert [told_of(made, one) for one in corrections] == [1, 1]
        assert {row.channel for one in corrections for row in one.publications} == {"private_note"}
        seen = made.in_shop()
        assert (seen["tags"], seen["metafields"]) == (before["tags"], before["metafields"])
        assert seen["note"].startswith(before["note"])
        for _ in range(2):
            made.clock.sleep(600)
            assert made.run().problems == []
        assert made.in_shop() == seen
        assert len(made.in_ksef()) == 4


def test_money_that_is_still_on_its_way_is_no_refund(made: ShopifyWorld) -> None:
    """A pending transaction corrects nothing; when it succeeds, the correction follows."""
    made.run()
    made.clock.sleep(60)
    made.give_back()
    (transaction,) = made.order()["refunds"][0]["transactions"]["nodes"]
    transaction["status"] = "PENDING"
    made.run()
    assert len(made.documents()) == 1
    made.clock.sleep(86_400)
    transaction["status"] = "SUCCESS"
    made.shop.state.change(ORDER)
    assert made.run().problems == []
    assert [one.state for one in made.documents()] == ["published", "published"]


def test_shopifys_email_goes_once_a_document(tmp_path: Path) -> None:
    """With the merchant's consent; an answer that got lost sends no second one."""
    with shopify_world(tmp_path, [paid()]) as made:
        made.prepare(order_email="yes")
        made.shop.fault("drop_after", "^SendOrderInvoice$")
        made.run()
        (invoice,) = made.documents()
        assert invoice.state == "published"
        (mail,) = made.in_shop()["emails"]
        assert str(invoice.ksef_number) in f"{mail}"
        made.clock.sleep(60)
        made.give_back()
        for _ in range(2):
            assert made.run().problems == []
            made.clock.sleep(600)
        assert [one.state for one in made.documents()] == ["published", "published"]
        assert len(made.in_shop()["emails"]) == 2


def test_the_tag_waits_for_the_number(tmp_path: Path) -> None:
    """A document that is issued offline is told of in note and metafields; the tag comes with its number."""
    with shopify_world(tmp_path, [paid()]) as made:
        made.prepare(offline=OfflinePolicy.AUTOMATIC)
        add_certificate(made)
        event = begin(made)
        made.run(SHORT)
        (issued,) = made.documents()
        assert issued.ksef_number is None
        seen = made.in_shop()
        assert str(issued.certificate_link) in seen["note"]
        assert (seen["tags"], seen["metafields"]["status"]) == ([], "offline")
        assert issued.told_at is not None
        end(made, event)
        made.run()
        (published,) = made.documents()
        seen = made.in_shop()
        assert (seen["tags"], seen["metafields"]["status"]) == (["KSeF"], "accepted")
        assert told_of(made, published) == 1


def test_a_webhook_is_enough(tmp_path: Path) -> None:
    """Payment and refund are taken in without a look at the shop; the echo of our writing is the end."""
    with shopify_world(tmp_path, [paid(displayFinancialStatus="PENDING", transactions=[])]) as made:
        made.prepare()
        made.run()
        assert made.in_ksef() == []
        with reachable(made) as door:
            door.open()
            made.clock.sleep(120)
            made.shop.state.change(ORDER, displayFinancialStatus="PAID", transactions=paid()["transactions"])
            assert made.shop.webhooks.send(copies=2) == [200, 200]
            assert [(one.order_id, one.copies) for one in door.events()] == [(str(ORDER), 2)]
            door.work()
            assert [one.state for one in made.documents()] == ["published"]
            seen = made.in_shop()
            assert set(made.shop.webhooks.send()) == {200}
            door.work()
            assert made.in_shop() == seen
            assert made.shop.webhooks.send() == []
            made.clock.sleep(120)
            made.give_back()
            assert made.shop.webhooks.send() == [200, 200]
            door.work()
            assert [one.state for one in made.documents()] == ["published", "published"]


def test_a_forged_delivery_is_refused(made: ShopifyWorld) -> None:
    """Signed with another secret it is not even kept."""
    with reachable(made) as door:
        door.open()
        made.shop.webhooks.secret = "shpss_another"
        made.shop.state.change(ORDER)
        assert made.shop.webhooks.send() == [401]
        assert door.events() == []


def test_varied_orders_are_published_or_wait_for_a_person(tmp_path: Path) -> None:
    """Nothing stays in between, and what KSeF has is what the orders say; more runs change nothing."""
    with shopify_world(tmp_path, shop_of(3, 12)) as made:
        made.prepare()
        assert made.run().problems == []
        first = [(one.id, one.state, one.number) for one in made.documents()]
        assert len(first) >= 8
        made.clock.sleep(600)
        made.run()
        assert [(one.id, one.state, one.number) for one in made.documents()] == first
        published = [one for one in made.documents() if one.state == "published"]
        assert len(published) == len(made.in_ksef()) >= 5
        assert {one.state for one in made.documents()} <= {"published", "attention", "waiting"}


def test_a_shop_that_is_away_is_named_and_loses_nothing(made: ShopifyWorld) -> None:
    """The problem is told; when the shop is back, the order is taken in."""
    made.shop.fault("http_500", times=1000)
    (problem,) = made.run().problems
    assert "HTTP 500" in problem.en
    made.shop.clear_faults()
    made.clock.sleep(3600)
    assert made.run().problems == []
    assert [one.state for one in made.documents()] == ["published"]
