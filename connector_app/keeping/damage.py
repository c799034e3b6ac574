"""What was found damaged in the archive: noted once, listed until it is whole again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from connector_app.keeping.reading import ArchiveDamaged, Part
from connector_app.log_events import Said
from connector_app.logs import Log
from connector_app.pipeline.services import Services, dump_text
from connector_app.store.archive import ArchiveDamage

_log = Log(__name__)


def note(services: Services, error: ArchiveDamaged) -> None:
    """Write down that a file is damaged, unless that is known; never raises.

    Args:
        services: the installation.
        error: what the reading of the file said.
    """
    try:
        with suppress(IntegrityError), services.database.begin() as session:
            if _known(session, error) is None:
                session.add(
                    ArchiveDamage(
                        seller_id=error.seller_id,
                        document_id=error.document_id,
                        part=error.part.value,
                        reference=error.reference,
                        what=dump_text(error.text),
                        seen_at=services.clock(),
                    )
                )
                _log.warning(
                    Said.ARCHIVE_DAMAGED,
                    seller_id=error.seller_id,
                    document_id=error.document_id,
                    part=error.part.value,
                )
    except SQLAlchemyError as trouble:
        # whoever asked for the file is told all the same
        _log.warning(Said.DATABASE_FAILED, trouble, document_id=error.document_id)


def damaged(services: Services) -> Sequence[ArchiveDamage]:
    """Everything that is damaged as far as it was read, the oldest finding first."""
    with services.database() as session:
        return session.scalars(select(ArchiveDamage).order_by(ArchiveDamage.seen_at, ArchiveDamage.id)).all()


def healed(
    session: Session, seller_id: int, part: Part, *, document_id: int | None = None, reference: str = ""
) -> None:
    """Forget what is whole again, inside the caller's transaction."""
    of_document = (
        ArchiveDamage.document_id.is_(None)
        if document_id is None
        else ArchiveDamage.document_id == document_id
    )
    session.execute(
        delete(ArchiveDamage).where(
            ArchiveDamage.seller_id == seller_id,
            of_document,
            ArchiveDamage.part == part.value,
            ArchiveDamage.reference == reference,
        )
    )


def _known(session: Session, error: ArchiveDamaged) -> int | None:
    return session.scalar(
        select(ArchiveDamage.id).where(
            ArchiveDamage.seller_id == error.seller_id,
            ArchiveDamage.document_id.is_(None)
            if error.document_id is None
            else ArchiveDamage.document_id == error.document_id,
            ArchiveDamage.part == error.part.value,
            ArchiveDamage.reference == error.reference,
        )
    )
