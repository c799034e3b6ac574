"""Every platform: bad answers are told apart, waited out when that is short, and show no secret."""

from __future__ import annotations

import pytest

from adapters.contract import ShopAuthFailed, ShopBusy, ShopError, ShopRefused, ShopUnavailable
from tests.conformance.harness import Fault, Feature, Harness, Key, need

BROKEN = [Fault.DOWN, Fault.DROPPED, Fault.HTML, Fault.TRUNCATED, Fault.CUT, Fault.SLOW, Fault.HUGE]


def show_nothing(harness: Harness, error: ShopError) -> None:
    seen = f"{error} {error!r} {error.message} {error.hint} {error.__cause__} {error.__context__}"
    assert not any(secret in seen for secret in harness.hidden)


@pytest.mark.parametrize("kind", BROKEN)
def test_a_bad_moment_is_waited_out(harness: Harness, kind: Fault) -> None:
    """One bad answer to a reading request is followed by a second try."""
    (order_id,) = harness.add_orders(1)
    harness.fault(kind)
    assert harness.adapter().order(order_id).id == order_id


@pytest.mark.parametrize("kind", BROKEN)
def test_a_bad_day_is_told(harness: Harness, kind: Fault) -> None:
    """A shop that goes on so is unavailable: try later, nothing is concluded about the order."""
    (order_id,) = harness.add_orders(1)
    harness.fault(kind, times=10)
    with pytest.raises(ShopUnavailable) as caught:
        harness.adapter().order(order_id)
    show_nothing(harness, caught.value)


@pytest.mark.parametrize("kind", [Fault.BUSY, Fault.CLOSED])
def test_retry_after(harness: Harness, kind: Fault) -> None:
    """A short pause is made, of the length that was asked for; a long one is left to the caller."""
    need(harness, Feature.RETRY_AFTER)
    (order_id,) = harness.add_orders(1)
    adapter = harness.adapter()
    harness.fault(kind, value=7)
    assert adapter.order(order_id).id == order_id
    assert max(harness.pauses) == pytest.approx(7, abs=1)
    harness.pauses.clear()
    harness.fault(kind, value=600)
    with pytest.raises(ShopBusy) as caught:
        adapter.order(order_id)
    assert caught.value.retry_after == pytest.approx(600, abs=1)
    assert sum(harness.pauses) < 600


def test_redirects_are_not_followed(harness: Harness) -> None:
    """A signed request goes to nobody else; the address must be corrected."""
    need(harness, Feature.REDIRECT)
    (order_id,) = harness.add_orders(1)
    harness.fault(Fault.REDIRECT, times=10)
    with pytest.raises(ShopRefused) as caught:
        harness.adapter().order(order_id)
    show_nothing(harness, caught.value)
    assert "secret" not in str(caught.value)


def test_a_wrong_key(harness: Harness) -> None:
    """Every reading says so, with a hint and without the key; ``check`` says it, too."""
    (order_id,) = harness.add_orders(1)
    adapter = harness.adapter(Key.WRONG)
    for read in (
        lambda: adapter.order(order_id),
        lambda: list(adapter.changed_orders(None)),
        lambda: list(adapter.changed_refunds(None)),
    ):
        with pytest.raises(ShopAuthFailed) as caught:
            read()
        assert caught.value.hint
        show_nothing(harness, caught.value)
    lines = adapter.check()
    assert any(line.ok is False for line in lines)
    assert not any(secret in f"{lines}" for secret in harness.hidden)


def test_a_key_that_may_only_read_can_read(harness: Harness) -> None:
    """And ``check`` finds what it lacks."""
    need(harness, Feature.READ_ONLY_KEY)
    (order_id,) = harness.add_orders(1)
    adapter = harness.adapter(Key.READ_ONLY)
    assert adapter.order(order_id).id == order_id
    assert any(line.ok is False for line in adapter.check())


def test_check_of_a_good_connection(harness: Harness) -> None:
    """The first line is good, nothing is broken, and every line has words."""
    harness.add_orders(1)
    lines = harness.adapter().check()
    assert lines[0].ok is True
    assert [line for line in lines if line.ok is False] == []
    assert all(line.title and line.detail for line in lines)
    assert not any(secret in f"{lines}" for secret in harness.hidden)


def test_check_never_raises(harness: Harness) -> None:
    """A shop that is down is a line, not an error."""
    harness.fault(Fault.DOWN, times=100)
    assert any(line.ok is False for line in harness.adapter().check())


def test_an_adapter_shows_no_key(harness: Harness) -> None:
    """Its repr is safe to log."""
    assert not any(secret in repr(harness.adapter()) for secret in harness.hidden)
