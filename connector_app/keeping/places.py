"""Where backups lie: names, who may look, and which of them are kept."""

from __future__ import annotations

import re
import stat
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from connector_app.keeping.options import BackupOptions
from connector_app.keeping.package import SUFFIX
from connector_app.vault import Vault
from core.calendar import WARSAW
from core.findings import SaidError, Text

_NAME = re.compile(r"ksef-([0-9a-f]{8})-(\d{8}T\d{6})Z" + re.escape(SUFFIX))
_MOMENT = "%Y%m%dT%H%M%S"
_ABANDONED = 86_400
"""Seconds after which an unfinished file belongs to nobody."""


class BackupFailed(SaidError):
    """A backup that cannot be made.

    Attributes:
        text: why, and what to do, for a person.
    """


def name_of(vault: Vault, moment: datetime) -> str:
    """The name of an installation's backup: several installations may share a folder.

    Args:
        vault: the installation's.
        moment: aware UTC.
    """
    return f"ksef-{_mark(vault)}-{moment.astimezone(UTC):{_MOMENT}}Z{SUFFIX}"


def check_place(path: Path, *, encrypted: bool) -> None:
    """See that a backup may be written to a path; its folder is made for the owner only when it is missing.

    Args:
        path: of the file.
        encrypted: then others may see the folder, though not write to it.

    Raises:
        BackupFailed: something is there already, or others can read the folder.
        OSError: the folder cannot be made or looked at.
    """
    if path.exists():
        raise BackupFailed(Text(f"{path} już istnieje.", f"{path} exists already."))
    folder = path.parent
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        raise BackupFailed(
            Text(
                f"Do folderu {folder} każdy może pisać, więc kopię mógłby podmienić: chmod o-w {folder}",
                f"Everybody may write to {folder} and could replace the backup: chmod o-w {folder}",
            )
        )
    if mode & stat.S_IRWXO and not encrypted:
        raise BackupFailed(
            Text(
                f"Folder {folder} jest otwarty dla innych, a kopia nie jest szyfrowana: chmod o-rwx {folder} "
                "albo --encrypt.",
                f"{folder} is open to others and the backup is not encrypted: chmod o-rwx {folder} "
                "or --encrypt.",
            )
        )


def clean(folder: Path) -> None:
    """Remove what backups that were killed left behind."""
    for part in folder.glob(f".*{SUFFIX}.*.part"):
        with suppress(OSError):
            if time.time() - part.stat().st_mtime > _ABANDONED:
                part.unlink()


def backups_in(folder: Path, vault: Vault) -> list[tuple[datetime, Path]]:
    """An installation's backups in a folder, the newest first; others' files are none of them."""
    found = []
    for path in folder.glob(f"ksef-*{SUFFIX}"):
        name = _NAME.fullmatch(path.name)
        if name is not None and name[1] == _mark(vault):
            found.append((datetime.strptime(name[2], _MOMENT).replace(tzinfo=UTC), path))
    return sorted(found, reverse=True)


def keep_newest(folder: Path, vault: Vault, count: int) -> list[Path]:
    """Delete all but the newest backups of an installation; gives those that were deleted."""
    return _delete(path for _, path in backups_in(folder, vault)[max(1, count) :])


def keep_by(folder: Path, vault: Vault, options: BackupOptions) -> list[Path]:
    """Delete backups that neither a day, a week nor a month needs; gives those that were deleted."""
    found = backups_in(folder, vault)
    needed = needed_of([moment for moment, _ in found], options)
    return _delete(path for moment, path in found if moment not in needed)


def needed_of(moments: Iterable[datetime], options: BackupOptions) -> set[datetime]:
    """Which backups are kept: the newest of each of the last days, weeks and months that have one.

    Args:
        moments: aware UTC, in any order; the newest is always kept.
        options: how many.
    """
    newest_first = sorted(moments, reverse=True)
    spans: tuple[tuple[Callable[[datetime], object], int], ...] = (
        (lambda one: one.date(), options.daily),
        (lambda one: one.isocalendar()[:2], options.weekly),
        (lambda one: (one.year, one.month), options.monthly),
    )
    needed = set(newest_first[:1])
    for span_of, count in spans:
        seen: dict[object, datetime] = {}
        for moment in newest_first:
            seen.setdefault(span_of(moment.astimezone(WARSAW)), moment)
        needed |= set(list(seen.values())[:count])
    return needed


def _delete(paths: Iterable[Path]) -> list[Path]:
    gone = []
    for path in paths:
        path.unlink(missing_ok=True)
        gone.append(path)
    return gone


def _mark(vault: Vault) -> str:
    """Tells installations apart."""
    return vault.derive("backup-name")[:4].hex()
