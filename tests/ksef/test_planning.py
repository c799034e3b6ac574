"""Few documents go at once, many are gathered, and the hour's budget is never run down to nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ksef.planning import Batching, Plan, Queue, SendingPolicy, Way, plan

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
POLICY = SendingPolicy()


@pytest.mark.parametrize(
    ("queue", "expected"),
    [
        pytest.param(Queue(0), Plan(Way.SINGLY), id="nothing"),
        pytest.param(Queue(1, NOW, None, 180), Plan(Way.SINGLY), id="one"),
        pytest.param(Queue(30, NOW, None, 180), Plan(Way.SINGLY), id="thirty"),
        pytest.param(Queue(31, NOW, None, 180), Plan(Way.BATCH), id="more than a minute takes"),
        pytest.param(
            Queue(31, NOW, NOW - 2 * MINUTE, 180),
            Plan(Way.GATHER, NOW + 3 * MINUTE),
            id="a batch went two minutes ago",
        ),
        pytest.param(Queue(31, NOW, NOW - 5 * MINUTE, 180), Plan(Way.BATCH), id="five minutes are over"),
        pytest.param(Queue(3, NOW, None, 32), Plan(Way.GATHER, NOW + 5 * MINUTE), id="the budget runs low"),
        pytest.param(Queue(3, NOW, None, 33), Plan(Way.SINGLY), id="down to the reserve"),
        pytest.param(Queue(3, NOW - 5 * MINUTE, None, 0), Plan(Way.BATCH), id="gathered long enough"),
        pytest.param(
            Queue(3, NOW - 5 * MINUTE, NOW - MINUTE, 0),
            Plan(Way.GATHER, NOW + 4 * MINUTE),
            id="gathered, but a batch just went",
        ),
        pytest.param(
            Queue(3, NOW + 60 * MINUTE, None, 0), Plan(Way.GATHER, NOW + 5 * MINUTE), id="clock set back"
        ),
        pytest.param(Queue(3, NOW, None, None), Plan(Way.SINGLY), id="nothing is counted"),
    ],
)
def test_the_way(queue: Queue, expected: Plan) -> None:
    assert plan(queue, POLICY, NOW) == expected


def test_a_seller_may_forbid_batches() -> None:
    assert plan(Queue(500, NOW, None, 0), SendingPolicy(Batching.NEVER), NOW).way is Way.SINGLY


_MOMENTS = st.none() | st.integers(-7200, 7200).map(lambda seconds: NOW + timedelta(seconds=seconds))


@given(st.builds(Queue, st.integers(0, 20_000), _MOMENTS, _MOMENTS, st.none() | st.integers(0, 180)))
def test_nothing_is_gathered_for_longer_than_the_policy_says(queue: Queue) -> None:
    made = plan(queue, POLICY, NOW)
    if made.way is Way.GATHER:
        assert made.at is not None
        assert NOW < made.at <= NOW + POLICY.gather_for
    else:
        assert made.at is None


@given(st.integers(1, 30), st.integers(0, 180))
def test_singles_never_use_the_reserve(documents: int, left: int) -> None:
    way = plan(Queue(documents, NOW, None, left), POLICY, NOW).way
    assert (way is Way.SINGLY) == (left - documents >= POLICY.reserve)
