"""Webhooks: verified, kept once, never data; what they say is read again, and what they miss is found."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from adapters.contract import Entity, ShopEvent
from adapters.woocommerce import MappingOptions, map_order
from connector_app import subscriptions
from connector_app.keeping.pruning import prune
from connector_app.pipeline import events
from connector_app.store.models import Store
from connector_app.web.webhooks import LARGEST_BODY
from core.orders import Order
from tests.pipeline import hooks
from tests.pipeline.hooks import reachable
from tests.pipeline.world import World, recorded, world

pytestmark = pytest.mark.both_databases

Door = hooks.Door[World]

ORDER = 15


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    """A shop with one order, webhooks registered, nothing read yet."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        with reachable(made) as opened:
            opened.open()
            yield opened


def post(door: Door, body: bytes, *, secret: str | None = None, topic: str = "order.updated") -> int:
    digest = hmac.new((secret or door.secret).encode(), body, hashlib.sha256).digest()
    headers = {"X-WC-Webhook-Topic": topic, "X-WC-Webhook-Signature": base64.b64encode(digest).decode()}
    return requests.post(door.address, data=body, headers=headers, timeout=10).status_code


def change(door: Door, **fields: object) -> None:
    door.made.clock.sleep(120)
    door.made.shop.state.change(ORDER, **fields)


def test_a_webhook_is_enough(door: Door) -> None:
    """A changed order is invoiced without a look at the shop, and the echo of our own writing is the end."""
    change(door, status="processing")
    assert [one.status for one in door.made.shop.deliver()] == [200]
    assert door.woken == [True]
    assert [one.order_id for one in door.events()] == ["15"]
    door.work()
    (document,) = door.made.documents()
    assert document.state == "published"
    assert all(one.done_at for one in door.events())
    notes = len(door.made.in_shop(ORDER)["notes"])
    # our metadata changed the order, and the shop tells us so
    assert [one.topic for one in door.made.shop.deliver()] == ["order.updated"]
    door.work()
    assert len(door.made.documents()) == 1
    assert len(door.made.in_shop(ORDER)["notes"]) == notes
    assert door.made.shop.deliver() == []
    assert len(door.made.in_ksef()) == 1


def test_duplicates_are_one_event(door: Door) -> None:
    """Three copies are answered alike, kept once, wake once and are read once."""
    change(door, status="processing")
    assert [one.status for one in door.made.shop.deliver(copies=3)] == [200] * 3
    (event,) = door.events()
    assert (event.copies, len(door.woken)) == (3, 1)
    door.work()
    assert len(door.made.documents()) == 1
    # a late copy of what was done is known, too
    again = ShopEvent("order.updated", Entity.ORDER, "15", "15", event.modified)
    assert events.receive(door.made.services(), 1, [again]) == [False]


def test_nothing_of_a_body_is_data(door: Door) -> None:
    """A rightly signed body that lies about the order changes nothing: the order is read."""
    body = b'{"id":15,"status":"completed","total":"1.00","date_modified_gmt":"2026-11-24T10:00:00"}'
    assert post(door, body) == 200
    door.work()
    (document,) = door.made.documents()
    assert str(document.total) == "246.55"


@pytest.mark.parametrize("body", [b'{"id":15}', b"", b"webhook_id=x"])
def test_forged(door: Door, body: bytes) -> None:
    """A wrong signature is 401 and leaves no trace."""
    assert post(door, body, secret="another") == 401
    assert requests.post(door.address, data=body, timeout=10).status_code == 401
    assert (door.events(), door.woken) == ([], [])


def test_unreadable_unknown_and_too_large(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    """400, 404 and 413 as they should be, and the log says nothing of what came."""
    caplog.set_level(logging.INFO)
    assert post(door, b'{"id":"jan.kowalski@example.com"}') == 400
    assert post(door, b'{"id":15}', topic="customer.updated") == 400
    wrong_key = door.address[:-1] + ("a" if door.address[-1] != "a" else "b")
    for url in (wrong_key, door.address.replace("/test/", "/other/"), f"{door.base}/webhooks/test/"):
        assert requests.post(url, data=b"webhook_id=1", timeout=10).status_code == 404
    assert requests.get(door.address, timeout=10).status_code == 405
    assert post(door, b" " * 5_000_000) == 413
    chunked = requests.post(door.address, data=iter([b"x" * LARGEST_BODY, b"x"]), timeout=10)
    assert chunked.status_code in {401, 413}
    assert door.events() == []
    assert "jan.kowalski" not in caplog.text
    assert door.address.rpartition("/")[2] not in "".join(
        record.getMessage() for record in caplog.records if record.name.startswith("connector_app")
    )


def test_a_ping_is_answered_and_not_kept(door: Door) -> None:
    """The shop greets a new webhook with an unsigned form."""
    answer = requests.post(door.address, data={"webhook_id": "7"}, timeout=10)
    assert (answer.status_code, door.events(), door.woken) == (200, [], [])


def test_an_order_deleted_between_event_and_reading(door: Door) -> None:
    """An order never seen leaves nothing; the event is done."""
    change(door, status="processing")
    door.made.shop.deliver()
    door.made.shop.state.delete(ORDER)
    assert door.work().problems == []
    assert all(one.done_at for one in door.events())
    assert door.made.documents() == []


def test_a_deleted_order_that_waits_is_dropped_and_comes_back(door: Door) -> None:
    """Unpaid and deleted for good: nothing is invoiced; made again under its id, it is decided anew."""
    change(door, status="pending", date_paid_gmt=None, date_paid=None)
    door.made.run()
    (document,) = door.made.documents()
    assert document.state == "waiting"
    order = door.made.shop.state.order(ORDER)
    door.made.shop.state.delete(ORDER)
    door.made.shop.deliver()
    door.work()
    (document,) = door.made.documents()
    assert document.state == "cancelled"
    door.made.shop.state.add_orders([order], {})
    door.made.shop.deliver()
    door.work()
    assert door.made.documents()[0].state == "waiting"


def test_a_deleted_order_keeps_its_invoice(door: Door) -> None:
    """What KSeF has stays; the life line says once what happened."""
    door.made.run()
    door.made.shop.deliver()
    door.made.shop.state.delete(ORDER)
    door.made.shop.deliver()
    door.work()
    (document,) = door.made.documents()
    assert document.state == "published"
    assert sum("usunął zamówienie" in event.text for event in document.events) == 1


def test_a_silent_shop_is_asked_again_with_pauses(door: Door) -> None:
    """An event is done when the shop answers, and not asked for without a pause until then."""
    change(door, status="processing")
    door.made.shop.deliver()
    door.made.shop.fault("http_500", method="GET", path="orders/15", times=6)
    failed = door.one_pass()
    assert any("HTTP 500" in problem.en for problem in failed.problems)
    (event,) = door.events()
    assert (event.attempts, event.done_at) == (1, None)
    assert event.next_attempt_at is not None
    assert door.one_pass().problems == []  # not due yet
    door.work()
    assert door.events()[0].done_at is not None
    assert door.made.documents()[0].state == "published"


def test_an_order_at_which_the_program_fails_holds_up_no_other(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its event waits, the other order is published, and the pass goes on."""

    def fails(data: Any, options: MappingOptions) -> Order:
        if data["id"] == ORDER:
            raise TypeError("a mistake of ours")
        return map_order(data, options)

    monkeypatch.setattr("adapters.woocommerce.adapter.map_order", fails)
    state = door.made.shop.state
    state.add_orders([recorded("order_full", id=16, number="16", **state.times("date_modified"))], {})
    change(door, status="processing")
    door.made.shop.deliver()
    assert any("internal error" in problem.en for problem in door.one_pass().problems)
    assert {one.order_id: one.done_at is not None for one in door.events()} == {"15": False, "16": True}
    door.one_pass()
    assert "16" in door.made.by_order()


def test_a_pause_that_the_shop_asks_for_is_kept(door: Door) -> None:
    """429 with Retry-After: neither events nor looks ask before."""
    change(door, status="processing")
    door.made.shop.deliver()
    door.made.shop.fault("http_429", method="GET", path="orders/15", value=600)
    door.one_pass()
    door.made.shop.fault("http_500", method="GET", times=100)
    seen = door.made.run(timedelta(0))
    assert any("pause" in problem.en for problem in seen.problems)
    assert not any("HTTP 500" in problem.en for problem in seen.problems)
    requests.delete(f"{door.made.shop.url}/sandbox/faults", timeout=10)
    door.made.clock.sleep(700)
    door.work()
    assert door.made.documents()[0].state == "published"


def test_a_refund_told_without_its_order(door: Door) -> None:
    """``refund_created`` names the refund only; the shop's list of refunds names the order."""
    door.made.run()
    door.made.shop.deliver()
    door.work()
    door.made.clock.sleep(60)
    refund = recorded("refund_partial_line_created", date_created_gmt="2026-11-24T10:30:00")
    door.made.shop.state.add_refund(ORDER, refund)
    door.made.shop.state.webhooks.queue = [
        due
        for due in door.made.shop.state.webhooks.queue
        if door.made.shop.state.webhooks.hooks[due[0]]["topic"].endswith("refund_created")
    ]
    assert [one.topic for one in door.made.shop.deliver()] == ["action.woocommerce_refund_created"]
    door.work()
    assert [one.purpose for one in door.made.documents()] == ["invoice", "refund:16"]
    assert {one.state for one in door.made.documents()} == {"published"}


def test_a_refund_that_leaves_the_orders_clock_alone_is_found(invoiced: World) -> None:
    """No webhook, and the order's modification time is old: refunds have a clock of their own."""
    state = invoiced.shop.state
    invoiced.clock.sleep(86_400)
    invoiced.run()
    before = {key: state.order(ORDER)[key] for key in ("date_modified", "date_modified_gmt")}
    state.add_refund(
        ORDER, recorded("refund_partial_line_created", date_created_gmt=state.times("at")["at_gmt"])
    )
    state.order(ORDER).update(before)
    invoiced.run()
    assert [one.purpose for one in invoiced.documents()] == ["invoice", "refund:16"]
    with invoiced.services().database() as session:
        store = session.get_one(Store, 1)
        assert store.refunds_mark is not None
        assert store.mark is not None
        assert store.refunds_mark > store.mark


def test_orders_that_cannot_be_listed_do_not_hide_refunds(invoiced: World) -> None:
    """The two lists are read independently."""
    state = invoiced.shop.state
    invoiced.clock.sleep(3600)
    state.add_refund(
        ORDER, recorded("refund_partial_line_created", date_created_gmt=state.times("at")["at_gmt"])
    )
    invoiced.shop.fault("http_500", method="GET", path="/orders$", times=3)
    result = invoiced.run()
    assert any("HTTP 500" in problem.en for problem in result.problems)
    assert [one.state for one in invoiced.documents()] == ["published", "published"]


def test_a_month_without_webhooks_loses_nothing(invoiced: World) -> None:
    """The installation stood still; then every order and refund comes."""
    state = invoiced.shop.state
    for day in range(30):
        invoiced.clock.sleep(86_400)
        order = recorded("order_full", id=100 + day, number=str(100 + day), **state.times("date_modified"))
        state.add_orders([order], {})
    state.add_refund(
        ORDER, recorded("refund_partial_line_created", date_created_gmt=state.times("at")["at_gmt"])
    )
    invoiced.run()
    assert len(invoiced.documents()) == 32
    assert {one.state for one in invoiced.documents()} == {"published"}


def test_subscriptions_are_looked_after(door: Door) -> None:
    """Once a quarter: what the shop has switched off is woken, what was deleted is made again."""
    hooks = door.made.shop.state.webhooks.hooks
    first, second = list(hooks)[:2]
    hooks[first]["status"] = "disabled"
    del hooks[second]
    subscriptions.keep_up(door.made.services(), door.base)
    assert hooks[first]["status"] == "disabled"  # looked at a moment ago
    door.made.clock.sleep(subscriptions.CHECK_EVERY.total_seconds())
    subscriptions.keep_up(door.made.services(), door.base)
    assert len(hooks) == 6
    assert {one["status"] for one in hooks.values()} == {"active"}
    assert subscriptions.troubles(door.made.services()) == []


def test_another_public_address_takes_the_webhooks_along(door: Door) -> None:
    """Nothing is left that leads to the old address, and the secret stays."""
    before = door.secret
    door.made.clock.sleep(3600)
    subscriptions.keep_up(door.made.services(), "http://localhost:1")
    urls = {one["delivery_url"] for one in door.made.shop.state.webhooks.hooks.values()}
    assert {url.partition("/webhooks/")[0] for url in urls} == {"http://localhost:1"}
    assert (len(door.made.shop.state.webhooks.hooks), door.secret) == (6, before)


def test_a_key_that_may_not_register_is_told(door: Door) -> None:
    """The shop is asked all the same; the trouble is a sentence and goes away with its reason."""
    door.made.clock.sleep(3600)
    door.made.shop.fault("http_500", path="webhooks", times=3)
    services = door.made.services()
    subscriptions.keep_up(services, door.base)
    (trouble,) = subscriptions.troubles(services)
    assert "HTTP 500" in trouble.en
    door.made.clock.sleep(3600)
    subscriptions.keep_up(services, door.base)
    assert subscriptions.troubles(services) == []


def test_during_a_rotation_both_secrets_fit(door: Door) -> None:
    """What was signed before arrives after; a secret older than the last is refused."""
    old = door.secret
    subscriptions.register(door.made.services(), 1, door.base, rotate=True)
    body = b'{"id":15,"date_modified_gmt":"2026-11-24T10:00:00"}'
    assert door.secret != old
    assert [post(door, body, secret=secret) for secret in (old, door.secret)] == [200, 200]
    subscriptions.register(door.made.services(), 1, door.base, rotate=True)
    assert post(door, body, secret=old) == 401


def test_old_events_are_forgotten(door: Door) -> None:
    """After a month what was done is no longer kept; what was not done is."""
    services = door.made.services()
    told = [
        ShopEvent("shop/redact", Entity.PRIVACY), ShopEvent("order.updated", Entity.ORDER, "15", "15")
    ]  # fmt: skip
    assert events.receive(services, 1, told) == [True, True]
    assert "danych osobowych" in events.requests_of_people(services)[0].pl
    door.made.clock.sleep(timedelta(days=31).total_seconds())
    assert prune(services)["webhook_events"] == 1
    assert [one.topic for one in door.events()] == ["order.updated"]
    assert events.requests_of_people(services) == []
