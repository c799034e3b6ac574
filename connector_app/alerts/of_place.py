"""Rules about the installation itself: its disk, its work, its archive and backups."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from connector_app import measures
from connector_app.alerts.condition import Condition, Look, moment
from connector_app.alerts.kinds import Kind
from connector_app.store import room
from core.findings import Severity, Text

_TO_DISK = Text(
    "Zwolnij miejsce albo powiększ dysk: bez niego nic nie zostanie wystawione. Nic nie zginie.",
    "Free space or enlarge the disk: without it nothing is issued. Nothing is lost.",
)
_TO_RUNNER = Text(
    "Uruchom program (ksef-connector serve, a w instalacji rozproszonej pracowników) i zajrzyj do dziennika.",
    "Start the program (ksef-connector serve, or the workers where there are several) and look at its log.",
)
_TO_ARCHIVE = Text(
    "Uruchom ksef-connector verify-archive: powie, które pliki i jak je odzyskać z KSeF albo z kopii.",
    "Run ksef-connector verify-archive: it says which files, and how to get them back from KSeF or a backup.",
)
_TO_BACKUP = Text(
    "Sprawdź folder kopii i miejsce na dysku, potem uruchom ksef-connector backup.",
    "Check the folder of backups and its disk, then run ksef-connector backup.",
)


def disk(look: Look) -> Sequence[Condition]:
    """A disk with less free than is set: the database's, or that of the work folder."""
    percent = look.options.number("disk_percent")
    _, free = room.of_database(look.session)
    folder = look.services.work_dir
    if free is None and folder is not None and folder.parent.exists():
        usage = shutil.disk_usage(folder.parent)
        free = usage.free / usage.total
    if free is None or free * 100 >= percent:
        return []
    said = Text(
        f"Na dysku zostało {free * 100:.0f}% wolnego miejsca.", f"The disk has {free * 100:.0f} % left."
    )
    step = 1 if free * 100 < percent / 2 else 0
    return [Condition(Kind.DISK, Kind.DISK, Severity.ERROR, said, _TO_DISK, look.now, step=step)]


def runner(look: Look) -> Sequence[Condition]:
    """No seller was worked for by anybody for longer than is set."""
    if not look.at_work():
        return []
    minutes = look.options.number("runner_minutes")
    last = measures.last_done(look.session, "lane")
    if last is None or last >= (look.now - timedelta(minutes=minutes)).timestamp():
        return []
    since = datetime.fromtimestamp(last, UTC)
    said = Text(
        f"Praca w tle stoi od {moment(since)}: nic nie jest wystawiane ani wysyłane.",
        f"The background work stands still since {moment(since)}: nothing is issued or sent.",
    )
    return [Condition(Kind.RUNNER, Kind.RUNNER, Severity.ERROR, said, _TO_RUNNER, since)]


def archive(look: Look) -> Sequence[Condition]:
    """Stored files that are not what was stored, one condition for each seller."""
    by_seller: dict[int, list[datetime]] = {}
    for one in look.archive.damaged(look.services):
        by_seller.setdefault(one.seller_id, []).append(one.seen_at)
    found = []
    for seller_id, moments in sorted(by_seller.items()):
        said = Text(
            f"Uszkodzone pliki w archiwum (XML albo UPO): {len(moments)}.",
            f"Damaged files in the archive (XML or UPO): {len(moments)}.",
        )
        key = f"{Kind.ARCHIVE}:{seller_id}"
        since = min(moments)
        found.append(
            Condition(
                key, Kind.ARCHIVE, Severity.ERROR, said, _TO_ARCHIVE, since, seller_id, step=len(moments)
            )
        )
    return found


def backup(look: Look) -> Sequence[Condition]:
    """Backups that the program makes by itself: the last one failed, or the last good one is too old."""
    known = look.archive.backup(look.services)
    if known is None or not known.wanted:
        return []
    if known.failed_at is not None:
        since = known.failed_at
        said = Text(f"Kopia zapasowa nie udała się {moment(since)}.", f"The backup failed {moment(since)}.")
    elif known.at is not None and known.is_old(look.now, look.options.number("backup_days")):
        since = known.at
        said = Text(
            f"Ostatnia dobra kopia zapasowa jest z {moment(since)}.",
            f"The last good backup is of {moment(since)}.",
        )
    else:
        return []
    return [Condition(Kind.BACKUP, Kind.BACKUP, Severity.ERROR, said, _TO_BACKUP, since)]
