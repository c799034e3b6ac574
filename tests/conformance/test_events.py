"""Every platform with webhooks: subscribed once, verified, read, and never trusted further than that."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adapters.contract import Entity, EventReader, ForgedEvent, Webhooks
from tests.conformance.harness import Feature, Harness, Part, need
from tests.conformance.inbox import Inbox, inbox


@pytest.fixture
def box(harness: Harness) -> Iterator[Inbox]:
    """An address that the shop delivers to; what came while it was registered is taken out."""
    need(harness, Feature.WEBHOOKS)
    with inbox() as made:
        webhooks_of(harness).register(made.url, harness.secrets[0])
        made.requests.clear()
        yield made


def webhooks_of(harness: Harness) -> Webhooks:
    webhooks = harness.adapter().webhooks
    assert webhooks is not None
    return webhooks


def reader_of(harness: Harness) -> EventReader:
    assert harness.read_event is not None
    return harness.read_event


def test_none_means_none(harness: Harness) -> None:
    """A platform has subscriptions and a reader, or a stated reason for having neither."""
    has = Feature.WEBHOOKS not in harness.lacks
    assert (harness.adapter().webhooks is not None) is has
    assert (harness.read_event is not None) is has


def test_registered_once_and_unregistered(harness: Harness, box: Inbox) -> None:
    """Repeating makes no second subscription; unregistering leaves none of ours and all of others."""
    webhooks = webhooks_of(harness)
    with inbox() as other:
        webhooks.register(other.url, harness.secrets[0])
        webhooks.register(box.url, harness.secrets[0])
        health = webhooks.health(box.url)
        assert sorted(one.topic for one in health) == sorted(webhooks.topics)
        assert all(one.active for one in health)
        webhooks.unregister(box.url)
        webhooks.unregister(box.url)
        assert not any(one.active for one in webhooks.health(box.url))
        assert all(one.detail for one in webhooks.health(box.url))
        assert all(one.active for one in webhooks.health(other.url))


def test_a_change_arrives_and_names_its_order(harness: Harness, box: Inbox) -> None:
    """A changed order is told with its id and the moment of its change."""
    made = harness.add_orders(2)
    harness.deliver()
    box.requests.clear()
    harness.clock.forward(60)
    harness.change(made[1])
    harness.deliver()
    events = box.events(reader_of(harness), harness.secrets)
    assert {(one.entity, one.order_id) for one in events} == {(Entity.ORDER, made[1])}
    assert harness.adapter().order(made[1]).modified_at in {one.modified for one in events}


def test_a_refund_arrives(harness: Harness, box: Inbox) -> None:
    """It is told with the order's id, or with its own."""
    (order_id,) = harness.add_orders(1)
    harness.deliver()
    box.requests.clear()
    harness.clock.forward(60)
    refund_id = harness.refund(order_id, Part.LINE)
    harness.deliver()
    events = box.events(reader_of(harness), harness.secrets)
    refunds = [one for one in events if one.entity is Entity.REFUND]
    assert refunds
    assert {one.order_id for one in refunds} <= {"", order_id}
    assert {one.entity_id for one in refunds} <= {order_id, refund_id}


def test_copies_are_recognised(harness: Harness, box: Inbox) -> None:
    """Two deliveries of one change read to the same event."""
    (order_id,) = harness.add_orders(1)
    harness.deliver()
    box.requests.clear()
    harness.clock.forward(60)
    harness.change(order_id)
    harness.deliver(copies=2)
    events = box.events(reader_of(harness), harness.secrets)
    assert len(events) >= 2
    assert len(events) == 2 * len(set(events))


def test_forged(harness: Harness, box: Inbox) -> None:
    """Another body, another secret, no signature, no secret at all, five megabytes: never believed."""
    (order_id,) = harness.add_orders(1)
    harness.change(order_id)
    harness.deliver()
    read = reader_of(harness)
    headers, body = box.requests[-1]
    assert read(headers, body, harness.secrets)
    names = [name for name in headers if "signature" in name or "hmac" in name]
    assert names
    unsigned = {name: value for name, value in headers.items() if name not in names}
    for forged in (
        (headers, body + b" ", harness.secrets),
        (headers, body[:-1], harness.secrets),
        (headers, b"x" * 5_000_000, harness.secrets),
        (unsigned, body, harness.secrets),
        (dict.fromkeys(headers, ""), body, harness.secrets),
    ):
        with pytest.raises(ForgedEvent) as caught:
            read(*forged)
        assert not any(secret in str(caught.value) for secret in harness.hidden)


def test_either_of_two_secrets(harness: Harness, box: Inbox) -> None:
    """During a rotation the older one still fits."""
    (order_id,) = harness.add_orders(1)
    harness.change(order_id)
    harness.deliver()
    headers, body = box.requests[-1]
    assert reader_of(harness)(headers, body, ("a newer secret", *harness.secrets)).order_id == order_id
