"""The check of an installation tells how old the last backup is, and what is wrong with backups."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from connector_app.alerts.kinds import Options, options_of, set_options
from connector_app.checks.installation.run import Installation, examine
from connector_app.checks.installation.said import Area, Looked
from connector_app.keeping import options, schedule
from connector_app.keeping.backup import Wanted
from connector_app.keeping.options import BackupOptions
from connector_app.keeping.places import BackupFailed
from core.findings import Severity
from tests.checks.broken import Shelf


@pytest.fixture
def private(tmp_path: Path) -> Path:
    folder = tmp_path / "copies"
    folder.mkdir(mode=0o700)
    return folder


def look(shelf: Shelf, *, days: float = 0) -> Looked:
    """What the examination says of backups, some days later."""
    services = shelf.made.services()
    shelf.made.clock.sleep(days * 86_400)
    try:
        found = examine(Installation.of(services), services.clock(), network=False, deep=False)
    finally:
        shelf.made.clock.sleep(-days * 86_400)
    return found.areas[Area.BACKUP]


def back_up(shelf: Shelf, folder: Path) -> None:
    schedule.make(shelf.made.services(), Wanted(folder))


def want_daily(shelf: Shelf, folder: Path) -> None:
    services = shelf.made.services()
    with services.database.begin() as session:
        options.back_up_by(session, BackupOptions(str(folder)), services.clock())


def codes(looked: Looked) -> list[tuple[str, Severity]]:
    return [(one.code, one.severity) for one in looked.said]


def test_without_a_backup_that_is_a_fact(shelf: Shelf) -> None:
    """Somebody may back up the machine by other means."""
    looked = look(shelf)
    assert codes(looked) == []
    assert [one.en for one in looked.facts] == [
        "No backup was made with this program yet (ksef-connector backup)."
    ]


@pytest.mark.parametrize("daily", [True, False])
def test_the_age_of_the_last_one_is_told(shelf: Shelf, private: Path, daily: bool) -> None:
    """Too old by the threshold of the alerts: an error where the program should have made one."""
    back_up(shelf, private)
    if daily:
        want_daily(shelf, private)
    (fact,) = look(shelf, days=1.5).facts
    assert "(36 h ago), documents 5" in fact.en
    assert codes(look(shelf, days=1.9)) == []
    late = look(shelf, days=3)
    assert "(3 days ago)" in late.facts[0].en
    assert codes(late) == [("backup-old", Severity.ERROR if daily else Severity.WARNING)]
    assert "(days: 3, an alert from 2 on)" in late.said[0].what.en
    assert all(text.pl and text.en for text in (late.said[0].why, late.said[0].todo))


def test_the_threshold_is_that_of_the_alerts(shelf: Shelf, private: Path) -> None:
    """Who sets a week there has a week here."""
    back_up(shelf, private)
    services = shelf.made.services()
    with services.database.begin() as session:
        set_options(session, Options(numbers={**options_of(session).numbers, "backup_days": 7}))
    assert codes(look(shelf, days=6)) == []
    assert codes(look(shelf, days=7)) == [("backup-old", Severity.WARNING)]


def test_daily_ones_that_never_come_are_told(shelf: Shelf, private: Path) -> None:
    """Counted from the day on which they were wanted."""
    want_daily(shelf, private)
    assert codes(look(shelf)) == []
    assert codes(look(shelf, days=2)) == [("backup-missing", Severity.ERROR)]


def test_one_that_failed_is_told_with_its_reason(shelf: Shelf, private: Path) -> None:
    """Beside the age of the last good one."""
    back_up(shelf, private)
    private.chmod(0o777)
    shelf.made.clock.sleep(60)
    with pytest.raises(BackupFailed):
        back_up(shelf, private)
    shelf.made.clock.sleep(-timedelta(minutes=1).total_seconds())
    looked = look(shelf)
    assert codes(looked) == [("backup-failed", Severity.ERROR)]
    assert str(private) in looked.said[0].what.en
    assert looked.facts[0].en.startswith("Last backup: ")
