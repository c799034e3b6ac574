"""Every platform, every channel: what is published stands on the order once, whatever happens on the way."""

from __future__ import annotations

import pytest

from adapters.contract import Channel, Message, NotFound, ShopAuthFailed, ShopError, ShopUnavailable
from tests.conformance.harness import Fault, Feature, Harness, Key, need, platforms

PLATFORMS = platforms()


def test_published_once(harness: Harness, channel: Channel) -> None:
    """Repeating gives the same remote id and writes nothing more."""
    (order_id,) = harness.add_orders(1)
    adapter = harness.adapter()
    message = harness.message(channel)
    first = adapter.publish(order_id, channel, message)
    assert first
    assert harness.adapter().publish(order_id, channel, message) == first
    assert len(harness.published(order_id, channel)) == 1


@pytest.mark.parametrize("kind", [Fault.LOST_ANSWER, Fault.TRUNCATED, Fault.CUT, Fault.SLOW])
def test_a_lost_answer_is_found_out(harness: Harness, channel: Channel, kind: Fault) -> None:
    """The shop stored it and the answer did not come: no second copy, now or at the next try."""
    (order_id,) = harness.add_orders(1)
    adapter = harness.adapter()
    message = harness.message(channel)
    harness.fault(kind, writing=True)
    said = None
    try:
        adapter.publish(order_id, channel, message)
    except ShopUnavailable as error:
        said = error
    assert said is None or said.outcome_unknown
    assert adapter.publish(order_id, channel, message)
    assert len(harness.published(order_id, channel)) == 1


@pytest.mark.parametrize("kind", [Fault.DROPPED, Fault.DOWN, Fault.HTML])
def test_what_was_not_written_is_written_later(harness: Harness, channel: Channel, kind: Fault) -> None:
    """Nothing was stored: it is said, or found out, and the next try writes one copy."""
    (order_id,) = harness.add_orders(1)
    adapter = harness.adapter()
    message = harness.message(channel)
    harness.fault(kind, writing=True)
    try:
        adapter.publish(order_id, channel, message)
    except ShopUnavailable:
        assert harness.published(order_id, channel) == []
    adapter.publish(order_id, channel, message)
    assert len(harness.published(order_id, channel)) == 1


def test_an_order_that_is_gone(harness: Harness, channel: Channel) -> None:
    """It is told as what it is."""
    harness.add_orders(1)
    with pytest.raises(NotFound):
        harness.adapter().publish("999999999", channel, harness.message(channel))


def test_a_key_that_may_only_read(harness: Harness, channel: Channel) -> None:
    """Refused as a matter of the key, and nothing is written."""
    need(harness, Feature.READ_ONLY_KEY)
    (order_id,) = harness.add_orders(1)
    adapter = harness.adapter(Key.READ_ONLY)
    with pytest.raises(ShopAuthFailed) as caught:
        adapter.publish(order_id, channel, harness.message(channel))
    assert harness.published(order_id, channel) == []
    assert not any(secret in f"{caught.value} {caught.value!r}" for secret in harness.hidden)


def test_a_channel_that_the_platform_lacks(harness: Harness) -> None:
    """The adapter says what it has, and the rest is never written as something else."""
    (order_id,) = harness.add_orders(1)
    adapter = harness.adapter()
    assert adapter.channels == PLATFORMS[harness.platform].channels
    for channel in set(Channel) - adapter.channels:
        with pytest.raises((ShopError, ValueError)):
            adapter.publish(order_id, channel, Message("FV/1", "FV/1"))
