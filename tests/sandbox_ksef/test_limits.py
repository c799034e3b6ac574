"""Rate limits."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox.ksef.errors import TooManyRequests
from sandbox.ksef.limits import PUBLISHED, RateLimit, RateLimiter
from sandbox.ksef.operations import API
from tests.sandbox_ksef.conftest import Client, MovingClock

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


def test_table_is_the_contract(official_ksef: Path) -> None:
    """Each operation's group and its numbers are those that the contract publishes."""
    contract = json.loads((official_ksef / "open-api.json").read_text("utf-8"))
    for operation in API:
        documented = contract["paths"][operation.path][operation.method.lower()]
        published = documented["x-rate-limits"]
        limit = PUBLISHED[operation.group]
        expected = RateLimit(
            published["perSecond"], published.get("perMinute", -1), published.get("perHour", -1)
        )
        assert limit == expected, operation.path
        description = documented["responses"]["429"]["description"]
        group = description.strip().splitlines()[-1].rpartition("|")[2].strip()
        assert group == ("-" if operation.group == "anonymous" else operation.group), operation.path


def test_permissions_are_the_contract(official_ksef: Path) -> None:
    """Each operation needs the permissions that the contract publishes."""
    contract = json.loads((official_ksef / "open-api.json").read_text("utf-8"))
    for operation in API:
        documented = contract["paths"][operation.path][operation.method.lower()]
        assert operation.permissions == set(documented.get("x-required-permissions", ())), operation.path
        assert bool(operation.tokens) == ("security" in documented), operation.path


@pytest.mark.parametrize(("limit", "seconds"), [((2, -1, -1), 1), ((9, 2, -1), 60), ((9, 9, 2), 3600)])
def test_each_window(limit: tuple[int, int, int], seconds: int) -> None:
    """The second, the minute and the hour each refuse the third call and let it pass when the window slid."""
    limiter = RateLimiter({"other": RateLimit(*limit)})

    def call(after: float) -> None:
        limiter.count("other", context="A", address="::1", moment=NOON + timedelta(seconds=after))

    call(0)
    call(0.1)
    with pytest.raises(TooManyRequests) as refused:
        call(0.2)
    assert refused.value.retry_after == seconds
    call(seconds + 0.01)


def test_contexts_addresses_and_groups_are_apart() -> None:
    """Another context, address or group has its own windows."""
    limiter = RateLimiter({"other": RateLimit(1), "sessionMisc": RateLimit(1)})
    for group, context, address in (
        ("other", "A", "1"),
        ("other", "B", "1"),
        ("other", "A", "2"),
        ("sessionMisc", "A", "1"),
    ):
        limiter.count(group, context=context, address=address, moment=NOON)


def test_repeated_excess_lengthens_the_block() -> None:
    """Calling again during a block doubles what is left of it."""
    limiter = RateLimiter({"other": RateLimit(9, 1)})
    waits = []
    limiter.count("other", context="A", address="1", moment=NOON)
    for _ in range(3):
        with pytest.raises(TooManyRequests) as refused:
            limiter.count("other", context="A", address="1", moment=NOON)
        waits.append(refused.value.retry_after)
    assert waits == [60, 120, 240]


def test_too_many_requests(signed: Client, clock: MovingClock) -> None:
    """With limits on, the sixth list of sessions in a second is 429 with Retry-After, in both forms."""
    signed.sandbox.state.settings.rate_limits = True

    def listed(headers: dict[str, str] | None = None) -> tuple[int, str, str]:
        answer = signed.http.call(
            "GET", "/sessions", token=signed.access, query={"sessionType": "Online"}, headers=headers
        )
        return answer.status_code, answer.headers.get("Retry-After", ""), answer.headers["Content-Type"]

    assert [listed()[0] for _ in range(5)] == [200] * 5
    assert listed() == (429, "1", "application/json")
    assert listed({"X-Error-Format": "problem-details"}) == (429, "2", "application/problem+json")
    clock.moment += timedelta(seconds=2)
    assert listed()[0] == 200


def test_limits_are_off_by_default(signed: Client) -> None:
    """Without the setting nothing is refused."""
    assert {signed.http.call("GET", "/rate-limits", token=signed.access).status_code for _ in range(12)} == {
        200
    }
