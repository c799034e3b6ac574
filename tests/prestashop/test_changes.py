"""Changed orders and slips are listed to the end, oldest change first, whatever happens meanwhile."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from adapters.contract import NotFound, ShopAuthFailed, ShopError, ShopUnavailable, UnreadableOrder
from adapters.http import Limits
from adapters.prestashop import PrestaShopAdapter
from adapters.prestashop.times import wall_time
from core.calendar import WARSAW
from core.orders import Order, OrderState
from sandbox.prestashop import INVOICE_STATE, PrestaSandbox, demo_data
from sandbox.prestashop.access import EVERYTHING
from sandbox.prestashop.generate import generated
from sandbox.prestashop.recordings import Data
from tests.prestashop.conftest import Connect
from tests.prestashop.counting import listening
from tests.woocommerce.servers import Clock

START = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def many(count: int, step: timedelta = SECOND, start: datetime = START, zone: ZoneInfo = WARSAW) -> Data:
    """A shop with so many orders, one each step; ids begin with 100."""
    return generated(7, count, start=start, step=step, zone=zone).data


def ids(found: Iterable[Order | UnreadableOrder]) -> list[int]:
    return [int(order.id) for order in found if isinstance(order, Order)]


def test_all_pages(connected: Connect, clock: Clock) -> None:
    """250 orders come once each, oldest change first, in few requests."""
    with listening(many(250), clock=clock) as shop:
        assert ids(connected(shop).changed_orders(None)) == list(range(100, 350))
        # 3 pages of the list, 10 sets of some 9 requests, and what is read once
        assert len(shop.requests) < 110
        asked = [query for path, query in zip(shop.requests, shop.queries, strict=True) if "orders" in path]
    assert all("filter[date_upd]" not in query or query["date"] == ["1"] for query in asked)


def test_a_page_without_changes_costs_two_requests(connected: Connect, clock: Clock) -> None:
    """A look at a shop where nothing happened asks for the time zone and one list."""
    with listening(many(3), clock=clock) as shop:
        assert ids(connected(shop).changed_orders(START + timedelta(days=1))) == []
        assert shop.requests == ["GET /api/configurations", "GET /api/orders"]


def test_since_is_inclusive(connected: Connect, clock: Clock) -> None:
    """An order that changed in the very second of the mark is listed, an earlier one is not."""
    with PrestaSandbox(many(10), clock=clock) as shop:
        adapter = connected(shop)
        assert ids(adapter.changed_orders(START + 4 * SECOND)) == list(range(104, 110))
        assert ids(adapter.changed_orders(START + timedelta(seconds=4, milliseconds=900)))[0] == 104


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/London", "Asia/Tokyo"])
def test_the_mark_is_compared_on_the_shops_clock(connected: Connect, clock: Clock, zone: str) -> None:
    """The shop's own setting says how its times are meant."""
    data = many(10, zone=ZoneInfo(zone))
    data["configurations"][0].fields["value"] = zone
    with PrestaSandbox(data, clock=clock) as shop:
        (first, _) = connected(shop).changed_orders(START + 8 * SECOND)
    assert isinstance(first, Order)
    assert first.modified_at == START + 8 * SECOND


def test_bulk_edit_in_one_second(connected: Connect, clock: Clock) -> None:
    """330 orders that changed in the same second, and others around it, come once each."""
    data = many(350, timedelta(0))
    for order in data["orders"][340:]:
        order.fields["date_upd"] = "2026-11-02 09:00:00"
    with PrestaSandbox(data, clock=clock) as shop:
        assert ids(connected(shop).changed_orders(START)) == list(range(100, 450))


@pytest.mark.parametrize("step", [SECOND, timedelta(0)])
def test_changes_while_reading(connected: Connect, clock: Clock, step: timedelta) -> None:
    """Orders that change while the list is read come once more at its end, and none is missed."""
    with PrestaSandbox(many(230, step), clock=clock) as shop:
        found: list[int] = []
        for order in connected(shop).changed_orders(START):
            assert isinstance(order, Order)
            found.append(int(order.id))
            if len(found) == 50:
                for changed in (100, 101, 102):
                    shop.state.change(changed, note="zmiana")
    assert set(found) == set(range(100, 330))
    assert all(found.count(changed) == 2 for changed in (100, 101, 102))
    assert len(found) == 233


BEFORE_FOLD = datetime(2026, 10, 24, 23, 30, tzinfo=UTC)


def test_no_change_is_lost_when_summer_time_ends(connected: Connect, clock: Clock) -> None:
    """Changes every ten minutes over the repeated hour: from any mark on, all later ones are listed."""
    step = timedelta(minutes=10)
    with PrestaSandbox(many(24, step, BEFORE_FOLD), clock=clock) as shop:
        adapter = connected(shop)
        for place in range(24):
            found = ids(adapter.changed_orders(BEFORE_FOLD + place * step))
            assert set(range(100 + place, 124)) <= set(found)
            # and not the whole history again
            assert len(found) <= 24 - place + 12


def test_the_shops_clock_at_the_changes_of_the_year() -> None:
    """Only around the repeated hour a list begins earlier than the shop's clock shows."""
    shown = {
        datetime(2026, 7, 1, 12, 0, tzinfo=UTC): "2026-07-01 14:00:00",
        datetime(2026, 12, 1, 12, 0, 0, 999, tzinfo=UTC): "2026-12-01 13:00:00",
        # 02:30 summer time, and 02:30 after the clock was set back
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC): "2026-10-25 01:30:00",
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC): "2026-10-25 01:30:00",
        datetime(2026, 10, 25, 2, 0, tzinfo=UTC): "2026-10-25 03:00:00",
        datetime(2026, 3, 29, 1, 0, tzinfo=UTC): "2026-03-29 03:00:00",
    }
    assert {moment: wall_time(moment, WARSAW) for moment in shown} == shown


def test_a_broken_order_hides_no_other(connected: Connect, clock: Clock) -> None:
    """An order that contradicts itself comes as its error with its id, between its neighbours."""
    data = many(40)
    data["orders"][7].fields["total_paid_tax_incl"] = "drogo"
    with PrestaSandbox(data, clock=clock) as shop:
        found = list(connected(shop).changed_orders(None))
    assert len(found) == 40
    broken = found[7]
    assert isinstance(broken, UnreadableOrder)
    assert broken.path == "107.order[107].total_paid_tax_incl"
    assert len(ids(found)) == 39


@pytest.mark.parametrize("text", ["tak ]]> nie", "<b>]]>"])
def test_a_text_that_breaks_the_xml_hides_no_other(connected: Connect, clock: Clock, text: str) -> None:
    """The shop writes buyers' texts as they are; the answer is halved until the one order is found."""
    data = many(30)
    data["orders"][11].fields["gift_message"] = text
    data["addresses"][20].fields["other"] = text
    broken = next(
        int(one.text("id"))
        for one in data["orders"]
        if one.text("id_address_invoice") == data["addresses"][20].text("id")
    )
    with PrestaSandbox(data, clock=clock) as shop:
        found = list(connected(shop).changed_orders(None))
    errors = [one for one in found if isinstance(one, UnreadableOrder)]
    assert sorted(one.path for one in errors) == sorted({"111", str(broken)})
    assert len(found) == 30


def test_answers_that_are_too_large_are_asked_for_in_halves(connected: Connect, clock: Clock) -> None:
    """Many lines in many orders: fewer orders at once, and all of them come."""
    with PrestaSandbox(many(30), clock=clock) as shop:
        adapter = connected(shop, Limits(max_bytes=60_000))
        assert ids(adapter.changed_orders(None)) == list(range(100, 130))


def test_a_shop_in_maintenance_is_no_shop_of_broken_orders(connected: Connect, clock: Clock) -> None:
    """When everything comes as HTML, the shop is away; no order is called unreadable."""
    with PrestaSandbox(many(30), clock=clock) as shop:
        adapter = connected(shop)
        list(adapter.changed_orders(START + timedelta(days=1)))
        shop.fault("html", path="api/order_details", times=1000)
        shop.fault("html", path="api/orders$", times=1000)
        with pytest.raises(ShopUnavailable):
            list(adapter.changed_orders(None))


@pytest.mark.parametrize("kind", ["html", "cut", "huge"])
def test_a_moment_without_xml_makes_no_broken_order(
    shop: PrestaSandbox, connected: Connect, kind: str
) -> None:
    """Every try failed and the shop is back right after: the order is read, and not called unreadable."""
    limits = Limits(max_bytes=1_000_000)
    shop.fault(kind, path="api/orders$", times=limits.attempts)
    assert connected(shop, limits).order("10").id == "10"


def test_a_failure_in_the_middle(connected: Connect, clock: Clock) -> None:
    """A shop that goes away in the middle is an error, never a short list."""
    with PrestaSandbox(many(150), clock=clock) as shop:
        orders = connected(shop).changed_orders(None)
        next(orders)
        shop.fault("http_500", times=100)
        with pytest.raises(ShopUnavailable):
            list(orders)


def test_an_order_that_goes_away_meanwhile(connected: Connect, clock: Clock) -> None:
    """It was listed and is gone when it is read: it is left out, the others come."""
    with listening(many(5), clock=clock) as shop:
        adapter = connected(shop)

        def withdraw(_path: str) -> None:
            # the list of ids is the first request for orders, their reading the second
            if shop.requests.count("GET /api/orders") == 2:
                shop.state.tables["orders"].pop(102, None)

        shop.before = withdraw
        assert ids(adapter.changed_orders(None)) == [100, 101, 103, 104]
        with pytest.raises(NotFound):
            adapter.order("102")


def test_recorded_orders(adapter: PrestaShopAdapter) -> None:
    """The recorded shop: four orders, one of which is only called refunded."""
    found = {order.id: order for order in adapter.changed_orders(None) if isinstance(order, Order)}
    assert list(found) == ["10", "11", "13", "12"]
    assert found["10"].buyer.email.endswith("@example.test")
    assert found["10"].extra["shipping_method"] == "My carrier"
    assert [ref.id for ref in found["13"].refunds] == ["8", "9"]
    assert found["12"].state is OrderState.REFUNDED
    assert found["12"].refunds == ()


def test_a_merchant_may_say_what_refunded_means(shop: PrestaSandbox, connected: Connect) -> None:
    """The store's configuration goes before the shop's own word."""
    assert connected(shop, paid_states="7").order("12").state is OrderState.PAID


def test_the_state_of_the_connectors_own_email_says_nothing(
    shop: PrestaSandbox, connected: Connect, clock: Clock
) -> None:
    """The order stays paid, or sent, when it was put into the state that mails the invoice."""
    adapter = connected(shop, invoice_state=str(INVOICE_STATE))
    clock.forward(60)
    shop.state.set_state(10, 4)
    clock.forward(60)
    shop.state.set_state(10, INVOICE_STATE, mail=True)
    assert adapter.order("10").state is OrderState.COMPLETED


def test_slips_have_a_clock_of_their_own(
    shop: PrestaSandbox, adapter: PrestaShopAdapter, clock: Clock
) -> None:
    """A new slip leaves its order's time, and is found by its own."""
    list(adapter.changed_orders(None))
    mark = clock.now
    clock.forward(60)
    slip = demo_data()["order_slip"][0]
    slip.fields["id"] = "50"
    shop.state.add_slip(slip)
    assert list(adapter.changed_orders(mark)) == []
    (change,) = adapter.changed_refunds(mark)
    assert (change.order_id, change.refund_id, change.changed_at) == ("10", "50", clock.now)
    assert [refund.id for refund in adapter.refunds(adapter.order("10"))] == ["6", "50"]


def test_many_slips_are_paged(connected: Connect, clock: Clock) -> None:
    """Slips of one second and of many come once each, oldest first."""
    data = demo_data()
    template = data["order_slip"][0]
    data["order_slip"] = [
        type(template)({**template.fields, "id": str(key), "date_upd": f"2026-11-24 04:4{key % 3}:00"})
        for key in range(1, 431)
    ]
    with PrestaSandbox(data, clock=clock) as shop:
        found = list(connected(shop).changed_refunds(None))
    assert [one.changed_at for one in found] == sorted(one.changed_at for one in found)
    assert {one.refund_id for one in found} == {str(key) for key in range(1, 431)}
    assert len(found) == 430


def test_a_key_that_may_not_read_the_time_zone(connected: Connect, clock: Clock) -> None:
    """Times are not guessed: the refusal names the permission and the entry that help."""
    allowed = {name: methods for name, methods in EVERYTHING.items() if name != "configurations"}
    with PrestaSandbox(demo_data(), clock=clock, keys={"D4" * 16: allowed}) as shop:
        with pytest.raises(ShopAuthFailed) as caught:
            list(connected(shop, key="D4" * 16).changed_orders(None))
        assert "time_zone" in caught.value.hint
        assert connected(shop, key="D4" * 16, time_zone="Europe/Warsaw").order("10").id == "10"


@pytest.mark.parametrize("values", [[], ["Europe/Warsaw", "US/Eastern"], ["Mars/Base"]])
def test_a_time_zone_that_is_not_known(connected: Connect, clock: Clock, values: list[str]) -> None:
    """No zone, two of a multistore, or one that does not exist: the entry that helps is named."""
    data = demo_data()
    zone = data["configurations"][0]
    data["configurations"] = [
        type(zone)({**zone.fields, "id": str(place), "value": value}) for place, value in enumerate(values, 1)
    ]
    with PrestaSandbox(data, clock=clock) as shop, pytest.raises(ShopError) as caught:
        connected(shop).order("10")
    assert "time_zone" in caught.value.hint


def test_what_an_invoice_can_do_without_may_be_forbidden(connected: Connect, clock: Clock) -> None:
    """Names of carriers and languages are read where the key may."""
    missing = {"carriers", "order_carriers", "languages"}
    allowed = {name: methods for name, methods in EVERYTHING.items() if name not in missing}
    with PrestaSandbox(demo_data(), clock=clock, keys={"D4" * 16: allowed}) as shop:
        order = connected(shop, key="D4" * 16).order("10")
    assert (order.id, order.buyer.language) == ("10", "")


def test_a_key_that_may_not_read_what_is_needed(connected: Connect, clock: Clock) -> None:
    """Without discounts an order would be another one, so the key is refused as a whole."""
    allowed = {name: methods for name, methods in EVERYTHING.items() if name != "order_cart_rules"}
    with (
        PrestaSandbox(demo_data(), clock=clock, keys={"D4" * 16: allowed}) as shop,
        pytest.raises(ShopAuthFailed) as caught,
    ):
        connected(shop, key="D4" * 16).order("10")
    assert "order_cart_rules" in caught.value.message
