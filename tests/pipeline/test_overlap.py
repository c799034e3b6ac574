"""How far before its mark a look at a shop's orders begins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from connector_app.pipeline.marks import OVERLAP, overlap

NOW = datetime(2026, 11, 24, 10, 2, tzinfo=UTC)
FIVE_MINUTES = timedelta(minutes=5)


def test_the_first_look_of_five_minutes_goes_far_back() -> None:
    """The very first one, the first after a failure, and one in every five minutes."""
    assert overlap(None, NOW) >= OVERLAP + FIVE_MINUTES
    assert overlap(NOW - timedelta(minutes=3), NOW) >= OVERLAP + FIVE_MINUTES
    assert overlap(NOW - timedelta(days=1), NOW) >= OVERLAP + FIVE_MINUTES


def test_looks_between_do_not_read_a_busy_hour_again() -> None:
    """Twenty seconds after a complete look only the newest changes are read again."""
    assert overlap(NOW - timedelta(seconds=20), NOW) < timedelta(minutes=1)


def test_any_row_of_looks_goes_far_back_often_enough() -> None:
    """With looks every so many seconds, no five minutes pass without one that goes far back."""
    for every in (1, 7, 20, 299, 300, 301, 3600):
        looked_at, last_far = NOW, NOW
        for number in range(1, 2000):
            now = NOW + timedelta(seconds=every * number)
            if overlap(looked_at, now) >= OVERLAP + FIVE_MINUTES:
                last_far = now
            assert now - last_far <= max(FIVE_MINUTES, timedelta(seconds=every))
            looked_at = now
