"""The upkeep of an installation: a small portion of everything, in each pass of the background work."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from connector_app.keeping import personal_data, pruning, watching
from connector_app.log_events import Said
from connector_app.logs import Log
from connector_app.pipeline.services import Services

_log = Log(__name__)


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
        except Exception as error:
            _log.failed(Said.WORK_FAILED, error)
