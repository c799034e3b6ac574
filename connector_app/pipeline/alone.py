"""One document's trouble puts that document off and holds up nothing else."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from connector_app.keeping import damage
from connector_app.keeping.reading import ArchiveDamaged
from connector_app.log_events import Said
from connector_app.logs import Log, bound
from connector_app.pipeline import life
from connector_app.pipeline.services import Services
from connector_app.pipeline.submit import LaneBlocked
from connector_app.profiles import BadProfile
from connector_app.store.models import Document, ShopOrder
from connector_app.vault import VaultLocked
from core.findings import Text
from core.ksef.errors import KsefError
from core.signing.keys import KeyMaterialError

_log = Log(__name__)

_DAMAGED_PAUSE = 900.0
"""Seconds between tries while a file that a step needs is damaged: only a person can change that."""
Ids = dict[str, int | str | None]
"""Ids of one document by their names in the log."""
_NOTHING: Mapping[int, Ids] = MappingProxyType({})
_CHUNK = 500

INTERNAL = Text(
    "Błąd wewnętrzny programu przy tym dokumencie; szczegóły są w dzienniku. Program ponowi próbę.",
    "An internal error of the program at this document; the log has details. It will be tried again.",
)


def alone(
    services: Services, document_id: int, step: Callable[[int], object], known: Mapping[int, Ids] = _NOTHING
) -> Text | None:
    """Do a step for one document; an unexpected error is that document's own and postpones it.

    Args:
        services: the outside world.
        document_id: the document.
        step: what is done with it.
        known: what :func:`ids_of` found for it, for the log.

    Returns:
        What went wrong, or None.

    Raises:
        LaneBlocked, KsefError: the lane has to wait.
        KeyMaterialError, VaultLocked, BadProfile: the seller's secrets or settings are at fault.
        SQLAlchemyError: the database cannot be used.
    """
    services.way.give()
    with bound(document_id=document_id, **known.get(document_id, {})):
        try:
            step(document_id)
        except ArchiveDamaged as error:
            damage.note(services, error)
            life.postpone_one(services, document_id, error.said, at_least=_DAMAGED_PAUSE)
            return error.said
        except Exception as error:
            if isinstance(error, LaneBlocked | KsefError) or not _is_of_one_document(error):
                raise
            _log.failed(Said.DOCUMENT_FAILED, error)
            life.postpone_one(services, document_id, INTERNAL)
            return INTERNAL
    return None


def ids_of(services: Services, documents: Collection[int]) -> dict[int, Ids]:
    """The ids by which documents' lines of the log are found: the seller's, the store's, the shop's, KSeF's.

    Asked for many at once, because one query for each would cost more than the step.

    Raises:
        SQLAlchemyError: the database cannot be used.
    """
    found: dict[int, Ids] = {}
    wanted = sorted(documents)
    with services.database() as session:
        for begin in range(0, len(wanted), _CHUNK):
            rows = session.execute(
                select(
                    Document.id,
                    Document.seller_id,
                    Document.store_id,
                    ShopOrder.remote_id,
                    Document.session_reference,
                )
                .join(ShopOrder, ShopOrder.id == Document.order_id)
                .where(Document.id.in_(wanted[begin : begin + _CHUNK]))
            )
            for one, seller_id, store_id, order, reference in rows:
                found[one] = {
                    "seller_id": seller_id,
                    "store_id": store_id,
                    "order": order,
                    "session": reference,
                }
    return found


def _is_of_one_document(error: Exception) -> bool:
    """Whether an unexpected error says nothing about the other documents."""
    if isinstance(error, KeyMaterialError | VaultLocked | BadProfile):
        return False
    return isinstance(error, IntegrityError) or not isinstance(error, SQLAlchemyError)
