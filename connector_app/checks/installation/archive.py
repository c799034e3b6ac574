"""A sample of the kept documents, compared with their hashes."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session, undefer

from connector_app.checks.installation.said import Looked
from connector_app.documents.files import damage, upo_damage
from connector_app.keeping.damage import damaged
from connector_app.keeping.reading import REPAIR
from connector_app.pipeline.services import Services, load_text
from connector_app.store.models import Document
from core.findings import Text

SAMPLE = 100
"""Documents that are looked at."""
_SHOWN = 5
"""Damaged files that are named."""


def look_at_archive(looked: Looked, session: Session) -> None:
    """Read some documents by chance.

    Args:
        looked: gets what is found.
        session: for reading.
    """
    has_xml = Document.xml_sha256.is_not(None)
    ids = session.scalars(select(Document.id).where(has_xml).order_by(func.random()).limit(SAMPLE)).all()
    rows = session.scalars(
        select(Document)
        .where(Document.id.in_(ids))
        .options(undefer(Document.xml), undefer(Document.upo))
        .order_by(Document.id)
    )
    wrong = [
        one
        for row in rows
        for one in (damage(row) if row.xml is not None else _gone(row.id), upo_damage(row))
        if one is not None
    ]
    if wrong:
        shown = wrong[:_SHOWN]
        looked.error(
            "archive-damaged",
            Text(
                f"Uszkodzone pliki w próbie: {len(wrong)}. " + " ".join(one.pl for one in shown),
                f"Damaged files in the sample: {len(wrong)}. " + " ".join(one.en for one in shown),
            ),
            Text(
                "Faktury trzeba przechować bez zmian; inne mogą być uszkodzone tak samo.",
                "Invoices must be kept unchanged; others can be damaged as well.",
            ),
            Text(
                "Sprawdź wszystkie: ksef-connector check numbers; przywróć bazę z kopii zapasowej.",
                "Look at all: ksef-connector check numbers; restore the database from a backup.",
            ),
        )
    looked.facts.append(Text(f"Sprawdzone dokumenty: {len(ids)}", f"Documents looked at: {len(ids)}"))


def look_at_known_damage(looked: Looked, services: Services) -> None:
    """What was found damaged before, whoever read it, and is not whole again.

    Args:
        looked: gets what is found.
        services: the installation.
    """
    known = damaged(services)
    if known:
        first = load_text(known[0].what)
        looked.error(
            "archive-damage-known",
            Text(
                f"Pliki uznane wcześniej za uszkodzone: {len(known)}. {first.pl}",
                f"Files that were found damaged before: {len(known)}. {first.en}",
            ),
            Text("Nie wydaje się ich nikomu.", "They are given to nobody."),
            REPAIR,
        )


def _gone(document_id: int) -> Text:
    return Text(
        f"Dokument {document_id} nie ma swojego pliku XML.", f"Document {document_id} has no XML file."
    )
