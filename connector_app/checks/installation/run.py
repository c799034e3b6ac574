"""A whole examination of an installation, area by area; what stops an area stops no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from connector_app.checks.installation.archive import look_at_archive, look_at_known_damage
from connector_app.checks.installation.backups import look_at_backups
from connector_app.checks.installation.data import look_at_database
from connector_app.checks.installation.machine import look_at_files, look_at_program
from connector_app.checks.installation.network import Tell, look_at_network
from connector_app.checks.installation.said import EARLIER, NOT_ASKED, Area, Examined
from connector_app.checks.installation.secrets import look_at_secrets
from connector_app.checks.installation.work import look_at_work
from connector_app.pipeline.services import Services
from connector_app.store.database import trouble
from core.findings import Text


@dataclass(frozen=True, slots=True)
class Installation:
    """What is examined.

    Attributes:
        home: its folder; ``None`` when it is not known.
        key_file: with the key of its secrets; ``None`` when it is not known.
        engine: of its database as it is; ``None`` when there is none to connect to.
        open: makes the outside world once the database is found usable; may raise ``OSError`` or
            ``ValueError`` when the key cannot be used. ``None`` without a database.
    """

    home: Path | None
    key_file: Path | None
    engine: Engine | None
    open: Callable[[], Services] | None = None

    @classmethod
    def of(cls, services: Services) -> Installation:
        """A running installation."""
        home = services.work_dir.parent if services.work_dir else None
        return cls(home, None, services.database.kw["bind"], lambda: services)


def examine(
    place: Installation,
    now: datetime,
    *,
    network: bool,
    deep: bool = True,
    tell: Tell = lambda _done, _total: None,
) -> Examined:
    """Look at an installation; nothing in it is changed.

    Args:
        place: what is examined.
        now: aware UTC.
        network: ask KSeF, shops and mail servers, too.
        deep: read the whole database file, and a sample of the documents.
        tell: told how many of how many servers were asked.
    """
    found = Examined(now, version("ksef-shop-connector"))
    areas = found.areas
    is_there = look_at_files(areas[Area.FILES], place.home, place.key_file)
    look_at_program(areas[Area.PROGRAM])
    is_usable = place.engine is not None and look_at_database(
        areas[Area.DATABASE], place.engine, now, deep=deep
    )
    if place.engine is None:
        areas[Area.DATABASE].why_not = EARLIER
    services = _opened(place, found) if is_there and is_usable else None
    if services is None:
        for area in (Area.SECRETS, Area.WORK, Area.ARCHIVE, Area.BACKUP, Area.NETWORK):
            areas[area].why_not = EARLIER
        return found
    _look_inside(found, services, deep=deep)
    if network:
        look_at_network(areas[Area.NETWORK], services, tell=tell)
    else:
        areas[Area.NETWORK].why_not = NOT_ASKED
    return found


def _opened(place: Installation, found: Examined) -> Services | None:
    try:
        return place.open() if place.open else None
    except (OSError, ValueError) as error:
        found.areas[Area.SECRETS].error(
            "key-unusable",
            Text(f"secret.key nie da się użyć: {error}", f"secret.key cannot be used: {error}"),
            Text("Bez klucza nie ma logowania do KSeF.", "Without the key there is no sign-in to KSeF."),
            Text("Przywróć go z kopii zapasowej.", "Restore it from the backup."),
        )
        return None


def _look_inside(found: Examined, services: Services, *, deep: bool) -> None:
    areas = found.areas
    looks: dict[Area, Callable[[], None]] = {
        Area.SECRETS: lambda: look_at_secrets(areas[Area.SECRETS], services),
        Area.WORK: lambda: look_at_work(areas[Area.WORK], services),
        Area.ARCHIVE: lambda: _archive(found, services, deep=deep),
        Area.BACKUP: lambda: look_at_backups(areas[Area.BACKUP], services),
    }
    for area, look in looks.items():
        try:
            look()
        except SQLAlchemyError as error:
            areas[area].why_not = trouble(error)


def _archive(found: Examined, services: Services, *, deep: bool) -> None:
    if not deep:
        found.areas[Area.ARCHIVE].why_not = NOT_ASKED
        return
    with services.database() as session:
        look_at_archive(found.areas[Area.ARCHIVE], session)
    look_at_known_damage(found.areas[Area.ARCHIVE], services)
