"""What KSeF's answers say beside the answer: warnings and the time are kept and shown, once each."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from connector_app.ksef_notices import EVERY, SHOWN, NoticeBook, noticed
from connector_app.store.database import open_database
from core.ksef.answers import SystemWarning
from core.ksef.clock import ClockReading
from tests.pipeline.world import Clock, World, recorded, world
from tests.web.site import site


def settings(made: World, **values: object) -> None:
    answer = requests.post(f"{made.ksef.admin_url}/settings", json=values, timeout=10)
    assert answer.status_code == 200, answer.text


def health(made: World) -> tuple[str, dict[str, Any]]:
    """The page and the JSON."""
    services = made.services()
    pages = site(services)
    data: dict[str, Any] = json.loads(pages.browser().get("/health"))
    return pages.user(f"p{uuid4().hex}@sklep.example").get("/"), data


def test_a_warning_of_ksef_is_kept_and_shown_without_secrets(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """By code and operation, with the text and when it was last seen; what looks like a token is cut out."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        settings(
            made, system_warning="[W7]: Schemat FA(2) wygasa Bearer tajny.zeton | [W8]: eyJhbGciOi.eyJzdWIi.x"
        )
        made.run()
        page, data = health(made)
        assert {one.state for one in made.documents()} == {"published"}
    warnings = data["system_warnings"]
    assert {one["code"] for one in warnings} == {"W7", "W8"}
    operations = [one["operation"] for one in warnings if one["code"] == "W7"]
    assert "POST /auth/challenge" in operations
    assert len(operations) == len(set(operations))
    for said in (page, str(data)):
        assert "Schemat FA(2) wygasa" in said
        assert "tajny" not in said
        assert "eyJ" not in said
    # the log has codes only: KSeF's words are not ours
    assert "Schemat" not in caplog.text
    assert "W7" in caplog.text
    assert "[W7] przy POST /auth/challenge" in page
    assert data["clock"] == []


def test_a_warning_is_written_down_now_and_then_and_fades(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Ten in a row are one line in the log; a newer text replaces the older; after a month it is gone."""
    caplog.set_level(logging.WARNING)
    database = open_database(f"sqlite:///{tmp_path / 'connector.sqlite3'}")
    clock = Clock()
    book = NoticeBook(database, "https://ksef.example/v2", clock)
    for _ in range(10):
        book.warn(SystemWarning("W1", "stary", "GET /sessions"))
    assert caplog.text.count("ksef.warning") == 1
    first = clock.now
    clock.sleep(EVERY.total_seconds())
    # another process
    NoticeBook(database, "https://ksef.example/v2", clock).warn(SystemWarning("W1", "nowy", "GET /sessions"))
    with database() as session:
        (row,) = noticed(session, clock.now).warnings
        assert (row.text, row.first_seen <= first < row.last_seen) == ("nowy", True)
        assert noticed(session, clock.now, "https://other.example").warnings == ()
        assert noticed(session, clock.now + SHOWN).warnings == ()


@pytest.mark.parametrize(("seconds", "word"), [(300, "spóźnia się"), (-300, "spieszy się")])
def test_a_clock_that_is_off_is_told_until_it_is_right(tmp_path: Path, seconds: int, word: str) -> None:
    """Five minutes off are shown with a hint; work goes on; once the clocks agree it is shown no more."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        url = f"{made.ksef.admin_url}/clock"
        requests.post(url, json={"advanceSeconds": seconds}, timeout=10)
        made.run()
        page, data = health(made)
        (skew,) = data["clock"]
        assert abs(skew["seconds_ahead"] + seconds) <= 2
        assert word in page
        assert "NTP" in page
        requests.post(url, json={"advanceSeconds": -seconds}, timeout=10)
        made.clock.sleep(3600)
        made.run()
        page, data = health(made)
        assert data["clock"] == []
        assert "NTP" not in page


def test_a_database_that_cannot_be_used_fails_no_operation(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The notice is logged and lost; the answer that carried it is used all the same."""
    file = tmp_path / "connector.sqlite3"
    database = open_database(f"sqlite:///{file}")
    database.kw["bind"].dispose()
    for one in tmp_path.iterdir():
        one.unlink()
    file.mkdir()
    book = NoticeBook(database, "https://ksef.example/v2", Clock())
    book.warn(SystemWarning("W1", "stary", "GET /sessions"))
    book.read_clock(ClockReading(2 * EVERY, "GET /sessions"))
    assert caplog.text.count("database.failed") == 2
