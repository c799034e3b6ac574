"""The last backup: how old it is, and whether the next ones come about."""

from __future__ import annotations

from datetime import datetime

from connector_app.alerts.kinds import options_of
from connector_app.checks.installation.said import Looked
from connector_app.keeping import schedule
from connector_app.keeping.schedule import LastBackup
from connector_app.pipeline.services import Services
from core.calendar import WARSAW
from core.findings import Text

_WHY = Text(
    "Po awarii dysku z KSeF wrócą tylko dokumenty, bez zamówień, ustawień i haseł.",
    "After a disk fails KSeF gives back the documents alone, without orders, settings and passwords.",
)
_TODO = Text(
    "Sprawdź folder kopii i miejsce na dysku (Ustawienia, Kopie zapasowe), potem: ksef-connector backup.",
    "Check the folder of backups and its disk (Settings, Backups), then: ksef-connector backup.",
)

_DAYS_FROM = 48
"""Hours from which on an age is told in days."""


def look_at_backups(looked: Looked, services: Services) -> None:
    """Say when the last backup was made, and what is wrong with it by the thresholds of the alerts.

    Args:
        looked: gets what is found.
        services: the installation.
    """
    now, last, known = services.clock(), schedule.last_backup(services), schedule.of_alerts(services)
    with services.database() as session:
        days = options_of(session).number("backup_days")
    good_at = last.good_at if last is not None else None
    if last is not None and good_at is not None:
        looked.facts.append(_fact(last, good_at, now))
    elif not known.wanted:
        looked.facts.append(
            Text(
                "Tym programem kopii jeszcze nie zrobiono (ksef-connector backup).",
                "No backup was made with this program yet (ksef-connector backup).",
            )
        )
    if last is not None and last.failure is not None:
        failed = _day(last.at)
        looked.error(
            "backup-failed",
            Text(
                f"Kopia zapasowa {failed} się nie udała: {last.failure.pl}",
                f"The backup of {failed} failed: {last.failure.en}",
            ),
            _WHY,
            _TODO,
        )
    elif known.is_old(now, days):
        # what nobody wants to be made by itself does not stand still
        say = looked.error if known.wanted else looked.warn
        if good_at is not None:
            age = (now - good_at).days
            what = Text(
                f"Ostatnia dobra kopia zapasowa jest z {_day(good_at)} (dni: {age}, alarm od: {days}).",
                f"The last good backup is of {_day(good_at)} (days: {age}, an alert from {days} on).",
            )
        else:
            what = Text(
                "Codzienne kopie są włączone, a żadnej jeszcze nie ma.",
                "Daily backups are switched on, and there is none yet.",
            )
        say("backup-old" if good_at is not None else "backup-missing", what, _WHY, _TODO)


def _fact(last: LastBackup, good_at: datetime, now: datetime) -> Text:
    day, hours = _day(good_at), int((now - good_at).total_seconds() // 3600)
    age = (
        Text(f"{hours} godz. temu", f"{hours} h ago")
        if hours < _DAYS_FROM
        else Text(f"{hours // 24} dni temu", f"{hours // 24} days ago")
    )
    sealed = Text(", zaszyfrowana", ", encrypted") if last.encrypted else Text("", "")
    return Text(
        f"Ostatnia kopia: {day} ({age.pl}), dokumentów {last.documents}{sealed.pl}",
        f"Last backup: {day} ({age.en}), documents {last.documents}{sealed.en}",
    )


def _day(at: datetime) -> str:
    return f"{at.astimezone(WARSAW):%d.%m.%Y %H:%M}"
