"""The machine: the installation's folder and its rights, the disk, Python and libraries."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from connector_app.checks.installation.said import Looked
from core.findings import Text

_MEGABYTE = 1024 * 1024
_LOW, _VERY_LOW = 500 * _MEGABYTE, 50 * _MEGABYTE
_OLDEST_SQLITE = (3, 38)
"""The first whose JSON functions are always there."""
_DISTRIBUTION = "ksef-shop-connector"


def look_at_files(looked: Looked, home: Path | None, key_file: Path | None) -> bool:
    """Folder, key, and the space that is left.

    Args:
        looked: gets what is found.
        home: the installation's folder; ``None`` when it is not known.
        key_file: with the key of its secrets; ``None`` when it is not known.

    Returns:
        Whether there is an installation to look at.
    """
    if home is None:
        return True
    looked.facts.append(Text(f"Folder instalacji: {home}", f"Folder of the installation: {home}"))
    if not home.is_dir() or (key_file is not None and not key_file.exists()):
        looked.error(
            "no-installation",
            Text(
                f"W folderze {home} nie ma instalacji albo brakuje jej klucza ({key_file}).",
                f"There is no installation in {home}, or its key is missing ({key_file}).",
            ),
            Text("Bez niej nic nie zostanie wystawione.", "Nothing is issued without one."),
            Text(
                "Jeśli jest gdzie indziej, ustaw KSEF_CONNECTOR_HOME; jeśli jeszcze jej nie ma: "
                "ksef-connector serve albo seller add. Zgubiony secret.key przywróć z kopii.",
                "If it is elsewhere, set KSEF_CONNECTOR_HOME; if there is none yet: ksef-connector serve or "
                "seller add. Restore a lost secret.key from its backup.",
            ),
        )
        return False
    _rights(looked, home, key_file)
    _disk(looked, home)
    return True


def _rights(looked: Looked, home: Path, key_file: Path | None) -> None:
    # what lies in a folder that is closed to others is closed, too; the key is looked at all the same
    is_open = stat.S_IMODE(home.stat().st_mode) & 0o077
    keys = [key_file] if key_file is not None else []
    for path in (home, *keys, *(home.glob("*.sqlite3*") if is_open else ())):
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
        except FileNotFoundError:
            continue  # SQLite removes its log when the last one closes
        if mode & 0o077:
            looked.warn(
                "open-to-others",
                Text(
                    f"{path} mogą czytać inni użytkownicy tej maszyny ({mode:o}).",
                    f"Other users of this machine can read {path} ({mode:o}).",
                ),
                Text("Są tam klucze i dane nabywców.", "Keys and buyers' data are in it."),
                Text(f"chmod go= {path}", f"chmod go= {path}"),
            )
    for folder in (home, home / "work"):
        if folder.exists() and not os.access(folder, os.W_OK | os.X_OK):
            looked.error(
                "not-writable",
                Text(f"Do folderu {folder} nie można pisać.", f"The folder {folder} cannot be written to."),
                Text(
                    "Baza i paczki dla KSeF nie mają gdzie powstać.", "Database and packages have no place."
                ),
                Text(f"Daj właścicielowi prawo zapisu: chmod u+rwx {folder}", f"chmod u+rwx {folder}"),
            )


def _disk(looked: Looked, home: Path) -> None:
    free = shutil.disk_usage(home).free
    size = sum(one.stat().st_size for one in home.glob("*.sqlite3"))
    looked.facts.append(
        Text(
            f"Wolne miejsce: {free // _MEGABYTE} MB; baza: {size // _MEGABYTE} MB",
            f"Space left: {free // _MEGABYTE} MB; database: {size // _MEGABYTE} MB",
        )
    )
    if free >= max(_LOW, size):
        return
    say = looked.error if free < _VERY_LOW else looked.warn
    say(
        "disk-nearly-full",
        Text(f"Na dysku zostało {free // _MEGABYTE} MB.", f"{free // _MEGABYTE} MB are left on the disk."),
        Text(
            "Gdy miejsce się skończy, nic nie zostanie wystawione; kopia zapasowa i zmiana układu bazy "
            "potrzebują tyle miejsca, ile ma baza.",
            "Nothing is issued without space; a backup and a change of the database's form need as much as "
            "the database has.",
        ),
        Text("Zwolnij miejsce albo przenieś instalację.", "Make room, or move the installation."),
    )


def look_at_program(looked: Looked) -> None:
    """Versions of Python, SQLite and the libraries that the program names.

    Args:
        looked: gets what is found.
    """
    python = ".".join(map(str, sys.version_info[:3]))
    looked.facts.append(
        Text(
            f"{_DISTRIBUTION} {_version(_DISTRIBUTION)}, Python {python}, SQLite {sqlite3.sqlite_version}",
            f"{_DISTRIBUTION} {_version(_DISTRIBUTION)}, Python {python}, SQLite {sqlite3.sqlite_version}",
        )
    )
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        looked.warn(
            "old-sqlite",
            Text(
                f"SQLite {sqlite3.sqlite_version} jest starszy niż 3.38.",
                f"SQLite {sqlite3.sqlite_version} is older than 3.38.",
            ),
            Text("Sprawdzenie numerów czyta w bazie JSON.", "The numbers check reads JSON in the database."),
            Text("Zainstaluj nowszego Pythona lub system.", "Install a newer Python or system."),
        )
    for requirement in _requirements():
        found = _version(requirement.name)
        if found is None or requirement.specifier.contains(found, prereleases=True):
            continue
        looked.warn(
            "library-version",
            Text(
                f"Biblioteka {requirement.name} ma wersję {found}, a program wymaga {requirement.specifier}.",
                f"Library {requirement.name} is {found}, and the program asks for {requirement.specifier}.",
            ),
            Text("Z inną wersją programu nie sprawdzano.", "The program was not tested with another one."),
            Text("Zainstaluj program ponownie (pip install).", "Install the program again (pip install)."),
        )


def _requirements() -> list[Requirement]:
    """What the program asks for where it runs; extras are left out."""
    found = []
    try:
        lines = metadata.requires(_DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return []
    for line in lines:
        try:
            one = Requirement(line)
        except InvalidRequirement:
            continue
        if one.marker is None or one.marker.evaluate({"extra": ""}):
            found.append(one)
    return found


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
