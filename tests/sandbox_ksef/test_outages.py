"""Outages: announced on Latarnia, in force on the API, on the sandbox's own clock."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests

from core.ksef.latarnia import Availability, Category, Latarnia, outages
from sandbox.ksef import KsefSandbox
from tests.sandbox_ksef.conftest import MovingClock

PATH = "/security/public-key-certificates"


def post(sandbox: KsefSandbox, path: str, **body: object) -> Any:
    answer = requests.post(f"{sandbox.admin_url}{path}", json=body, timeout=10)
    assert answer.status_code < 400, answer.text
    return answer.json()


def api(sandbox: KsefSandbox) -> requests.Response:
    return requests.get(f"{sandbox.api_url}{PATH}", timeout=10)


def test_a_failure_stops_the_api_until_it_is_ended(sandbox: KsefSandbox, clock: MovingClock) -> None:
    """The board shows its start, then its end under the same event; the API answers 503 in between."""
    board = Latarnia(sandbox.latarnia_url)
    assert board.status().availability is Availability.AVAILABLE
    assert board.messages() == ()
    begun = post(sandbox, "/outages", category="FAILURE")
    assert board.status().availability is Availability.FAILURE
    refused = api(sandbox)
    assert refused.status_code == 503
    assert refused.headers["Retry-After"] == "60"
    assert refused.json()["status"] == 503
    clock.moment += timedelta(hours=3)
    post(sandbox, f"/outages/{begun['event']}/end")
    assert board.status().availability is Availability.AVAILABLE
    assert api(sandbox).status_code == 200
    messages = board.messages()
    assert [one.type for one in messages] == ["FAILURE_END", "FAILURE_START"]
    (joined,) = outages(messages)
    assert joined.category is Category.FAILURE
    assert joined.end is not None
    assert joined.end - joined.start == timedelta(hours=3)


def test_a_maintenance_is_announced_ahead_and_comes_with_the_clock(
    sandbox: KsefSandbox, clock: MovingClock
) -> None:
    """Moving the sandbox's time begins and ends it; Retry-After names the announced end."""
    start, end = clock.moment + timedelta(hours=1), clock.moment + timedelta(hours=2)
    post(sandbox, "/outages", category="MAINTENANCE", start=start.isoformat(), end=end.isoformat())
    board = Latarnia(sandbox.latarnia_url)
    (ahead,) = outages(board.messages())
    assert (ahead.start, ahead.end) == (start, end)
    assert board.status().availability is Availability.AVAILABLE
    assert api(sandbox).status_code == 200
    post(sandbox, "/clock", advanceSeconds=3600 + 1800)
    assert board.status().availability is Availability.MAINTENANCE
    assert api(sandbox).headers["Retry-After"] == "1800"
    post(sandbox, "/clock", advanceSeconds=1800)
    assert board.status().availability is Availability.AVAILABLE
    assert api(sandbox).status_code == 200


def test_an_announcement_may_leave_the_api_running(sandbox: KsefSandbox) -> None:
    """With the setting off only the board speaks: a client must not find out by itself."""
    post(sandbox, "/settings", outage_stops_api=False)
    post(sandbox, "/outages", category="TOTAL_FAILURE")
    assert Latarnia(sandbox.latarnia_url).status().availability is Availability.TOTAL_FAILURE
    assert api(sandbox).status_code == 200


def test_the_gravest_of_several_is_shown_and_all_are_forgotten(sandbox: KsefSandbox) -> None:
    """A total failure over a failure; DELETE takes every announcement back."""
    post(sandbox, "/outages", category="TOTAL_FAILURE")
    post(sandbox, "/outages", category="FAILURE")
    assert Latarnia(sandbox.latarnia_url).status().availability is Availability.TOTAL_FAILURE
    listed = requests.get(f"{sandbox.admin_url}/outages", timeout=10).json()
    assert [(one["category"], one["active"]) for one in listed] == [
        ("TOTAL_FAILURE", True),
        ("FAILURE", True),
    ]
    assert requests.delete(f"{sandbox.admin_url}/outages", timeout=10).status_code == 204
    assert Latarnia(sandbox.latarnia_url).messages() == ()
    assert api(sandbox).status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/outages", {"category": "HOLIDAY"}, 400),
        ("/outages", {"category": "MAINTENANCE"}, 400),
        (
            "/outages",
            {"category": "FAILURE", "start": "2026-11-24T10:00:00Z", "end": "2026-11-24T09:00:00Z"},
            400,
        ),
        ("/outages/99/end", {}, 404),
    ],
)
def test_an_outage_that_makes_no_sense_is_refused(
    sandbox: KsefSandbox, path: str, body: dict[str, str], status: int
) -> None:
    """With a sentence that says what is wrong."""
    assert requests.post(f"{sandbox.admin_url}{path}", json=body, timeout=10).status_code == status


def test_what_has_ended_is_not_ended_again(sandbox: KsefSandbox) -> None:
    """The announced end stays the one from which days are counted."""
    event = post(sandbox, "/outages", category="FAILURE")["event"]
    post(sandbox, f"/outages/{event}/end")
    again = requests.post(f"{sandbox.admin_url}/outages/{event}/end", json={}, timeout=10)
    assert again.status_code == 400
