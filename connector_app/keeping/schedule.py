"""Backups that the running program makes by itself, and what became of the last one."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from connector_app.alerts.condition import Backup
from connector_app.keeping import options
from connector_app.keeping.backup import Made, Progress, Wanted, as_json, back_up
from connector_app.keeping.places import BackupFailed, keep_by
from connector_app.log_events import Said
from connector_app.logs import Log
from connector_app.pipeline.services import Services
from core.calendar import WARSAW
from core.findings import Text

_log = Log(__name__)

_STATE = "backup-last"
_AGAIN = timedelta(hours=1)
"""Between two tries of a backup that fails."""
_LATE = timedelta(hours=36)


@dataclass(frozen=True, slots=True)
class LastBackup:
    """What became of the last backup.

    Attributes:
        at: when it was begun (aware UTC). failure: why there is none; ``None`` when it was made.
        good_at: when the last one was made. path, size, documents, encrypted: of the last one that was made.
    """

    at: datetime
    failure: Text | None
    good_at: datetime | None
    path: str = ""
    size: int = 0
    documents: int = 0
    encrypted: bool = False


def last_backup(services: Services) -> LastBackup | None:
    """What became of the last backup, made by command, by page or by itself; ``None``: there was none."""
    with services.database() as session:
        values = options.state(session, _STATE)
    if not values:
        return None
    good = values.get("good") or {}
    why = values.get("failure")
    return LastBackup(
        datetime.fromisoformat(values["at"]),
        Text(why["pl"], why["en"]) if why else None,
        datetime.fromisoformat(good["at"]) if good else None,
        good.get("path", ""),
        good.get("bytes", 0),
        good.get("documents", 0),
        good.get("encrypted", False),
    )


def troubles(services: Services) -> list[Text]:
    """What people have to know about backups: the last one failed, or the wanted ones do not come about."""
    last = last_backup(services)
    with services.database() as session:
        wanted = options.backup_options(session)
    if last is not None and last.failure is not None:
        return [
            Text(f"Kopia zapasowa się nie udała: {last.failure.pl}", f"The backup failed: {last.failure.en}")
        ]
    now = services.clock()
    if wanted.folder and last is not None and now - last.at > _LATE:
        day = f"{last.at.astimezone(WARSAW):%d.%m.%Y}"
        return [Text(f"Ostatnia kopia zapasowa jest z {day}.", f"The last backup is of {day}.")]
    return []


def of_alerts(services: Services) -> Backup:
    """How backups are, for alerts; one that was never made is as old as the wish for it."""
    last = last_backup(services)
    with services.database() as session:
        wanted = options.backup_options(session)
    since = datetime.fromisoformat(wanted.since) if wanted.folder and wanted.since else None
    if last is None:
        return Backup(since is not None, since)
    return Backup(since is not None, last.good_at or since, last.at if last.failure is not None else None)


def make(services: Services, wanted: Wanted, progress: Progress = lambda _done, _total: None) -> Made:
    """:func:`~connector_app.keeping.backup.back_up`, with its result written down.

    Raises:
        BackupFailed: it cannot be made; that is written down too.
    """
    at = services.clock()
    try:
        made = back_up(services, wanted, progress)
    except BackupFailed as error:
        _record(services, at, None, error.text)
        raise
    _record(services, at, made, None)
    return made


def is_due(services: Services) -> bool:
    """Whether the day's backup is to be made now."""
    with services.database() as session:
        wanted = options.backup_options(session)
    if not wanted.folder:
        return False
    now, last = services.clock(), last_backup(services)
    if now.astimezone(WARSAW).hour < wanted.hour:
        return False
    if last is None:
        return True
    if last.failure is not None:
        return now - last.at >= _AGAIN
    return last.at.astimezone(WARSAW).date() < now.astimezone(WARSAW).date()


def make_due(services: Services) -> Made | None:
    """Make the day's backup when it is due, and delete those that are no longer needed; never raises.

    Returns:
        What was made; ``None`` when nothing was due or it failed, which is written down.
    """
    try:
        if not is_due(services):
            return None
        with services.database() as session:
            wanted = options.backup_options(session)
        folder = Path(wanted.folder)
        made = make(services, Wanted(folder, services.backup_passphrase or None))
        keep_by(folder, services.vault, wanted)
    except BackupFailed as error:
        _log.warning(Said.BACKUP_FAILED, error)
        return None
    except (SQLAlchemyError, OSError) as error:
        _log.failed(Said.BACKUP_FAILED, error)
        return None
    _log.info(Said.BACKUP_MADE, bytes=made.size, seconds=round(made.seconds, 1), documents=made.documents)
    return made


class Backups:
    """Makes due backups in a thread of its own, so that no invoice waits for one.

    Args:
        services: the installation.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Look whether one is due, unless one is being made."""
        if self._thread is not None and self._thread.is_alive():
            return
        if is_due(self._services):
            self._thread = threading.Thread(
                target=make_due, args=(self._services,), name="backup", daemon=True
            )
            self._thread.start()


def _record(services: Services, at: datetime, made: Made | None, failure: Text | None) -> None:
    with services.database.begin() as session:
        before = options.state(session, _STATE)
        good = before.get("good") if made is None else as_json(made) | {"at": at.isoformat()}
        why = {"pl": failure.pl, "en": failure.en} if failure else None
        options.put_state(session, _STATE, {"at": at.isoformat(), "failure": why, "good": good})
