"""Tables of the archive: what was found damaged, and what is left of documents that were deleted."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from connector_app.store.models import Base


class ArchiveDamage(Base):
    """A stored file that is not what was stored; the row goes when the file is whole again."""

    __tablename__ = "archive_damage"
    __table_args__ = (UniqueConstraint("seller_id", "document_id", "part", "reference"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    seller_id: Mapped[int] = mapped_column(ForeignKey("sellers.id"))
    document_id: Mapped[int | None] = mapped_column(ForeignKey("documents.id"), index=True)
    """``None`` for a session's UPO."""
    part: Mapped[str] = mapped_column(String(12))
    """:class:`connector_app.keeping.reading.Part`."""
    reference: Mapped[str] = mapped_column(String(80), default="")
    """Of a session's UPO: ``SESSION/PAGE``; else empty."""
    what: Mapped[str] = mapped_column(Text)
    """What is wrong (JSON with both languages)."""
    seen_at: Mapped[datetime]
    """When it was seen first."""


class DeletedDocument(Base):
    """The trace of a document that a person deleted after the legal time: its number stays used."""

    __tablename__ = "deleted_documents"
    __table_args__ = (UniqueConstraint("seller_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    """The document's own id."""
    seller_id: Mapped[int] = mapped_column(ForeignKey("sellers.id"))
    kind: Mapped[str] = mapped_column(String(8))
    number: Mapped[str] = mapped_column(String(256))
    issued_on: Mapped[date]
    ksef_number: Mapped[str | None] = mapped_column(String(36))
    xml_sha256: Mapped[str] = mapped_column(String(64))
    deleted_at: Mapped[datetime]
