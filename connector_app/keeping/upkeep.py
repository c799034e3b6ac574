"""The upkeep of an installation: a small portion of everything, in each pass of the background work."""

from __future__ import annotations

import logging
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from connector_app.keeping import personal_data, pruning, schedule, watching
from connector_app.keeping.damage import damaged
from connector_app.pipeline.services import Services
from core.findings import Text

_log = logging.getLogger(__name__)


def look(services: Services) -> None:
    """Verify some of the archive, delete some of what is old; one's trouble keeps no other from its work.

    Args:
        services: the installation.

    Raises:
        SQLAlchemyError: the database cannot be used.
    """
    steps: tuple[Callable[[Services], object], ...] = (
        watching.look,
        personal_data.delete_due,
        pruning.prune,
    )
    for step in steps:
        try:
            step(services)
        except SQLAlchemyError:
            raise
        except Exception:
            _log.exception("upkeep: %s failed", step.__module__)


def notices(services: Services) -> list[Text]:
    """What people have to know: damaged files, and backups that do not come about."""
    broken = damaged(services)
    found = []
    if broken:
        found.append(
            Text(
                f"Uszkodzone pliki w archiwum: {len(broken)}. Uruchom: ksef-connector verify-archive --repair",
                f"Damaged files in the archive: {len(broken)}. Run: ksef-connector verify-archive --repair",
            )
        )
    return found + schedule.troubles(services)
